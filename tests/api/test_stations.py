"""Stations: the contract's fields, defaults, conflicts and refusals."""

from __future__ import annotations

import pytest

from tests.api.bench import quoted

FULL = {
    "identity": "RDAM 123/A",
    "name": "Rotterdam",
    "location": {"lat": 51.9, "lon": 4.5, "address": "Kade 1"},
    "maxKw": 22.08,
    "connectorType": "Type2",
    "connectors": 2,
    "currentType": "AC",
    "phases": 1,
    "voltageV": 240,
    "serialNumber": "S-1",
    "registration": "Pending",
    "strict": True,
    "quiet": False,
    "securityProfile": 2,
}


async def test_a_station_answers_with_every_field_but_its_password(bench):
    body = {**FULL, "password": "0001020304050607FFFFFFFFFFFFFFFF"}
    created = await bench.post("/api/stations", body, status=201)
    read = await bench.get(f"/api/stations/{quoted(FULL['identity'])}")
    assert created == read
    assert {name: read[name] for name in FULL if name != "connectors"} == {
        name: value for name, value in FULL.items() if name != "connectors"
    }
    assert read["id"] == FULL["identity"]
    assert [connector["connectorId"] for connector in read["connectors"]] == [1, 2]
    assert "password" not in read
    assert "FFFFFFFF" not in str(read)
    assert read["online"] is False
    assert read["lastSeenAt"] is None


async def test_defaults(bench):
    station = await bench.post("/api/stations", {"name": "x", "maxKw": 11}, status=201)
    assert station["id"]
    assert station["registration"] == "Accepted"
    assert (station["currentType"], station["phases"], station["voltageV"]) == ("AC", 3, 230)
    assert station["securityProfile"] == 0
    assert station["strict"] is False
    assert station["quiet"] is True


async def test_a_password_means_profile_1(bench):
    station = await bench.station(password="sixteen bytes!!!")
    assert station["securityProfile"] == 1


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"maxKw": "22"}, "maxKw"),
        ({"maxKw": -1}, "maxKw"),
        ({"unknown": 1}, "unknown"),
        ({"location": {"lat": 100, "lon": 0}}, "location"),
        ({"phases": True}, "phases"),
        ({"password": "too short"}, "password"),
        ({"identity": "a:b"}, "identity"),
        ({"identity": "a\x00b"}, "identity"),
        ({"siteId": "nowhere"}, "siteId"),
        ({"name": None}, "name"),
        ({"securityProfile": 1}, "password"),
    ],
)
async def test_wrong_fields_are_named(bench, change, path):
    body = {"identity": "X", "name": "x", "maxKw": 22, **change}
    reply = await bench.ask("POST", "/api/stations", body)
    assert reply.status == 422, reply
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    assert any(field.split(".")[0] == path for field in reply.json["fields"]), reply.json
    assert await bench.sql.fetchval("SELECT count(*) FROM charge_points") == 0


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "1" + "0" * 400])
async def test_numbers_that_are_none(bench, number):
    raw = '{"name": "x", "maxKw": ' + number + "}"
    reply = await bench.ask(
        "POST", "/api/stations", data=raw, headers={"Content-Type": "application/json"}
    )
    assert reply.status in (400, 422), reply


async def test_a_second_spelling_is_the_same_station(bench):
    await bench.station("cp1")
    reply = await bench.ask("POST", "/api/stations", {"identity": "CP1", "name": "", "maxKw": 1})
    assert reply.status == 422
    reply = await bench.ask("POST", "/api/stations", {"identity": "CP1", "name": "n", "maxKw": 1})
    assert reply.status == 409
    assert reply.json["code"] == "station_exists"


