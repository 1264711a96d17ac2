"""The vehicle's and the meter's physics: invariants over chance, and a few known numbers."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.connector import Connector
from simulator.meter import Meter
from simulator.profiles import Limit
from simulator.supply import Supply
from simulator.transactions import Transaction
from simulator.vehicle import Vehicle, draw
from tests.simulator.physics import NOW

supplies = st.builds(
    Supply,
    current_type=st.sampled_from(["AC", "DC"]),
    phases=st.sampled_from([1, 3]),
    voltage_v=st.sampled_from([120, 230, 400]),
    max_w=st.integers(1_000, 350_000),
)
vehicles = st.builds(
    Vehicle,
    battery_wh=st.integers(1_000, 120_000),
    stored_wh=st.floats(0, 1_000),
    target_soc=st.floats(0, 100),
    onboard_a=st.sampled_from([6.0, 10.0, 16.0, 32.0]),
    onboard_phases=st.sampled_from([1, 2, 3]),
    battery_max_w=st.integers(1_000, 350_000),
    knee_soc=st.floats(0, 100),
    end_share=st.floats(0.01, 1),
    efficiency=st.floats(0.5, 1),
)
offers = st.one_of(st.floats(0, 80), st.floats(0, 400_000))


def charging(supply: Supply, vehicle: Vehicle, speed: float = 1.0) -> Connector:
    """A connector whose contactor is closed, at time 0."""
    transaction = Transaction(
        charge_point="CP", connector_id=1, id_tag="T", started_at=NOW, meter_start_wh=0
    )
    connector = Connector(connector_id=1, supply=supply, vehicle=vehicle, speed=speed)
    connector.transaction, connector.energised = transaction, True
    connector.advance(0)
    return connector


@given(vehicle=vehicles, supply=supplies, offer=offers, phases=st.sampled_from([None, 1, 3]))
@example(vehicle=Vehicle(), supply=Supply(), offer=5.9, phases=None)
def test_draws_no_more_than_offered_rated_or_accepted(vehicle, supply, offer, phases):
    """Invariants 2, 3 and 5."""
    flow = draw(vehicle, supply, offer, phases)
    assert 0 <= flow.power_w <= supply.max_w
    assert flow.power_w <= vehicle.acceptance_w
    if supply.current_type == "DC":
        assert flow.power_w <= offer
        return
    assert flow.current_a <= min(offer, supply.max_a, vehicle.onboard_a) + 1e-9
    assert flow.phases <= min(supply.phases, vehicle.onboard_phases, phases or 3)
    assert flow.power_w == round(flow.current_a * 10) * supply.voltage_v * flow.phases // 10
    if offer < 6:
        assert flow.power_w == 0


@given(
    vehicle=vehicles,
    supply=supplies,
    limits=st.lists(
        st.tuples(st.one_of(st.none(), offers), st.floats(0.001, 900)), min_size=1, max_size=8
    ),
    speed=st.sampled_from([1.0, 10.0, 1000.0]),
)
def test_register_is_the_integral_of_power_and_charge_stays_in_range(
    vehicle, supply, limits, speed
):
    """Invariants 1 and 6."""
    connector = charging(supply, vehicle, speed)
    now, before, registers = 0.0, 0, [0]
    for value, seconds in limits:
        connector.limit = Limit(value=value) if value is not None else None
        connector.advance(now)
        highest = connector.flow.power_w
        began, now = now, now + seconds
        connector.advance(now)
        gained = connector.meter.accumulated_wms - before
        elapsed_ms = int(now * 1000) - int(began * 1000)
        # Within one limit a vehicle only tapers: it never draws more than at its beginning.
        assert connector.flow.power_w * elapsed_ms <= gained <= highest * elapsed_ms
        before = connector.meter.accumulated_wms
        registers.append(connector.meter.register_wh)
        assert 0 <= connector.vehicle.soc <= 100
    assert registers == sorted(registers)


def test_constant_power_gives_exact_energy_in_any_slicing():
    """Invariant 6."""
    whole, sliced = (charging(Supply(), Vehicle(battery_wh=10**6, onboard_a=16)) for _ in range(2))
    whole.advance(1234.567)
    for millisecond in range(0, 1_234_567, 997):
        sliced.advance(millisecond / 1000)
    sliced.advance(1234.567)
    assert whole.meter.accumulated_wms == 11_040 * 1_234_567
    assert sliced.meter.accumulated_wms == whole.meter.accumulated_wms
    assert whole.meter.register_wh == 11_040 * 1_234_567 // 3_600_000


def test_full_vehicle_stops_at_its_target_and_the_meter_with_it():
    """Invariant 4."""
    vehicle = Vehicle.needing(1_000, battery_wh=50_000, target_soc=80.0)
    connector = charging(Supply(), vehicle)
    assert connector.status == "Charging"
    connector.advance(3 * 3600)
    assert connector.status == "SuspendedEV"
    assert connector.vehicle.soc == pytest.approx(80, abs=1e-3)
    assert connector.meter.register_wh in (1_000, 1_001)


def test_battery_tapers_above_the_knee():
    taken = [
        Vehicle(battery_wh=100, stored_wh=soc, knee_soc=80, battery_max_w=100, end_share=0.1)
        for soc in (10, 80, 90, 99.9)
    ]
    powers = [round(vehicle.acceptance_w) for vehicle in taken]
    assert powers == [100, 100, 55, 10]


def test_speed_fills_the_battery_faster_but_not_the_meter():
    """Invariant 7."""
    plain, fast = (charging(Supply(), Vehicle(), speed) for speed in (1.0, 10.0))
    for connector in (plain, fast):
        connector.advance(60)
    assert plain.meter.register_wh == fast.meter.register_wh == 11_040 // 60
    assert fast.vehicle.soc - 20 == pytest.approx(10 * (plain.vehicle.soc - 20))


@pytest.mark.parametrize(("power", "ms"), [(-1, 10), (10, -1)])
def test_meter_refuses_to_run_backwards(power, ms):
    with pytest.raises(ValueError, match="cannot count"):
        Meter().run(power, ms)
