"""Calls to charge points over real sockets: the contract, and what only the wire shows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from csms.domain.charge_points import Registration
from csms.domain.ids import ChargePointKey
from csms.errors import CallFailed
from csms.ocppj.server import OcppServer
from tests.contracts.gateway import (
    Behaviour,
    Error,
    GatewayContract,
    HangUp,
    Result,
    Silence,
)
from tests.ocppj.playbook import ANY, ChargePoint, gets, plug_in, sends
from tests.ocppj.standins import record
from tests.ocppj.test_messages import START, STATUS
from tests.waiting import wait_until

CP1 = ChargePointKey(1)


class SocketRig:
    """Charge point CP1 on a real socket; a task of it plays the behaviour."""

    def __init__(self, server: OcppServer) -> None:
        self._server = server
        self.gateway = server.gateway
        self.key = CP1
        self.behaviour: Behaviour = Result()
        self.received: list[tuple[str, str, Mapping[str, Any]]] = []
        self._cp: ChargePoint | None = None
        self._task: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        self._cp = await plug_in(self._server.port)
        self._task = asyncio.create_task(self._play(self._cp))
        await wait_until(lambda: self.gateway.is_online(self.key))

    async def disconnect(self) -> None:
        if self._cp is not None:
            await self._cp.close()
        if self._task is not None:
            await self._task

    async def answer_late(self, message_id: str) -> None:
        assert self._cp is not None
        await self._cp.send([3, message_id, {"status": "Accepted"}])

    async def _play(self, cp: ChargePoint) -> None:
        try:
            async for raw in cp.socket:
                kind, message_id, action, payload = json.loads(raw)
                assert kind == 2
                self.received.append((message_id, action, payload))
                match self.behaviour:
                    case Result(result):
                        await cp.send([3, message_id, result])
                    case Error(code, description):
                        await cp.send([4, message_id, code, description, {}])
                    case HangUp():
                        cp.socket.transport.abort()
                    case Silence():
                        pass
        except ConnectionClosed:
            return


class TestLocalGateway(GatewayContract):
    @pytest.fixture
    async def rig(self, server: OcppServer) -> AsyncIterator[SocketRig]:
        rig = SocketRig(server)
        yield rig
        await rig.disconnect()


async def test_all_26_calls_can_be_sent(server, schemas, cp):
    async def answer_all() -> None:
        for _ in schemas.actions():
            frame = await cp.get()
            await cp.send([4, frame[1], "NotImplemented", "", {}])

    async with asyncio.TaskGroup() as group:
        group.create_task(answer_all())
        for action in schemas.actions():
            answer = await server.gateway.call(CP1, action, {}, message_id=f"id {action}")
            assert answer.error_code == "NotImplemented"


async def test_a_payload_that_is_no_json_is_the_callers_fault_and_stays_local(server, cp):
    with pytest.raises(TypeError):
        await server.gateway.call(CP1, "Reset", {"type": 2**70}, message_id="x")
    assert (await cp.call("Heartbeat", {}))[0] == 3


async def test_r23_their_call_while_ours_is_open_is_answered_at_once(server, cp):
    async with asyncio.TaskGroup() as group:
        ours = group.create_task(
            server.gateway.call(CP1, "Reset", {"type": "Soft"}, message_id="u1")
        )
        await cp.play(
            gets(2, "u1", "Reset", {"type": "Soft"}),
            sends(2, "1", "StatusNotification", STATUS),
            gets(3, "1", {}),
            sends(3, "u1", {"status": "Accepted"}),
        )
    assert ours.result().payload == {"status": "Accepted"}


async def test_an_answer_to_us_does_not_wait_behind_a_call_that_waits_for_a_commit(
    server, cp, intake
):
    async with asyncio.TaskGroup() as group:
        ours = group.create_task(
            server.gateway.call(CP1, "Reset", {"type": "Soft"}, message_id="u1")
        )
        await cp.play(gets(2, "u1", "Reset", {"type": "Soft"}))
        intake.hold()
        await cp.play(sends(2, "1", "StatusNotification", STATUS))
        await wait_until(lambda: intake.waiting)
        await cp.play(sends(3, "u1", {"status": "Accepted"}))
        assert (await ours).payload == {"status": "Accepted"}
        assert intake.waiting == 1
        intake.release()
        await cp.play(gets(3, "1", {}))


async def test_r25_our_answer_leaves_before_a_call_that_its_commit_provoked(server, cp, intake):
    calls = []

    def provoke(fact: object) -> None:
        calls.append(
            asyncio.create_task(
                server.gateway.call(CP1, "ClearCache", {}, message_id=f"u{len(calls)}")
            )
        )

    intake.on_commit = provoke
    for n in range(20):
        await cp.play(
            sends(2, f"{n}", "StartTransaction", START),
            gets(3, f"{n}", ANY),
            gets(2, f"u{n}", "ClearCache", {}),
            sends(3, f"u{n}", {"status": "Accepted"}),
        )
    await asyncio.gather(*calls)


async def test_r17_a_pending_station_may_send_what_we_triggered(server, connections):
    connections.records["CP1"] = record(1, registration=Registration.PENDING)
    cp = await plug_in(server.port)
    await wait_until(lambda: server.gateway.is_online(CP1))
    assert (await cp.call("StatusNotification", STATUS))[2] == "SecurityError"
    trigger = {"requestedMessage": "StatusNotification"}
    async with asyncio.TaskGroup() as group:
        group.create_task(server.gateway.call(CP1, "TriggerMessage", trigger, message_id="u1"))
        await cp.play(
            gets(2, "u1", "TriggerMessage", trigger),
            sends(3, "u1", {"status": "Accepted"}),
            sends(2, "1", "StatusNotification", STATUS),
            gets(3, "1", {}),
        )
    await cp.close()


async def test_r17_the_permission_of_a_trigger_runs_out(intake, connections, schemas, clock):
    connections.records["CP1"] = record(1, registration=Registration.PENDING)
    server = OcppServer(
        host="127.0.0.1",
        port=0,
        connections=connections,
        intake=intake,
        schemas=schemas,
        clock=clock,
    )
    await server.start()
    cp = await plug_in(server.port)
    await wait_until(lambda: server.gateway.is_online(CP1))
    trigger = {"requestedMessage": "Heartbeat"}
    async with asyncio.TaskGroup() as group:
        group.create_task(server.gateway.call(CP1, "TriggerMessage", trigger, message_id="u1"))
        await cp.play(
            gets(2, "u1", "TriggerMessage", trigger), sends(3, "u1", {"status": "Accepted"})
        )
    await clock.advance(60)
    assert (await cp.call("Heartbeat", {}))[0] == 3
    await clock.advance(1)
    assert (await cp.call("Heartbeat", {}))[2] == "SecurityError"
    await cp.close()
    await server.stop()


async def test_r09_a_broken_answer_ends_the_call_at_once(server, cp):
    async with asyncio.TaskGroup() as group:
        ours = group.create_task(_failure(server, "GetConfiguration", {}))
        frame = await cp.get()
        await cp.send(f'[3,"{frame[1]}",:')
    assert ours.result() == "invalid_response"


async def _failure(server: OcppServer, action: str, payload: Any) -> str:
    with pytest.raises(CallFailed) as caught:
        await server.gateway.call(CP1, action, payload, message_id="u1")
    return caught.value.code


async def test_the_log_has_each_frame_with_action_latency_and_no_secret(server, cp, intake):
    await cp.call("Heartbeat", {})
    payload = {"key": "AuthorizationKey", "value": "00" * 16}
    async with asyncio.TaskGroup() as group:
        group.create_task(server.gateway.call(CP1, "ChangeConfiguration", payload, message_id="u1"))
        await cp.play(
            gets(2, "u1", "ChangeConfiguration", payload),
            sends(4, "u1", "PropertyConstraintViolation", "bad value " + "00" * 16, {}),
        )
    frames = [
        (f.direction, f.type, f.action, f.message_id, f.latency_us is not None)
        for f in intake.frames
    ]
    assert frames == [
        ("in", 2, "Heartbeat", "m1", False),
        ("out", 3, "Heartbeat", "m1", True),
        ("out", 2, "ChangeConfiguration", "u1", False),
        ("in", 4, "ChangeConfiguration", "u1", True),
    ]
    assert not any("00" * 16 in frame.raw for frame in intake.frames)
    assert intake.frames[0].raw == '[2, "m1", "Heartbeat", {}]'


async def test_what_cannot_be_read_is_logged_storable_and_masked(server, cp, intake):
    secret = '[3,"late",{"configurationKey":[{"key":"AuthorizationKey","value":"1234"}]}]'
    for raw in ("x\0y", '[9,"a\\u0000b"]', secret):
        await cp.send(raw)
    await cp.call("Heartbeat", {})
    raws = [frame.raw for frame in intake.frames[:3]]
    assert raws[0] == "x\N{REPLACEMENT CHARACTER}y"
    assert intake.frames[1].type == 9
    assert intake.frames[1].message_id == "a\N{REPLACEMENT CHARACTER}b"
    assert raws[2] == secret.replace("1234", "***")


async def test_a_call_right_after_the_handshake_finds_the_station(server, connections):
    """Its connection is still being written down when the charge point knows that it is in."""
    gate = asyncio.Event()
    opened = connections.opened

    async def slowly(key):
        await gate.wait()
        return await opened(key)

    connections.opened = slowly
    cp = await plug_in(server.port)
    assert server.gateway.is_online(CP1)
    assert not server.gateway.is_online(ChargePointKey(2))
    call = asyncio.create_task(server.gateway.call(CP1, "ClearCache", {}, message_id="m1"))
    await asyncio.sleep(0)
    gate.set()
    assert (await cp.get())[2] == "ClearCache"
    await cp.close()
    with pytest.raises(CallFailed):
        await call
