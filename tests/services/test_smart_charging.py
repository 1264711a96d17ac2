"""The control loop on a real Postgres: order on the wire, and the ledger after every answer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from csms.errors import NotFound
from tests.fake_gateway import FakeCall
from tests.services.control_bench import FULL_A, HALF_A, hold, limits
from tests.waiting import wait_until


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
    await b.settled("A")
    await b.steps()
    assert limits(wire_b) == []  # accepted is not obeyed
    await b.followed()
    assert (await wire_b.next()).limit == HALF_A
    assert await b.settled("B") == 10_971


async def test_room_of_a_session_that_ends_goes_to_the_others(running):
    b = running
    wire_a, wire_b = await b.station("A"), await b.station("B")
    first = await b.start("A")
    await b.settled("A")
    await b.start("B")
    await wire_a.next(2)
    await b.settled("A")
    await b.followed()
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
    await b.settled("A")
    await b.followed()
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
    await wire.next(2)  # the fixed order of ways: its session by TxDefaultProfile
    await b.steps()
    assert [call.purpose for call in wire.calls] == ["TxProfile", "TxDefaultProfile"]
    status = await b.node().status("s")
    (load,) = status.loads
    assert load.reason.startswith("not controllable")


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


async def test_every_decision_is_kept_with_its_reason(running):
    b = running
    wire = await b.station("A")
    await b.station("B")
    first = await b.start("A")
    await b.settled("A")
    second = await b.start("B")
    await wire.next(2)
    await b.settled("A")
    await b.followed()
    await b.settled("B")
    await b.steps(3)  # nothing changes, nothing is kept
    rows = await b.sql.fetch(
        "SELECT transaction_id, connector_id, limit_w, reason FROM limit_decisions ORDER BY id"
    )
    assert [tuple(row) for row in rows] == [
        (first, 1, 21_942, "charger limit"),
        (first, 1, 10_971, "fair share of the grid limit"),
        (second, 1, 10_971, "fair share of the grid limit"),
    ]


async def test_decisions_older_than_a_month_go(running):
    b = running
    await b.station("A")
    await b.start("A")
    await b.settled("A")
    await b.sql.execute("UPDATE limit_decisions SET decided_at = decided_at - interval '31 days'")
    await b.station("B")
    await b.start("B")
    await b.clock.advance(601)
    await b.steps(2)

    async def recent():
        ages = await b.sql.fetch("SELECT decided_at FROM limit_decisions")
        return ages and all((b.clock.now() - row["decided_at"]).days < 30 for row in ages)

    await b.start("B", 2)
    await wait_until(recent, what="only what is recent")
