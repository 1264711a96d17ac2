"""The control loop on a real Postgres: charge points and sessions that come and go."""

from __future__ import annotations

from csms.domain.events import StationChanged
from tests.fake_gateway import FakeCall
from tests.services.control_bench import FULL_A, HALF_A, hold, limits


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


async def test_a_station_that_moves_while_its_call_is_open_is_taken_over(running, monkeypatch):
    monkeypatch.setattr("csms.services.smart_charging.POLL_S", 3600.0)  # by a hint
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
    number = 2
    while (call := await wire.next(number)).limit != HALF_A:
        call.accept()  # until its room is proven it may be told less
        number += 1
    call.accept()
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
    wire.on_call = FakeCall.accept  # the next one may come at any time from here on
    call.accept()
    b.changed("t")
    await b.acknowledged("A", 0)
    await b.followed("t")
    await wire.next(3)
    assert await b.settled("A") == 10_971
    # its outcome is unknown here: first what is safe in any case
    assert limits(wire) == [FULL_A, 0, HALF_A]


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
