"""Ramps: how an offer gets from one limit to the next."""

from simulator.connector import Connector
from simulator.limits import Ramp
from simulator.profiles import Limit
from simulator.supply import Supply
from simulator.transactions import Transaction
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
    async with make(ramp_s=6) as station:
        await charging(station)
        action, payload = set_profile(12)
        answer = await central.call("CP1", action, **payload)
        assert answer == {"status": "Accepted"}
        await station.wait_for(lambda state: 12 < state.connectors[1].offer < 32)
        await station.wait_for(lambda state: state.connectors[1].offer == 12)
