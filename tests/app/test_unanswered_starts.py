"""Remote starts and stops that come to pass though the station gives no usable answer."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from tests.app.bench import system
from tests.quirks.bench import START_AT, STOP_AT, plugged

pytestmark = pytest.mark.slow


@asynccontextmanager
async def asked(cp, path, body):
    """Ask the operator API; gives its status and body, and the id of the call that comes of it."""
    url = f"http://127.0.0.1:{cp.system.running.http_port}{path}"

    async def ask():
        async with cp.system.client.post(url, json=body) as answer:
            return answer.status, await answer.json()

    task = asyncio.ensure_future(ask())
    try:
        async with asyncio.timeout(10):
            kind, message_id, *_ = json.loads(await cp.socket.recv())
        assert kind == 2
        yield task, message_id
    finally:
        task.cancel()


@pytest.fixture
async def cp(database_url, tmp_path):
    async with system(database_url, tmp_path, call_timeout_s=2.0) as s:
        await s.ask("POST", "/api/id-tags", {"idTag": "TAG"})
        await s.add("A")
        async with plugged(s, "A") as station:
            yield station


def wanted(**more):
    return {"stationId": "A", "connectorId": 1, "idTag": "TAG", "waitS": 5, **more}


@pytest.mark.parametrize("answer", [None, {}])
async def test_a_session_that_starts_without_an_answer_has_started(cp, answer):
    async with asked(cp, "/api/sessions/start", wanted()) as (task, message_id):
        if answer is not None:
            await cp.socket.send(json.dumps([3, message_id, answer]))
        number = await cp.start()
        status, body = await task
    assert (status, body["transactionId"], body["status"]) == (201, number, "active")


@pytest.mark.parametrize("answer", [None, {}])
async def test_a_session_that_stops_without_an_answer_has_stopped(cp, answer):
    number = await cp.start()
    path = f"/api/sessions/{number}/stop"
    async with asked(cp, path, {"waitS": 5}) as (task, message_id):
        if answer is not None:
            await cp.socket.send(json.dumps([3, message_id, answer]))
        stop = {"transactionId": number, "meterStop": 2000, "timestamp": STOP_AT}
        await cp.told("StopTransaction", {**stop, "reason": "Remote"})
        status, body = await task
    assert (status, body["status"], body["energyKwh"]) == (200, "completed", 1.0)


async def test_without_an_answer_and_a_session_the_operator_is_told_so(cp):
    async with asked(cp, "/api/sessions/start", wanted(waitS=0)) as (task, message_id):
        await cp.socket.send(json.dumps([3, message_id, {}]))
        status, body = await task
    assert (status, body["code"]) == (502, "invalid_response")
    # somebody else's session is not the one that was asked for
    async with asked(cp, "/api/sessions/start", wanted(waitS=0)) as (task, _):
        await cp.start(idTag="OTHER", timestamp=START_AT)
        status, body = await task
    assert (status, body["code"]) == (504, "call_timeout")
