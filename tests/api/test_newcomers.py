"""What connects the first charger, and the forms of calls."""

from __future__ import annotations

import pytest

from csms.services.call_catalogue import CALLS
from csms.services.shown_settings import shown_settings
from csms.settings import load, usual_values


async def attempt(bench, identity, outcome="refused", minutes_ago=0, reason="no such station"):
    await bench.sql.execute(
        "INSERT INTO connection_attempts (identity, identity_folded, charge_point_id, at, outcome,"
        " status, reason, address) VALUES ($1, lower($1), NULL,"
        " now() - make_interval(mins => $2), $3, $4, $5, '10.0.0.9')",
        identity,
        minutes_ago,
        outcome,
        101 if outcome == "connected" else 404,
        reason if outcome == "refused" else None,
    )


async def test_first_run_says_where_to_connect_and_who_was_refused(bench):
    found = await bench.get("/api/first-run")
    assert found["ocppUrl"] == "ws://127.0.0.1:9000/ocpp/IDENTITY"
    assert found["ocppTlsUrl"] == "wss://127.0.0.1:9443/ocpp/IDENTITY"
    assert (found["stations"], found["refused"]) == (0, [])
    assert found["warnings"]  # 127.0.0.1 is this machine only
    found = await bench.get("/api/first-run", headers={"Host": "[2001:db8::1]:8080"})
    assert found["ocppUrl"] == "ws://[2001:db8::1]:9000/ocpp/IDENTITY"
    assert found["warnings"] == []
    await attempt(bench, "WB-7", minutes_ago=3)
    await attempt(bench, "WB-7")
    (refused,) = (await bench.get("/api/first-run"))["refused"]
    assert (refused["identity"], refused["attempts"], refused["known"]) == ("WB-7", 2, False)
    assert refused["fix"].startswith("Add a station")


async def test_an_address_as_a_picture(bench):
    reply = await bench.ask("GET", "/api/first-run/qr.svg?url=wss%3A%2F%2Fcs.example%2Focpp%2FWB-7")
    assert reply.status == 200
    for url in ("https%3A%2F%2Fcs.example", "ws%3A%2F%2Fa%20b", "ws%3A%2F%2F" + "a" * 500):
        reply = await bench.ask("GET", f"/api/first-run/qr.svg?url={url}")
        assert (reply.status, list(reply.json["fields"])) == (422, ["url"])


async def test_a_newcomer_is_accepted(bench):
    await attempt(bench, "WB-7")
    reply = await bench.ask("POST", "/api/connections/wb-7/accept", {"maxKw": 11, "connectors": 1})
    assert reply.status == 201
    assert (reply.json["identity"], reply.json["name"], reply.json["maxKw"]) == ("WB-7", "WB-7", 11)
    again = await bench.ask("POST", "/api/connections/WB-7/accept", {"maxKw": 11})
    assert (again.status, again.json["code"]) == (409, "station_exists")
    nobody = await bench.ask("POST", "/api/connections/X/accept", {"maxKw": 11})
    assert (nobody.status, nobody.json["code"]) == (404, "attempt_not_found")
    wrong = await bench.ask("POST", "/api/connections/WB-7/accept", {"maxKw": "much"})
    assert (wrong.status, list(wrong.json["fields"])) == (422, ["maxKw"])


async def test_who_came_in_later_is_no_newcomer(bench):
    await attempt(bench, "WB-7", minutes_ago=5)
    await attempt(bench, "WB-7", outcome="connected")
    await attempt(bench, "WB-8", minutes_ago=60 * 24 * 8)
    await attempt(bench, "CP1")
    await bench.station()
    items = (await bench.get("/api/connections"))["items"]
    assert [(item["identity"], item["known"]) for item in items] == [("CP1", True)]
    items = (await bench.get("/api/connections?known=false&days=9"))["items"]
    assert [item["identity"] for item in items] == ["WB-8"]


@pytest.mark.parametrize("query", ["days=0", "days=31", "known=perhaps", "limit=0", "x=1"])
async def test_nonsense_about_newcomers(bench, query):
    assert (await bench.ask("GET", f"/api/connections?{query}")).status == 422


async def test_forms_of_all_calls(bench, schemas):
    items = (await bench.get("/api/calls"))["items"]
    assert [item["action"] for item in items] == list(schemas.actions())
    assert set(CALLS) == set(schemas.actions())
    assert all(item["about"].endswith(".") for item in items)
    schema = await bench.get("/api/calls/Reset/schema")
    assert schema["properties"]["type"]["enum"] == ["Hard", "Soft"]
    reply = await bench.ask("GET", "/api/calls/Heartbeat/schema")
    assert (reply.status, reply.json["code"]) == (404, "action_not_found")


async def test_roles(bench):
    tokens = {}
    for role in ("viewer", "operator"):
        key = await bench.post("/api/api-keys", {"name": role, "role": role}, status=201)
        tokens[role] = {"Authorization": f"Bearer {key['token']}"}
    for path, statuses in {
        "/api/calls": (200, 200),
        "/api/first-run": (200, 200),
        "/api/settings": (403, 403),
    }.items():
        found = [
            (await bench.ask("GET", path, headers=tokens[role])).status
            for role in ("viewer", "operator")
        ]
        assert tuple(found) == statuses, path
    await attempt(bench, "X")
    reply = await bench.ask(
        "POST", "/api/connections/X/accept", {"maxKw": 1}, headers=tokens["viewer"]
    )
    assert reply.status == 403


def test_settings_are_shown_without_secrets():
    settings = load(
        {
            "CSMS_ADMIN_TOKEN": "a token that nobody sees",
            "CSMS_DATABASE_URL": "postgresql://me:hidden@db:5432/csms?sslpassword=hidden",
            "CSMS_FTP_PORT": "2121",
            "CSMS_FTP_PASSIVE_PORTS": "50000-50100",
            "CSMS_QUIET": "true",
            "CSMS_REPAIRS_OFF": "a,b",
            "CSMS_TRUSTED_PROXIES": "10.0.0.0/8",
        }
    )
    told = shown_settings(dict(settings), settings.model_fields_set, usual_values())
    shown = {one.name: one for one in told}
    assert (shown["CSMS_ADMIN_TOKEN"].value, shown["CSMS_ADMIN_TOKEN"].is_secret) == (None, True)
    assert shown["CSMS_DATABASE_URL"].value == "postgresql://me:***@db:5432/csms"
    assert shown["CSMS_FTP_PASSIVE_PORTS"].value == "50000-50100"
    assert (shown["CSMS_QUIET"].value, shown["CSMS_QUIET"].default) == ("true", None)
    port = shown["CSMS_OCPP_PORT"]
    assert (port.value, port.default, port.is_set) == ("9000", "9000", False)
    assert shown["CSMS_FTP_PASSIVE_PORTS"].default == ""
    assert shown["CSMS_REPAIRS_OFF"].value == "a,b"
    assert shown["CSMS_TRUSTED_PROXIES"].value == "10.0.0.0/8"
    assert shown["CSMS_HTTP_PORT"].value == "8080"
    assert not shown["CSMS_HTTP_PORT"].is_set
    assert not any("hidden" in (one.value or "") for one in shown.values())


async def test_settings_over_http(bench):
    assert (await bench.get("/api/settings"))["items"] == []  # the bench runs without any
