"""Voltage, losses and temperatures: the numbered invariants over chance, and known numbers."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.physics import cable_w, grid_w, inlet_w, outlet_voltage_ac
from simulator.profiles import Limit
from simulator.supply import Supply
from simulator.thermal import battery_after, battery_share
from simulator.vehicle import Vehicle, draw
from tests.simulator.test_vehicle import charging, offers, supplies, vehicles

lossy = st.builds(
    replace,
    supplies,
    sag_v=st.floats(0, 20),
    cable_mohm=st.floats(0, 200),
    efficiency=st.floats(0.8, 1),
    standby_w=st.integers(0, 100),
)
warm = st.builds(replace, vehicles, battery_c=st.one_of(st.none(), st.floats(-40, 80)))


@given(vehicle=warm, supply=lossy, offer=offers)
@example(vehicle=Vehicle(), supply=Supply(sag_v=10, cable_mohm=50), offer=32.0)
def test_volts_amperes_and_watts_agree(vehicle, supply, offer):
    """Invariants 2, 5 and 9."""
    flow = draw(vehicle, supply, offer)
    if supply.current_type == "AC":
        assert flow.power_w == round(flow.current_a * 10) * flow.voltage_v * flow.phases // 10
        assert flow.voltage_v == outlet_voltage_ac(supply, flow.current_a)
        assert supply.voltage_v - supply.sag_v - 1 <= flow.voltage_v <= supply.voltage_v
    else:
        assert abs(flow.power_w - flow.voltage_v * flow.current_a) <= 0.05 * flow.voltage_v + 1e-6
        assert flow.voltage_v >= vehicle.pack_voltage_v
    assert flow.power_w <= min(vehicle.acceptance_w, supply.max_w)


@given(vehicle=warm, supply=lossy, offer=offers)
def test_no_power_comes_from_nowhere(vehicle, supply, offer):
    """Invariant 10, of power."""
    flow = draw(vehicle, supply, offer)
    assert 0 <= inlet_w(flow, supply) <= flow.power_w <= grid_w(flow, supply)
    assert (cable_w(flow, supply) > 0) <= (flow.power_w > 0)


@given(
    vehicle=warm,
    supply=lossy,
    limits=st.lists(
        st.tuples(st.one_of(st.none(), offers), st.floats(0.001, 900)), min_size=1, max_size=6
    ),
    speed=st.sampled_from([1.0, 60.0]),
)
def test_energy_is_conserved(vehicle, supply, limits, speed):
    """Invariants 6, 7 and 10, of energy."""
    connector, now = charging(supply, vehicle, speed), 0.0
    for value, seconds in limits:
        connector.limit = Limit(value=value) if value is not None else None
        now += seconds
        connector.advance(now)
    account = connector.account
    parts = (account.charger, account.cable, account.vehicle, account.stored)
    assert min(parts) >= 0
    assert account.grid == pytest.approx(sum(parts))
    assert account.metered == pytest.approx(connector.meter.accumulated_wms / 1000, abs=1e-3)
    gained = (connector.vehicle.stored_wh - vehicle.stored_wh) * 3600 / speed
    # A battery that becomes full within a step of 1 ms has that much less.
    assert account.stored == pytest.approx(gained, abs=1e-3 * supply.max_w + 1e-3)


@given(supply=lossy, one=st.floats(0, 100), other=st.floats(0, 100))
def test_voltage_falls_with_the_current(supply, one, other):
    """Invariant 9."""
    low, high = sorted((one, other))
    assert outlet_voltage_ac(supply, low) >= outlet_voltage_ac(supply, high)
    assert outlet_voltage_ac(supply, 0) == supply.voltage_v


def test_known_losses():
    """Invariants 9 and 11."""
    three = Supply(sag_v=6, cable_mohm=20, efficiency=0.98, standby_w=10, max_w=22_080)
    flow = draw(Vehicle(onboard_a=16), three, 32.0)
    assert (flow.voltage_v, flow.current_a, flow.power_w) == (227, 16.0, 10_896)
    assert cable_w(flow, three) == pytest.approx(3 * 16**2 * 0.020)
    assert grid_w(flow, three) == pytest.approx(10_896 / 0.98 + 10)
    single = draw(Vehicle(onboard_a=16, onboard_phases=1), three, 32.0)
    assert cable_w(single, three) == pytest.approx(2 * 16**2 * 0.020)
    dc = Supply(current_type="DC", phases=1, voltage_v=400, max_w=100_000, cable_mohm=10)
    fast = draw(Vehicle(stored_wh=30_000), dc, 100_000)
    assert fast.voltage_v == Vehicle(stored_wh=30_000).pack_voltage_v + round(2 * 2.74)
    assert cable_w(fast, dc) == pytest.approx(2 * fast.current_a**2 * 0.010)
    assert cable_w(draw(Vehicle(), dc, 0.0), dc) == 0


def test_losses_make_a_battery_fill_later():
    ideal, real = (
        charging(supply, Vehicle(efficiency=0.9)) for supply in (Supply(), Supply(cable_mohm=100))
    )
    for connector in (ideal, real):
        connector.advance(3600)
    assert ideal.meter.register_wh == real.meter.register_wh == 11_040
    assert ideal.vehicle.stored_wh - real.vehicle.stored_wh == pytest.approx(3 * 25.6 * 0.9)


def test_standby_goes_on_without_a_vehicle():
    connector = charging(Supply(standby_w=10), Vehicle())
    connector.vehicle = None
    connector.advance(100)
    assert (connector.account.grid, connector.account.charger) == (1000, 1000)
    assert connector.meter.register_wh == 0


@given(
    celsius=st.floats(-30, 70),
    ambient=st.floats(-30, 50),
    power=st.floats(0, 300_000),
    seconds=st.floats(0, 1e6),
)
def test_batteries_go_towards_their_surroundings_and_warm_by_power(
    celsius, ambient, power, seconds
):
    cold = battery_after(celsius, ambient, 0, 60_000, seconds)
    assert min(celsius, ambient) - 1e-9 <= cold <= max(celsius, ambient) + 1e-9
    assert battery_after(celsius, ambient, power, 60_000, seconds) >= cold - 1e-9


@given(st.floats(-100, 200))
def test_no_temperature_gives_more_than_all(celsius):
    """Invariant 12."""
    assert 0 <= battery_share(celsius) <= 1


def test_a_cold_battery_takes_little_and_more_as_it_warms():
    vehicle = Vehicle(battery_c=-10.0, battery_max_w=100_000)
    dc = Supply(current_type="DC", phases=1, voltage_v=400, max_w=150_000)
    connector = charging(dc, vehicle)
    first = connector.flow.power_w
    assert first == pytest.approx(17_500, abs=100)
    connector.advance(1200)
    assert connector.flow.power_w > first
    assert connector.vehicle.battery_c > -10


def test_a_hot_battery_waits_until_it_has_cooled():
    connector = charging(Supply(), Vehicle(battery_c=61.0))
    assert (connector.flow.power_w, connector.status) == (0, "SuspendedEV")
    assert connector.seconds_until_change() < 60
    connector.advance(900)
    assert connector.vehicle.battery_c < 60
    assert connector.status == "Charging"


def test_a_battery_without_a_temperature_always_takes_its_power():
    connector = charging(Supply(), Vehicle())
    connector.thermal.ambient_c = -30.0
    connector.advance(3600)
    assert connector.vehicle.battery_c is None
    assert connector.flow.power_w == 11_040


@pytest.mark.parametrize(("offer", "power"), [(9.9, 0), (10.0, 6_900), (16.0, 11_040)])
def test_a_vehicle_has_a_minimum_of_its_own(offer, power):
    """Invariant 3."""
    assert draw(Vehicle(minimum_a=10.0), Supply(), offer).power_w == power


def test_deep_discharge_and_cut_off():
    """Invariant 4."""
    assert Vehicle(stored_wh=600, precharge_soc=5, battery_max_w=1000).acceptance_w == 100
    assert Vehicle(stored_wh=6000, precharge_soc=5, battery_max_w=1000).acceptance_w == 1000
    stopped = Vehicle(stored_wh=36_000, cutoff_soc=60.0)
    assert stopped.is_full
    assert draw(stopped, Supply(), 32.0).power_w == 0


def test_power_needed_until_the_departure():
    vehicle = Vehicle(battery_wh=60_000, stored_wh=42_000, efficiency=0.9, departs_at=7200.0)
    assert vehicle.needed_w(0.0) == pytest.approx(18_000 / 0.9 / 2)
    assert vehicle.needed_w(0.0, speed=60) == pytest.approx(18_000 / 0.9 / 120)
    assert vehicle.needed_w(7200.0) == float("inf")
    assert replace(vehicle, stored_wh=60_000.0).needed_w(9999.0) == 0
    assert Vehicle().needed_w(0.0) is None


async def test_what_is_told_on_the_wire_agrees(central, make):
    """Invariants 5 and 9, as the central system sees them."""
    sagging = Supply(sag_v=12.0, cable_mohm=40)
    async with make(supply=sagging, meter_interval_s=1) as station:
        await station.until_registered()
        station.plug(1, Vehicle(onboard_a=16))
        await station.present_tag(1, "T")
        await central.until_calls("MeterValues", 1)
    told = {
        phase: (
            central.measured("Voltage", f"{phase}-N")[0],
            central.measured("Current.Import", phase)[0],
        )
        for phase in ("L1", "L2", "L3")
    }
    assert set(told.values()) == {(224.0, 16.0)}
    assert central.measured("Power.Active.Import")[0] == 3 * 224 * 16
