"""A site's power over time, from real rows."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from csms.services.power_history import PowerHistories
from tests.waiting import wait_until

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


async def site(bench):
    await bench.post("/api/sites", {"id": "S1", "name": "A", "gridCapacityKw": 50}, status=201)


async def values(bench, identity, session, *powers, connector_id=1):
    """One reading a minute, from the middle of the first one on."""
    key = await bench.key(identity)
    await bench.sql.execute("SELECT ensure_partitions('meter_values', 'month', 3)")
    for minute, power in enumerate(powers):
        await bench.sql.execute(
            "INSERT INTO meter_values (received_at, charge_point_id, transaction_id, connector_id,"
            " measured_at, power_w) VALUES ($1, $2, $3, $4, $1, $5)",
            NOON + timedelta(minutes=minute, seconds=30),
            key,
            session,
            connector_id,
            power,
        )


async def charged(bench, identity, *powers, minutes=None):
    end = NOON + timedelta(minutes=len(powers) if minutes is None else minutes)
    number = await bench.session(identity, start_received_at=NOON, started_at=NOON, site_id="S1")
    await bench.stop(number, stopped_at=end, stop_received_at=end)
    await values(bench, identity, number, *powers)


async def picture(bench, minutes=5, **more):
    query = "".join(f"&{name}={value}" for name, value in more.items())
    return await bench.get(
        f"/api/sites/S1/power?from=2026-11-01T12:00:00Z&to=2026-11-01T12:0{minutes}:00Z{query}"
    )


async def test_power_is_stacked_by_charger_the_largest_first(bench):
    await site(bench)
    for name in ("CP1", "CP2", "CP3"):
        await bench.station(name, siteId="S1")
    await charged(bench, "CP1", 4000, 5000)
    await charged(bench, "CP2", 10_000, 11_000, 12_000)
    await charged(bench, "CP3", 1000, minutes=2)
    found = await picture(bench)
    assert found["stepS"] == 60
    assert (found["times"][0], len(found["times"])) == ("2026-11-01T12:00:00Z", 5)
    assert [(line["stationId"], line["powerKw"]) for line in found["series"]] == [
        ("CP2", [10, 11, 12, 0, 0]),
        ("CP1", [4, 5, 0, 0, 0]),
        ("CP3", [1, 1, 0, 0, 0]),
    ]
    assert found["series"][0]["energyKwh"] == 0.55
    assert found["gridCapacityKw"] == 50
    assert found["limitKw"] == [None] * 5
    found = await picture(bench, top=1)
    assert [(line["stationId"], line["powerKw"]) for line in found["series"]] == [
        ("CP2", [10, 11, 12, 0, 0]),
        (None, [5, 6, 0, 0, 0]),
    ]


async def test_a_step_is_chosen_that_makes_a_picture(bench):
    await site(bench)
    found = await bench.get("/api/sites/S1/power")
    assert (found["stepS"], len(found["times"])) == (300, 289)
    assert found["series"] == []


async def test_samples_of_decision_battery_and_meter(bench):
    await site(bench)
    document = {
        "version": 1, "gridPowerW": 9000, "warnings": [], "loads": [],
        "battery": {"energyWh": 1, "powerW": -2000},
        "circuits": [["grid", 30_000, 9000, None, None]],
    }  # fmt: skip
    await bench.sql.execute(
        "INSERT INTO site_decisions (site_id, version, decided_at, decision)"
        " VALUES ('S1', 1, $1, $2)",
        NOON,
        json.dumps(document),
    )
    await bench.sql.execute(
        "INSERT INTO site_meters (site_id, power_w, building_w, building_at, received_at, solar_w)"
        " VALUES ('S1', 12000, 3000, $1, $1, 8000)",
        NOON,
    )
    async with bench.units() as unit:
        assert await unit.power.take_samples(NOON + timedelta(seconds=20)) == 1
        assert await unit.power.take_samples(NOON + timedelta(seconds=50)) == 0  # the same minute
        # by then decision and meter are too old to say anything
        assert await unit.power.take_samples(NOON + timedelta(minutes=8)) == 1
    found = await picture(bench, 9)
    assert (found["limitKw"][0], found["allocatedKw"][0]) == (30, 9)
    assert (found["batteryKw"][0], found["meterKw"][0], found["buildingKw"][0]) == (-2, 12, 3)
    assert (found["solarKw"][0], found["solarKw"][8]) == (8, None)
    assert (found["limitKw"][8], found["allocatedKw"][8], found["meterKw"][8]) == (50, None, None)
    async with bench.units() as unit:
        assert await unit.power.drop_samples(NOON + timedelta(minutes=5)) == 1


async def test_samples_are_taken_by_themselves(bench):
    await site(bench)  # the bench runs all loops: another one finds the minute taken, or takes it
    running = asyncio.create_task(PowerHistories(bench.units, bench.clock).run())
    await wait_until(lambda: bench.sql.fetchval("SELECT count(*) FROM site_samples"))
    running.cancel()
    await asyncio.wait([running])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "to"),
        ("from=2024-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "from"),
        ("from=2026-10-01T00:00:00Z&to=2026-11-01T00:00:00Z&stepS=60", "stepS"),
        ("from=yesterday", "from"),
        ("stepS=1", "stepS"),
        ("top=0", "top"),
    ],
)
async def test_nonsense_is_said_at_its_field(bench, query, field):
    await site(bench)
    reply = await bench.ask("GET", f"/api/sites/S1/power?{query}")
    assert (reply.status, list(reply.json["fields"])) == (422, [field])


async def test_an_unknown_site(bench):
    reply = await bench.ask("GET", "/api/sites/none/power")
    assert (reply.status, reply.json["code"]) == (404, "site_not_found")


async def test_too_many_values_are_refused(bench, monkeypatch):
    from csms.services import power_history

    await site(bench)
    await bench.station(siteId="S1")
    monkeypatch.setattr(power_history, "_MOST_STATION_HOURS", 24)
    assert (await bench.ask("GET", "/api/sites/S1/power?from=2026-11-01T00:00:00Z"
                            "&to=2026-11-01T23:00:00Z")).status == 200  # fmt: skip
    reply = await bench.ask(
        "GET", "/api/sites/S1/power?from=2026-10-30T00:00:00Z&to=2026-11-01T23:00:00Z"
    )
    assert (reply.status, reply.json["code"]) == (422, "too_much")
