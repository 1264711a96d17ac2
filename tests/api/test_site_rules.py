"""Rules of sites, limits from outside, the site's meter, what-if: over a real control loop."""

from __future__ import annotations

from datetime import timedelta

import pytest


async def grid(bench):
    status = await bench.get("/api/sites/s/status")
    (connection,) = [each for each in status["circuits"] if each["id"] == "grid"]
    return connection["limitKw"], connection["loadKw"]


async def decided(bench):
    await bench.allocator.decide("s")
    return await grid(bench)


async def test_rules_have_defaults_and_change_one_by_one(site):
    defaults = {
        "fallbackA": None,
        "leaseS": 900,
        "buildingMaxKw": 0,
        "dailyWrites": 1000,
        "reclaim": True,
        "wakeUp": True,
        "steady": False,
    }
    assert await site.get("/api/sites/s/rules") == defaults
    changed = await site.ask("PATCH", "/api/sites/s/rules", {"fallbackA": 6, "leaseS": 300})
    assert changed.json == {**defaults, "fallbackA": 6, "leaseS": 300}
    changed = await site.ask("PATCH", "/api/sites/s/rules", {"fallbackA": None})
    assert changed.json == {**defaults, "leaseS": 300}
    for bad in ({"leaseS": -1}, {"buildingMaxKw": -1}, {"fallbackA": 6.05}, {"more": 1}):
        assert (await site.ask("PATCH", "/api/sites/s/rules", bad)).status == 422
    assert (await site.ask("GET", "/api/sites/x/rules")).status == 404
    assert (await site.ask("PATCH", "/api/sites/x/rules", {})).status == 404


async def test_fallback_shares_above_a_limit_are_refused_with_the_sentence(site):
    refused = await site.ask("PATCH", "/api/sites/s/rules", {"fallbackA": 30})
    assert (refused.status, refused.json["code"]) == (422, "unsafe_site")
    assert "if all 2 connectors of the site fell back at once, 41.4 kW" in str(refused.json)
    await site.ask("PATCH", "/api/sites/s/rules", {"fallbackA": 16})
    refused = await site.ask("PATCH", "/api/sites/s", {"gridCapacityKw": 20})
    assert (refused.status, refused.json["code"]) == (422, "unsafe_site")
    assert (await site.get("/api/sites/s"))["gridCapacityKw"] == 40
    refused = await site.ask(
        "PATCH", "/api/sites/s", {"circuits": [{"id": "c", "limitKw": 5, "parentId": "none"}]}
    )
    assert refused.status == 422
    assert "none" in str(refused.json)


async def test_the_sentence_about_a_circuit_tells_what_is_behind_it_and_nothing_else(site):
    await site.ask("PATCH", "/api/sites/s", {"circuits": [{"id": "c", "limitKw": 10}]})
    await site.ask("PATCH", "/api/stations/A", {"circuitId": "c"})
    refused = await site.ask("PATCH", "/api/sites/s/rules", {"fallbackA": 16, "buildingMaxKw": 5})
    assert refused.json["fields"]["fallbackA"] == (
        "the fallback share of 16 A does not fit the circuit c limit: if the one connector behind"
        " it fell back at once, 11.04 kW would flow where 10 kW may"
    )


async def test_a_share_that_fits_no_more_keeps_nobody_from_another_rule(site):
    await site.ask("PATCH", "/api/sites/s/rules", {"fallbackA": 28})
    body = {"identity": "C", "name": "C", "siteId": "s", "maxKw": 22}
    assert (await site.ask("POST", "/api/stations", body)).status == 201
    assert (await site.ask("PATCH", "/api/sites/s/rules", {"leaseS": 600})).status == 200
    refused = await site.ask("PATCH", "/api/sites/s/rules", {"leaseS": 600, "fallbackA": 28})
    assert (refused.status, refused.json["code"]) == (422, "unsafe_site")


