"""Sessions ended or corrected by hand, with the reason and audit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from csms.domain.events import SessionsChanged, SiteChanged

WHY = {"reason": "the charger was dismantled"}


async def test_a_stuck_session_is_closed_with_a_meter_value_and_billed(bench):
    await bench.post("/api/sites", {"id": "S1", "name": "A", "gridCapacityKw": 50}, status=201)
    await bench.station(siteId="S1")
    number = await bench.session(register_wh=9000, power_w=7000, site_id="S1")
    closed = await bench.post(f"/api/sessions/{number}/close", WHY | {"meterStopWh": 11_000})
    assert closed["status"] == "completed"
    assert (closed["energyKwh"], closed["cost"], closed["stopReason"]) == (10, 3, "Other")
    assert closed["flags"] == ["closedByHand"]
    assert closed["stoppedAt"] is not None
    assert closed == await bench.get(f"/api/sessions/{number}")
    assert SessionsChanged(frozenset({number})) in bench.published
    assert SiteChanged("S1") in bench.published
    entry = (await bench.get("/api/audit"))["items"][0]
    assert (entry["action"], entry["objectType"], entry["objectId"]) == (
        "close", "session", str(number),
    )  # fmt: skip
    assert entry["details"]["reason"] == WHY["reason"]
    assert entry["details"]["before"]["meterStopWh"] is None
    assert entry["details"]["after"]["cost"] == "3.0000"
    again = await bench.ask("POST", f"/api/sessions/{number}/close", WHY)
    assert (again.status, again.json["code"]) == (409, "session_completed")


async def test_without_a_meter_value_it_is_not_billed(bench):
    await bench.station()
    number = await bench.session(register_wh=9000)
    closed = await bench.post(f"/api/sessions/{number}/close", WHY)
    assert (closed["meterStopWh"], closed["cost"]) == (None, None)
    assert closed["flags"] == ["stopMissing", "closedByHand"]
    # the value is found out later
    body = {"reason": "read from the meter itself", "meterStopWh": 5000}
    reply = await bench.ask("PATCH", f"/api/sessions/{number}", body)
    assert reply.status == 200
    assert (reply.json["energyKwh"], reply.json["cost"]) == (4, 1.2)
    assert reply.json["flags"] == ["closedByHand", "correctedByHand"]


async def test_what_charges_is_stopped_not_closed(bench):
    await bench.station(connectors=1)
    number = await bench.session()
    await bench.sql.execute(
        "INSERT INTO connectors (charge_point_id, connector_id, status) VALUES ($1, 1, 'Charging')",
        await bench.online(),
    )
    reply = await bench.ask("POST", f"/api/sessions/{number}/close", WHY)
    assert (reply.status, reply.json["code"]) == (409, "still_charging")
    bench.gateway.online_keys.clear()  # it has gone without a word
    await bench.post(f"/api/sessions/{number}/close", WHY)


async def test_at_a_site_somebody_has_to_look(bench):
    await bench.post("/api/sites", {"id": "S1", "name": "A", "gridCapacityKw": 50}, status=201)
    await bench.station(connectors=1, siteId="S1")
    number = await bench.session(site_id="S1")
    await bench.sql.execute(
        "INSERT INTO connectors (charge_point_id, connector_id, status)"
        " VALUES ($1, 1, 'SuspendedEV')",
        await bench.key(),
    )
    reply = await bench.ask("POST", f"/api/sessions/{number}/close", WHY)
    assert (reply.status, reply.json["code"]) == (409, "may_still_charge")
    await bench.post(f"/api/sessions/{number}/close", WHY | {"carIsGone": True})


async def test_a_running_session_is_not_corrected(bench):
    await bench.station()
    number = await bench.session()
    reply = await bench.ask("PATCH", f"/api/sessions/{number}", WHY | {"meterStopWh": 2000})
    assert (reply.status, reply.json["code"]) == (409, "session_active")


async def test_a_correction_of_the_start(bench):
    await bench.station()
    number = await bench.session()
    await bench.stop(number, cost=None, findings=["meterSuspect"], meter_stop_wh=500)
    body = {"reason": "the start was misread", "meterStartWh": 100}
    reply = await bench.ask("PATCH", f"/api/sessions/{number}", body)
    assert (reply.json["meterStartWh"], reply.json["cost"]) == (100, 0.12)
    assert reply.json["flags"] == ["correctedByHand"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": "  x  "}, "reason"),
        (WHY | {"meterStopWh": 999}, "meterStopWh"),
        (WHY | {"meterStopWh": 3_000_000}, "meterStopWh"),
        (WHY | {"meterStopWh": -1}, "meterStopWh"),
        (WHY | {"meterStopWh": 1.5}, "meterStopWh"),
        (WHY | {"stoppedAt": "2020-01-01T00:00:00Z"}, "stoppedAt"),
        (WHY | {"stoppedAt": "9000-01-01T00:00:00Z"}, "stoppedAt"),
        (WHY | {"cost": 3}, "cost"),
    ],
)
async def test_nonsense_is_said_at_its_field(bench, body, field):
    await bench.station()
    number = await bench.session()
    reply = await bench.ask("POST", f"/api/sessions/{number}/close", body)
    assert (reply.status, list(reply.json["fields"])) == (422, [field])
    await bench.stop(number)
    reply = await bench.ask("PATCH", f"/api/sessions/{number}", body)
    assert (reply.status, list(reply.json["fields"])) == (422, [field])


async def test_a_correction_says_what_is_corrected(bench):
    await bench.station()
    number = await bench.session()
    await bench.stop(number)
    reply = await bench.ask("PATCH", f"/api/sessions/{number}", WHY)
    assert (reply.status, list(reply.json["fields"])) == (422, ["meterStopWh"])


async def test_the_time_of_the_end(bench):
    await bench.station()
    at = bench.clock.now() - timedelta(hours=2)
    number = await bench.session(started_at=at, start_received_at=at)
    wanted = (at + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    closed = await bench.post(f"/api/sessions/{number}/close", WHY | {"stoppedAt": wanted})
    assert closed["stoppedAt"] == wanted


async def test_roles_and_unknown_sessions(bench):
    key = await bench.post("/api/api-keys", {"name": "v", "role": "viewer"}, status=201)
    headers = {"Authorization": f"Bearer {key['token']}"}
    for method, path in (("POST", "/api/sessions/1/close"), ("PATCH", "/api/sessions/1")):
        assert (await bench.ask(method, path, WHY, headers=headers)).status == 403
        reply = await bench.ask(method, path, WHY)
        assert (reply.status, reply.json["code"]) == (404, "session_not_found")
