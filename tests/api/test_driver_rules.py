"""Where drivers have pages, and the codes that lead there."""

from __future__ import annotations

import re

import pytest


@pytest.fixture
async def park(bench):
    await bench.post(
        "/api/sites", {"id": "s", "name": "Park <1>", "gridCapacityKw": 100}, status=201
    )
    await bench.station("A/1", name="First & best", siteId="s", connectors=2)
    await bench.station("B", siteId="s")
    return bench


async def test_the_stations_word_then_the_sites_then_the_systems(park):
    path = "/api/stations/A%2F1/driver-page"
    assert await park.get(path) == {
        "access": None,
        "plugFirst": None,
        "effective": {"access": "off", "plugFirst": False},
        "pages": [
            {"connectorId": number, "url": f"{park.url}/c/A%2F1/{number}"} for number in (1, 2)
        ],
    }
    site = await park.ask(
        "PATCH", "/api/sites/s/driver-page", {"access": "open", "plugFirst": True}
    )
    assert site.json["effective"] == {"access": "open", "plugFirst": True}
    assert (await park.get(path))["effective"] == {"access": "open", "plugFirst": True}
    own = await park.ask("PATCH", path, {"access": "idTag"})
    assert own.json["access"] == "idTag"
    assert own.json["effective"] == {"access": "idTag", "plugFirst": True}
    back = await park.ask("PATCH", path, {"access": None})
    assert back.json["effective"]["access"] == "open"
    assert (await park.get("/api/sites/s/driver-page"))["access"] == "open"
    entries = (await park.get("/api/audit"))["items"]
    assert [each["objectType"] for each in entries[:3]] == [
        "driver page",
        "driver page",
        "driver pages of site",
    ]


async def test_wrong_rules_and_who_may(park):
    path = "/api/stations/B/driver-page"
    for body in ({"access": "on"}, {"plugFirst": "yes"}, {"other": 1}):
        assert (await park.ask("PATCH", path, body)).status == 422, body
    for unknown in ("/api/stations/X/driver-page", "/api/sites/x/driver-page"):
        assert (await park.ask("PATCH", unknown, {"access": "open"})).status == 404
        assert (await park.ask("GET", unknown)).status == 404
    viewer = await park.post("/api/api-keys", {"name": "v", "role": "viewer"}, status=201)
    park.token = viewer["token"]
    assert (await park.ask("PATCH", path, {"access": "open"})).status == 403
    assert (await park.ask("GET", path)).status == 200
    park.token = None
    for protected in (path, "/api/stations/B/qr-sheet", "/api/sites/s/qr-sheet"):
        assert (await park.ask("GET", protected)).status == 401, protected


async def test_the_code_of_a_connector(park):
    answer = await park.ask("GET", "/api/stations/B/connectors/1/qr.svg")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    assert "<svg" in answer.text
    assert "style=" not in answer.text
    other = await park.ask("GET", "/api/stations/A%2F1/connectors/2/qr.svg")
    assert other.text != answer.text
    for path in ("B/connectors/2", "B/connectors/0", "B/connectors/x", "X/connectors/1"):
        assert (await park.ask("GET", f"/api/stations/{path}/qr.svg")).status == 404, path


async def test_the_sheets(park):
    answer = await park.ask("GET", "/api/sites/s/qr-sheet")
    assert answer.text.count("<section>") == 3
    assert "Park &lt;1&gt;" in answer.text
    assert "First &amp; best" in answer.text
    assert f"{park.url}/c/A%2F1/2" in answer.text
    assert "Cargue aquí" in answer.text
    assert re.search(r"style-src 'sha256-[\w+/]+='", answer.headers["Content-Security-Policy"])
    one = await park.ask("GET", "/api/stations/B/qr-sheet")
    assert one.text.count("<section>") == 1