async def test_a_limit_of_phases_that_fallback_shares_would_exceed_is_refused(site):
    await site.ask("PATCH", "/api/sites/s/rules", {"fallbackA": 16})
    refused = await site.ask("PATCH", "/api/sites/s", {"gridLimitA": 31})
    assert (refused.status, refused.json["code"]) == (422, "unsafe_site")
    assert (
        "fallback share of 16 A does not fit the grid limit" in refused.json["fields"]["gridLimitA"]
    )
    assert (await site.ask("PATCH", "/api/sites/s", {"gridLimitA": 32})).status == 200
    assert (await site.ask("PATCH", "/api/sites/s", {"gridLimitA": None})).status == 200
    await site.ask(
        "PATCH", "/api/sites/s", {"circuits": [{"id": "c", "limitKw": 30, "limitA": 40}]}
    )
    for name in ("A", "B"):
        await site.ask("PATCH", f"/api/stations/{name}", {"circuitId": "c"})
    narrow = {"circuits": [{"id": "c", "limitKw": 30, "limitA": 20}]}
    refused = await site.ask("PATCH", "/api/sites/s", narrow)
    assert "circuit c" in refused.json["fields"]["circuits"]


async def test_a_building_that_is_more_than_the_connection_is_refused(site):
    refused = await site.ask("PATCH", "/api/sites/s/rules", {"buildingMaxKw": 41})
    assert (refused.status, refused.json["code"]) == (422, "unsafe_site")
    assert (
        "may draw 41 kW where the connection has 40 kW" in refused.json["fields"]["buildingMaxKw"]
    )
    assert (await site.ask("PATCH", "/api/sites/s/rules", {"buildingMaxKw": 40})).status == 200


@pytest.mark.parametrize(
    ("circuits", "sentence"),
    [
        ([{"id": "a", "limitKw": 9, "parentId": "b"}], "circuit a is fed by circuit b, which"),
        ([{"id": "a", "limitKw": 9, "parentId": "a"}], "circuit a feeds itself"),
        (
            [
                {"id": "a", "limitKw": 9, "parentId": "b"},
                {"id": "b", "limitKw": 9, "parentId": "a"},
            ],
            "circuit a and circuit b feed each other in a circle",
        ),
        ([{"id": "a", "limitKw": 9}, {"id": "a", "limitKw": 8}], "circuit a is there twice"),
        ([{"id": "a", "limitKw": -1}], "greater than or equal to 0"),
        ([{"id": "a", "limitKw": 1, "limitA": -1}], "greater than or equal to 0"),
    ],
)
async def test_wiring_that_cannot_be_is_refused_with_the_reason(site, circuits, sentence):
    for method, path, body in (
        ("POST", "/api/sites", {"name": "T", "gridCapacityKw": 40, "circuits": circuits}),
        ("PATCH", "/api/sites/s", {"circuits": circuits}),
    ):
        refused = await site.ask(method, path, body)
        assert refused.status == 422
        assert sentence in str(refused.json["fields"])
    assert (await site.get("/api/sites/s"))["circuits"] == []


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999"])
async def test_what_is_no_number_is_refused(site, text):
    for path in ("limits", "meter"):
        name = "limitKw" if path == "limits" else "powerKw"
        sent = await site.ask(
            "POST",
            f"/api/sites/s/{path}",
            data=f'{{"{name}": {text}}}',
            headers={"Content-Type": "application/json"},
        )
        assert sent.status in {400, 422}
    assert (await site.get("/api/sites/s/limits"))["items"] == []


async def test_a_limit_from_outside_holds_until_it_is_removed(site):
    limit = await site.post(
        "/api/sites/s/limits", {"limitKw": 10, "reason": "section 14a"}, status=201
    )
    assert await grid(site) == (10, 0)
    assert [each["reason"] for each in (await site.get("/api/sites/s/limits"))["items"]] == [
        "section 14a"
    ]
    one = f"/api/sites/s/limits/{limit['id']}"
    assert (await site.ask("PATCH", one, {"endsAt": "2020-01-01T00:00:00Z"})).status == 422
    ended = await site.ask("PATCH", one, {"endsAt": "2199-01-01T00:00:00Z"})
    assert ended.json["endsAt"] == "2199-01-01T00:00:00Z"
    assert (await site.ask("DELETE", one)).status == 204
    assert await grid(site) == (40, 0)
    assert (await site.ask("DELETE", one)).status == 404
    assert (await site.ask("DELETE", "/api/sites/s/limits/x")).status == 404


