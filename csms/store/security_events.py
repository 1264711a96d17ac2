"""Security events, for operators; see `csms.services.ports.state.SecurityEvents`."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import ChargePointKey
from csms.services.ports.state import SecurityEvent
from csms.store import tables

_T = tables.security_events


class SecurityEvents:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page(
        self, charge_point: ChargePointKey, limit: int, *, before: int | None = None
    ) -> list[SecurityEvent]:
        """See the port."""
        query = (
            select(_T)
            .where(_T.c.charge_point_id == charge_point)
            .order_by(_T.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(_T.c.id < before)
        return [
            SecurityEvent(
                key=row.id,
                type=row.type,
                at=row.at,
                tech_info=row.tech_info or None,
                critical=row.critical,
                source=row.source,
            )
            for row in await self._connection.execute(query)
        ]
