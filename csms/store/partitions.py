"""Partitions ahead of time, so that there is always one for what arrives."""

from __future__ import annotations

from sqlalchemy import text

from csms.clock import Clock
from csms.store.database import Database

_EVERY_S = 3600.0
_AHEAD = (("meter_values", "month", 3), ("ocpp_messages", "day", 7))


async def ensure_partitions(database: Database) -> int:
    """Make the partitions that are missing and return how many were made; any node, any time."""
    made = 0
    for parent, period, ahead in _AHEAD:
        async with database.transaction() as connection:
            result = await connection.execute(
                text("SELECT ensure_partitions(CAST(:parent AS regclass), :period, :ahead)"),
                {"parent": parent, "period": period, "ahead": ahead},
            )
            made += int(result.scalar_one())
    return made


async def keep_partitions(database: Database, clock: Clock) -> None:
    """Make missing partitions each hour, for ever."""
    while True:
        await ensure_partitions(database)
        await clock.sleep(_EVERY_S)