async def test_patch_changes_what_is_given_and_null_clears(bench):
    await bench.station(serialNumber="S", connectorType="CCS", location="Hall 3")
    reply = await bench.ask(
        "PATCH",
        "/api/stations/CP1",
        {"serialNumber": None, "maxKw": 7.4, "registration": "Rejected"},
    )
    assert reply.status == 200
    assert reply.json["serialNumber"] is None
    assert reply.json["maxKw"] == 7.4
    assert reply.json["registration"] == "Rejected"
    assert reply.json["connectorType"] == "CCS"
    assert reply.json["location"] == "Hall 3"
    assert (await bench.ask("PATCH", "/api/stations/CP1", {"name": None})).status == 422
    assert (await bench.ask("PATCH", "/api/stations/no", {"name": "x"})).status == 404


async def test_patching_the_password_moves_the_profile(bench):
    await bench.station()
    path = "/api/stations/CP1"
    first = await bench.ask("PATCH", path, {"password": "sixteen bytes!!!"})
    assert first.json["securityProfile"] == 1
    other = await bench.ask("PATCH", path, {"name": "other"})
    assert other.json["securityProfile"] == 1
    second = await bench.ask("PATCH", path, {"password": None})
    assert second.json["securityProfile"] == 0
    assert await bench.sql.fetchval("SELECT password_digest FROM charge_points") is None


async def test_delete_keeps_sessions_and_frees_the_identity(bench):
    await bench.station()
    transaction = await bench.session()
    busy = await bench.ask("DELETE", "/api/stations/CP1")
    assert (busy.status, busy.json["code"]) == (409, "session_active")
    await bench.stop(transaction)
    gone = await bench.ask("DELETE", "/api/stations/CP1")
    assert (gone.status, gone.text) == (204, "")
    assert (await bench.ask("GET", "/api/stations/CP1")).status == 404
    await bench.station()
    assert await bench.sql.fetchval("SELECT count(*) FROM transactions") == 1


async def test_connectors_show_status_power_and_limit(bench):
    await bench.station(connectors=2)
    key = await bench.online()
    transaction = await bench.session(power_w=7_360)
    await bench.sql.execute(
        "INSERT INTO connectors (charge_point_id, connector_id, status, error_code)"
        " VALUES ($1, 0, 'Available', 'NoError'), ($1, 1, 'Charging', 'NoError')",
        key,
    )
    await bench.sql.execute(
        "INSERT INTO charging_limits (charge_point_id, connector_id, purpose, transaction_id,"
        " acknowledged_w) VALUES ($1, 1, 'TxProfile', $2, 11000), ($1, 2, 'TxProfile', 99, 5000)",
        key,
        transaction,
    )
    station = await bench.get("/api/stations/CP1")
    assert station["online"] is True
    zero, one, two = station["connectors"]
    assert (zero["connectorId"], zero["status"]) == (0, "Available")
    assert one == {
        "connectorId": 1,
        "status": "Charging",
        "errorCode": "NoError",
        "info": None,
        "vendorErrorCode": None,
        "statusAt": None,
        "availability": None,
        "availabilityScheduled": False,
        "powerKw": 7.36,
        "limitA": 15.9,
        "limitKw": 11.0,
        "sessionId": str(transaction),
    }
    assert two["status"] is None
    assert two["limitKw"] is None


async def test_pages_follow_each_other(bench):
    for number in range(5):
        await bench.station(f"S{number}")
    first = await bench.get("/api/stations?limit=2")
    second = await bench.get(f"/api/stations?limit=2&cursor={first['nextCursor']}")
    third = await bench.get(f"/api/stations?limit=2&cursor={second['nextCursor']}")
    names = [item["id"] for page in (first, second, third) for item in page["items"]]
    assert names == ["S4", "S3", "S2", "S1", "S0"]
    assert third["nextCursor"] is None
    for wrong in ("limit=0", "limit=1001", "limit=x", "cursor=!!", "limit=1&limit=2", "odd=1"):
        reply = await bench.ask("GET", f"/api/stations?{wrong}")
        assert reply.status == 422, wrong


async def test_what_happens_is_in_the_audit_trail_without_the_password(bench):
    await bench.station(password="a secret of 16 b")
    row = await bench.sql.fetchrow("SELECT * FROM audit")
    assert (row["actor"], row["action"], row["object_id"]) == ("administrator", "create", "CP1")
    assert "a secret" not in row["details"]
