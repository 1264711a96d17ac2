"""The control loop on a real Postgres: crashes, commits of unknown outcome, holders that change."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from csms.bus.local import LocalBus
from csms.errors import DatabaseAway
from tests.fake_gateway import quiet
from tests.services.control_bench import FULL_A, hold, limits
from tests.waiting import wait_until


@pytest.fixture
def no_lease_is_renewed(monkeypatch):
    """A lease that has run out is the next node's, however long that takes to come."""
    monkeypatch.setattr("csms.services.smart_charging._LEASE_EVERY_S", 3600.0)


@pytest.mark.smoke
@pytest.mark.parametrize("fate", ["taken", "not taken"])
async def test_a_crash_between_sending_and_answer_leaves_both_possible(b, fate):
    crashed = b.node()
    task = await b.run(crashed)
    await b.site(limit_w=30_000)
    wire_a, wire_b = await b.station("A"), await b.station("B")
    await b.start("A")
    await b.settled("A")
    wire_a.on_call = hold
    await b.start("B")
    await wire_a.next(2)
    task.cancel()  # the answer is never stored, whatever the charge point did
    await asyncio.wait([task])
    assert (await b.row("A"))["in_flight_w"] == 14_973
    if fate == "taken":
        wire_a.calls[1].accept()
    else:
        b.gateway.disconnect(b.keys["A"])
        wire_a = b.gateway.connect(b.keys["A"], hold)
        wire_a.calls.extend([None, None])
    await b.run(b.node())
    again = await wire_a.next(3)
    assert again.limit == 21.7
    row = await b.row("A")
    assert (row["acknowledged_w"], row["earlier_high_w"], row["doubtful"]) == (21_942, 14_973, True)
    await b.steps()
    assert limits(wire_b) == []
    again.accept()
    await b.settled("A")
    await b.followed()
    assert await b.settled("B") == 14_973


class _Breaking:
    """A store whose connection breaks while a step that does `breaks` is being committed."""

    def __init__(self, store, *, committed):
        self._store, self.committed, self.breaks = store, committed, None

    def __getattr__(self, name):
        return getattr(self._store, name)

    @asynccontextmanager
    async def unit(self):
        broken = False

        async with self._store.unit() as unit:
            write = unit.write

            async def watched(snapshot, step, status, now):
                nonlocal broken
                ended = any(row.acknowledged_w is not None for row in step.rows.values())
                kind = "send" if step.sendings else "end" if ended else ""
                if self.breaks == kind:
                    broken, self.breaks = True, None
                await write(snapshot, step, status, now)

            unit.write = watched
            yield unit
            if broken and not self.committed:
                raise DatabaseAway("the connection broke before the commit")
        if broken:
            raise DatabaseAway("the connection broke after the commit")


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("at", ["send", "end"])
async def test_a_commit_of_unknown_outcome_is_made_good(b, committed, at):
    store = _Breaking(b.store, committed=committed)
    await b.run(b.node(store=store))
    await b.site()
    wire = await b.station("A")
    store.breaks = at
    await b.start("A")
    await wait_until(lambda: store.breaks is None)
    await wait_until(lambda: b.clock.sleeping)
    assert len(wire.calls) == (at == "end")
    await b.clock.advance(1)
    assert await b.settled("A") == 21_942
    assert limits(wire) == [FULL_A]


@pytest.mark.smoke
async def test_only_the_holder_of_the_lease_sends(b):
    first, second = b.node("one"), b.node("two", bus=LocalBus())
    await b.run(first)
    await b.site()
    wire = await b.station("A")
    await b.run(second)
    await b.start("A", hint=False)
    status = await second.decide("s")  # decides, stores, and leaves the sending to the holder
    assert [load.allocated_w for load in status.loads] == [22_000]
    await quiet()
    assert wire.calls == []
    assert (await b.row("A"))["in_flight_w"] is None
    await first.decide("s")
    assert await b.settled("A") == 21_942
    assert len(wire.calls) == 1


@pytest.mark.usefixtures("no_lease_is_renewed")
async def test_a_holder_whose_lease_was_taken_sends_nothing_more(b):
    first = b.node("one", bus=LocalBus())  # hears nothing, as if it had stood still
    await b.run(first)
    await b.site()

    async def held():
        return await b.sql.fetchval("SELECT holder FROM leases")

    first._lease_hint.give()
    await wait_until(held)
    await b.clock.advance(20)
    second = b.node("two")
    await b.run(second)

    async def taken():
        return await held() == "two"

    await wait_until(taken)
    wire = await b.station("A", on_call=hold)
    await b.start("A")
    sent = await wire.next()
    await first.decide("s")
    assert (await b.row("A"))["in_flight_w"] == 21_942  # not doubted by the former holder
    await b.sql.execute("UPDATE charging_limits SET in_flight_w = NULL, in_flight_version = NULL")
    await first.decide("s")
    await quiet()
    assert (await b.row("A"))["in_flight_w"] is None
    assert len(wire.calls) == 1
    b.changed()
    sent.accept()
    again = await wire.next(2)
    again.accept()
    await b.settled("A")


@pytest.mark.usefixtures("no_lease_is_renewed")
async def test_the_next_holder_doubts_what_the_former_left_open(b):
    first, second = b.node("one"), b.node("two", bus=LocalBus())
    await b.run(first)
    await b.site()
    wire = await b.station("A", on_call=hold)
    await b.start("A")
    old = await wire.next()
    await b.clock.advance(20)
    await b.run(second)
    await b.in_doubt("A")
    old.accept()  # the former holder's answer; the charge point takes our call after it
    again = await wire.next(2)
    assert again.limit == FULL_A
    await first.decide("s")
    again.accept()
    second._agendas["s"].give()
    assert await b.settled("A") == 21_942
    assert len(wire.calls) == 2


async def test_what_connects_while_the_loop_starts_again_is_told_its_limits(b):
    loop = b.node()
    task = await b.run(loop)
    await b.site()
    await b.station("A")
    await b.start("A")
    await b.settled("A")
    task.cancel()
    await asyncio.wait([task])
    wire = await b.connect("A")
    await b.run(loop)
    assert (await wire.next(2)).purpose
    await b.settled("A")
    assert len(wire.calls) == 2
