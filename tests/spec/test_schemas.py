"""Every message of OCPP 1.6, both ways: the least, the most, each enumeration value, each fault."""

from __future__ import annotations

import asyncio
import json

import pytest
import pytest_asyncio
from ocpp.messages import Call, CallResult

from tests.spec import shapes
from tests.spec.playbook import Stage, schema_problem
from tests.spec.shapes import FROM_STATION, TO_STATION

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

_DONE = {None, "Accepted", "Unlocked", "Scheduled", "RebootRequired", "AcceptedCanceled"}


@pytest_asyncio.fixture(loop_scope="module")
async def stage(csms, identity):
    """A station that is connected, and strict: nothing that it sends is put right."""
    await csms.add(identity, connectors=2, strict=True)
    stage = Stage(csms, identity)
    await stage.plug_in()
    yield stage
    await stage.close()


@pytest.mark.parametrize("action", FROM_STATION)
async def test_messages_of_a_station_are_answered(stage, action):
    part = shapes.schema(action)
    for payload in (shapes.least(part), shapes.most(part), *shapes.spellings(part)):
        frame = await stage.exchange(action, payload)
        assert frame[0] == 3, (payload, frame)
        problem = schema_problem(CallResult(unique_id="x", payload=frame[2], action=action))
        assert problem is None, (frame, problem)


@pytest.mark.parametrize("action", FROM_STATION)
async def test_r11_to_r15_each_fault_of_a_strict_station_has_its_code(stage, action):
    for wrong in shapes.wrongs(shapes.schema(action)):
        frame = await stage.exchange(action, wrong.payload)
        assert isinstance(frame, list), (wrong.what, frame)
        assert (frame[0], frame[2]) == (4, wrong.code), (wrong.what, frame)
        assert len(frame) == 5, frame


async def relayed(stage, action, payload, reply):
    """Send a call by the API and answer it; returns what arrived and what the operator got."""
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(stage.ask_call(action, payload))
        frame, raw = await stage.receive()
        assert isinstance(frame, list), (frame, payload)
        await stage.send([3, frame[1], reply])
    return frame, raw, asked.result()


@pytest.mark.parametrize("action", TO_STATION)
async def test_calls_of_the_operator_go_out_as_they_came(stage, action):
    part = shapes.schema(action)
    reply = shapes.least(shapes.schema(action, response=True))
    for payload in (shapes.least(part), shapes.most(part), *shapes.spellings(part)):
        frame, raw, (status, _) = await relayed(stage, action, payload, reply)
        assert (frame[0], frame[2], status) == (2, action, 200)
        assert json.dumps(payload, separators=(",", ":"), ensure_ascii=False) in raw
        assert schema_problem(Call(unique_id="x", action=action, payload=payload)) is None


@pytest.mark.parametrize("action", TO_STATION)
async def test_calls_that_break_their_schema_are_refused_and_not_sent(stage, action):
    for wrong in shapes.wrongs(shapes.schema(action)):
        status, answer = await stage.ask_call(action, wrong.payload)
        assert (status, answer["code"]) == (422, "invalid_payload"), (wrong.what, answer)
        assert answer["fields"], wrong.what
    frame = await stage.exchange("Heartbeat", {})
    assert frame[0] == 3  # and nothing else has come


@pytest.mark.parametrize("action", TO_STATION)
async def test_confirmations_of_a_station_are_taken(stage, action):
    request = shapes.least(shapes.schema(action))
    part = shapes.schema(action, response=True)
    for reply in (shapes.least(part), shapes.most(part), *shapes.spellings(part)):
        _, _, (status, answer) = await relayed(stage, action, request, reply)
        assert status == 200, (reply, answer)
        said = reply.get("status")
        assert answer["status"] == said
        assert answer["outcome"] == ("accepted" if said in _DONE else "rejected")


@pytest.mark.parametrize("action", TO_STATION)
async def test_r20_confirmations_that_break_their_schema_are_told_so(stage, action):
    request = shapes.least(shapes.schema(action))
    for wrong in shapes.wrongs(shapes.schema(action, response=True)):
        if wrong.is_time:
            continue  # its schema takes any text there; the operator sees it as it came
        _, _, (status, answer) = await relayed(stage, action, request, wrong.payload)
        assert (status, answer["code"]) == (502, "invalid_response"), (wrong.what, answer)
