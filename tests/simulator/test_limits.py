"""Ramps: how an offer gets from one limit to the next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.connector import Connector
from simulator.limits import Ramp, shares
from simulator.profiles import Limit
from simulator.supply import Supply
from simulator.transactions import Transaction
from simulator.vehicle import Vehicle
from tests.simulator.quirks import charging, set_profile


def in_transaction(now) -> Connector:
    transaction = Transaction(
        charge_point="CP", connector_id=1, id_tag="T", started_at=now, meter_start_wh=0
    )
    return Connector(connector_id=1, supply=Supply(), transaction=transaction)


def walk(ramp: Ramp, connector: Connector, target: Limit | None, moments: list[float]):
    offers = []
    for moment in moments:
        connector.limit = ramp.towards(target, connector, moment)
        offers.append(connector.offer)
    return offers


def test_an_offer_moves_in_steps_and_arrives_in_time():
    ramp, connector = Ramp(5.0), in_transaction(None)
    assert walk(ramp, connector, None, [0.0]) == [32.0], "nothing to move from"
    down = walk(ramp, connector, Limit(value=12.0), [10.0, 10.5, 11.0, 12.0, 14.0, 15.0, 99.0])
    assert down == [32.0, 32.0, 28.0, 24.0, 16.0, 12.0, 12.0]
    up = walk(ramp, connector, None, [100.0, 102.0, 105.0])
    assert up == [12.0, 20.0, 32.0]


def test_a_new_limit_on_the_way_counts_from_where_the_offer_is():
    ramp, connector = Ramp(4.0), in_transaction(None)
    walk(ramp, connector, None, [0.0])
    walk(ramp, connector, Limit(value=12.0), [10.0, 12.0])
    assert connector.offer == 22.0
    assert walk(ramp, connector, Limit(value=6.0), [12.5, 14.5, 16.5]) == [22.0, 14.0, 6.0]


def test_without_a_ramp_or_a_transaction_a_limit_holds_at_once():
    ramp, connector = Ramp(0.0), in_transaction(None)
    assert walk(ramp, connector, Limit(value=6.0), [0.0]) == [6.0]
    ramp = Ramp(10.0)
    connector.transaction = None
    assert walk(ramp, connector, Limit(value=8.0), [1.0]) == [8.0]


def test_who_waits_knows_when_the_next_step_is_due():
    ramp, connector = Ramp(3.0), in_transaction(None)
    walk(ramp, connector, None, [0.0])
    assert ramp.seconds_until_due(50.0) == float("inf")
    walk(ramp, connector, Limit(value=6.0), [100.0])
    assert ramp.seconds_until_due(100.25) == 0.75
    assert ramp.seconds_until_due(103.0) == float("inf")


async def test_a_charge_point_with_a_ramp(central, make):
    async with make(ramp_s=20) as station:
        await charging(station)
        action, payload = set_profile(12)
        answer = await central.call("CP1", action, **payload)
        assert answer == {"status": "Accepted"}
        await station.wait_for(lambda state: 12 < state.connectors[1].offer < 32)
        await station.wait_for(lambda state: state.connectors[1].offer == 12)


@given(
    st.floats(1, 1000),
    st.lists(st.one_of(st.just(0.0), st.floats(0.1, 1000)), min_size=1, max_size=12),
    st.sampled_from([1.0, 6.0]),
)
def test_shares_are_fair_and_never_more_than_there_is(bound, wants, least):
    parts = shares(bound, wants, least)
    assert len(parts) == len(wants)
    assert sum(parts) <= bound + 1e-6
    assert all(part >= 0 for part in parts)
    served = [one for one in range(len(parts)) if parts[one] > 0]
    assert len(served) == len(parts) or (len(served) + 1) * least > bound, "as many as possible"
    equal = bound / len(served)
    for one in served:
        claim = max(wants[one], least)
        assert parts[one] >= min(claim, equal) - 1e-6, "nobody gets less than an equal part"
        if parts[one] > claim + 1e-6:
            assert all(parts[other] >= min(wants[other], bound) - 1e-6 for other in served), (
                "more than he wants only when all have what they want"
            )


@pytest.mark.parametrize(
    ("supply", "budget_w", "vehicles", "powers"),
    [
        # Ports of a rack: one that takes little leaves the rest to the other.
        (
            Supply(current_type="DC", phases=1, voltage_v=42, max_w=250),
            300,
            (
                Vehicle(battery_wh=500, stored_wh=50, battery_max_w=84, pack_v=42),
                Vehicle(battery_wh=1000, stored_wh=50, battery_max_w=250, pack_v=42),
            ),
            [84, 216],
        ),
        # Sockets of a wallbox: 11 kW are 16 A a phase; 6 A for one that takes no more.
        (
            Supply(max_w=11_040),
            11_040,
            (Vehicle(onboard_a=6), Vehicle(onboard_a=16)),
            [4140, 6900],
        ),
        # Not enough for two: the first one charges.
        (Supply(max_w=11_040), 7_000, (Vehicle(), Vehicle()), [6969, 0]),
    ],
)
async def test_what_a_port_does_not_take_goes_to_the_other(
    central, make, supply, budget_w, vehicles, powers
):
    async with make(connectors=2, supply=supply, budget_w=budget_w) as station:
        await station.until_registered()
        for number, vehicle in enumerate(vehicles, 1):
            station.plug(number, vehicle)
            await station.present_tag(number, f"TAG-{number}")
        state = await station.wait_for(
            lambda state: [one.power_w for one in state.connectors.values()] == powers
        )
        assert state.connectors[1].status == "Charging"
        total = {"connectorId": 0, "duration": 60, "chargingRateUnit": "W"}
        answer = await central.call("CP1", "GetCompositeSchedule", **total)
        (period,) = answer["chargingSchedule"]["chargingSchedulePeriod"]
        assert period["limit"] == budget_w
        station.unplug(1)
        await station.wait_for(lambda state: state.connectors[2].power_w > 0)


async def test_a_full_vehicle_leaves_its_part_and_may_come_back(central, make):
    port = Supply(current_type="DC", phases=1, voltage_v=42, max_w=250)
    nearly = Vehicle(battery_wh=500, stored_wh=499.99, battery_max_w=200, pack_v=42)
    hungry = Vehicle(battery_wh=5000, stored_wh=500, battery_max_w=250, pack_v=42)
    async with make(connectors=2, supply=port, budget_w=250) as station:
        await station.until_registered()
        station.plug(1, nearly)
        await station.present_tag(1, "A")
        station.plug(2, hungry)
        await station.present_tag(2, "B")
        state = await station.wait_for(
            lambda state: [one.power_w for one in state.connectors.values()] == [0, 249]
        )
        assert state.connectors[1].status == "SuspendedEV", "it is offered what keeps it awake"


async def test_a_station_s_profile_is_shared_the_same_way(central, make):
    async with make(connectors=2) as station:
        await station.until_registered()
        for number, amps in ((1, 8), (2, 32)):
            station.plug(number, Vehicle(onboard_a=amps))
            await station.present_tag(number, f"TAG-{number}")
        action, payload = set_profile(
            24, connector=0, chargingProfilePurpose="ChargePointMaxProfile"
        )
        assert await central.call("CP1", action, **payload) == {"status": "Accepted"}
        await station.wait_for(
            lambda state: [one.flow.current_a for one in state.connectors.values()] == [8.0, 16.0]
        )
