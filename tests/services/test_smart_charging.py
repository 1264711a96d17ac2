"""The control loop on a real Postgres: order on the wire, and the ledger after every mishap."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest

from csms.aio import supervise
from csms.bus.local import LocalBus
from csms.domain.events import SiteChanged, StationChanged, StationConnected
from csms.errors import DatabaseAway, NotFound
from csms.services.smart_charging import POLL_S, SmartCharging
from csms.store.control import SqlControlStore
from csms.store.database import Database
from tests.fake_gateway import FakeCall, FakeGateway, quiet
from tests.fakes import FakeClock
from tests.waiting import wait_until

MAX = 22_000
FULL_A = 31.8  # 22 kW on three phases of 230 V
HALF_A = 15.9


class Bench:
    """A database, charge points of the test, and any number of nodes."""

    def __init__(self, database, sql, tasks):
        self.database, self.sql, self.tasks = database, sql, tasks
        self.store = SqlControlStore(database)
        self.gateway, self.bus, self.clock = FakeGateway(), LocalBus(), FakeClock()
        self.keys: dict[str, int] = {}
        self.running: list[asyncio.Task[None]] = []

    def node(self, name="node", *, store=None, bus=None):
        """Return a control loop that does not run yet."""
        return SmartCharging(
            store or self.store, self.gateway, bus or self.bus, self.clock, node=name
        )

    async def run(self, loop):
        """Let a control loop run until it holds the sites that it can have."""
        task = self.tasks.create_task(supervise("test", loop.run, self.clock))
        self.running.append(task)
        return task

    async def site(self, site_id="s", limit_w=MAX):
        await self.sql.execute(
            "INSERT INTO sites (id, name, grid_limit_w) VALUES ($1, $1, $2)", site_id, limit_w
        )
        # a station that was never there, so that not all maxima fit and floors are 0
        await self.sql.execute(
            "INSERT INTO charge_points (identity, name, site_id, max_power_w)"
            " VALUES ($1, $1, $2, 1000000)",
            f"plan {site_id}",
            site_id,
        )
        self.changed(site_id)

    async def station(self, identity, *, site_id="s", connectors=1, on_call=FakeCall.accept):
        """Add a station, connect it and wait for its floor; returns its end of the wire."""
        self.keys[identity] = await self.sql.fetchval(
            "INSERT INTO charge_points (identity, name, site_id, max_power_w, connector_count)"
            " VALUES ($1, $1, $2, $3, $4) RETURNING id",
            identity,
            site_id,
            MAX,
            connectors,
        )
        wire = await self.connect(identity)
        await self.settled(identity, 0)
        wire.calls.clear()
        wire.on_call = on_call
        return wire

    async def connect(self, identity, on_call=FakeCall.accept, *, speaks=True):
        key = self.keys[identity]
        wire = self.gateway.connect(key, on_call)
        await self.sql.execute(
            "UPDATE charge_points SET node = 'node', epoch = epoch + 1, connected_at = $2"
            " WHERE id = $1",
            key,
            self.clock.now(),
        )
        self.bus.publish(StationConnected(key))
        if speaks:
            self.bus.publish(StationChanged(key))
        return wire

    async def start(self, identity, connector=1, *, site_id="s", hint=True):
        transaction_id = await self.sql.fetchval(
            "INSERT INTO transactions (charge_point_id, connector_id, site_id, id_tag, id_tag_key,"
            " id_tag_status, meter_start_wh, started_at, start_received_at, price_per_kwh,"
            " currency)"
            " VALUES ($1, $2, $3, 'T', 'T', 'Accepted', 0, $4, $4, 0, 'EUR') RETURNING id",
            self.keys[identity],
            connector,
            site_id,
            self.clock.now(),
        )
        if hint:
            self.changed(site_id)
        return transaction_id

    async def stop(self, transaction_id, *, hint=True):
        await self.sql.execute(
            "UPDATE transactions SET active = false WHERE id = $1", transaction_id
        )
        if hint:
            self.changed("s")

    def changed(self, site_id="s"):
        self.bus.publish(SiteChanged(site_id))

    async def row(self, identity, connector=1):
        return await self.sql.fetchrow(
            "SELECT * FROM charging_limits WHERE charge_point_id = $1 AND connector_id = $2",
            self.keys[identity],
            connector,
        )

    async def settled(self, identity, connector=1):
        """Wait until the limit is acknowledged as desired; returns it in W."""

        async def is_settled():
            row = await self.row(identity, connector)
            good = row is not None and row["in_flight_w"] is None and not row["doubtful"]
            return row if good and row["acknowledged_w"] == row["desired_w"] else None

        row = await wait_until(is_settled, what=f"{identity}/{connector} is settled")
        return row["acknowledged_w"]

    async def in_doubt(self, identity, connector=1):
        async def is_doubtful():
            row = await self.row(identity, connector)
            return row if row and row["doubtful"] else None

        return await wait_until(is_doubtful, what=f"{identity}/{connector} is in doubt")

    async def steps(self, count=2, site_id="s"):
        """Wait for some more steps of the site."""
        for _ in range(count):
            before = await self._version(site_id)
            self.changed(site_id)

            async def more(before=before):
                return await self._version(site_id) > before

            await wait_until(more, what="a step")

    async def _version(self, site_id):
        return await self.sql.fetchval(
            "SELECT coalesce((SELECT version FROM site_decisions WHERE site_id = $1), 0)", site_id
        )


@asynccontextmanager
async def bench(url):
    database, sql = Database(url), await asyncpg.connect(url)
    try:
        async with asyncio.TaskGroup() as tasks:
            made = Bench(database, sql, tasks)
            try:
                yield made
            finally:
                for task in made.running:
                    task.cancel()
    finally:
        await sql.close()
        await database.close()


@pytest.fixture
async def b(database_url):
    async with bench(database_url) as made:
        yield made


@pytest.fixture
async def running(b):
    """A bench with a site of 22 kW and one node that runs it."""
    await b.run(b.node())
    await b.site()
    return b


def hold(call):
    """Do not answer; the test does."""


def limits(wire, purpose="TxProfile"):
    return [call.limit for call in wire.calls if call.purpose == purpose]


async def test_what_fits_is_told_at_once(running):
    wire = await running.station("A")
    await running.start("A")
    assert await running.settled("A") == 21_942
    assert limits(wire) == [FULL_A]
    profile = wire.calls[0].payload["csChargingProfiles"]
    assert profile["transactionId"] == 1
    assert wire.calls[0].payload["connectorId"] == 1


async def test_where_all_maxima_fit_a_session_is_told_its_maximum(running):
    b = running
    await b.sql.execute("DELETE FROM charge_points")
    wire = await b.station("A")
    await b.start("A")
    await b.steps()
    assert (await b.row("A", 0))["acknowledged_w"] == 21_942
    assert limits(wire) == [31.8]


async def test_the_increase_leaves_after_the_decrease_is_acknowledged(running):
    b = running
    wire_a, wire_b = await b.station("A"), await b.station("B")
    await b.start("A")
    await b.settled("A")
    wire_a.on_call = hold
    await b.start("B")
    decrease = await wire_a.next(2)
    assert decrease.limit == HALF_A
    await b.steps()
    assert limits(wire_b) == []
    decrease.accept()
    assert (await wire_b.next()).limit == HALF_A
    assert await b.settled("B") == 10_971


async def test_room_of_a_session_that_ends_goes_to_the_others(running):
    b = running
    wire_a, wire_b = await b.station("A"), await b.station("B")
    first = await b.start("A")
    await b.settled("A")
    await b.start("B")
    await b.settled("B")
    await b.stop(first)
    assert (await wire_b.next(2)).limit == FULL_A
    assert limits(wire_a) == [FULL_A, HALF_A]


async def test_a_rejected_decrease_keeps_its_room_and_is_tried_again_later(running):
    b = running
    wire_a, wire_b = await b.station("A"), await b.station("B")
    await b.start("A")
    await b.settled("A")
    wire_a.on_call = FakeCall.reject
    await b.start("B")
    row = await b.in_doubt("A")
    assert (row["refusals"], row["refused_status"]) == (1, "Rejected")
    await b.steps()
    assert limits(wire_a) == [FULL_A, HALF_A]
    assert limits(wire_b) == []
    wire_a.on_call = FakeCall.accept
    await b.clock.advance(6)
    b.changed()
    assert await b.settled("B") == 10_971


async def test_three_refusals_make_it_unmanaged_and_the_others_share_the_rest(running):
    b = running
    await b.sql.execute("UPDATE sites SET grid_limit_w = 30000")
    wire_a, wire_b = await b.station("A"), await b.station("B")
    await b.start("A")
    await b.settled("A")
    wire_a.on_call = FakeCall.reject
    await b.start("B")
    for refusals in (1, 2, 3):

        async def refused(refusals=refusals):
            row = await b.row("A")
            return row["refusals"] == refusals

        await wait_until(refused)
        await b.clock.advance(20)
        b.changed()
    assert (await wire_b.next()).limit == 11.6  # 30 kW less the 21,942 W that A may still draw
    status = await b.node().status("s")
    assert [(s.allocated_w, s.reason[:16]) for s in status.loads if s.id == "1"] == [
        (21_942, "not controllable")
    ]
    assert len(wire_a.calls) == 4
    # after a while it is asked again
    wire_a.on_call = FakeCall.accept
    await b.clock.advance(301)
    b.changed()
    assert await b.settled("A") == 14_973


async def test_an_error_as_answer_makes_it_unmanaged_at_once(running):
    b = running
    wire = await b.station("A", on_call=lambda call: call.error("NotSupported"))
    await b.start("A")
    row = await b.in_doubt("A")
    assert row["refused_status"] == "callError"
    await b.steps()
    assert len(wire.calls) == 1


async def test_no_answer_counts_both_limits(running):
    b = running
    wire_a, wire_b = await b.station("A"), await b.station("B")
    await b.start("A")
    await b.settled("A")
    b.gateway.call_timeout_s = 0.05
    wire_a.on_call = hold
    await b.start("B")
    row = await b.in_doubt("A")
    assert row["refused_status"] == "call_timeout"
    assert (row["acknowledged_w"], row["earlier_low_w"], row["earlier_high_w"]) == (
        21_942,
        10_971,
        10_971,
    )
    await b.steps()
    assert limits(wire_b) == []


async def test_a_late_answer_to_what_timed_out_changes_nothing(running):
    b = running
    wire = await b.station("A", on_call=hold)
    b.gateway.call_timeout_s = 0.05
    await b.start("A")
    await b.in_doubt("A")
    wire.calls[0].accept()
    await b.steps()
    assert (await b.row("A"))["acknowledged_w"] is None


async def test_after_a_reconnect_all_limits_are_told_again(running):
    b = running
    await b.station("A")
    await b.start("A")
    await b.settled("A")
    wire = await b.connect("A")
    await wire.next(2)
    assert await b.settled("A") == 21_942
    await b.settled("A", 0)
    assert sorted(call.purpose for call in wire.calls) == ["TxDefaultProfile", "TxProfile"]


async def test_after_a_reconnect_nobody_gets_more_until_it_has_been_told(running):
    b = running
    await b.sql.execute("UPDATE sites SET grid_limit_w = 30000")
    await b.station("A")
    wire_b = await b.station("B")
    first = await b.start("B")
    await b.settled("B")
    wire_a = await b.connect("A", hold)
    await wire_a.next()
    assert (await b.row("A", 0))["may_be_unlimited"]
    await b.stop(first)
    await b.start("B")
    await b.steps()
    assert len(wire_b.calls) == 1  # A may draw 22 kW now
    wire_a.open[0].accept()
    assert await b.settled("B") == 21_942


async def test_a_newcomer_is_told_nothing_before_it_speaks_and_throttles_nobody(running):
    b = running
    await b.sql.execute("UPDATE sites SET grid_limit_w = 30000")
    await b.station("A")
    wire_b = await b.station("B")
    await b.start("A")
    await b.start("B")
    assert await b.settled("A") == await b.settled("B") == 14_973
    calls = len(wire_b.calls)
    wire_a = await b.connect("A", speaks=False)
    await b.in_doubt("A")
    await b.steps()
    assert (len(wire_a.calls), len(wire_b.calls)) == (0, calls)
    b.bus.publish(StationChanged(b.keys["A"]))
    await b.settled("A")
    assert len(wire_b.calls) == calls


async def test_an_offline_station_keeps_its_share_of_the_limit(running):
    b = running
    await b.station("A")
    wire_b = await b.station("B")
    await b.start("A")
    await b.settled("A")
    await b.sql.execute("UPDATE charge_points SET node = NULL WHERE identity = 'A'")
    b.gateway.disconnect(b.keys["A"])
    await b.start("B")
    await b.steps()
    assert limits(wire_b) == []


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

        def watched(name, do):
            async def done(what, *more):
                nonlocal broken
                if what and self.breaks == name:
                    broken, self.breaks = True, None
                await do(what, *more)

            return done

        async with self._store.unit() as unit:
            unit.send, unit.end = watched("send", unit.send), watched("end", unit.end)
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
    second._hints["s"].give()
    assert await b.settled("A") == 21_942
    assert len(wire.calls) == 2


async def test_a_new_site_is_taken_up_by_its_hint_and_decide_answers_the_new_decision(b):
    loop = b.node()
    await b.run(loop)
    with pytest.raises(NotFound):
        await loop.decide("s")
    await b.site(limit_w=10_000)
    wire = await b.station("A")
    await b.start("A", hint=False)
    status = await loop.decide("s")
    assert [(load.id, load.allocated_w) for load in status.loads] == [("1", 10_000)]
    assert (await wire.next()).limit == 14.4
    assert (await loop.status("s")).version >= status.version
    await b.sql.execute("UPDATE sites SET grid_limit_w = 5000")
    status = await loop.decide("s")
    assert [load.allocated_w for load in status.loads] == [5000]
    assert [(c.id, c.limit_w) for c in status.circuits] == [("grid", 5000)]


async def test_a_session_that_ends_while_its_call_is_open_leaves_no_trace_in_the_next(running):
    b = running
    wire = await b.station("A", on_call=hold)
    first = await b.start("A")
    old = await wire.next()
    await b.stop(first)
    second = await b.start("A")
    await b.steps()
    row = await b.row("A")
    assert row["transaction_id"] == second
    old.accept()
    new = await wire.next(2)
    assert new.payload["csChargingProfiles"]["transactionId"] == second
    assert (await b.row("A"))["acknowledged_w"] is None
    new.accept()
    assert await b.settled("A") == 21_942


async def test_the_next_session_of_a_connector_gets_a_limit_of_its_own(running):
    b = running
    wire = await b.station("A")
    first = await b.start("A")
    await b.settled("A")
    await b.stop(first)
    wire.on_call = hold
    second = await b.start("A")
    again = await wire.next(2)
    assert again.payload["csChargingProfiles"]["transactionId"] == second
    assert (await b.row("A"))["acknowledged_w"] is None  # that was the first one's
    again.accept()
    assert await b.settled("A") == 21_942


async def test_a_session_without_connector_gets_no_profile_of_its_own(running):
    b = running
    wire = await b.station("A", connectors=2)
    await b.start("A", connector=0)
    await b.start("A", connector=2)
    await b.settled("A", 2)
    assert [call.payload["connectorId"] for call in wire.calls] == [2]


async def test_a_deleted_station_counts_no_more(running):
    b = running
    wire_a, wire_b = await b.station("A"), await b.station("B")
    await b.start("A")
    await b.settled("A")
    wire_a.on_call = hold
    await b.start("B")
    await wire_a.next(2)
    await b.sql.execute("UPDATE charge_points SET deleted_at = now() WHERE identity = 'A'")
    b.changed()
    assert await b.settled("B") == 21_942
    assert limits(wire_b) == [FULL_A]
    wire_a.calls[1].accept()  # nobody cares
    await b.steps()


async def test_a_station_that_moves_while_its_call_is_open_is_taken_over(running):
    b = running
    await b.site("t", limit_w=11_000)
    wire = await b.station("A", on_call=hold)
    await b.start("A")
    call = await wire.next()
    await b.sql.execute("UPDATE charge_points SET site_id = 't'")
    await b.steps(site_id="s")
    await b.steps(site_id="t")
    assert len(wire.calls) == 1
    call.accept()
    async with asyncio.timeout(POLL_S / 2):  # by a hint
        assert (await wire.next(2)).limit == HALF_A
    wire.calls[1].accept()
    assert await b.settled("A") == 10_971


async def test_a_station_whose_site_is_deleted_while_its_call_is_open_is_taken_over(running):
    b = running
    await b.site("t", limit_w=11_000)
    wire = await b.station("A", on_call=hold)
    await b.start("A")
    call = await wire.next()
    await b.sql.execute("UPDATE charge_points SET site_id = 't'")
    await b.sql.execute("DELETE FROM sites WHERE id = 's'")
    b.changed("s")
    await b.steps(site_id="t")
    call.accept()
    await quiet()
    wire.on_call = FakeCall.accept
    b.changed("t")
    assert await b.settled("A") == 10_971
    # its outcome is unknown here: first what is safe in any case
    assert limits(wire) == [FULL_A, 0, HALF_A]


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


async def test_a_load_on_a_charger_that_is_gone_does_not_stop_the_site(running):
    b = running
    await b.sql.execute(
        "INSERT INTO managed_loads (site_id, charger_id, connector_id, vehicle_max_power_w,"
        " started_at) VALUES ('s', 'gone', 1, 5000, now())"
    )
    await b.sql.execute("INSERT INTO external_chargers VALUES ('s', 'A', NULL, 5000, 1)")
    await b.station("A")
    await b.start("A")
    assert await b.settled("A") == 21_942


async def test_loads_of_others_take_their_share_and_batteries_are_accounted(running):
    b = running
    await b.sql.execute("INSERT INTO external_chargers VALUES ('s', 'X', NULL, 22000, 1)")
    await b.sql.execute(
        "INSERT INTO batteries (site_id, id, capacity_wh, power_w, energy_mwh, updated_at)"
        " VALUES ('s', 'b', 10000, 8000, 10000000, $1)",
        b.clock.now(),
    )
    await b.sql.execute(
        "INSERT INTO managed_loads (site_id, charger_id, connector_id, vehicle_max_power_w,"
        " started_at) VALUES ('s', 'X', 1, 22000, now())"
    )
    await b.station("A")
    await b.start("A")
    assert await b.settled("A") == 14_973
    row = await b.sql.fetchrow("SELECT * FROM batteries")
    assert row["flow_w"] == 8000
    assert await b.sql.fetchval("SELECT allocated_w FROM managed_loads") == 15_000
    await b.clock.advance(timedelta(minutes=30).total_seconds())
    await b.node().decide("s")
    assert await b.sql.fetchval("SELECT energy_mwh FROM batteries") == 6_000_000


async def test_the_stored_decision_reads_back_as_it_was(b):
    loop = b.node()  # does not run: nobody decides in between
    await b.site()
    await b.sql.execute("INSERT INTO circuits (site_id, id, limit_w) VALUES ('s', 'c', 9000)")
    await b.sql.execute(
        "INSERT INTO batteries (site_id, id, capacity_wh, power_w, energy_mwh, updated_at)"
        " VALUES ('s', 'b', 10000, 8000, 10000000, $1)",
        b.clock.now(),
    )
    for identity, current, circuit in (("A", "AC", "c"), ("D", "DC", None)):
        b.keys[identity] = await b.sql.fetchval(
            "INSERT INTO charge_points (identity, name, site_id, max_power_w, current_type,"
            " circuit_id) VALUES ($1, $1, 's', 22000, $2, $3) RETURNING id",
            identity,
            current,
            circuit,
        )
        await b.connect(identity)
        await b.start(identity)
    decided = await loop.decide("s")
    assert [load.limit_a for load in decided.loads] == [13, None]
    assert decided.battery is not None
    assert len(decided.circuits) == 2
    assert await loop.status("s") == decided
