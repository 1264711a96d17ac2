"""Limits go before whatever else waits for a charge point, in their own order, however full."""

from __future__ import annotations

import asyncio
import json

import pytest

from csms.clock import SystemClock
from csms.errors import CallFailed
from csms.ocppj.conversation import Conversation
from csms.ocppj.outgoing import MOST_QUEUED_CALLS, Outgoing
from csms.ocppj.schemas import Schemas


async def test_limits_leave_before_what_was_queued_earlier():
    outgoing, clock = Outgoing(Conversation(), Schemas(), lambda: None), SystemClock()

    async def call(name, *, first=False):
        payload = {"requestedMessage": "Heartbeat"}
        try:
            await outgoing.call(
                "TriggerMessage", payload, message_id=name, timeout_s=30, first=first
            )
        except CallFailed as error:
            return error.code
        return "answered"

    def sent():
        pending = outgoing.next_call(clock.now(), clock.monotonic())
        return None if pending is None else json.loads(pending.text)[1]

    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(call("open"))]
        await asyncio.sleep(0)
        assert sent() == "open"
        waiting += [tasks.create_task(call(str(n))) for n in range(MOST_QUEUED_CALLS)]
        await asyncio.sleep(0)
        refused = tasks.create_task(call("one more"))
        waiting += [tasks.create_task(call(name, first=True)) for name in ("limit 1", "limit 2")]
        await asyncio.sleep(0)
        assert await refused == "queue_full"
        order = [pending.message_id for pending in outgoing._queue]
        assert order[:3] == ["limit 1", "limit 2", "0"]
        outgoing.lose()
    assert {task.result() for task in waiting} == {"connection_lost"}
    with pytest.raises(CallFailed):
        await outgoing.call("TriggerMessage", {}, message_id="late", timeout_s=1, first=True)
