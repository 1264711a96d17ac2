"""Scenario files, and a rack whose ports share a budget in watts."""

import re
from pathlib import Path

import pytest

from simulator.errors import FleetError
from simulator.fleet import Fleet
from simulator.scenario import find_scenario, parse_scenario, ready_scenarios
from simulator.supply import Supply
from simulator.vehicle import Vehicle

READY = ["apartment-garage", "chaos", "e-bike-rack", "motorway-dc", "workday-depot"]


def test_the_ready_ones_are_valid_and_can_be_built():
    ready = ready_scenarios()
    assert list(ready) == READY
    for one in ready.values():
        assert one.about
        assert Fleet(one.fleet, "ws://127.0.0.1:1/ocpp", speed=one.speed).stations


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("title: [", "not YAML"),
        ("5", "scenario|fleet"),
        ("title: T\nfleet: {groups: []}", "fleet.groups"),
        ("title: T\nspeed: 0\nfleet: {groups: [{prefix: A, count: 1}]}", "speed"),
        ("title: T\nfleet: {groups: [{prefix: A, count: 1, faults: [nope]}]}", "nope"),
        ("title: T\ncolour: red\nfleet: {groups: [{prefix: A, count: 1}]}", "colour"),
    ],
)
def test_faults_are_named(text, fault):
    with pytest.raises(FleetError, match=fault):
        parse_scenario(text)


def test_the_documented_one_is_valid():
    text = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
    (described,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    scenario = parse_scenario(described)
    assert (scenario.title, scenario.speed, scenario.durationS) == ("E-bike rack", 30, 600)
    assert scenario.fleet.groups[0].vehicles.faultShare == 0.2
    assert all(f"| `{name}` |" in text for name in READY)


def test_by_name_by_file_or_not_at_all(tmp_path):
    assert find_scenario("chaos").title == "Chaos"
    path = tmp_path / "own.yaml"
    path.write_text("title: Own\nfleet: {groups: [{prefix: A, count: 1}]}")
    assert find_scenario(str(path)).title == "Own"
    with pytest.raises(FleetError, match="workday-depot"):
        find_scenario("none")


async def test_a_rack_shares_its_budget(central, make):
    port = Supply(current_type="DC", phases=1, voltage_v=42, max_w=200)
    bike = Vehicle(battery_wh=500, stored_wh=50, battery_max_w=180, pack_v=42)
    async with make(connectors=4, supply=port, budget_w=300) as station:
        await station.until_registered()
        for number in (1, 2, 3):
            station.plug(number, bike)
            await station.present_tag(number, f"BIKE-{number}")
            await station.wait_for(
                lambda state, one=number: state.connectors[one].status == "Charging"
            )
        state = await station.wait_for(
            lambda state: all(state.connectors[one].power_w == 100 for one in (1, 2, 3))
        )
        assert 35 <= state.connectors[1].flow.voltage_v <= 48
        station.unplug(3)
        await station.wait_for(lambda state: state.connectors[1].power_w == 150)
