"""The history and the availability of connectors, as operators see them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from csms.api.fields import precise_time

HISTORY = "/api/stations/CP1/history"
FIRST = "/api/stations/CP1/connectors/1/history"
AVAILABILITY = "/api/stations/CP1/availability"


async def change(bench, ago_s, status, *, connector=1, late=False, **columns):
    """Let a connector have become something so many seconds ago."""
    key, at = await bench.key(), bench.clock.now() - timedelta(seconds=ago_s)
    row = {
        "charge_point_id": key,
        "connector_id": connector,
        "status": status,
        "error_code": "NoError",
        "reported_at": at,
        "received_at": at,
        "late": late,
    } | columns
    marks = ", ".join(f"${n + 1}" for n in range(len(row)))
    await bench.sql.execute(
        f"INSERT INTO connector_statuses ({', '.join(row)}) VALUES ({marks})", *row.values()
    )
    await bench.sql.execute(
        "INSERT INTO connectors (charge_point_id, connector_id, status) VALUES ($1, $2, $3)"
        " ON CONFLICT (charge_point_id, connector_id) DO UPDATE SET status = excluded.status",
        key,
        connector,
        status,
    )
    return at


async def test_the_newest_change_comes_first_with_all_that_was_said(bench):
    await bench.station(connectors=2)
    await change(bench, 100, "Available")
    at = await change(
        bench,
        50,
        "Faulted",
        error_code="OtherError",
        info="door",
        vendor_id="V",
        vendor_error_code="E7",
        reported_at=None,
    )
    await change(bench, 10, "Charging", connector=2)
    page = await bench.get(FIRST)
    assert [each["status"] for each in page["items"]] == ["Faulted", "Available"]
    assert page["items"][0] == {
        "connectorId": 1,
        "status": "Faulted",
        "errorCode": "OtherError",
        "info": "door",
        "vendorId": "V",
        "vendorErrorCode": "E7",
        "reportedAt": None,
        "receivedAt": precise_time(at),
        "late": False,
    }
    assert page["nextCursor"] is None
    everything = await bench.get(HISTORY)
    assert [each["connectorId"] for each in everything["items"]] == [2, 1, 1]


async def test_pages_and_spans(bench):
    await bench.station()
    at = {n: await change(bench, 100 - n, f"S{n}") for n in range(5)}
    first = await bench.get(FIRST + "?limit=2")
    assert [each["status"] for each in first["items"]] == ["S4", "S3"]
    second = await bench.get(f"{FIRST}?limit=3&cursor={first['nextCursor']}")
    assert [each["status"] for each in second["items"]] == ["S2", "S1", "S0"]
    last = await bench.get(f"{FIRST}?limit=3&cursor={second['nextCursor']}")
    assert last == {"items": [], "nextCursor": None}
    span = f"from={at[1].isoformat().replace('+00:00', 'Z')}&to={at[3].isoformat()[:26]}Z"
    found = await bench.get(f"{HISTORY}?{span}")
    assert [each["status"] for each in found["items"]] == ["S2", "S1"]


async def test_connectors_that_are_none(bench):
    await bench.station(connectors=2)
    for number in (0, 1, 2):
        assert (await bench.get(f"/api/stations/CP1/connectors/{number}/history"))["items"] == []
    for number in ("3", "-1", "x", "99999999999999999999"):
        reply = await bench.ask("GET", f"/api/stations/CP1/connectors/{number}/history")
        assert reply.status == 404, (number, reply)
    for path in (HISTORY, FIRST, AVAILABILITY):
        reply = await bench.ask("GET", path.replace("CP1", "nobody"))
        assert (reply.status, reply.json["code"]) == (404, "station_not_found")


@pytest.mark.parametrize(
    "query", ["from=yesterday", "limit=0", "cursor=nonsense", "from=2026-01-01T00:00:00Z&x=1"]
)
async def test_bad_queries_are_told_what_is_wrong(bench, query):
    await bench.station()
    reply = await bench.ask("GET", f"{HISTORY}?{query}")
    assert reply.status == 422
    assert reply.json["fields"]


async def test_availability_counts_what_was_known(bench):
    await bench.station(connectors=2)
    start = bench.clock.now() - timedelta(hours=10)
    await change(bench, 12 * 3600, "Available")
    await change(bench, 9 * 3600, "Faulted")
    await change(bench, 8 * 3600, "Charging", late=True)  # out of a queue: never the state
    await change(bench, 7 * 3600, "Available")
    found = await bench.get(f"{AVAILABILITY}?from={start.isoformat()[:26]}Z")
    one, two = found["connectors"]
    assert one["connectorId"] == 1
    assert one["secondsByStatus"]["Faulted"] == pytest.approx(7200, abs=2)
    assert one["secondsByStatus"]["Available"] == pytest.approx(8 * 3600, abs=2)
    assert (one["upPercent"], one["changes"]) == (pytest.approx(80, abs=0.1), 2)
    assert two == {
        "connectorId": 2,
        "secondsByStatus": {"Unknown": pytest.approx(36_000, abs=2)},
        "upPercent": None,
        "changes": 0,
    }


async def test_an_empty_span_is_refused(bench):
    await bench.station()
    reply = await bench.ask("GET", f"{AVAILABILITY}?from=2026-01-02T00:00:00Z&to=2026-01-01")
    assert (reply.status, reply.json["fields"]) == (422, {"from": "is not before to"})
