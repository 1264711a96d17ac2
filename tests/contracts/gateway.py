"""What every `Gateway` does, the real one and the fakes; subclass and give it a rig."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from csms.domain.ids import ChargePointKey
from csms.errors import CallFailed
from csms.services.ports.gateway import Answer, Gateway
from tests.waiting import wait_until


@dataclass(frozen=True)
class Result:
    """The station answers with a CALLRESULT, valid or not."""

    payload: Any = field(default_factory=lambda: {"status": "Accepted"})


@dataclass(frozen=True)
class Error:
    """The station answers with a CALLERROR."""

    code: str
    description: str = ""


@dataclass(frozen=True)
class Silence:
    """The station takes the call and says nothing."""


@dataclass(frozen=True)
class HangUp:
    """The station takes the call and its connection is lost."""


Behaviour = Result | Error | Silence | HangUp


class Rig(Protocol):
    """A gateway and one station behind it."""

    gateway: Gateway
    key: ChargePointKey
    behaviour: Behaviour
    received: list[tuple[str, str, Mapping[str, Any]]]
    """Message id, action and payload of each call that has reached the station."""

    async def connect(self) -> None: ...

    async def disconnect(self) -> None: ...

    async def answer_late(self, message_id: str) -> None:
        """Let the station answer a call that it had met with silence."""
        ...


async def call(rig: Rig, action: str = "Reset", payload: Any = None, **more: Any) -> Answer:
    return await rig.gateway.call(
        rig.key,
        action,
        {"type": "Soft"} if payload is None else payload,
        message_id=more.pop("message_id", None) or str(uuid.uuid4()),
        **more,
    )


async def failure(rig: Rig, *args: Any, **more: Any) -> str:
    with pytest.raises(CallFailed) as caught:
        await call(rig, *args, **more)
    return caught.value.code


class GatewayContract:
    """Subclasses override `rig`, not yet connected."""

    @pytest.fixture
    def rig(self) -> Rig:
        raise NotImplementedError

    async def test_a_station_without_connection_is_offline(self, rig):
        assert not rig.gateway.is_online(rig.key)
        assert rig.gateway.online() == 0
        assert await failure(rig) == "station_offline"

    async def test_it_is_online_while_it_is_connected(self, rig):
        await rig.connect()
        assert rig.gateway.is_online(rig.key)
        assert not rig.gateway.is_online(ChargePointKey(rig.key + 1))
        assert rig.gateway.online() == 1
        await rig.disconnect()
        await wait_until(lambda: not rig.gateway.is_online(rig.key))
        assert rig.gateway.online() == 0

    async def test_payloads_arrive_as_they_are_and_answers_come_back(self, rig):
        await rig.connect()
        payload = {"value": "60", "key": "HeartbeatInterval"}
        rig.behaviour = Result({"status": "RebootRequired"})
        answer = await call(rig, "ChangeConfiguration", payload, message_id="id-1")
        assert answer.payload == {"status": "RebootRequired"}
        assert answer.error_code is None
        assert answer.sent_at <= answer.answered_at
        message_id, action, received = rig.received[0]
        assert (message_id, action) == ("id-1", "ChangeConfiguration")
        assert list(received.items()) == list(payload.items())

    async def test_an_error_is_an_answer(self, rig):
        await rig.connect()
        rig.behaviour = Error("NotSupported", "no such thing")
        answer = await call(rig)
        assert (answer.error_code, answer.error_description) == ("NotSupported", "no such thing")
        assert answer.payload == {}

    @pytest.mark.parametrize("payload", [{"status": "Fine"}, {}, {"status": {"x": 1}}])
    async def test_r20_an_answer_that_breaks_the_schema_is_invalid(self, rig, payload):
        await rig.connect()
        rig.behaviour = Result(payload)
        assert await failure(rig) == "invalid_response"
        rig.behaviour = Result()
        await call(rig)

    async def test_r26_silence_is_a_time_out_and_nothing_is_repeated(self, rig):
        await rig.connect()
        rig.behaviour = Silence()
        assert await failure(rig, timeout_s=0.1) == "call_timeout"
        await wait_until(lambda: rig.received)  # its station may be slower than the limit
        assert len(rig.received) == 1

    async def test_r19_a_late_answer_is_not_the_answer_to_the_next_call(self, rig):
        await rig.connect()
        rig.behaviour = Silence()
        assert await failure(rig, message_id="late", timeout_s=0.1) == "call_timeout"
        async with asyncio.TaskGroup() as group:
            following = group.create_task(call(rig, message_id="next"))
            await wait_until(lambda: len(rig.received) == 2)
            rig.behaviour = Result()
            await rig.answer_late("late")
            await rig.answer_late("next")
        assert following.result().payload == {"status": "Accepted"}

    async def test_a_lost_connection_ends_open_and_queued_calls(self, rig):
        await rig.connect()
        rig.behaviour = HangUp()
        codes = await asyncio.gather(failure(rig), failure(rig), failure(rig))
        assert codes == ["connection_lost"] * 3
        await wait_until(lambda: not rig.gateway.is_online(rig.key))
        assert await failure(rig) == "station_offline"

    async def test_r22_one_call_is_open_at_a_time_and_the_rest_queue_in_order(self, rig):
        await rig.connect()
        rig.behaviour = Silence()
        async with asyncio.TaskGroup() as group:
            for n in range(5):
                group.create_task(call(rig, message_id=f"{n}"))
                await asyncio.sleep(0)
            for n in range(5):
                await wait_until(lambda n=n: len(rig.received) == n + 1)
                await rig.answer_late(f"{n}")
        assert [message_id for message_id, _, _ in rig.received] == ["0", "1", "2", "3", "4"]

    async def test_a_full_queue_refuses(self, rig):
        await rig.connect()
        rig.behaviour = Silence()
        async with asyncio.TaskGroup() as group:
            group.create_task(call(rig, message_id="open"))
            await wait_until(lambda: rig.received)
            waiting = [group.create_task(call(rig)) for _ in range(64)]
            await asyncio.sleep(0)
            assert await failure(rig) == "queue_full"
            rig.behaviour = Result()
            await rig.answer_late("open")
        assert all(task.result().payload for task in waiting)

    async def test_a_call_that_waits_too_long_in_the_queue_is_not_sent(self, rig):
        await rig.connect()
        rig.behaviour = Silence()
        async with asyncio.TaskGroup() as group:
            first = group.create_task(call(rig, message_id="first"))
            await wait_until(lambda: rig.received)
            assert await failure(rig, timeout_s=0.05) == "call_timeout"
            await rig.answer_late("first")
        assert first.result().error_code is None
        assert len(rig.received) == 1

    async def test_a_cancelled_call_leaves_the_queue(self, rig):
        await rig.connect()
        rig.behaviour = Silence()
        async with asyncio.TaskGroup() as group:
            group.create_task(call(rig, message_id="first"))
            await wait_until(lambda: rig.received)
            second = group.create_task(call(rig, message_id="second"))
            third = group.create_task(call(rig, message_id="third"))
            await asyncio.sleep(0)
            second.cancel()
            await rig.answer_late("first")
            await wait_until(lambda: len(rig.received) == 2)
            await rig.answer_late("third")
        assert second.cancelled()
        assert third.result().payload
        assert [message_id for message_id, _, _ in rig.received] == ["first", "third"]

    async def test_a_cancelled_call_that_was_sent_stays_open_until_its_answer(self, rig):
        await rig.connect()
        rig.behaviour = Silence()
        async with asyncio.TaskGroup() as group:
            first = group.create_task(call(rig, message_id="first"))
            await wait_until(lambda: rig.received)
            first.cancel()
            group.create_task(call(rig, message_id="second"))
            await asyncio.sleep(0.02)
            assert len(rig.received) == 1
            await rig.answer_late("first")
            await wait_until(lambda: len(rig.received) == 2)
            await rig.answer_late("second")
