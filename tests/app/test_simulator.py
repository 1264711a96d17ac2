"""The simulator reached through the operator API."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import aiohttp

from simulator.control import Panel
from simulator.emulator import Emulator
from simulator.emulator_api import emulator_routes
from simulator.serving import listening
from tests.app.bench import system
from tests.waiting import wait_until

STATION = "/api/simulator/stations/SIM%201"


@asynccontextmanager
async def with_emulator(database_url, folder):
    """Give a system, and the emulator that it knows."""
    made = Emulator(meter_interval_s=1)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(made.run())
        routes = [*emulator_routes(made), *Panel(lambda: made.stations, made.clock).routes()]
        async with (
            listening(routes, "127.0.0.1", 0) as port,
            system(database_url, folder, simulator_url=f"http://127.0.0.1:{port}/") as s,
        ):
            yield s
            made.stop()
            for plugged in made.plugged:
                await plugged.station.wait_for(lambda state: not state.is_connected, 60)


async def refused(s, method, path, body=None, token=None):
    url = f"http://127.0.0.1:{s.running.http_port}{path}"
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with s.client.request(method, url, json=body, headers=headers) as answer:
        return answer.status, (await answer.json())["code"]


async def test_from_an_empty_system_to_a_charging_car(database_url, tmp_path):
    async with with_emulator(database_url, tmp_path) as s:
        assert await s.ask("GET", "/api/simulator") == {
            "configured": True,
            "reachable": True,
            "makesStations": True,
            "detail": None,
        }
        await s.add("SIM 1", quiet=False)
        made = await s.ask("POST", "/api/simulator/plug", {"chargePoint": "SIM 1"})
        assert (made["chargePoint"], made["status"]) == ("SIM 1", "Preparing")
        session = await s.ask("POST", "/api/sessions/start", {"stationId": "SIM 1"})
        assert session["status"] == "active"

        async def charging():
            shown = await s.ask("GET", STATION)
            return shown["connectors"][0]["powerW"] > 0

        await wait_until(charging)
        page = await s.ask("GET", "/api/simulator/stations?q=sim")
        assert [each["identity"] for each in page["items"]] == ["SIM 1"]
        shown = await s.ask("POST", f"{STATION}/connectors/1/soc", {"socPercent": 55})
        assert 54 < shown["connectors"][0]["socPercent"] < 56
        shown = await s.ask("POST", f"{STATION}/oddities", {"name": "empty-frames", "on": True})
        assert shown["oddities"] == ["empty-frames"]
        shown = await s.ask("POST", f"{STATION}/connectors/1/unplug", {})
        assert shown["connectors"][0]["vehicle"] is False
        assert (await s.ask("GET", "/api/simulator/oddities"))["items"]


async def test_refusals_have_the_simulators_words(database_url, tmp_path):
    async with with_emulator(database_url, tmp_path) as s:
        plug = "/api/simulator/plug"
        await s.add("SIM 1")
        await s.ask("POST", plug, {"chargePoint": "SIM 1"})
        assert await refused(s, "POST", plug, {"chargePoint": "SIM 1"}) == (409, "taken")
        assert await refused(s, "POST", plug, {"chargePoint": "NOBODY"}) == (502, "cannot_connect")
        assert await refused(s, "POST", plug, {"wssUrl": "ws://x"}) == (422, "invalid_request")
        soc = f"{STATION}/connectors/1/soc"
        assert await refused(s, "POST", soc, {"socPercent": 101}) == (400, "bad_socPercent")
        assert await refused(s, "POST", f"{STATION}/connectors/2/plug", {}) == (
            404,
            "unknown_connector",
        )
        assert await refused(s, "POST", f"{STATION}/explode", {}) == (404, "not_found")
        key = await s.ask("POST", "/api/api-keys", {"name": "looks", "role": "viewer"})
        looks = key["token"]
        assert await refused(s, "POST", soc, {"socPercent": 1}, looks) == (403, "forbidden")
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {looks}"}) as viewer:
            url = f"http://127.0.0.1:{s.running.http_port}{STATION}"
            async with viewer.get(url) as answer:
                assert answer.status == 200


async def test_without_one(database_url, tmp_path, free_port):
    async with system(database_url, tmp_path / "a") as s:
        assert (await s.ask("GET", "/api/simulator"))["configured"] is False
        assert await refused(s, "GET", "/api/simulator/stations") == (404, "no_simulator")
    url = f"http://127.0.0.1:{free_port}"
    async with system(database_url, tmp_path / "b", simulator_url=url) as s:
        about = await s.ask("GET", "/api/simulator")
        assert (about["configured"], about["reachable"]) == (True, False)
        assert "cannot be reached" in about["detail"]
        assert await refused(s, "GET", "/api/simulator/stations") == (503, "simulator_away")
