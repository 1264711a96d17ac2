"""The message log, for reading; the OCPP edge writes it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import ChargePointKey
from csms.services.records import MessageRecord
from csms.store import tables

_T = tables.ocpp_messages


class Messages:
    """See `csms.services.ports.store.Messages`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page(
        self,
        charge_point: ChargePointKey,
        limit: int,
        *,
        before: tuple[datetime, int] | None = None,
        action: str | None = None,
        direction: str | None = None,
        at_from: datetime | None = None,
        at_to: datetime | None = None,
    ) -> list[MessageRecord]:
        """Return frames, the newest first; `at_from` is in, `at_to` is out.

        EXPLAIN: index scans backwards over (charge_point_id, at), one partition after the other.
        """
        statement = (
            select(_T)
            .where(_T.c.charge_point_id == charge_point)
            .order_by(_T.c.at.desc(), _T.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(tuple_(_T.c.at, _T.c.id) < before, _T.c.at <= before[0])
        if action is not None:
            statement = statement.where(_T.c.action == action)
        if direction is not None:
            statement = statement.where(_T.c.direction == direction)
        if at_from is not None:
            statement = statement.where(_T.c.at >= at_from)
        if at_to is not None:
            statement = statement.where(_T.c.at < at_to)
        return [
            MessageRecord(
                key=row.id,
                at=row.at,
                direction=row.direction,
                type=row.type,
                action=row.action,
                message_id=row.message_id,
                raw=row.raw,
                repairs=tuple(row.repairs or ()),
                latency_ms=None if row.latency_ms is None else float(row.latency_ms),
            )
            for row in await self._connection.execute(statement)
        ]
