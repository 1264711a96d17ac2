"""Calls to charge points, with their outcomes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import ChargePointKey, Identity
from csms.services.records import CallRecord
from csms.store import tables

_T = tables.calls
_C = tables.charge_points

_MOST_LOST = 100


class Calls:
    """See `csms.services.ports.calls.Calls`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def insert(self, charge_point: ChargePointKey, call: CallRecord) -> None:
        """Write a call that is about to be sent."""
        await self._connection.execute(
            insert(_T).values(
                id=call.id,
                charge_point_id=charge_point,
                action=call.action,
                payload=dict(call.payload),
                actor=call.actor,
                created_at=call.created_at,
                warnings=list(call.warnings),
            )
        )

    async def finish(self, call: CallRecord, *, only_open: bool = False) -> bool:
        """Write times, outcome and response; see the port."""
        values: dict[str, object] = {
            "sent_at": call.sent_at,
            "ended_at": call.ended_at,
            "outcome": call.outcome,
            "status": call.status,
            "error_code": call.error_code,
            "error_description": call.error_description,
        }
        if call.response is not None:  # else SQL NULL, not the JSON null
            values["response"] = dict(call.response)
        statement = update(_T).where(_T.c.id == call.id).values(values)
        if only_open:
            statement = statement.where(_T.c.outcome.is_(None))
        return (await self._connection.execute(statement)).rowcount == 1

    async def lost(
        self, *, before: datetime, surely_before: datetime
    ) -> list[tuple[Identity, CallRecord]]:
        """See the port. EXPLAIN: the partial index of open calls, a handful of rows."""
        over = or_(
            _C.c.node.is_(None),
            _C.c.connected_at > _T.c.created_at,
            _T.c.created_at < surely_before,
        )
        statement = (
            select(_T, _C.c.identity)
            .join(_C, _C.c.id == _T.c.charge_point_id)
            .where(_T.c.outcome.is_(None), _T.c.created_at < before, over)
            .order_by(_T.c.created_at)
            .limit(_MOST_LOST)
        )
        rows = await self._connection.execute(statement)
        return [(Identity(row.identity), _record(row)) for row in rows]

    async def page(
        self,
        charge_point: ChargePointKey,
        limit: int,
        *,
        before: tuple[datetime, str] | None = None,
    ) -> list[CallRecord]:
        """Return calls, the newest first."""
        statement = (
            select(_T)
            .where(_T.c.charge_point_id == charge_point)
            .order_by(_T.c.created_at.desc(), _T.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(tuple_(_T.c.created_at, _T.c.id) < before)
        return [_record(row) for row in await self._connection.execute(statement)]


def _record(row: Row[Any]) -> CallRecord:
    return CallRecord(
        id=row.id,
        action=row.action,
        payload=row.payload,
        actor=row.actor,
        created_at=row.created_at,
        sent_at=row.sent_at,
        ended_at=row.ended_at,
        outcome=row.outcome,
        status=row.status,
        response=row.response,
        error_code=row.error_code,
        error_description=row.error_description,
        warnings=tuple(row.warnings),
    )
