"""Partitions: always one for what arrives, made when a clock has jumped; old log days go."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from csms.domain.messages import LoggedFrame
from csms.domain.metering import MeterValuesFact, read
from csms.errors import BadFact, DatabaseAway
from csms.services.ports.intake import Orphan
from csms.store import partitions
from csms.store.database import Database
from csms.store.intake import SqlIntakeStore
from csms.store.partitions import Retention, drop_old, ensure_partitions, keep_partitions
from tests.waiting import wait_until

FAR = datetime(2041, 12, 31, 23, 59, 59, tzinfo=UTC)
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
async def sql(database_url):
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def database(database_url):
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def store(database_url):
    opened = SqlIntakeStore(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def key(sql):
    return await sql.fetchval(
        "INSERT INTO charge_points (identity, name) VALUES ('CP1', 'CP1') RETURNING id"
    )


def values(key, at):
    reading = read(at, [{"value": "5", "unit": "kWh"}])
    return MeterValuesFact(
        charge_point=key, received_at=at, connector_id=1, transaction_id=None, readings=(reading,)
    )


def frame(key, at, raw="[]"):
    return LoggedFrame(
        charge_point=key,
        at=at,
        direction="in",
        type=2,
        action="Heartbeat",
        message_id="1",
        raw=raw,
    )


async def names(sql, parent):
    rows = await sql.fetch(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1::text::regclass"
        " ORDER BY 1",
        parent,
    )
    return [row[0] for row in rows]


async def test_a_batch_without_a_partition_goes_through_the_second_time(sql, store, key):
    async def record():
        async with store.batch() as batch:
            orphan = Orphan(charge_point=key, action="X", reason="x", payload={}, received_at=FAR)
            batch.keep_orphans([orphan])
            batch.meter([values(key, FAR), values(key, FAR + timedelta(seconds=1))], [None, None])

    with pytest.raises(DatabaseAway, match="a partition of meter_values was missing"):
        await record()
    assert await sql.fetchval("SELECT count(*) FROM orphan_messages") == 0
    await record()
    assert await sql.fetchval("SELECT count(*) FROM meter_values") == 2
    made = await names(sql, "meter_values")
    assert {"meter_values_20411201", "meter_values_20420101"} <= set(made)
    assert await sql.fetchval("SELECT count(*) FROM orphan_messages") == 1


async def test_frames_for_which_there_is_no_partition_are_logged(sql, store, key):
    await store.log([frame(key, FAR), frame(key, datetime(1971, 1, 1, tzinfo=UTC))])
    assert await sql.fetchval("SELECT count(*) FROM ocpp_messages") == 2
    assert {"ocpp_messages_20411231", "ocpp_messages_19710101"} <= set(
        await names(sql, "ocpp_messages")
    )


async def test_a_partition_that_cannot_be_made_is_no_endless_loop(sql, store, key):
    await sql.execute(
        "CREATE TABLE in_the_way PARTITION OF meter_values"
        " FOR VALUES FROM ('2041-12-01 00:00:00+00') TO ('2041-12-02 00:00:00+00')"
    )
    with pytest.raises(BadFact, match="would overlap"):
        async with store.batch() as batch:
            batch.meter([values(key, FAR)], [None])


def test_the_partition_of_a_time_in_any_zone():
    odd = datetime.fromisoformat("2026-01-01T00:30:00+01:00")
    assert partitions.first_moment("ocpp_messages", odd).isoformat() == "2025-12-31T00:00:00+00:00"
    assert partitions.create_statement("meter_values", odd).endswith(
        "_20251201 PARTITION OF meter_values FOR VALUES FROM ('2025-12-01T00:00:00+00:00')"
        " TO ('2026-01-01T00:00:00+00:00')"
    )


async def fill(sql, store, key, days, size=0):
    """Log one frame on each of these days before NOW; days make their partitions themselves."""
    await sql.execute(
        "DO $$ DECLARE p text; BEGIN FOR p IN SELECT inhrelid::regclass::text FROM pg_inherits"
        " WHERE inhparent = 'ocpp_messages'::regclass LOOP EXECUTE 'DROP TABLE ' || p;"
        " END LOOP; END $$"
    )
    text = "".join(chr(0x4E00 + (i * 7919) % 20000) for i in range(size))  # does not compress well
    await store.log([frame(key, NOW - timedelta(days=day), text) for day in days])


async def test_days_that_are_too_old_are_dropped(sql, database, store, key):
    await fill(sql, store, key, [-1, 0, 1, 29, 30, 31, 400])
    dropped = await drop_old(database, Retention(days=30, largest_mb=1000), NOW)
    assert dropped == ["ocpp_messages_20250203", "ocpp_messages_20260207"]
    assert await sql.fetchval("SELECT count(*) FROM ocpp_messages") == 5


async def test_the_oldest_days_go_while_the_log_is_too_large(sql, database, store, key):
    await fill(sql, store, key, [0, 1, 2, 3], size=300_000)  # 0.9 MB a day, hardly compressible
    sizes = await sql.fetch(
        "SELECT pg_total_relation_size(inhrelid) FROM pg_inherits"
        " WHERE inhparent = 'ocpp_messages'::regclass"
    )
    total_mb = sum(row[0] for row in sizes) / 1e6
    assert total_mb > 1.2
    dropped = await drop_old(database, Retention(days=30, largest_mb=1), NOW)
    assert dropped[0] == "ocpp_messages_20260307"
    assert "ocpp_messages_20260310" not in dropped


async def test_the_present_day_stays_however_large(sql, database, store, key):
    await fill(sql, store, key, [0, 1], size=500_000)
    dropped = await drop_old(database, Retention(days=30, largest_mb=0), NOW)
    assert dropped == ["ocpp_messages_20260309"]
    assert await sql.fetchval("SELECT count(*) FROM ocpp_messages") == 1


async def test_what_an_operator_has_attached_stays(sql, database, store, key):
    await fill(sql, store, key, [40])
    await sql.execute(
        "CREATE TABLE ocpp_messages_archive PARTITION OF ocpp_messages"
        " FOR VALUES FROM ('2000-01-01 00:00:00+00') TO ('2001-01-01 00:00:00+00')"
    )
    await drop_old(database, Retention(days=30, largest_mb=1), NOW)
    assert await names(sql, "ocpp_messages") == ["ocpp_messages_archive"]


@pytest.mark.slow
async def test_a_long_reader_is_not_waited_for(sql, database, store, key, clock):
    """Whoever waits for the lock of a table makes all inserts wait behind it."""
    await fill(sql, store, key, [40])
    clock.set_wall(NOW)
    async with sql.transaction():
        await sql.fetch("SELECT 1 FROM ocpp_messages LIMIT 1")
        with pytest.raises(DatabaseAway):
            await ensure_partitions(database)
        with pytest.raises(DatabaseAway):
            await drop_old(database, Retention(days=30, largest_mb=1), NOW)
        keep = Retention(days=30, largest_mb=1)
        task = asyncio.create_task(keep_partitions(database, clock, keep))
        await wait_until(lambda: clock.sleeping)
    try:
        await clock.advance(120)

        async def gone():
            return "ocpp_messages_20260129" not in await names(sql, "ocpp_messages")

        await wait_until(gone)
        assert await ensure_partitions(database) == 0
    finally:
        task.cancel()
