"""Stops that fit no session, for operators; the intake puts them there."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import Identity
from csms.services.ports.unmatched_stops import UnmatchedStop
from csms.store import tables

_T = tables.orphans
_C = tables.charge_points


class UnmatchedStops:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page(
        self, limit: int, *, before: int | None = None, identity: str | None = None
    ) -> list[UnmatchedStop]:
        """See the port. EXPLAIN: the primary key backwards; there are few of them."""
        statement = (
            select(_T.c.id, _C.c.identity, _T.c.reason, _T.c.payload, _T.c.received_at)
            .join(_C, _C.c.id == _T.c.charge_point_id)
            .order_by(_T.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(_T.c.id < before)
        if identity is not None:
            statement = statement.where(func.lower(_C.c.identity) == func.lower(identity))
        return [
            UnmatchedStop(
                key=row.id,
                identity=Identity(row.identity),
                reason=row.reason,
                payload=row.payload,
                received_at=row.received_at,
            )
            for row in await self._connection.execute(statement)
        ]
