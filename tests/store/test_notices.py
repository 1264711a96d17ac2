"""Notices are bounded: a charge point that invents them does not fill the tables."""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from csms.domain.ids import ChargePointKey
from csms.domain.jobs import JobStatusFact
from csms.domain.security_events import SecurityEventFact
from csms.store.database import Database
from csms.store.notices import SqlNoticeStore


async def test_the_newest_stay(database_url, clock, monkeypatch):
    monkeypatch.setattr("csms.store.notices._KEPT", 10)
    database = Database(database_url)
    sql = await asyncpg.connect(database_url)
    try:
        keys = [
            await sql.fetchval(
                "INSERT INTO charge_points (identity, name) VALUES ($1, $1) RETURNING id", name
            )
            for name in ("A", "B")
        ]
        store = SqlNoticeStore(database)
        for key in keys:
            for i in range(15):
                at = clock.now() + timedelta(seconds=i)
                who = {"charge_point": ChargePointKey(key), "received_at": at}
                status = JobStatusFact(kind="firmware", status=f"s{i}", **who)
                event = SecurityEventFact(type=f"t{i}", at=at, **who)
                assert await store.keep([status, event, event]) == [event]
        for table, column in (("job_statuses", "status"), ("security_events", "type")):
            rows = await sql.fetch(f"SELECT charge_point_id, {column} FROM {table} ORDER BY id")
            assert [tuple(row) for row in rows] == [
                (key, f"{column[0]}{i}") for key in keys for i in range(5, 15)
            ]
    finally:
        await sql.close()
        await database.close()
