"""What connectors have been; see `csms.services.ports.connector_history`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import ChargePointKey
from csms.services.ports.connector_history import ConnectorStatus
from csms.store import state_tables
from csms.store.database import Database

_T = state_tables.connector_statuses

KEPT = 5_000
"""Newest changes of one charge point: a connector that flutters must not fill the table."""

_FORGET = text("DELETE FROM connector_statuses WHERE received_at < :oldest")

# EXPLAIN: the groups come from the index alone, the place of the last that stays too.
_CUT = text("""
DELETE FROM connector_statuses h USING (
    SELECT m.charge_point_id, last.received_at, last.id
    FROM (
        SELECT charge_point_id FROM connector_statuses GROUP BY 1 HAVING count(*) > :kept
    ) m CROSS JOIN LATERAL (
        SELECT received_at, id FROM connector_statuses s
        WHERE s.charge_point_id = m.charge_point_id
        ORDER BY received_at DESC, id DESC OFFSET :kept LIMIT 1
    ) last
) d
WHERE h.charge_point_id = d.charge_point_id AND (h.received_at, h.id) <= (d.received_at, d.id)
""")

# one look into the index for each connector that the station has
_KNOWN_AT = text("""
SELECT h.* FROM connectors c CROSS JOIN LATERAL (
    SELECT * FROM connector_statuses s
    WHERE s.charge_point_id = c.charge_point_id AND s.connector_id = c.connector_id
      AND s.received_at < :at AND NOT s.late
    ORDER BY s.received_at DESC, s.id DESC LIMIT 1
) h
WHERE c.charge_point_id = :key ORDER BY c.connector_id
""")


class ConnectorHistory:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page(
        self,
        charge_point: ChargePointKey,
        limit: int,
        *,
        connector_id: int | None = None,
        before: tuple[datetime, int] | None = None,
        received_from: datetime | None = None,
        received_to: datetime | None = None,
    ) -> list[ConnectorStatus]:
        """See the port.

        EXPLAIN: the index of the station, backwards; the connector is a filter on its rows.
        """
        query = (
            select(_T)
            .where(_T.c.charge_point_id == charge_point)
            .order_by(_T.c.received_at.desc(), _T.c.id.desc())
            .limit(limit)
        )
        if connector_id is not None:
            query = query.where(_T.c.connector_id == connector_id)
        if before is not None:
            query = query.where(
                tuple_(_T.c.received_at, _T.c.id) < before, _T.c.received_at <= before[0]
            )
        if received_from is not None:
            query = query.where(_T.c.received_at >= received_from)
        if received_to is not None:
            query = query.where(_T.c.received_at < received_to)
        return [_status(row) for row in await self._connection.execute(query)]

    async def known_at(self, charge_point: ChargePointKey, at: datetime) -> list[ConnectorStatus]:
        """See the port."""
        rows = await self._connection.execute(_KNOWN_AT, {"key": charge_point, "at": at})
        return [_status(row) for row in rows]


async def forget_old(database: Database, now: datetime, days: int) -> int:
    """Delete what is older than so many days, or more than a station may have; returns how many.

    Raises:
        DatabaseAway: Try again later.
    """
    async with database.transaction() as connection:
        old = await connection.execute(_FORGET, {"oldest": now - timedelta(days=days)})
        cut = await connection.execute(_CUT, {"kept": KEPT})
    return old.rowcount + cut.rowcount


def _status(row: Row[*tuple[Any, ...]]) -> ConnectorStatus:
    return ConnectorStatus(
        key=row.id,
        connector_id=row.connector_id,
        status=row.status,
        error_code=row.error_code,
        info=row.info,
        vendor_id=row.vendor_id,
        vendor_error_code=row.vendor_error_code,
        reported_at=row.reported_at,
        received_at=row.received_at,
        late=row.late,
    )
