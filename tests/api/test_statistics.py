"""Statistics count a session on the local day of its stop."""

from __future__ import annotations

from datetime import UTC, datetime


async def stopped(bench, at, station="CP1", **columns):
    number = await bench.session(station, site_id=columns.pop("site_id", None))
    await bench.stop(number, stopped_at=at, stop_received_at=at, **columns)


async def test_days_are_local_to_the_site(bench):
    await bench.post(
        "/api/sites",
        {"id": "kiri", "name": "k", "gridCapacityKw": 1, "timeZone": "Pacific/Kiritimati"},
        status=201,
    )
    await bench.station()
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    await stopped(bench, late)
    await stopped(bench, late, site_id="kiri", cost=1.25)
    await bench.session()  # still running: not counted
    daily = await bench.get("/api/stats/daily")
    assert daily == {
        "items": [
            {
                "date": "2026-03-02",
                "stationId": "CP1",
                "sessions": 1,
                "energyKwh": 10.0,
                "revenue": 1.25,
                "currency": "EUR",
            },
            {
                "date": "2026-03-01",
                "stationId": "CP1",
                "sessions": 1,
                "energyKwh": 10.0,
                "revenue": 3.0,
                "currency": "EUR",
            },
        ],
        "nextCursor": None,
    }


async def test_filters_pages_and_sums(bench):
    await bench.station("A")
    await bench.station("B")
    for day in (1, 2, 3):
        for station in ("A", "B"):
            await stopped(bench, datetime(2026, 3, day, 12, tzinfo=UTC), station)

    async def rows(query):
        page = await bench.get(f"/api/stats/daily?{query}")
        return [(item["date"][-2:], item["stationId"]) for item in page["items"]]

    assert await rows("from=2026-03-02&to=2026-03-02") == [("02", "A"), ("02", "B")]
    assert await rows("from=2026-03-03T00:00:00Z") == [("03", "A"), ("03", "B")]
    assert await rows("stationId=a&to=2026-03-02") == [("02", "A"), ("01", "A")]
    page = await bench.get("/api/stats/daily?limit=4")
    assert await rows(f"limit=4&cursor={page['nextCursor']}") == [("01", "A"), ("01", "B")]
    summary = await bench.get("/api/stats/summary?from=2026-03-02")
    assert (summary["sessions"], summary["energyKwh"], summary["revenue"]) == (4, 40.0, 12.0)
    assert summary["currency"] == "EUR"
    assert [item["sessions"] for item in summary["items"]] == [2, 2]
    text = (await bench.ask("GET", "/api/stats/daily?format=csv&stationId=B&from=2026-03-03")).text
    assert text == (
        "date,stationId,sessions,energyKwh,revenue,currency\r\n2026-03-03,B,1,10.0,3.0,EUR\r\n"
    )
    assert (await bench.ask("GET", "/api/stats/daily?from=yesterday")).status == 422


async def test_what_is_played_again_does_not_count_twice(bench):
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for name in ("CP1", "REPLAY-CP1", "REPLAYER"):
        await bench.station(name)
        await stopped(bench, at, name)
    sums = await bench.get("/api/stats/sums?by=station")
    assert [item["key"] for item in sums["items"]] == ["CP1", "REPLAYER"]
    asked = await bench.get("/api/stats/daily?stationId=REPLAY-CP1")
    assert [item["stationId"] for item in asked["items"]] == ["REPLAY-CP1"]


async def test_a_lying_clock_and_a_suspect_meter_do_not_spoil_the_sums(bench):
    await bench.station()
    number = await bench.session()
    await bench.stop(
        number,
        stopped_at=datetime(1970, 1, 1, tzinfo=UTC),
        stop_received_at=datetime(2026, 3, 5, tzinfo=UTC),
        meter_stop_wh=10**12,
        cost=None,
        findings=["timeSuspect", "meterSuspect"],
    )
    [row] = (await bench.get("/api/stats/daily"))["items"]
    assert (row["date"], row["sessions"], row["energyKwh"], row["revenue"]) == (
        "2026-03-05",
        1,
        0.0,
        0.0,
    )


async def test_sums_by_time_station_and_site(bench):
    await bench.post("/api/sites", {"id": "s1", "name": "s", "gridCapacityKw": 1}, status=201)
    await bench.station("A")
    await bench.station("B")
    for month, day in ((2, 28), (3, 1), (3, 2)):  # the second is a Sunday
        await stopped(bench, datetime(2026, month, day, 12, tzinfo=UTC), "A")
    await stopped(bench, datetime(2026, 3, 2, 12, tzinfo=UTC), "B", site_id="s1", cost=1.25)

    async def sums(query):
        page = await bench.get(f"/api/stats/sums?{query}")
        return [(row["key"], row["sessions"], row["revenue"]) for row in page["items"]]

    assert await sums("from=2026-03-01") == [("2026-03-02", 2, 4.25), ("2026-03-01", 1, 3.0)]
    assert await sums("by=week") == [("2026-03-02", 2, 4.25), ("2026-02-23", 2, 6.0)]
    assert await sums("by=month") == [("2026-03-01", 3, 7.25), ("2026-02-01", 1, 3.0)]
    assert await sums("by=station") == [("A", 3, 9.0), ("B", 1, 1.25)]
    assert await sums("by=site") == [("", 3, 9.0), ("s1", 1, 1.25)]
    assert await sums("by=month&siteId=s1") == [("2026-03-01", 1, 1.25)]
    assert await sums("by=month&stationId=a&to=2026-02-28") == [("2026-02-01", 1, 3.0)]
    first = await bench.get("/api/stats/sums?by=station&limit=1")
    assert await sums(f"by=station&limit=1&cursor={first['nextCursor']}") == [("B", 1, 1.25)]
    daily = await bench.get("/api/stats/daily?siteId=s1")
    assert [row["stationId"] for row in daily["items"]] == ["B"]
    assert (await bench.ask("GET", "/api/stats/sums?by=hour")).status == 422
