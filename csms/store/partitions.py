"""Partitions by time: there is always one for what arrives, and old ones of the log go.

Meter values have months, the message log days; a partition is named after its first day. Those
ahead are made each hour. A row for which there is none all the same (a clock has jumped) has its
partition made by `make_missing`. The message log is kept by age and size: whole days are dropped,
the oldest first; the present day never.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import asyncpg
import structlog
from sqlalchemy import text

from csms.clock import Clock
from csms.errors import DatabaseAway
from csms.store.connector_history import forget_old
from csms.store.database import Database

_log = structlog.get_logger(__name__)

Period = Literal["month", "day"]

PERIODS: Final[dict[str, Period]] = {"meter_values": "month", "ocpp_messages": "day"}
_AHEAD = {"meter_values": 3, "ocpp_messages": 7}
_EVERY_S = 3600.0
_SOON_S = 120.0
_MESSAGE_LOG = "ocpp_messages"
_MEGABYTE = 1_000_000
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '1s'"

BOUNDS = """
SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = to_regclass($1)
"""

# a log day is only ever taken as such by its name: what an operator has attached stays
_SIZES = text(
    "SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_inherits i"
    " JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE i.inhparent = CAST(:parent AS regclass) AND c.relname ~ :pattern ORDER BY c.relname"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How much of the message log is kept.

    Attributes:
        days: Whole days before the present one.
        largest_mb: Of the whole log with its indexes, in 10^6 bytes.
        connector_days: How long the history of connectors is kept.
    """

    days: int
    largest_mb: int
    connector_days: int = 400


def first_moment(parent: str, at: datetime) -> datetime:
    """Return when the partition that holds `at` begins.

    >>> first_moment("meter_values", datetime(2026, 3, 9, 7, tzinfo=UTC)).isoformat()
    '2026-03-01T00:00:00+00:00'
    """
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day.replace(day=1) if PERIODS[parent] == "month" else day


def create_statement(parent: str, at: datetime) -> str:
    """Return the statement that makes the partition that holds `at`, if it is not there."""
    low = first_moment(parent, at)
    # 32 days after the first of a month lies the next month
    high = first_moment(parent, low + timedelta(days=32 if PERIODS[parent] == "month" else 1))
    return (
        f"CREATE TABLE IF NOT EXISTS {parent}_{low:%Y%m%d} PARTITION OF {parent}"
        f" FOR VALUES FROM ('{low.isoformat()}') TO ('{high.isoformat()}')"
    )


async def make_missing(
    connection: asyncpg.Connection, parent: str, times: Iterable[datetime]
) -> None:
    """Make the partitions that hold `times`; outside of a transaction."""
    firsts = {first_moment(parent, at) for at in times}
    async with connection.transaction():
        await connection.execute(_LOCK_TIMEOUT)
        await connection.execute(
            "SELECT pg_advisory_xact_lock(hashtext('partitions of ' || $1))", parent
        )
        for first in sorted(firsts):
            await connection.execute(create_statement(parent, first))


async def ensure_partitions(database: Database) -> int:
    """Make the partitions that are missing and return how many were made; any node, any time.

    A new partition locks its parent, and every insert would queue behind a reader that is waited
    for (a backup reads for long): so it is not waited for.

    Raises:
        DatabaseAway: A table is read at the moment, or Postgres is away.
    """
    made = 0
    for parent, ahead in _AHEAD.items():
        async with database.transaction() as connection:
            await connection.execute(text(_LOCK_TIMEOUT))
            result = await connection.execute(
                text("SELECT ensure_partitions(CAST(:parent AS regclass), :period, :ahead)"),
                {"parent": parent, "period": PERIODS[parent], "ahead": ahead},
            )
            made += int(result.scalar_one())
    return made


async def drop_old(database: Database, keep: Retention, now: datetime) -> list[str]:
    """Drop the days of the message log that are too old or too much; return their names.

    Raises:
        DatabaseAway: Somebody reads the log for too long, or Postgres is away; the rest stays.
    """
    today = f"{_MESSAGE_LOG}_{first_moment(_MESSAGE_LOG, now):%Y%m%d}"
    oldest = f"{_MESSAGE_LOG}_{first_moment(_MESSAGE_LOG, now - timedelta(days=keep.days)):%Y%m%d}"
    async with database.transaction() as connection:
        found = await connection.execute(
            _SIZES, {"parent": _MESSAGE_LOG, "pattern": f"^{_MESSAGE_LOG}_[0-9]{{8}}$"}
        )
        sizes: list[tuple[str, int]] = [(row[0], row[1]) for row in found]
    total = sum(size for _, size in sizes)
    dropped = []
    for name, size in sizes:
        if name >= today or (name >= oldest and total <= keep.largest_mb * _MEGABYTE):
            break
        async with database.transaction() as connection:
            await connection.execute(text(_LOCK_TIMEOUT))
            await connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
        _log.info("day of the message log dropped", partition=name, size_bytes=size)
        dropped.append(name)
        total -= size
    return dropped


async def keep_partitions(database: Database, clock: Clock, keep: Retention) -> None:
    """Make missing partitions and drop what is old each hour, for ever; sooner where it fails."""
    while True:
        pause_s = _EVERY_S
        try:
            await ensure_partitions(database)
            await drop_old(database, keep, clock.now())
            await forget_old(database, clock.now(), keep.connector_days)
        except DatabaseAway as error:
            _log.warning("partitions are seen to later", error=str(error))
            pause_s = _SOON_S
        await clock.sleep(pause_s)
