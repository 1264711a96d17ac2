"""Sessions: the object, lists, remote start and stop with their waits."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from csms.domain.events import SessionsChanged
from csms.errors import CallFailed
from tests.waiting import wait_until


async def test_the_session_object(bench):
    await bench.station()
    started = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
    number = await bench.session(
        id_tag="AbC", started_at=started, register_wh=11_000, power_w=7_000, soc_percent=41.5
    )
    await bench.sql.execute(
        "INSERT INTO charging_limits (charge_point_id, connector_id, purpose, transaction_id,"
        " acknowledged_w) VALUES ($1, 1, 'TxProfile', $2, 11040)",
        await bench.key(),
        number,
    )
    assert await bench.get(f"/api/sessions/{number}") == {
        "id": str(number),
        "transactionId": number,
        "stationId": "CP1",
        "connectorId": 1,
        "idTag": "AbC",
        "vehicleId": None,
        "status": "active",
        "startedAt": "2026-03-01T10:00:00Z",
        "stoppedAt": None,
        "meterStartWh": 1000,
        "meterStopWh": None,
        "energyKwh": 10.0,
        "powerKw": 7.0,
        "socPercent": 41.5,
        "limitA": 16.0,
        "limitKw": 11.04,
        "stopReason": None,
        "cost": 3.0,
        "currency": "EUR",
        "pricePerKwh": 0.3,
        "flags": [],
        "etaAt": None,
    }
    await bench.stop(number)
    over = await bench.get(f"/api/sessions/{number}")
    assert (over["status"], over["energyKwh"], over["cost"]) == ("completed", 10.0, 3.0)
    assert (over["powerKw"], over["limitKw"], over["stopReason"]) == (None, None, "Local")


async def test_a_session_without_its_stop_is_not_billed(bench):
    await bench.station()
    number = await bench.session(register_wh=5000)
    await bench.stop(
        number, meter_stop_wh=None, cost=None, stop_reason=None, findings=["stopMissing"]
    )
    session = await bench.get(f"/api/sessions/{number}")
    assert session["status"] == "completed"
    assert (session["meterStopWh"], session["cost"]) == (None, None)
    assert session["flags"] == ["stopMissing"]


async def test_a_register_that_runs_backwards_costs_nothing(bench):
    await bench.station()
    number = await bench.session(register_wh=10)
    session = await bench.get(f"/api/sessions/{number}")
    assert (session["energyKwh"], session["cost"]) == (0.0, 0.0)


async def test_lists_and_filters(bench):
    await bench.station("A")
    await bench.station("B")
    old = datetime(2020, 1, 1, tzinfo=UTC)
    first = await bench.session("A", id_tag="t1")
    second = await bench.session("B", id_tag="T2", started_at=old)
    third = await bench.session("A", id_tag="T1")
    await bench.stop(first)

    async def ids(query):
        return [int(item["id"]) for item in (await bench.get(f"/api/sessions?{query}"))["items"]]

    assert await ids("") == [third, second, first]
    assert await ids("status=active") == [third, second]
    assert await ids("status=completed") == [first]
    assert await ids("stationId=a") == [third, first]
    assert await ids("idTag=T1") == [third, first]
    assert await ids("to=2021-01-01T00:00:00Z") == [second]
    assert await ids("from=2021-01-01") == [third, first]
    page = await bench.get("/api/sessions?limit=2")
    assert await ids(f"limit=2&cursor={page['nextCursor']}") == [first]
    assert (await bench.ask("GET", "/api/sessions?status=odd")).status == 422
    for number in ("0", "x", "99999999999", "-1", str(third + 1), "%00"):
        assert (await bench.ask("GET", f"/api/sessions/{number}")).status == 404, number


async def test_sessions_of_a_site_are_those_that_began_there(bench):
    await bench.station("A")
    first = await bench.session("A", site_id="s")
    await bench.session("A", site_id=None)
    items = (await bench.get("/api/sessions?siteId=s"))["items"]
    assert [item["id"] for item in items] == [str(first)]
    assert (await bench.get("/api/sessions?siteId=x"))["items"] == []


async def start_after_call(bench, **columns):
    """Let the station start as soon as the call is answered."""

    async def accept(payload):
        number = await bench.session(id_tag=payload["idTag"], **columns)
        bench.bus.publish(SessionsChanged(frozenset({number})))
        return {"status": "Accepted"}

    bench.gateway.answers["RemoteStartTransaction"] = accept


async def test_start_waits_for_the_transaction(bench):
    await bench.station(connectors=2)
    await bench.online()
    await start_after_call(bench, connector_id=2)
    session = await bench.post(
        "/api/sessions/start",
        {"stationId": "CP1", "connectorId": 2, "idTag": "TAG9", "vehicleId": "CAR"},
        status=201,
    )
    assert (session["idTag"], session["connectorId"]) == ("TAG9", 2)
    assert session["vehicleId"] == "CAR"
    assert bench.gateway.sent[0][2] == {"connectorId": 2, "idTag": "TAG9"}


@pytest.mark.parametrize(("connectors", "sent"), [(1, {"connectorId": 1}), (2, {}), (None, {})])
async def test_the_only_connector_is_named(bench, connectors, sent):
    await bench.station(connectors=connectors)
    await bench.online()
    await bench.post(
        "/api/sessions/start", {"stationId": "CP1", "idTag": "T", "waitS": 0}, status=202
    )
    assert bench.gateway.sent[0][2] == {**sent, "idTag": "T"}


async def test_start_wakes_by_the_hint_not_by_the_poll(bench, monkeypatch):
    monkeypatch.setattr("csms.services.sessions._POLL_S", 3600.0)  # the hint alone may wake it
    await bench.station()
    await bench.online()
    await bench.session(id_tag="OLD")
    async with asyncio.TaskGroup() as tasks:
        start = tasks.create_task(
            bench.ask("POST", "/api/sessions/start", {"stationId": "CP1", "idTag": "old"})
        )
        await wait_until(lambda: bench.gateway.sent)
        number = await bench.session(id_tag="OLD")
        bench.bus.publish(SessionsChanged(frozenset({number})))
    assert start.result().status == 201
    assert start.result().json["id"] == str(number)


async def test_start_without_an_id_tag_makes_one_for_the_user(bench):
    await bench.station()
    await bench.online()
    await start_after_call(bench)
    first = await bench.post("/api/sessions/start", {"stationId": "CP1"}, status=201)
    second = await bench.post("/api/sessions/start", {"stationId": "CP1"}, status=201)
    assert first["idTag"] == second["idTag"]
    assert len(first["idTag"]) <= 20
    tag = await bench.get(f"/api/id-tags/{first['idTag']}")
    assert tag["status"] == "Accepted"


async def test_accepted_and_not_started(bench):
    await bench.station()
    await bench.online()
    body = {"stationId": "CP1", "idTag": "T", "waitS": 0}
    pending = await bench.post("/api/sessions/start", body, status=202)
    assert pending["status"] == "accepted"
    assert pending["session"] is None


async def test_start_rejected_offline_unknown(bench):
    await bench.station()
    body = {"stationId": "CP1", "idTag": "T"}
    offline = await bench.ask("POST", "/api/sessions/start", body)
    assert (offline.status, offline.json["code"]) == (409, "station_offline")
    await bench.online()
    bench.gateway.answers["RemoteStartTransaction"] = {"status": "Rejected"}
    rejected = await bench.ask("POST", "/api/sessions/start", body)
    assert (rejected.status, rejected.json["code"]) == (409, "rejected")
    bench.gateway.answers["RemoteStartTransaction"] = CallFailed("call_timeout", "No answer.")
    assert (await bench.ask("POST", "/api/sessions/start", body)).status == 504
    unknown = await bench.ask("POST", "/api/sessions/start", {"stationId": "X"})
    assert unknown.status == 404
    for wrong in ({"waitS": 61}, {"waitS": "1"}, {"connectorId": 0}, {"idTag": "x" * 21}):
        reply = await bench.ask("POST", "/api/sessions/start", {**body, **wrong})
        assert reply.status == 422, wrong


async def test_stop_waits_for_the_stop(bench):
    await bench.station()
    await bench.online()
    number = await bench.session()

    async def accept(payload):
        assert payload == {"transactionId": number}
        await bench.stop(number)
        bench.bus.publish(SessionsChanged(frozenset({number})))
        return {"status": "Accepted"}

    bench.gateway.answers["RemoteStopTransaction"] = accept
    session = await bench.post(f"/api/sessions/{number}/stop")
    assert (session["status"], session["meterStopWh"]) == ("completed", 11_000)
    again = await bench.ask("POST", f"/api/sessions/{number}/stop", {})
    assert (again.status, again.json["code"]) == (409, "session_completed")


async def test_stop_not_yet_rejected_offline(bench):
    await bench.station()
    number = await bench.session()
    path = f"/api/sessions/{number}/stop"
    offline = await bench.ask("POST", path, {"waitS": 0})
    assert (offline.status, offline.json["code"]) == (409, "station_offline")
    await bench.online()
    pending = await bench.post(path, {"waitS": 0}, status=202)
    assert pending["status"] == "active"
    bench.gateway.answers["RemoteStopTransaction"] = {"status": "Rejected"}
    rejected = await bench.ask("POST", path, {"waitS": 0})
    assert (rejected.status, rejected.json["code"]) == (409, "rejected")
    assert (await bench.ask("POST", "/api/sessions/77777/stop", {})).status == 404


async def test_meter_values_page_through_equal_times(bench):
    await bench.station()
    number = await bench.session()
    key = await bench.key()
    for energy in range(5):
        await bench.sql.execute(
            "INSERT INTO meter_values (received_at, charge_point_id, transaction_id,"
            " connector_id, measured_at, energy_wh, current_l1_ma, soc_permille)"
            " SELECT start_received_at, $1, $2, 1, start_received_at + $3 * interval '1 s', $3,"
            " 16000, 415 FROM transactions WHERE id = $2",
            key,
            number,
            energy,
        )
    path = f"/api/sessions/{number}/meter-values?limit=2"
    seen, cursor = [], ""
    for _ in range(3):
        page = await bench.get(path + cursor)
        seen += [item["energyKwh"] for item in page["items"]]
        cursor = f"&cursor={page['nextCursor']}"
    assert seen == [0.004, 0.003, 0.002, 0.001, 0.0]
    assert page["items"][0]["currentA"] == [16.0, None, None]
    assert page["items"][0]["socPercent"] == 41.5
    assert page["nextCursor"] is None
    station = await bench.get("/api/stations/CP1/meter-values")
    assert len(station["items"]) == 5
    assert (await bench.ask("GET", f"/api/sessions/{number}/receipt")).status == 404