@pytest.mark.parametrize(
    "body",
    [
        {"limitKw": -1},
        {"limitKw": 5, "circuitId": "none"},
        {"limitKw": 5, "startsAt": "2026-01-02T00:00:00Z", "endsAt": "2026-01-01T00:00:00Z"},
        {"limitKw": 5, "appliesTo": "moon"},
        {},
    ],
)
async def test_a_limit_that_makes_no_sense_is_refused(site, body):
    assert (await site.ask("POST", "/api/sites/s/limits", body)).status == 422
    assert (await site.get("/api/sites/s/limits"))["items"] == []


async def test_a_limit_for_charging_leaves_the_building_out(site):
    await site.ask("PATCH", "/api/sites/s/rules", {"buildingMaxKw": 15})
    await site.post("/api/sites/s/limits", {"limitKw": 8, "appliesTo": "charging"}, status=201)
    assert await grid(site) == (23, 15)


async def test_the_meter_is_heard_and_forgotten(site):
    await site.ask("PATCH", "/api/sites/s/rules", {"buildingMaxKw": 30})
    assert await grid(site) == (40, 30)
    assert (await site.get("/api/sites/s/meter"))["state"] == "none"
    heard = await site.post("/api/sites/s/meter", {"powerKw": 7.3}, status=200)
    assert await site.get("/api/sites/s/meter") == {**heard, "state": "fresh"}
    assert (heard["powerKw"], heard["buildingKw"], heard["solarKw"]) == (7.3, 7.5, None)
    assert await decided(site) == (40, 7.5)
    sunny = {"powerKw": -2, "solarKw": 9.5}
    assert (await site.post("/api/sites/s/meter", sunny, status=200))["solarKw"] == 9.5
    assert (await site.get("/api/sites/s/meter"))["solarKw"] == 9.5
    assert (await site.post("/api/sites/s/meter", {"powerKw": 7.3}, status=200))["solarKw"] is None
    assert await decided(site) == (40, 7.5)  # the building is kept what it had
    for wrong in ({"powerKw": None}, {"powerKw": 1, "solarKw": -1}):
        assert (await site.ask("POST", "/api/sites/s/meter", wrong)).status == 422
    assert (await site.ask("POST", "/api/sites/x/meter", {"powerKw": 1})).status == 404
    assert (await site.ask("DELETE", "/api/sites/s/meter")).status == 204
    assert await grid(site) == (40, 30)


async def test_what_if_decides_and_changes_nothing(site):
    before = await site.get("/api/sites/s/status")
    cars = [{"chargerId": "A", "connectorId": 1}, {"chargerId": "B", "connectorId": 1}]
    found = await site.post("/api/sites/s/what-if", {"cars": cars}, status=200)
    assert [load["allocatedPowerKw"] for load in found["status"]["sessions"]] == [20, 20]
    found = await site.post(
        "/api/sites/s/what-if", {"cars": cars, "gridCapacityKw": 30, "buildingKw": 10}, status=200
    )
    assert [load["allocatedPowerKw"] for load in found["status"]["sessions"]] == [10, 10]
    found = await site.post("/api/sites/s/what-if", {"rules": {"fallbackA": 32}}, status=200)
    assert found["status"] is None
    assert "32 A does not fit the grid limit" in found["problems"][0]
    half = {"circuits": [{"id": "c", "limitKw": 30}], "addedLimit": {"limitKw": 12}}
    found = await site.post("/api/sites/s/what-if", {"cars": cars, **half}, status=200)
    assert [load["allocatedPowerKw"] for load in found["status"]["sessions"]] == [6, 6]
    assert [each["id"] for each in found["status"]["circuits"]] == ["grid", "c"]
    odd = await site.ask("POST", "/api/sites/s/what-if", {"policy": "luck"})
    assert (odd.status, odd.json["fields"]["policy"][:10]) == (422, "is none of")
    assert await site.get("/api/sites/s/status") == before


@pytest.mark.parametrize(
    ("places", "sentence"),
    [
        ([("X", 1)], "the site has no charger X"),
        ([("A", 2)], "charger A has no connector 2"),
        ([("A", 0)], "charger A has no connector 0"),
        ([("A", 1), ("B", 1), ("A", 1)], "connector 1 of charger A has a car already"),
    ],
)
async def test_a_car_is_only_supposed_on_a_connector_of_its_own(site, places, sentence):
    cars = [{"chargerId": charger, "connectorId": connector} for charger, connector in places]
    refused = await site.ask("POST", "/api/sites/s/what-if", {"cars": cars})
    assert (refused.status, refused.json["fields"]) == (422, {"cars": sentence})


