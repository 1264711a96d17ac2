"""Turns: spacing, quiet time, who goes first, who is told to come later."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import pytest

from csms.clock import SystemClock
from csms.errors import CallFailed
from csms.ocppj.gateway import LocalGateway
from csms.ocppj.turns import FIRST, IN_LINE, Line
from csms.services.ports.dialects import Pace
from csms.services.ports.gateway import Answer
from tests.waiting import wait_until

SPACING_S = 0.08


class Known:
    """Knows one pace."""

    def __init__(self, pace):
        self.pace = pace

    async def of(self, charge_point):
        return self.pace


class Boots:
    """Knows a station that boots again while a call waits for its quiet time to end."""

    def __init__(self, now):
        self._now = now
        self.quiet_until = []

    async def of(self, charge_point):
        if len(self.quiet_until) < 2:
            self.quiet_until.append(self._now() + timedelta(seconds=0.3))
        return Pace(quiet_until=self.quiet_until[-1])


class Caller:
    """Makes calls in one line and notes them."""

    def __init__(self, pace=None):
        self.clock = SystemClock()
        self.paces = Known(pace)
        self.line = Line(self.clock)
        self.calls = []
        self.alive = True

    async def call(self, name, *, rank=IN_LINE, patience_s=30.0, body=None):
        async with self.line.turn(
            self.paces, 1, rank=rank, patience_s=patience_s, is_alive=lambda: self.alive
        ):
            self.calls.append((name, self.clock.monotonic()))
            if body is not None:
                await body

    @property
    def names(self):
        return [name for name, _ in self.calls]

    @property
    def gaps(self):
        times = [at for _, at in self.calls]
        return [later - earlier for earlier, later in itertools.pairwise(times)]


async def test_calls_keep_the_spacing_in_their_order():
    caller = Caller(Pace(spacing_s=SPACING_S))
    await asyncio.gather(*(caller.call(n) for n in range(4)))
    assert caller.names == [0, 1, 2, 3]
    assert all(gap >= SPACING_S for gap in caller.gaps)


async def test_without_a_pace_nobody_waits_but_for_the_call_that_is_open():
    caller = Caller(None)
    gate = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(caller.call("open", body=gate.wait()))
        tasks.create_task(caller.call("next", patience_s=30))
        await wait_until(lambda: caller.names)
        assert caller.names == ["open"]
        gate.set()
    assert caller.names == ["open", "next"]


async def test_a_limit_goes_before_others_but_not_early():
    caller = Caller(Pace(spacing_s=SPACING_S))
    await caller.call("first")
    await asyncio.gather(caller.call("operator's"), caller.call("limit", rank=FIRST))
    assert caller.names == ["first", "limit", "operator's"]
    assert all(gap >= SPACING_S for gap in caller.gaps)


async def test_what_cannot_go_in_time_is_told_so_at_once():
    caller = Caller(Pace(spacing_s=60.0))
    await caller.call("first")
    with pytest.raises(CallFailed, match=r"one call in 60 s; try in \d+ s") as refused:
        await asyncio.wait_for(caller.call("second", patience_s=40), 20)
    assert (refused.value.code, refused.value.status) == ("too_early", 409)
    assert caller.names == ["first"]


async def test_it_stays_quiet_after_a_boot_also_one_that_comes_while_calls_wait():
    caller = Caller(Pace())
    now = caller.clock.now
    caller.paces = Boots(now)
    await caller.call("call")
    assert caller.paces.quiet_until[1:]
    assert now() >= caller.paces.quiet_until[-1]
    caller.paces = Known(None)
    caller.paces.pace = Pace(quiet_until=now() + timedelta(minutes=15))
    with pytest.raises(CallFailed, match="has just booted"):
        await caller.call("later", patience_s=30)


async def test_who_waits_behind_others_gives_up_in_time():
    caller = Caller(Pace(spacing_s=0.01))
    gate = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(caller.call("open", body=gate.wait()))
        await wait_until(lambda: caller.names)
        with pytest.raises(CallFailed, match="other calls went before it"):
            await caller.call("behind", patience_s=0.05)
        gate.set()
    await caller.call("after")  # nobody is left behind in the line
    assert caller.names == ["open", "after"]


async def test_who_waits_learns_that_the_connection_has_gone():
    caller = Caller(Pace(spacing_s=60.0))
    await caller.call("first")

    async def lose():
        caller.alive = False
        caller.line.look_again()

    with pytest.raises(CallFailed) as failed:
        await asyncio.wait_for(asyncio.gather(caller.call("second", patience_s=600), lose()), 30)
    assert failed.value.code == "station_offline"


async def test_a_cancelled_caller_leaves_the_line():
    caller = Caller(Pace(spacing_s=SPACING_S))
    await caller.call("first")
    waiting = asyncio.create_task(caller.call("cancelled"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await caller.call("third")
    assert caller.names == ["first", "third"]


async def test_a_call_that_fails_frees_the_line():
    caller = Caller(Pace())

    async def fail():
        raise CallFailed("connection_lost", "")

    with pytest.raises(CallFailed):
        await caller.call("fails", body=fail())
    await caller.call("next", patience_s=30)
    assert caller.names == ["fails", "next"]


class Session:
    """Takes calls and answers them at once."""

    def __init__(self):
        self.calls = []

    async def call(self, action, payload, *, message_id, timeout_s, first=False):
        self.calls.append(action)
        at = SystemClock().now()
        return Answer(payload={}, sent_at=at, answered_at=at)


class Registry(dict):
    """Of one session."""

    async def connected(self, key):
        return self.get(key)


async def test_limits_go_first_and_are_patient_where_others_are_told_at_once():
    session = Session()
    paces = Known(Pace(spacing_s=60.0))
    gateway = LocalGateway(Registry({1: session}), call_timeout_s=0.05, paces=paces)

    async def call(through, action, **more):
        await through.call(1, action, {}, message_id=action, **more)

    await call(gateway, "Reset")
    with pytest.raises(CallFailed, match="one call in"):
        await call(gateway, "ClearCache")
    paces.pace = Pace(spacing_s=SPACING_S)
    await asyncio.gather(
        call(gateway, "UnlockConnector", timeout_s=30), call(gateway.limits, "SetChargingProfile")
    )
    assert session.calls == ["Reset", "SetChargingProfile", "UnlockConnector"]


async def test_a_station_without_a_pace_has_no_line():
    session = Session()
    gateway = LocalGateway(Registry({1: session}), call_timeout_s=30, paces=Known(None))
    await asyncio.gather(*(gateway.call(1, f"Call{n}", {}, message_id=str(n)) for n in range(3)))
    assert session.calls == ["Call0", "Call1", "Call2"]
