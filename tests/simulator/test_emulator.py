"""The emulator over HTTP, against a central system on a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from simulator.clock import RealClock
from simulator.emulator import Emulator, Plugged
from simulator.emulator_api import WELCOME, emulator_routes
from simulator.serving import listening
from simulator.settings import StationSettings
from simulator.vehicle import Vehicle
from tests.simulator.central import CallError, Silence
from tests.simulator.fast_clock import FastClock


@asynccontextmanager
async def emulating(**settings) -> AsyncIterator[tuple[Emulator, aiohttp.ClientSession]]:
    emulator = Emulator(
        **{"meter_interval_s": 1, "patience_s": 3.0, "clock": FastClock(), **settings}
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(emulator.run())
        await RealClock().sleep(0)
        try:
            async with (
                listening(emulator_routes(emulator), "127.0.0.1", 0) as port,
                aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
            ):
                yield emulator, http
        finally:
            emulator.stop()


async def plug(http: aiohttp.ClientSession, **body) -> tuple[int, dict]:
    async with http.post("/plug", json=body) as answer:
        return answer.status, await answer.json()


async def test_welcome():
    async with emulating() as (_, http), http.get("/") as answer:
        assert (answer.status, await answer.text()) == (200, WELCOME)


async def test_a_session_from_plug_to_available(central):
    async with emulating() as (emulator, http):
        status, body = await plug(http, wssUrl=central.url, chargePoint="EMU 1")
        assert (status, body["status"], body["chargePoint"]) == (201, "Preparing", "EMU 1")
        assert central.statuses()[-1] == "Preparing"
        identity = "EMU%201"
        assert await central.call(identity, "RemoteStartTransaction", idTag="TAG") == {
            "status": "Accepted"
        }
        await central.until_calls("MeterValues")
        assert central.of("Authorize") == [{"idTag": "TAG"}]
        (start,) = central.of("StartTransaction")
        assert start["idTag"] == "TAG"
        await central.call(identity, "RemoteStopTransaction", transactionId=1001)
        (stop,) = await central.until_calls("StopTransaction")
        assert stop["reason"] == "Remote"
        await central.until(lambda: central.statuses()[-1] == "Available")
        assert central.statuses()[-2] == "Finishing"
        # The same address takes the next vehicle on the same connection.
        status, _ = await plug(http, wssUrl=central.url, chargePoint="EMU 1")
        assert (status, central.connections, len(emulator.stations)) == (201, 1, 1)


async def test_the_next_vehicle_stays_when_a_hand_has_changed_them(central):
    settings = StationSettings(identity="E", url=central.url, meter_interval_s=0)
    plugged = Plugged(settings, RealClock(), unplug_after_s=0)
    station = plugged.station
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(plugged.run())
        await plugged.plug(5)
        await station.present_tag(1, "TAG")
        await central.until_calls("StartTransaction")
        station.unplug(1)
        station.plug(1, Vehicle())
        await central.until_calls("StopTransaction")
        assert await station.present_tag(1, "TAG")
        await central.until_calls("StartTransaction", 2)
        station.stop()


async def test_without_a_name_the_url_is_used_as_it_is(central):
    async with emulating() as (_, http):
        status, body = await plug(http, wssUrl=f"{central.url}/CP9?x=1")
        assert (status, body["chargePoint"]) == (201, "CP9")


async def test_several_at_once_and_the_same_twice(central):
    async with emulating() as (emulator, http):
        names = [f"E{number}" for number in range(5)]
        answers = await asyncio.gather(
            *(plug(http, wssUrl=central.url, chargePoint=name) for name in names)
        )
        assert [status for status, _ in answers] == [201] * 5
        status, body = await plug(http, wssUrl=central.url, chargePoint="E0")
        assert (status, body["code"]) == (409, "taken")
        async with http.delete("/plug/E0") as answer:
            assert answer.status == 204
        async with http.delete("/plug/E0") as answer:
            assert (answer.status, (await answer.json())["code"]) == (404, "not_plugged")
        async with http.get("/plug") as answer:
            assert [one["chargePoint"] for one in (await answer.json())["items"]] == names[1:]
        assert len(emulator.stations) == 4


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"wssUrl": 5},
        {"wssUrl": "http://127.0.0.1/x"},
        {"wssUrl": "ws:///x"},
        {"wssUrl": "ws://h:99999/x"},
        {"wssUrl": "ws://h/a b"},
        {"wssUrl": "ws://h/x", "chargePoint": ""},
        {"wssUrl": "ws://h/x", "chargePoint": 7},
        {"wssUrl": "ws://h/x", "other": 1},
    ],
)
async def test_bad_requests(body):
    async with emulating() as (emulator, http):
        status, problem = await plug(http, **body)
        assert status == 400
        assert problem["detail"]
        assert emulator.stations == []


async def test_no_way_to_the_central_system_is_502_and_leaves_nothing(central):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with emulating() as (emulator, http):
            url = f"ws://127.0.0.1:{unused.getsockname()[1]}/x"
            status, problem = await plug(http, wssUrl=url)
            assert (status, problem["code"]) == (502, "cannot_connect")
            central.password = b"secret"
            status, problem = await plug(http, wssUrl=central.url, chargePoint="E1")
            assert status == 502
            assert "401" in problem["detail"]
            assert emulator.stations == []


@pytest.mark.slow
async def test_a_rejected_boot_is_502_and_silence_is_504(central):
    async with emulating(patience_s=1.0) as (emulator, http):
        central.once("BootNotification", Silence())
        assert (await plug(http, wssUrl=central.url, chargePoint="E1"))[0] == 504
        central.once("BootNotification", *[CallError("NotSupported")] * 99)  # it asks again
        status, problem = await plug(http, wssUrl=central.url, chargePoint="E3")
        assert (status, problem["code"]) == (504, "not_answered")
        assert "BootNotification: NotSupported: scripted" in problem["detail"]
        assert emulator.stations == []
    central.scripts.clear()
    async with emulating(patience_s=30.0) as (emulator, http):
        central.boot_status = "Rejected"
        assert (await plug(http, wssUrl=central.url, chargePoint="E2"))[0] == 502
        assert emulator.stations == []


async def test_pages_of_other_origins_are_refused(central):
    async with emulating() as (emulator, http):
        headers = {"Origin": "http://evil.example"}
        body = {"wssUrl": central.url, "chargePoint": "E1"}
        async with http.post("/plug", json=body, headers=headers) as answer:
            assert answer.status == 403
        assert emulator.stations == []


async def test_body_that_is_no_json():
    async with emulating() as (_, http):
        for body in (b"{", b"[]", b"[" * 5000):
            async with http.post("/plug", data=body) as answer:
                assert answer.status == 400
