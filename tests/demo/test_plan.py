"""The plan holds together, and the simulator takes it."""

from __future__ import annotations

from collections import Counter

import pytest

from csms.demo.plan import SITES, fleet_document, stations_of
from csms.domain import battery, sites
from csms.domain.ids import SiteId
from simulator.fleet_file import parse_fleet


def test_there_are_24_stations_on_three_sites():
    assert [len(site.stations) for site in SITES] == [12, 8, 4]
    assert len(stations_of()) == 24
    assert {station.current_type for station in stations_of().values()} == {"AC", "DC"}


@pytest.mark.parametrize("planned", SITES, ids=lambda site: site.id)
def test_a_site_is_sound(planned):
    site = sites.Site(
        id=SiteId(planned.id),
        name=planned.name,
        grid_limit_w=planned.grid_limit_w,
        circuits=tuple(
            sites.Circuit(id=sites.CircuitId(each.id), limit_w=each.limit_w)
            for each in planned.circuits
        ),
        batteries=tuple(
            battery.Battery(
                id=battery.BatteryId(each.id), capacity_wh=each.capacity_wh, power_w=each.power_w
            )
            for each in planned.batteries
        ),
    )
    chargers = [
        sites.Charger(
            id=sites.ChargerId(each.identity),
            max_w=each.max_power_w,
            circuit_id=None if each.circuit_id is None else sites.CircuitId(each.circuit_id),
            connectors=each.connectors,
            current_type=sites.CurrentType(each.current_type),
            phases=each.phases,
        )
        for each in planned.stations
    ]
    assert sites.site_problems(site, chargers) == []


@pytest.mark.parametrize("planned", SITES, ids=lambda site: site.id)
def test_cars_have_to_share(planned):
    """Two thirds of the chargers want more than the site, with its battery, can give."""
    wanted = sum(each.max_power_w for each in planned.stations) * 2 / 3
    assert wanted > planned.grid_limit_w + sum(each.power_w for each in planned.batteries)


def test_the_simulator_takes_the_fleet_file():
    plan = parse_fleet(fleet_document(7))
    assert plan.seed == 7
    supplies = {name: group for group in plan.groups for name in group.names}
    assert supplies.keys() == stations_of().keys()
    for identity, station in stations_of().items():
        assert supplies[identity].supply.max_w == station.max_power_w
        assert supplies[identity].connectors == station.connectors
        assert supplies[identity].idTags == list(station.id_tags)


def test_id_tags_are_the_drivers_own_and_fit_the_wire():
    tags = Counter(tag for station in stations_of().values() for tag in station.id_tags)
    assert set(tags.values()) == {1}
    assert all(len(tag) <= 20 for tag in tags)