async def test_a_limit_is_only_supposed_of_a_circuit_that_is_there(site):
    added = {"limitKw": 12, "circuitId": "c"}
    found = await site.post("/api/sites/s/what-if", {"addedLimit": added}, status=200)
    assert found["status"] is None
    assert found["problems"] == ["a limit of 12 kW is of circuit c, which is not there"]
    there = {"circuits": [{"id": "c", "limitKw": 30}], "addedLimit": added}
    found = await site.post("/api/sites/s/what-if", there, status=200)
    assert found["status"]["circuits"][1]["limitKw"] == 12


async def test_a_circuit_stays_as_long_as_a_limit_from_outside_is_its(site):
    for name in "cd":
        circuits = [{"id": "c", "limitKw": 30}, {"id": "d", "limitKw": 20}]
        assert (await site.ask("PATCH", "/api/sites/s", {"circuits": circuits})).status == 200
        limit = {
            "limitKw": 12,
            "circuitId": name,
            "startsAt": "2030-01-01T00:00:00Z",
            "endsAt": "2030-01-02T00:00:00Z",
        }
        await site.post("/api/sites/s/limits", limit, status=201)
    without = {"circuits": [{"id": "d", "limitKw": 20}]}
    refused = await site.ask("PATCH", "/api/sites/s", without)
    assert (refused.status, refused.json["code"]) == (422, "unsafe_site")
    assert refused.json["fields"]["circuits"] == (
        "circuit c has a limit of 12 kW until 2030-01-02T00:00:00Z: remove that first"
    )
    assert len((await site.get("/api/sites/s"))["circuits"]) == 2
    (of_c,) = [
        each["id"]
        for each in (await site.get("/api/sites/s/limits"))["items"]
        if each["circuitId"] == "c"
    ]
    assert (await site.ask("DELETE", f"/api/sites/s/limits/{of_c}")).status == 204
    assert (await site.ask("PATCH", "/api/sites/s", without)).status == 200


@pytest.mark.parametrize(
    ("action", "forgets"), [("ClearChargingProfile", True), ("TriggerMessage", False)]
)
async def test_after_a_call_about_limits_none_of_ours_is_certain(site, action, forgets):
    key = await site.sql.fetchval("SELECT id FROM charge_points WHERE identity = 'A'")
    await site.sql.execute(
        "INSERT INTO charging_limits (charge_point_id, connector_id, purpose, acknowledged_w)"
        " VALUES ($1, 0, 'TxDefaultProfile', 0)",
        key,
    )
    site.gateway.connect(key)
    payload = {} if forgets else {"requestedMessage": "Heartbeat"}
    await site.post(f"/api/stations/A/calls/{action}", payload, status=200)
    assert await site.sql.fetchval("SELECT may_be_unlimited FROM charging_limits") is forgets


async def test_decisions_are_served_with_their_reasons(site):
    keys = {
        row["identity"]: row["id"]
        for row in await site.sql.fetch("SELECT id, identity FROM charge_points")
    }
    for number, (name, limit_w) in enumerate([("A", 22_000), ("A", 11_000), ("B", 11_000)], 1):
        await site.sql.execute(
            "INSERT INTO limit_decisions (site_id, charge_point_id, connector_id, transaction_id,"
            " limit_w, reason, decided_at) VALUES ('s', $1, 1, $2, $3, 'grid limit', $4)",
            keys[name],
            7 if name == "A" else 8,
            limit_w,
            site.clock.now() + timedelta(seconds=number),
        )
    path = "/api/sites/s/decisions"

    async def found(query=""):
        return [(each["stationId"], each["limitKw"]) for each in (await page(query))["items"]]

    async def page(query):
        return await site.get(path + query)

    assert await found() == [("B", 11), ("A", 11), ("A", 22)]
    assert await found("?sessionId=7") == [("A", 11), ("A", 22)]
    assert await found("?stationId=B") == [("B", 11)]
    assert await found("?sessionId=x") == await found("?sessionId=99999999999") == []
    first = await page("?limit=2")
    assert await found(f"?limit=2&cursor={first['nextCursor']}") == [("A", 22)]
    (newest, *_) = first["items"]
    assert (newest["sessionId"], newest["reason"]) == ("8", "grid limit")
    assert (await site.ask("GET", "/api/sites/x/decisions")).status == 404
