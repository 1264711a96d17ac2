"""What `csms check` asks a database about itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select, text

from csms.clock import Clock
from csms.store import tables
from csms.store.database import Database
from csms.store.partitions import PERIODS, first_moment

_FACTS = text(
    "SELECT current_setting('server_version_num')::int / 10000 AS version,"
    " current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'"
    "   AND current_setting('synchronous_commit') <> 'off' AS durable,"
    " clock_timestamp() AS now"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A database as it is.

    Attributes:
        version: Major version of Postgres.
        durable: Whether what is committed survives a power cut.
        ahead_s: How far its clock is before ours; negative: behind.
    """

    version: int
    durable: bool
    ahead_s: float


async def inspect(database: Database, clock: Clock) -> Inspection:
    """Return what a database says of itself. Raises DatabaseAway."""
    async with database.transaction() as connection:
        await connection.execute(text("SELECT 1"))  # connecting takes its time
        before = clock.now()
        row = (await connection.execute(_FACTS)).one()
        after = clock.now()
    middle = before + (after - before) / 2
    return Inspection(
        version=row.version, durable=row.durable, ahead_s=(row.now - middle).total_seconds()
    )


async def holds_digests(database: Database) -> bool:
    """Return whether there are passwords or tokens, which are worth nothing without the secret."""
    password = tables.charge_points.c.password_digest
    statement = select(exists(select(tables.api_keys)) | exists().where(password.is_not(None)))
    async with database.transaction() as connection:
        return bool((await connection.execute(statement)).scalar_one())


async def missing_partitions(database: Database, now: datetime) -> list[str]:
    """Return the partitions of this period and the next that are not there."""
    missing = []
    async with database.transaction() as connection:
        for parent, period in PERIODS.items():
            first = first_moment(parent, now)
            following = first_moment(parent, first + timedelta(days=32 if period == "month" else 1))
            for at in (first, following):
                name = f"{parent}_{at:%Y%m%d}"
                if await connection.scalar(select(func.to_regclass(name))) is None:
                    missing.append(name)
    return missing


async def open_quarantine(database: Database) -> int:
    """Return how many refused messages wait for an operator."""
    quarantine = tables.quarantine
    statement = select(func.count()).where(quarantine.c.state == "open")
    async with database.transaction() as connection:
        return int((await connection.execute(statement.select_from(quarantine))).scalar_one())
