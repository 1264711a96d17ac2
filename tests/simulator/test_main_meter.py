"""The main meter: clock-aligned values of connector 0."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.connector import Connector
from simulator.main_meter import _by_phase
from simulator.physics import grid_w
from simulator.supply import Supply
from simulator.vehicle import Draw, Vehicle
from tests.simulator.fast_clock import FastClock

EVERY = {"ClockAlignedDataInterval": "10"}
ALL = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage.L1,SoC,Frequency"


def main_values(central) -> list[dict[tuple[str, str | None], str]]:
    """By measurand and phase, one object a message of connector 0."""
    return [
        {
            (one["measurand"], one.get("phase")): one["value"]
            for one in payload["meterValue"][0]["sampledValue"]
        }
        for payload in central.of("MeterValues")
        if payload["connectorId"] == 0
    ]


async def test_it_tells_what_all_connectors_take_together(central, make):
    supply = Supply(efficiency=0.9, standby_w=50)
    keys = EVERY | {"MeterValuesAlignedData": ALL, "ConnectorPhaseRotation": "1.RST,2.STR"}
    async with make(connectors=2, supply=supply, configuration=keys) as station:
        await station.until_registered()
        for number in (1, 2):
            station.plug(number, Vehicle(onboard_phases=1, onboard_a=10))
            await station.present_tag(number, "TAG")
        await station.wait_for(
            lambda state: all(one.power_w == 2300 for one in state.connectors.values())
        )
        since = len(main_values(central))
        await central.until(lambda: len(main_values(central)) >= since + 2)
        first, second = main_values(central)[since:][:2]
        assert second[("Power.Active.Import", None)] == str(round(2 * (2300 / 0.9 + 50)))
        amps = [float(second[("Current.Import", f"L{phase}")]) for phase in (1, 2, 3)]
        one = (2300 / 0.9 + 50) / 230
        assert amps == [pytest.approx(one, abs=0.06), pytest.approx(one, abs=0.06), 0.0]
        assert (second[("Voltage", "L1-N")], second[("Frequency", None)]) == ("230", "50.0")
        assert ("SoC", None) not in second
        counted = [int(one[("Energy.Active.Import.Register", None)]) for one in (first, second)]
        assert counted[1] - counted[0] == pytest.approx(2 * (2300 / 0.9 + 50) / 360, abs=2)
    told = [one for one in central.of("MeterValues") if one["connectorId"] == 0]
    assert all("transactionId" not in one for one in told)
    contexts = {value["context"] for one in told for value in one["meterValue"][0]["sampledValue"]}
    assert contexts == {"Sample.Clock"}
    assert all(one["meterValue"][0]["timestamp"].endswith("0.000Z") for one in told)


async def test_one_outlet_has_none_unless_it_is_said(central, make):
    async with make(configuration=EVERY) as station:
        await central.until_calls("MeterValues", 2)
        assert main_values(central) == []
        assert not station.main_meter.is_there
    async with make("CP2", configuration=EVERY, main_meter=True):
        await central.until(lambda: len(main_values(central)) >= 1)


async def test_it_follows_a_change_of_the_interval(central, make):
    async with make(connectors=2, clock=FastClock()) as station:
        await station.until_registered()
        assert central.of("MeterValues") == []
        change = {"key": "ClockAlignedDataInterval", "value": "10"}
        await central.call("CP1", "ChangeConfiguration", **change)
        await central.until(lambda: len(main_values(central)) >= 2)


@given(
    st.sampled_from(["AC", "DC"]),
    st.integers(0, 3),
    st.floats(0.5, 1.0),
    st.integers(0, 100),
    st.sampled_from(["RST", "RTS", "SRT", "STR", "TRS", "TSR"]),
)
def test_the_phases_make_the_power(kind, used, efficiency, standby, rotation):
    supply = Supply(current_type=kind, efficiency=efficiency, standby_w=standby)
    watts = used * 2300
    connector = Connector(connector_id=1, supply=supply)
    connector.flow = Draw(power_w=watts, current_a=10.0 if used else 0.0, phases=used)
    found = list(_by_phase(connector, 3, rotation))
    assert sum(one for _, one in found) == pytest.approx(grid_w(connector.flow, supply))
    assert all(one >= 0 for _, one in found)
    assert {phase for phase, _ in found} <= {0, 1, 2}
