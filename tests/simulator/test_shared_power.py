"""Invariants of a whole station, whatever vehicles, temperatures and steps of time come."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from simulator.charge_point import ChargePointSimulator
from simulator.kinds import with_fault
from simulator.profiles import Installed
from simulator.settings import StationSettings
from simulator.supply import Supply
from simulator.vehicle import Vehicle
from tests.simulator.hand_clock import HandClock
from tests.simulator.physics import profile

RACK = Supply(current_type="DC", phases=1, voltage_v=42, max_w=250, cable_mohm=30, efficiency=0.92)
WALL = Supply(max_w=22_080, sag_v=6, cable_mohm=8, efficiency=0.98, standby_w=5)
ONE_PHASE = Supply(max_w=7_360, phases=1)

RATINGS = [(RACK, 300), (RACK, None), (WALL, 11_040), (WALL, 30_000), (ONE_PHASE, 5_000)]

small = st.builds(
    Vehicle,
    battery_wh=st.integers(200, 2700),
    stored_wh=st.floats(0, 200),
    battery_max_w=st.integers(60, 600),
    pack_v=st.integers(30, 80),
    knee_soc=st.floats(50, 95),
    target_soc=st.floats(50, 100),
    battery_c=st.one_of(st.none(), st.floats(-20, 70)),
)
cars = st.builds(
    Vehicle,
    battery_wh=st.integers(20_000, 100_000),
    stored_wh=st.floats(0, 20_000),
    onboard_a=st.sampled_from([6.0, 10.0, 16.0, 32.0]),
    onboard_phases=st.integers(1, 3),
    minimum_a=st.sampled_from([6.0, 8.0]),
    battery_c=st.one_of(st.none(), st.floats(-20, 70)),
)
faulty = st.builds(
    with_fault, small, st.sampled_from(["bms-cutoff", "deep-discharged", "hot-pack", "worn"])
)
ports = st.integers(1, 3)
steps = st.one_of(
    st.tuples(st.just("plug"), ports, st.one_of(small, cars, faulty)),
    st.tuples(st.just("tag"), ports, st.none()),
    st.tuples(st.just("stop"), ports, st.none()),
    st.tuples(st.just("unplug"), ports, st.none()),
    st.tuples(st.just("fault"), ports, st.sampled_from(["NoError", "GroundFailure"])),
    st.tuples(st.just("soc"), ports, st.floats(0, 100)),
    st.tuples(st.just("limit"), st.integers(0, 3), st.one_of(st.none(), st.floats(0, 40))),
    st.tuples(st.just("wait"), ports, st.floats(0.001, 5000)),
)


def do(station: ChargePointSimulator, clock: HandClock, what: str, port: int, value) -> None:
    session = station.sessions.get(port)
    match what:
        case "plug" if session.connector.vehicle is None:
            station.plug(port, value)
        case "tag" if session.connector.transaction is None:
            session.grant("TAG")
        case "stop":
            session.end_transaction("Local")
        case "unplug":
            station.unplug(port)
        case "fault":
            station.set_error(port, value)
        case "soc" if session.connector.vehicle is not None:
            session.refresh()
            vehicle = session.connector.vehicle
            stored = vehicle.battery_wh * value / 100
            session.connector.vehicle = replace(vehicle, stored_wh=stored)
            session.refresh()
        case "limit":
            purpose = "ChargePointMaxProfile" if port == 0 else "TxDefaultProfile"
            kept = [one for one in station.profiles.installed if one.connector_id != port]
            if value is not None:
                wanted = profile((0, round(value, 1)), purpose=purpose)
                at = clock.now() - timedelta(days=1)
                kept.append(Installed(connector_id=port, profile=wanted, received_at=at))
            station.profiles.recall(kept)
            station.refresh_all()
        case "wait":
            clock.passed += value
            station.refresh_all()
        case _:
            return


@given(
    st.sampled_from(
        [(RACK, 300), (RACK, None), (WALL, 11_040), (WALL, 30_000), (ONE_PHASE, 5_000)]
    ),
    st.sampled_from([0.0, 7.0]),
    st.sampled_from([-10.0, 20.0, 45.0]),
    st.sampled_from([1.0, 60.0]),
    st.lists(st.one_of(small, cars, faulty), min_size=3, max_size=3),
    st.lists(steps, max_size=20),
)
def test_invariants_of_a_station(rating, ramp_s, ambient_c, speed, first, done):
    supply, budget_w = rating
    clock = HandClock()
    station = ChargePointSimulator(
        StationSettings(
            identity="CP1", url="ws://nowhere", connectors=3, supply=supply, budget_w=budget_w,
            ramp_s=ramp_s, ambient_c=ambient_c, speed=speed,
        ),
        clock=clock,
    )  # fmt: skip
    registers = [0, 0, 0]
    main = 0
    begun = [("plug", port, vehicle) for port, vehicle in enumerate(first, 1)]
    begun += [("tag", port, None) for port in (1, 2, 3)]
    for what, port, value in (*begun, *done):
        do(station, clock, what, port, value)
        connectors = [session.connector for session in station.sessions.values()]
        total = sum(one.flow.power_w for one in connectors)
        assert budget_w is None or total <= budget_w
        bound = next((one for one in station.profiles.installed if one.connector_id == 0), None)
        if bound is not None and supply.native_unit == "A":
            amps = sum(one.flow.current_a for one in connectors)
            assert amps <= bound.profile.periods[0].limit + 1e-6
        for one in connectors:
            drawn = one.flow.current_a if supply.native_unit == "A" else one.flow.power_w
            assert drawn <= one.offer + 1e-6
            assert one.transaction is not None or one.flow.power_w == 0
            assert one.vehicle is None or 0 <= one.vehicle.soc <= 100
            account = one.account
            assert abs(account.metered - one.meter.accumulated_wms / 1000) < 1
            parts = (account.charger, account.cable, account.vehicle, account.stored)
            assert min(parts) >= -1e-6
            assert abs(sum(parts) - account.grid) < 1
        now = [one.meter.register_wh for one in connectors]
        assert all(new >= old for new, old in zip(now, registers, strict=True))
        assert station.main_meter.register_wh >= max(main, sum(now) - 3)
        registers, main = now, station.main_meter.register_wh
