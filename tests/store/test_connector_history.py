"""The history of connectors is bounded, by age and by number."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from csms.store.connector_history import forget_old
from csms.store.database import Database


@pytest.fixture
async def sql(database_url):
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def database(database_url):
    made = Database(database_url)
    yield made
    await made.close()


async def station(sql, name):
    return await sql.fetchval(
        "INSERT INTO charge_points (identity, name) VALUES ($1, $1) RETURNING id", name
    )


async def change(sql, key, at, status="Available"):
    await sql.execute(
        "INSERT INTO connector_statuses (charge_point_id, connector_id, status, error_code,"
        " received_at) VALUES ($1, 1, $2, 'NoError', $3)",
        key,
        status,
        at,
    )


async def statuses(sql, key):
    rows = await sql.fetch(
        "SELECT status FROM connector_statuses WHERE charge_point_id = $1 ORDER BY received_at, id",
        key,
    )
    return [row["status"] for row in rows]


async def test_the_old_goes(sql, database, clock):
    key = await station(sql, "A")
    for days in (401, 400, 399, 0):
        await change(sql, key, clock.now() - timedelta(days=days), f"{days} days")
    assert await forget_old(database, clock.now(), 400) == 1
    assert await statuses(sql, key) == ["400 days", "399 days", "0 days"]


async def test_of_each_station_the_newest_stay(sql, database, clock, monkeypatch):
    monkeypatch.setattr("csms.store.connector_history.KEPT", 3)
    many, few = await station(sql, "many"), await station(sql, "few")
    for n in range(8):
        await change(sql, many, clock.now() + timedelta(seconds=n // 2), f"s{n}")
    for n in range(3):
        await change(sql, few, clock.now(), f"s{n}")
    assert await forget_old(database, clock.now(), 400) == 5
    assert await statuses(sql, many) == ["s5", "s6", "s7"]
    assert await statuses(sql, few) == ["s0", "s1", "s2"]
    assert await forget_old(database, clock.now(), 400) == 0
