"""Sites, the plain form, and loads that other systems manage."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from csms.domain.events import SiteChanged

FORM = {
    "stationId": "depot",
    "gridCapacity": 40,
    "chargers": [
        {"id": "CP1", "maxPower": 22, "connectors": 2},
        {"id": "X1", "maxPower": 50.5, "connectors": 1},
    ],
    "battery": {"initialCapacity": 20, "power": 10},
}


async def put(bench, form=FORM, site="depot"):
    return await bench.ask("PUT", f"/api/sites/{site}/config", form)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"gridLimitA": 63}, "policy"),
        ({"circuits": [{"id": "a", "limitKw": 9, "limitA": 16}]}, "circuits"),
    ],
)
async def test_whole_kw_and_limits_of_phases_do_not_go_together(bench, body, field):
    site = {"id": "S1", "name": "Depot", "gridCapacityKw": 40} | body
    refused = await bench.ask("POST", "/api/sites", site | {"policy": "equal-kw"})
    assert (refused.status, list(refused.json["fields"])) == (422, [field])
    assert "whole kW know nothing of phases" in refused.json["fields"][field]
    assert (await bench.ask("POST", "/api/sites", site | {"policy": "fair"})).status == 201


async def test_create_read_change_delete(bench):
    body = {
        "id": "S1",
        "name": "Depot",
        "timeZone": "Europe/Berlin",
        "gridCapacityKw": 100.5,
        "gridLimitA": None,
        "circuits": [
            {"id": "a", "limitKw": 50, "limitA": None, "parentId": None, "name": None},
            {"id": "b", "parentId": "a", "limitKw": 20, "limitA": None, "name": "Row B"},
        ],
        "batteries": [{"id": "bat", "capacityKwh": 20, "powerKw": 5}],
        "policy": "equal-kw",
    }
    site = await bench.post("/api/sites", body, status=201)
    assert site["batteries"] == [
        {"id": "bat", "capacityKwh": 20, "powerKw": 5, "energyKwh": 20, "flowKw": 0}
    ]
    assert {**site, "batteries": None, "chargers": None} == {
        **body,
        "batteries": None,
        "chargers": None,
    }
    assert bench.allocator.decided == ["S1"]
    assert (await bench.ask("POST", "/api/sites", body)).status == 409
    changed = await bench.ask("PATCH", "/api/sites/S1", {"gridCapacityKw": 80, "circuits": []})
    assert (changed.json["gridCapacityKw"], changed.json["circuits"]) == (80, [])
    assert changed.json["policy"] == "equal-kw"
    fair = {"policy": "fair", "gridLimitA": 160, "circuits": [{"id": "a", "limitKw": 1}]}
    changed = await bench.ask("PATCH", "/api/sites/S1", fair)
    assert changed.json["gridLimitA"] == 160
    changed = await bench.ask("PATCH", "/api/sites/S1", {"circuits": []})
    assert changed.json["gridLimitA"] == 160
    changed = await bench.ask("PATCH", "/api/sites/S1", {"batteries": None, "gridLimitA": None})
    assert changed.json["gridLimitA"] is None
    assert changed.json["batteries"] == []
    assert (await bench.ask("PATCH", "/api/sites/S1", {"name": None})).status == 422
    assert (await bench.get("/api/sites"))["items"] == [changed.json]
    await bench.station(siteId="S1")
    assert (await bench.ask("DELETE", "/api/sites/S1")).status == 204
    assert (await bench.ask("GET", "/api/sites/S1")).status == 404
    assert (await bench.get("/api/stations/CP1"))["siteId"] is None


async def test_defaults(bench):
    site = await bench.post("/api/sites", {"name": "n", "gridCapacityKw": 10}, status=201)
    assert site["id"]
    assert (site["timeZone"], site["policy"]) == ("UTC", "fair")
    assert (site["circuits"], site["batteries"], site["chargers"]) == ([], [], [])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"timeZone": "Mars/Olympus"}, "timeZone"),
        ({"policy": "greedy"}, "policy"),
        ({"gridCapacityKw": -1}, "gridCapacityKw"),
        ({"gridCapacityKw": 1e9}, "gridCapacityKw"),
        ({"circuits": [{"id": "a", "limitKw": 1}, {"id": "a", "limitKw": 1}]}, "circuits"),
        ({"circuits": [{"id": "a", "parentId": "a", "limitKw": 1}]}, "circuits"),
        ({"circuits": [{"id": "a", "parentId": "z", "limitKw": 1}]}, "circuits"),
        ({"circuits": [{"id": "a"}]}, "circuits.0.limitKw"),
    ],
)
async def test_sites_that_make_no_sense(bench, wrong, field):
    reply = await bench.ask("POST", "/api/sites", {"name": "n", "gridCapacityKw": 1, **wrong})
    assert reply.status == 422
    assert field in reply.json["fields"], reply.json


async def test_the_plain_form_creates_and_replaces(bench):
    await bench.station(maxKw=7, connectors=1)
    created = await put(bench)
    assert created.status == 200
    site = created.json
    assert (site["id"], site["gridCapacityKw"]) == ("depot", 40)
    assert site["chargers"] == [
        {
            "id": "CP1",
            "maxPowerKw": 22,
            "connectors": 2,
            "circuitId": None,
            "controlledBy": "csms",
        },
        {
            "id": "X1",
            "maxPowerKw": 50.5,
            "connectors": 1,
            "circuitId": None,
            "controlledBy": "other",
        },
    ]
    assert site["batteries"][0]["energyKwh"] == 20
    station = await bench.get("/api/stations/CP1")
    assert (station["siteId"], station["maxKw"], len(station["connectors"])) == ("depot", 22, 2)
    assert bench.allocator.decided == ["depot"]
    assert SiteChanged("depot") in bench.published

    await bench.ask(
        "PATCH",
        "/api/sites/depot",
        {"name": "Depot", "timeZone": "Europe/Oslo", "policy": "equal-kw"},
    )
    await bench.sql.execute("UPDATE batteries SET energy_mwh = 15000000, flow_w = 3000")
    replaced = await put(
        bench,
        {
            "gridCapacity": 30,
            "chargers": [{"id": "X2", "maxPower": 11, "connectors": 1}],
            "battery": {"initialCapacity": 10, "power": 4},
        },
    )
    site = replaced.json
    assert (site["name"], site["timeZone"], site["policy"]) == ("Depot", "Europe/Oslo", "equal-kw")
    assert [charger["id"] for charger in site["chargers"]] == ["X2"]
    assert site["batteries"] == [
        {"id": "battery", "capacityKwh": 10, "powerKw": 4, "energyKwh": 10, "flowKw": 3}
    ]
    assert (await bench.get("/api/stations/CP1"))["siteId"] is None
    gone = await put(bench, {"gridCapacity": 30, "chargers": []})
    assert (gone.json["batteries"], gone.json["chargers"]) == ([], [])


async def test_a_station_moves_from_one_site_to_the_other(bench):
    await bench.station()
    await put(bench)
    await put(bench, {"gridCapacity": 5, "chargers": FORM["chargers"][:1]}, "other")
    assert (await bench.get("/api/stations/CP1"))["siteId"] == "other"
    assert bench.allocator.decided == ["depot", "other", "depot"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"stationId": "elsewhere"},
        {"chargers": [FORM["chargers"][0], FORM["chargers"][0]]},
        {"chargers": [{"id": "a", "maxPower": -1, "connectors": 1}]},
        {"chargers": [{"id": "a", "maxPower": 1, "connectors": 0}]},
        {"gridCapacity": "40"},
        {"odd": 1},
        {"battery": {"initialCapacity": 1}},
    ],
)
async def test_forms_that_are_refused_change_nothing(bench, wrong):
    reply = await put(bench, {**FORM, **wrong})
    assert reply.status == 422
    assert (await bench.ask("GET", "/api/sites/depot")).status == 404


async def test_two_spellings_of_one_station_are_one_charger(bench):
    await bench.station("CP1")
    chargers = [{"id": name, "maxPower": 1, "connectors": 1} for name in ("CP1", "cp1")]
    assert (await put(bench, {**FORM, "chargers": chargers})).status == 422


async def test_a_station_takes_the_place_of_the_external_charger(bench):
    await put(bench)
    station = await bench.post(
        "/api/stations", {"identity": "X1", "name": "x", "maxKw": 11}, status=201
    )
    assert (station["siteId"], station["maxKw"], station["connectorCount"]) == ("depot", 50.5, 1)
    site = await bench.get("/api/sites/depot")
    assert {charger["id"]: charger["controlledBy"] for charger in site["chargers"]} == {
        "CP1": "other",
        "X1": "csms",
    }


async def test_a_busy_external_charger_keeps_its_place(bench):
    await put(bench)
    load = {"chargerId": "X1", "connectorId": 1, "vehicleMaxPower": 11}
    await bench.post("/api/sites/depot/sessions", load, status=201)
    station = await bench.post(
        "/api/stations", {"identity": "X1", "name": "x", "maxKw": 11}, status=201
    )
    assert (station["siteId"], station["maxKw"]) == (None, 11)


async def test_a_site_never_has_two_chargers_of_one_id(bench):
    await put(bench)
    await bench.post("/api/sites", {"id": "two", "name": "n", "gridCapacityKw": 1}, status=201)
    load = {"chargerId": "X1", "connectorId": 1, "vehicleMaxPower": 11}
    status = await bench.post("/api/sites/depot/sessions", load, status=201)
    body = {"identity": "X1", "name": "x", "maxKw": 11, "siteId": "depot"}
    busy = await bench.ask("POST", "/api/stations", body)
    assert (busy.status, busy.json["code"]) == (409, "charger_busy")
    await bench.post("/api/stations", {**body, "siteId": "two"}, status=201)
    busy = await bench.ask("PATCH", "/api/stations/X1", {"siteId": "depot"})
    assert (busy.status, busy.json["code"]) == (409, "charger_busy")
    load_id = status["sessions"][0]["id"]
    await bench.post(f"/api/sites/depot/sessions/{load_id}/stop", {"consumedEnergy": 1})
    assert (await bench.ask("PATCH", "/api/stations/X1", {"siteId": "depot"})).status == 200
    chargers = (await bench.get("/api/sites/depot"))["chargers"]
    assert [(item["id"], item["controlledBy"]) for item in chargers] == [
        ("CP1", "other"),
        ("X1", "csms"),
    ]


async def test_managed_loads_answer_with_the_new_decision(bench):
    await put(bench)
    path = "/api/sites/depot/sessions"
    load = {"chargerId": "CP1", "connectorId": 0, "vehicleMaxPower": 11}
    status = await bench.post(path, load, status=201)
    [entry] = status["sessions"]
    assert (entry["chargerId"], entry["connectorId"]) == ("CP1", 0)
    assert entry["allocatedPowerKw"] == 11
    assert status["circuits"][0]["headroomKw"] == 89
    assert status["gridPowerKw"] == 11
    updated = await bench.post(
        f"{path}/{entry['id']}/power-update", {"consumedPower": 6.9, "vehicleMaxPower": 7.4}
    )
    assert updated["sessions"][0]["measuredPowerKw"] == 6.9
    assert updated["sessions"][0]["allocatedPowerKw"] == 7.4
    assert await bench.get("/api/sites/depot/status") | {"decidedAt": ""} == updated | {
        "decidedAt": ""
    }
    stopped = await bench.post(f"{path}/{entry['id']}/stop", {"consumedEnergy": 12.5})
    assert stopped["sessions"] == []
    assert await bench.sql.fetchval("SELECT consumed_energy_wh FROM managed_loads") == 12_500
    again = await bench.ask("POST", f"{path}/{entry['id']}/stop", {"consumedEnergy": 1})
    assert (again.status, again.json["code"]) == (409, "load_stopped")


async def test_managed_loads_refused(bench):
    await put(bench)
    await bench.station("CP9", siteId="depot")
    path = "/api/sites/depot/sessions"
    load = {"chargerId": "X1", "connectorId": 1, "vehicleMaxPower": 11}
    await bench.post(path, load, status=201)
    for wrong, status in (
        ({}, 409),
        ({"connectorId": 0}, 409),  # its one connector is busy, whatever the key
        ({"connectorId": 2}, 422),
        ({"connectorId": -1}, 422),
        ({"chargerId": "CP9"}, 404),
        ({"chargerId": "no"}, 404),
        ({"vehicleMaxPower": -1}, 422),
    ):
        assert (await bench.ask("POST", path, {**load, **wrong})).status == status, wrong
    assert (await bench.ask("POST", "/api/sites/no/sessions", load)).status == 404
    for missing in ("m999", "1", "x", "m" + "9" * 30):
        reply = await bench.ask("POST", f"{path}/{missing}/stop", {"consumedEnergy": 1})
        assert reply.status == 404


async def test_loads_of_chargers_that_leave_end(bench):
    await put(bench)
    load = {"chargerId": "X1", "connectorId": 1, "vehicleMaxPower": 11}
    await bench.post("/api/sites/depot/sessions", load, status=201)
    await put(bench, {**FORM, "chargers": FORM["chargers"][:1]})
    assert await bench.sql.fetchval("SELECT stopped_at IS NOT NULL FROM managed_loads")


@pytest.mark.slow
async def test_sites_that_take_each_others_stations_do_not_block_each_other(bench):
    names = [f"CP{number}" for number in range(6)]
    for name in names:
        await bench.station(name)

    async def configure(site, order):
        chargers = [{"id": name, "maxPower": 11, "connectors": 1} for name in order]
        return (await put(bench, {"gridCapacity": 5, "chargers": chargers}, site)).status

    async def move(name, site):
        return (await bench.ask("PATCH", f"/api/stations/{name}", {"siteId": site})).status

    async def allocate(site):
        """Lock as the allocator does: the site, then its stations."""
        connection = await asyncpg.connect(bench.allocator.url)
        for _ in range(30):
            async with connection.transaction():
                await connection.execute("SELECT 1 FROM sites WHERE id = $1 FOR UPDATE", site)
                await connection.execute(
                    "SELECT 1 FROM charge_points WHERE site_id = $1 ORDER BY id FOR UPDATE", site
                )
        await connection.close()
        return 200

    assert await configure("a", names) == await configure("b", names) == 200
    statuses = await asyncio.gather(
        # 15, fewer than connections: where all is slow, nobody waits too long for one
        *(configure("a", names) for _ in range(3)),
        *(configure("b", names[::-1]) for _ in range(3)),
        *(move(name, site) for name in names[::2] for site in ("a", "b", None)),
        *(allocate(site) for site in ("a", "b")),
    )
    assert set(statuses) == {200}
