"""Fleets: their description, their vehicles, their ledger, their registration."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from typing import get_args

import pytest
from aiohttp import web

from simulator.arrivals import choose_arrival, choose_vehicle
from simulator.errors import FleetError, RegistrationError
from simulator.fleet import Fleet
from simulator.fleet_file import VehicleMix, load_fleet, parse_fleet
from simulator.kinds import VehicleFault, with_fault
from simulator.registration import register_fleet
from simulator.supply import Supply
from simulator.vehicle import Vehicle, draw
from tests.waiting import wait_until

LIVELY = {"arrivalsPerHour": 3600, "atStart": 1, "stayMinutes": [0.5, 1], "socPercent": [10, 20]}


def plan(**group):
    return parse_fleet({"groups": [{"prefix": "SIM-", "count": 2, **group}], "seed": 3})


def test_defaults_make_a_whole_fleet():
    fleet = parse_fleet({"groups": [{"count": 2}, {"identities": ["A"], "currentType": "DC"}]})
    ac, dc = fleet.groups
    assert (ac.names, dc.names) == (["SIM-000001", "SIM-000002"], ["A"])
    assert (ac.supply.max_a, ac.supply.phases) == (32, 3)
    assert (dc.supply.max_w, dc.supply.current_type) == (150_000, "DC")
    single = parse_fleet({"groups": [{"count": 1, "phases": 1, "maxKw": 3.7}]}).groups[0]
    assert single.supply.max_a == 16


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ({}, "groups: Field required"),
        ([], "fleet: "),
        ({"groups": []}, "groups: "),
        ({"groups": [{}]}, "groups[0]: name the charge points"),
        ({"groups": [{"count": 1, "identities": ["A"]}]}, "groups[0]: name the charge points"),
        ({"groups": [{"count": 0}]}, "groups[0].count: "),
        ({"groups": [{"count": 1, "wheels": 4}]}, "groups[0].wheels: "),
        ({"groups": [{"count": 1, "currentType": "XC"}]}, "groups[0].currentType: "),
        ({"groups": [{"count": 1, "phases": 2}]}, "groups[0].phases: "),
        ({"groups": [{"count": 1, "idTags": ["x" * 21]}]}, "groups[0].idTags[0]: "),
        ({"groups": [{"identities": ["A", "A"]}]}, "fleet: identities are used twice: A"),
        ({"groups": [{"count": 1, "sagV": 99}]}, "groups[0].sagV: "),
        ({"groups": [{"count": 1, "vehicles": {"kinds": ["tank"]}}]}, "groups[0].vehicles.kinds"),
        (
            {"groups": [{"count": 1, "vehicles": {"batteryC": [9, 1]}}]},
            "groups[0].vehicles: batteryC",
        ),
        (
            {"groups": [{"count": 1, "vehicles": {"stayMinutes": [9, 1]}}]},
            "groups[0].vehicles: stayMinutes",
        ),
        (
            {"groups": [{"count": 1, "configuration": {"HeartbeatInterval": "often"}}]},
            "groups[0]: bad value for HeartbeatInterval",
        ),
        (
            {"groups": [{"count": 1, "configuration": {"Nonsense": "1"}}]},
            "groups[0]: unknown configuration key Nonsense",
        ),
    ],
)
def test_faults_are_named_with_their_place(data, fault):
    with pytest.raises(FleetError) as caught:
        parse_fleet(data)
    assert [text for text in caught.value.faults if text.startswith(fault)], caught.value.faults


def test_all_faults_are_told_together():
    with pytest.raises(FleetError) as caught:
        parse_fleet({"seed": "x", "groups": [{"count": 0, "maxKw": -1}]})
    assert len(caught.value.faults) == 3


def test_unreadable_files_are_faults(tmp_path):
    broken = tmp_path / "fleet.json"
    broken.write_text("{")
    for path in (broken, tmp_path / "missing.json"):
        with pytest.raises(FleetError, match=str(path)):
            load_fleet(path)
    broken.write_text(json.dumps({"groups": [{"count": 3}]}))
    assert len(load_fleet(broken).groups[0].names) == 3


@pytest.mark.parametrize(("share", "taken"), [(0, 0), (0.01, 1), (0.5, 5), (0.7, 7), (1, 10)])
def test_share_of_connectors_that_begin_with_a_vehicle(share, taken):
    mix = {"atStart": share}
    fleet = Fleet(plan(count=5, connectors=2, vehicles=mix), "ws://127.0.0.1:9/ocpp")
    assert sum(one.begins_taken(number) for one in fleet._places for number in (1, 2)) == taken


def test_vehicles_follow_the_mix_and_the_seed():
    mix = VehicleMix(onboardA=[16], batteryKwh=[50], socPercent=[20, 30], targetSocPercent=[25, 90])
    chance = random.Random("seed")
    vehicles = [choose_vehicle(mix, chance, "AC") for _ in range(200)]
    assert {vehicle.onboard_a for vehicle in vehicles} == {16}
    assert all(20 <= vehicle.soc <= 30 <= 30.001 for vehicle in vehicles)
    assert all(vehicle.soc <= vehicle.target_soc <= 90 for vehicle in vehicles)
    again = random.Random("seed")
    assert [choose_vehicle(mix, again, "AC") for _ in range(200)] == vehicles


def test_losses_reach_the_supply():
    (group,) = plan(sagV=4, cableMohm=8, efficiencyPercent=95, standbyW=6, ambientC=-5).groups
    supply = group.supply
    assert (supply.sag_v, supply.cable_mohm, supply.efficiency) == (4, 8, 0.95)
    assert supply.standby_w == 6
    fleet = Fleet(plan(ambientC=-5), "ws://127.0.0.1:9/ocpp")
    assert fleet.stations[0].sessions[1].connector.thermal.ambient_c == -5


def test_small_vehicles_have_the_sizes_of_their_kinds():
    mix = VehicleMix(kinds=["scooter", "board"], batteryC=[20, 30])
    chance = random.Random("seed")
    vehicles = [choose_vehicle(mix, chance, "DC") for _ in range(100)]
    assert {one.battery_wh for one in vehicles} == {280, 360, 550, 200, 350, 500}
    assert {one.pack_v for one in vehicles} == {36, 43}
    assert all(20 <= (one.battery_c or 0) <= 30 for one in vehicles)
    assert all(10 <= one.soc <= 60 for one in vehicles)


def test_faults_come_with_their_share():
    mix = VehicleMix(kinds=["e-bike"], faults=["worn", "hot-pack"], faultShare=0.5)
    chance = random.Random("seed")
    arrivals = [choose_arrival(mix, chance, "DC") for _ in range(200)]
    assert {one.fault for one in arrivals} == {None, "worn", "hot-pack"}
    assert 60 < sum(one.fault is not None for one in arrivals) < 140
    hot = [one.vehicle.battery_c for one in arrivals if one.fault == "hot-pack"]
    assert set(hot) == {58.0}


@pytest.mark.parametrize("fault", get_args(VehicleFault))
def test_each_vehicle_fault_shows(fault):
    sound = Vehicle(battery_wh=500, stored_wh=250, battery_max_w=168, pack_v=36)
    faulty = with_fault(sound, fault)
    assert 0 <= faulty.soc <= 100
    port = Supply(current_type="DC", phases=1, voltage_v=42, max_w=200)
    shows = {
        "bms-cutoff": faulty.wants_wh == pytest.approx(50),
        "deep-discharged": draw(faulty, port, 200).power_w == 16,
        "hot-pack": draw(faulty, port, 200).power_w < 30,
        "worn": (faulty.battery_wh, faulty.stored_wh) == (300, 150),
        "shorted": faulty == sound,
    }
    assert shows[fault]


async def test_a_vehicle_leaves_at_its_departure_and_short_of_its_target(central):
    mix = LIVELY | {"batteryKwh": [500], "arrivalsPerHour": 0}
    fleet = Fleet(plan(count=1, vehicles=mix), central.url, speed=60)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fleet.run())
        connector = fleet.stations[0].sessions[1].connector
        await wait_until(lambda: connector.transaction is not None)
        departs_at = connector.vehicle.departs_at
        await wait_until(lambda: connector.vehicle is None)
        assert fleet.clock.monotonic() >= departs_at
        assert fleet.summary.left_short == 1
        assert "1 left short" in str(fleet.summary)
        fleet.stop()


async def test_who_is_full_leaves_if_so_described(central):
    mix = {"atStart": 1, "arrivalsPerHour": 0, "stayMinutes": [600, 600], "leaveWhenFull": True}
    mix |= {"kinds": ["board"], "socPercent": [99, 99], "targetSocPercent": [99.05, 99.05]}
    described = plan(count=1, currentType="DC", maxKw=0.2, voltageV=42, vehicles=mix)
    fleet = Fleet(described, central.url, speed=600)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fleet.run())
        await wait_until(lambda: fleet.summary.stopped == 1)
        assert fleet.summary.left_short == 0
        fleet.stop()
    (stop,) = central.of("StopTransaction")
    assert stop["reason"] == "EVDisconnected"


async def test_a_short_circuit_is_a_fault_of_the_port_until_the_vehicle_has_gone(central):
    mix = LIVELY | {"kinds": ["e-bike"], "faults": ["shorted"], "faultShare": 1}
    fleet = Fleet(plan(count=1, vehicles=mix | {"arrivalsPerHour": 0}), central.url, speed=60)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fleet.run())
        await central.until(lambda: "Faulted" in central.statuses())
        await central.until(lambda: central.statuses()[-1] == "Available")
        fleet.stop()
    assert central.of("StartTransaction") == []
    errors = [one["errorCode"] for one in central.of("StatusNotification")]
    assert "OverCurrentFailure" in errors


async def test_fleet_charges_stops_and_accounts_for_everything(central):
    fleet = Fleet(plan(connectors=2, vehicles=LIVELY), central.url, speed=60)
    await run_for_a_while(fleet)
    starts = {
        (one["connectorId"], one["timestamp"], one["meterStart"])
        for one in central.of("StartTransaction")
    }
    records = fleet.ledger.records()
    assert starts == {
        (one["connectorId"], one["startTimestamp"], one["meterStart"]) for one in records
    }
    stops = {one["transactionId"]: one["meterStop"] for one in central.of("StopTransaction")}
    assert stops == {one["transactionId"]: one["meterStop"] for one in records}
    assert all(one["startAcknowledged"] and one["stopAcknowledged"] for one in records)
    assert central.closes == [1000, 1000]
    assert fleet.summary.charging == 0


async def test_duration_ends_a_fleet(central):
    fleet = Fleet(plan(count=1), central.url)
    await fleet.run(0.2)
    assert central.closes == [1000]


class Api:
    """An operator API that knows stations and tags."""

    def __init__(self) -> None:
        self.stations: dict[str, dict] = {}
        self.tags: dict[str, dict] = {}
        self.url = ""

    async def create(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer secret":
            return web.json_response({"code": "unauthorized"}, status=401)
        body = await request.json()
        table, key = (
            (self.stations, "identity") if request.path == "/api/stations" else (self.tags, "idTag")
        )
        status = 409 if body[key] in table else 201
        table.setdefault(body[key], body)
        return web.json_response(body, status=status)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    api = Api()
    app = web.Application()
    app.router.add_post("/api/stations", api.create)
    app.router.add_post("/api/id-tags", api.create)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield api
    await runner.cleanup()


async def test_registration_creates_what_is_missing(api):
    fleet = plan(idTags=["A", "B"], maxKw=11, password="sixteen letters!")
    assert await register_fleet(fleet, api.url, "secret") == 4
    assert await register_fleet(fleet, api.url, "secret") == 0
    assert set(api.tags) == {"A", "B"}
    station = api.stations["SIM-000001"]
    assert (station["maxKw"], station["phases"], station["connectors"]) == (11, 3, 1)
    assert station["password"] == "sixteen letters!"
    assert "securityProfile" not in station, "the central system's own choice"
    await register_fleet(plan(prefix="T-", securityProfile=2), api.url, "secret")
    assert api.stations["T-000001"]["securityProfile"] == 2
    rack = parse_fleet({"groups": [{"identities": ["R"], "currentType": "DC", "voltageV": 42}]})
    await register_fleet(rack, api.url, "secret")
    assert "voltageV" not in api.stations["R"]


async def test_registration_failures_are_told(api):
    with pytest.raises(RegistrationError, match="answered 401"):
        await register_fleet(plan(), api.url, None)
    with pytest.raises(RegistrationError, match="cannot reach"):
        await register_fleet(plan(), "http://127.0.0.1:9", "secret")


async def run_for_a_while(fleet: Fleet) -> None:
    """Run the fleet until enough has happened, then stop it in order."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fleet.run())
        await wait_until(lambda: fleet.summary.stopped >= 4 and fleet.summary.charging >= 1)
        fleet.stop()
