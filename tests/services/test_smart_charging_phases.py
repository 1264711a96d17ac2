"""The control loop on a site whose phases are limited, on a real Postgres."""

from __future__ import annotations

from csms.domain.rotation import DWELL
from tests.services.control_bench import limits


async def _phase_limit(bench, limit_a):
    await bench.sql.execute(
        "UPDATE sites SET grid_limit_w = 100000, grid_phase_limit_da = $1", limit_a * 10
    )


async def _one_phase(bench, identity, rotation):
    await bench.sql.execute(
        "UPDATE charge_points SET phases = 1, max_power_w = 7360, phase_rotation = $2"
        " WHERE identity = $1",
        identity,
        rotation,
    )


async def _status(bench):
    async with bench.store.unit() as unit:
        return await unit.status("s")


async def _metered(bench, identity, transaction_id, currents_ma):
    await bench.sql.execute(
        "CREATE TABLE IF NOT EXISTS meter_values_of_the_test PARTITION OF meter_values"
        " FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')"
    )
    for late in (1, 2):
        await bench.sql.execute(
            "INSERT INTO meter_values (received_at, charge_point_id, transaction_id, connector_id,"
            " measured_at, power_w, current_l1_ma, current_l2_ma, current_l3_ma)"
            " SELECT $1::timestamptz - make_interval(secs => $7), $2, $3, 1, $1, 3680, $4, $5, $6",
            bench.clock.now(),
            bench.keys[identity],
            transaction_id,
            *currents_ma,
            late,
        )
    bench.changed()


async def test_phases_are_shared_each_for_itself_and_told(running):
    b = running
    await _phase_limit(b, 32)
    wires = {}
    for name, rotation in (("A", "RST"), ("B", "STR"), ("C", "RST")):
        wires[name] = await b.station(name)
        await _one_phase(b, name, rotation)
    await b.start("B")
    await b.settled("B")
    assert limits(wires["B"]) == [32]
    await b.start("A")
    await b.settled("A")
    await b.start("C")
    await wires["A"].next(2)
    await b.settled("A")
    await b.followed()
    await b.settled("C")
    assert limits(wires["A"])[-1] == limits(wires["C"])[-1] == 16
    assert limits(wires["B"]) == [32]
    status = await _status(b)
    grid = next(circuit for circuit in status.circuits if circuit.id == "grid")
    assert (grid.phase_limit_da, grid.load_da) == (320, (320, 320, 0))
    by_charger = {load.charger_id: load for load in status.loads}
    assert by_charger["A"].reason == "fair share of the grid limit on L1"
    assert by_charger["B"].phases == (2,)


async def test_a_car_seen_on_one_phase_leaves_room_on_the_others(running):
    b = running
    await _phase_limit(b, 32)
    wire_a, wire_b = await b.station("A"), await b.station("B")
    await b.sql.execute("UPDATE charge_points SET phase_rotation = 'RST' WHERE identity = 'A'")
    await _one_phase(b, "B", "STR")
    await b.start("B")
    session = await b.start("A")
    await b.settled("A")
    await b.settled("B")
    assert limits(wire_a)[-1] == 8  # the power of 24 A on one phase
    await _metered(b, "A", session, (8000, 0, 0))
    await b.followed()
    assert (await wire_b.next(2)).limit >= 31
    seen = await b.sql.fetchval("SELECT decision FROM site_decisions")
    assert f'"drawn": {{"{session}": 1}}' in seen


async def test_turns_are_kept_between_steps(running):
    b = running
    await _phase_limit(b, 7)
    wires = {}
    for name in "AB":
        wires[name] = await b.station(name)
        await _one_phase(b, name, "RST")
    first, second = await b.start("A"), await b.start("B")
    assert await b.settled("A") == 1610  # 7 A
    await b.steps()
    status = await _status(b)
    assert {load.id: "place 1 of 1" in load.reason for load in status.loads} == {
        str(first): False,
        str(second): True,
    }
    await b.clock.advance(DWELL.total_seconds() + 1)
    b.changed()
    assert (await wires["A"].next(2)).limit == 0
    await b.settled("A")
    await b.followed()
    assert (await wires["B"].next()).limit == 7


async def test_the_wiring_that_a_station_tells_counts_where_nobody_has_set_it(running):
    b = running
    await _phase_limit(b, 32)
    for name in "AB":
        await b.station(name)
    await _one_phase(b, "A", "Unknown")
    await _one_phase(b, "B", "RST")
    for name, told in (("A", "1.STR"), ("B", "1.TRS")):
        await b.sql.execute(
            "INSERT INTO configuration_keys (charge_point_id, key_folded, key, value)"
            " VALUES ($1, 'connectorphaserotation', 'ConnectorPhaseRotation', $2)",
            b.keys[name],
            told,
        )
        await b.start(name)
        await b.settled(name)
    status = await _status(b)
    assert {load.charger_id: load.phases for load in status.loads} == {"A": (2,), "B": (1,)}
    assert status.warnings == (
        "charger B says that its phases are wired TRS, but RST is set: RST counts",
    )
