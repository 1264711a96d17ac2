"""Calls that cannot be sent or get no usable answer: each refusal of the contract."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import aiohttp
import pytest
import pytest_asyncio

from tests.spec import shapes
from tests.spec.playbook import Asks, Does, Says, Stage
from tests.spec.shapes import TO_STATION
from tests.spec.states import BOOT, NOW, VALID, booted, boots, charging, stops
from tests.spec.values import ANY, Has, fits, transaction

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

CALL = "/api/stations/{id}/calls/"
START = {"connectorId": 1, "idTag": VALID}


def refused(action, payload, status, code):
    return Does("POST", CALL + action, payload, status, Has(code=code))


@pytest_asyncio.fixture(loop_scope="module")
async def silent(csms, identity):
    """A station that exists and is not connected."""
    await csms.add(identity, connectors=2)
    return Stage(csms, identity)


async def registered(stage, registration):
    path = f"/api/stations/{quote(stage.identity)}"
    assert (await stage.ask("PATCH", path, {"registration": registration}))[0] == 200
    await stage.close()
    await stage.plug_in()  # the registration holds for the new connection at once


@pytest.mark.parametrize("action", TO_STATION)
async def test_a_station_that_is_offline(silent, action):
    status, answer = await silent.ask_call(action, shapes.least(shapes.schema(action)))
    assert (status, answer["code"]) == (409, "station_offline")


async def test_what_does_not_exist(stage):
    await stage.play(
        refused("Restart", {}, 404, "action_not_found"),
        refused("reset", {"type": "Hard"}, 404, "action_not_found"),
        refused("Heartbeat", {}, 404, "action_not_found"),
        Does(
            "POST", "/api/stations/nobody/calls/ClearCache", {}, 404, Has(code="station_not_found")
        ),
    )


@pytest.mark.parametrize("body", [[], "x", 1, False])
async def test_a_payload_that_is_no_object(stage, body):
    url = f"http://127.0.0.1:{stage.system.running.http_port}/api/stations/{stage.identity}"
    async with stage.system.client.post(f"{url}/calls/Reset", json=body) as answer:
        assert answer.status == 422
        assert (await answer.json())["code"] == "invalid_payload"
    async with stage.system.client.post(f"{url}/calls/Reset", data="{") as answer:
        assert answer.status in (400, 415)
    await stage.play()


async def test_who_may_not(csms, stage):
    url = f"http://127.0.0.1:{csms.running.http_port}/api/stations/{stage.identity}/calls/Reset"
    made = await csms.ask("POST", "/api/api-keys", {"name": stage.identity, "role": "viewer"})
    async with aiohttp.ClientSession() as client:
        for token, status in ((None, 401), ("nonsense", 401), (made["token"], 403)):
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            async with client.post(url, json={"type": "Hard"}, headers=headers) as answer:
                assert answer.status == status, token
    await stage.play()


async def test_r26_silence_is_a_time_out(stage):
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(stage.ask_call("ClearCache", {}))
        frame, _ = await stage.receive()
        assert frame[2] == "ClearCache"
    status, answer = asked.result()
    assert (status, answer["code"]) == (504, "call_timeout")
    await stage.send([3, frame[1], {"status": "Accepted"}])  # too late: to nobody
    await stage.play(Asks("ClearCache", {}, {"status": "Rejected"}, "rejected"))


async def test_a_connection_that_goes_while_a_call_is_open(stage):
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(stage.ask_call("ClearCache", {}))
        await stage.receive()
        stage.socket.transport.abort()
    status, answer = asked.result()
    assert (status, answer["code"]) == (504, "connection_lost")
    await stage.plug_in()
    await stage.play(Asks("ClearCache", {}))


@pytest.mark.parametrize("reply", ["{}x", "nonsense"])
async def test_r09_an_answer_that_cannot_be_read(stage, reply):
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(stage.ask_call("ClearCache", {}))
        frame, _ = await stage.receive()
        await stage.send_text(f'[3,"{frame[1]}",{reply}')
    status, answer = asked.result()
    assert (status, answer["code"]) == (502, "invalid_response")
    await stage.play(Asks("ClearCache", {}))


async def test_r22_calls_wait_for_each_other(stage):
    async with asyncio.TaskGroup() as tasks:
        asked = [
            tasks.create_task(stage.ask_call("UnlockConnector", {"connectorId": n}))
            for n in range(1, 6)
        ]
        for _ in asked:
            frame, _ = await stage.receive()
            # one is open at a time, and meanwhile the station may speak (R23)
            beat = await stage.exchange("Heartbeat", {})
            assert fits([3, beat[1], {"currentTime": NOW}], beat)
            await stage.send([3, frame[1], {"status": "Unlocked"}])
    assert [each.result()[0] for each in asked] == [200] * 5


async def test_n11_n12_no_remote_start_or_stop_while_pending(stage):
    await registered(stage, "Pending")
    pending = {"status": "Pending", "currentTime": NOW, "interval": ANY}
    frame = await stage.exchange("BootNotification", BOOT)
    assert fits([3, frame[1], pending], frame)
    for action, payload in (
        ("RemoteStartTransaction", START),
        ("RemoteStopTransaction", {"transactionId": 1}),
    ):
        status, answer = await stage.ask_call(action, payload)
        assert (status, answer["code"]) == (403, "refused_locally")
    for action in set(TO_STATION) - {"RemoteStartTransaction", "RemoteStopTransaction"}:
        request = shapes.least(shapes.schema(action))
        reply = shapes.least(shapes.schema(action, response=True))
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(stage.ask_call(action, request))
            frame, _ = await stage.receive()
            assert frame[2] == action
            await stage.send([3, frame[1], reply])
        assert asked.result()[0] == 200, asked.result()


async def test_m03_r17_a_pending_station_may_say_what_it_was_asked_for(stage):
    await registered(stage, "Pending")
    frame = await stage.exchange("Heartbeat", {})
    assert (frame[0], frame[2]) == (4, "SecurityError")
    frame = await stage.exchange("Authorize", {"idTag": VALID})
    assert (frame[0], frame[2]) == (4, "SecurityError")
    await stage.perform(Asks("TriggerMessage", {"requestedMessage": "BootNotification"}))
    frame = await stage.exchange("BootNotification", BOOT)
    assert frame[2]["status"] == "Pending"
    path = f"/api/stations/{quote(stage.identity)}"
    assert (await stage.ask("PATCH", path, {"registration": "Accepted"}))[0] == 200
    await stage.play(booted())


async def test_m04_nothing_is_sent_to_a_rejected_station(stage):
    await registered(stage, "Rejected")
    frame = await stage.exchange("BootNotification", BOOT)
    assert frame[2]["status"] == "Rejected"
    for action in TO_STATION:
        status, answer = await stage.ask_call(action, shapes.least(shapes.schema(action)))
        assert (status, answer["code"]) == (403, "refused_locally"), action
    frame = await stage.exchange("Heartbeat", {})
    assert (frame[0], frame[2]) == (4, "SecurityError")


@pytest.mark.parametrize("value", ["0", "1", "-1", "", "one", "1.5"])
async def test_n03_a_security_profile_is_never_lowered(csms, identity, value):
    await csms.add(identity, password="00112233445566778899aabbccddeeff")
    stage = Stage(csms, identity)
    status, answer = await stage.ask_call(
        "ChangeConfiguration", {"key": "securityPROFILE", "value": value}
    )
    assert (status, answer["code"]) == (403, "refused_locally")


async def test_a_session_that_is_started_and_stopped_by_the_shorter_way(stage):
    tx = stage.slot(transaction("transaction"))
    await stage.play(booted())
    async with asyncio.TaskGroup() as tasks:
        body = {"stationId": stage.identity, "connectorId": 1, "idTag": VALID}
        asked = tasks.create_task(stage.ask("POST", "/api/sessions/start", body))
        frame, _ = await stage.receive()
        assert (frame[2], frame[3]) == ("RemoteStartTransaction", START)
        await stage.send([3, frame[1], {"status": "Accepted"}])
        await stage.perform(charging(tx))
    status, session = asked.result()
    assert (status, session["transactionId"]) == (201, tx.value)
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(stage.ask("POST", f"/api/sessions/{session['id']}/stop", {}))
        frame, _ = await stage.receive()
        assert (frame[2], frame[3]) == ("RemoteStopTransaction", {"transactionId": tx.value})
        await stage.send([3, frame[1], {"status": "Accepted"}])
        await stage.perform(stops(tx, "Remote"))
    status, session = asked.result()
    assert (status, session["status"], session["energyKwh"]) == (200, "completed", 5.0)
    await stage.play(boots(), Says("Heartbeat", {}, {"currentTime": NOW}))


async def test_a_start_that_is_rejected(stage):
    async with asyncio.TaskGroup() as tasks:
        body = {"stationId": stage.identity, "idTag": VALID}
        asked = tasks.create_task(stage.ask("POST", "/api/sessions/start", body))
        frame, _ = await stage.receive()
        await stage.send([3, frame[1], {"status": "Rejected"}])
    assert asked.result()[0] == 409


async def test_a_start_that_is_accepted_and_does_not_happen(stage):
    async with asyncio.TaskGroup() as tasks:
        body = {"stationId": stage.identity, "connectorId": 2, "idTag": VALID, "waitS": 0.2}
        asked = tasks.create_task(stage.ask("POST", "/api/sessions/start", body))
        frame, _ = await stage.receive()
        await stage.send([3, frame[1], {"status": "Accepted"}])
    assert asked.result()[0] == 202, asked.result()
