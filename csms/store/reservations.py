"""Reservations; see `csms.services.ports.state.Reservations`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import ChargePointKey, Identity, TransactionId, id_tag_key
from csms.domain.reservations import ReservationRequest
from csms.services.ports.state import Reservation
from csms.store import state_tables, tables

_T = state_tables.reservations
_C = tables.charge_points

_LATE = timedelta(days=7)
"""How long after an expiry an offline start may still say that it was in time."""
_MOST_STATIONS = 10

# By its id, or (OCPP 1.6 5.11) because the same tag or group has started where it was expected. A
# request that is not answered yet is used too: the start is the proof that it was accepted.
_USED = text("""
WITH fit AS (
    SELECT DISTINCT ON (t.id) t.id AS transaction_id, r.id
    FROM reservations r
    JOIN transactions t ON t.charge_point_id = r.charge_point_id
        AND t.start_received_at >= r.created_at
    LEFT JOIN id_tags g ON g.id_tag_key = t.id_tag_key
    WHERE (r.status IN ('requested', 'active')
            OR r.status = 'expired' AND r.ended_at > :since AND t.started_at <= r.expires_at
                AND t.reservation_id = r.reservation_id)
        AND (t.reservation_id = r.reservation_id
            OR coalesce(t.reservation_id, 0) <= 0 AND r.status = 'active'
                AND (r.connector_id = 0 OR t.connector_id = r.connector_id))
        AND (t.id_tag_key = r.id_tag_key OR upper(g.parent_id_tag) = r.parent_key)
        AND NOT EXISTS (SELECT 1 FROM reservations o WHERE o.transaction_id = t.id)
    ORDER BY t.id, t.reservation_id IS DISTINCT FROM r.reservation_id, r.id DESC
), first AS (
    SELECT DISTINCT ON (id) id, transaction_id FROM fit ORDER BY id, transaction_id
)
UPDATE reservations r
SET status = 'used', confirmed = true, transaction_id = first.transaction_id, ended_at = :now
FROM first
WHERE r.id = first.id AND r.status IN ('requested', 'active', 'expired')
""")

# The handler of the status does the same at once; this is for a status that overtook the answer.
_DROPPED = text("""
UPDATE reservations r SET status = 'dropped', ended_at = :now
FROM connectors k
WHERE r.status = 'active' AND k.charge_point_id = r.charge_point_id
    AND k.connector_id IN (0, r.connector_id) AND k.status IN ('Faulted', 'Unavailable')
    AND k.received_at >= r.created_at
""")

_EXPIRED = text("""
UPDATE reservations SET status = 'expired', ended_at = expires_at
WHERE status IN ('requested', 'active') AND expires_at <= :now
""")

# 0 and below is how some charge points say that there is none. Rows at work are left for the next
# time, so that nobody waits for another.
_UNKNOWN = text("""
WITH found AS (
    SELECT t.id FROM transactions t
    WHERE t.reservation_id > 0 AND t.start_received_at > :since
        AND NOT 'reservationUnknown' = ANY(t.findings)
        AND NOT EXISTS (SELECT 1 FROM reservations r WHERE r.transaction_id = t.id)
    ORDER BY t.id LIMIT 500
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE transactions t SET findings = array_append(t.findings, 'reservationUnknown')
FROM found WHERE t.id = found.id
RETURNING t.id
""")


class Reservations:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def next_id(self) -> int:
        """See the port."""
        query = select(state_tables.reservation_ids.next_value())
        return int((await self._connection.execute(query)).scalar_one())

    async def request(
        self,
        charge_point: ChargePointKey,
        request: ReservationRequest,
        *,
        call_id: str,
        at: datetime,
    ) -> None:
        """See the port."""
        parent = request.parent_id_tag
        await self._connection.execute(
            insert(_T).values(
                charge_point_id=charge_point,
                reservation_id=request.reservation_id,
                connector_id=request.connector_id,
                id_tag=request.id_tag,
                id_tag_key=id_tag_key(request.id_tag),
                parent_id_tag=parent,
                parent_key=None if parent is None else id_tag_key(parent),
                expires_at=request.expires_at,
                call_id=call_id,
                created_at=at,
            )
        )

    async def activate(self, call_id: str, *, confirmed: bool, at: datetime) -> None:
        """See the port."""
        statement = (
            update(_T)
            .where(_T.c.call_id == call_id, _T.c.status == "requested")
            .values(status="active", confirmed=confirmed)
            .returning(_T.c.id, _T.c.charge_point_id, _T.c.reservation_id)
        )
        row = (await self._connection.execute(statement)).first()
        if row is not None and confirmed:  # the same id replaces (N13)
            await self._connection.execute(
                update(_T)
                .where(
                    _T.c.charge_point_id == row.charge_point_id,
                    _T.c.reservation_id == row.reservation_id,
                    _T.c.id < row.id,
                    _T.c.status == "active",
                )
                .values(status="cancelled", ended_at=at)
            )

    async def refuse(self, call_id: str, at: datetime) -> None:
        """See the port."""
        await self._connection.execute(
            update(_T)
            .where(_T.c.call_id == call_id, _T.c.status == "requested")
            .values(status="refused", ended_at=at)
        )

    async def forget(self, call_id: str) -> None:
        """See the port."""
        await self._connection.execute(delete(_T).where(_T.c.call_id == call_id))

    async def end(
        self, charge_point: ChargePointKey, reservation_id: int, status: str, at: datetime
    ) -> None:
        """See the port."""
        await self._connection.execute(
            update(_T)
            .where(
                _T.c.charge_point_id == charge_point,
                _T.c.reservation_id == reservation_id,
                _T.c.status == "active",
            )
            .values(status=status, ended_at=at)
        )

    async def by_call(self, call_id: str) -> Reservation | None:
        """See the port."""
        row = (await self._connection.execute(_select().where(_T.c.call_id == call_id))).first()
        return None if row is None else _record(row)

    async def of_id(self, reservation_id: int, identity: str | None) -> list[Reservation]:
        """See the port."""
        query = (
            _select()
            .where(_T.c.reservation_id == reservation_id)
            .ext(distinct_on(_T.c.charge_point_id))
            .order_by(_T.c.charge_point_id, _T.c.id.desc())
            .limit(_MOST_STATIONS)
        )
        if identity is not None:
            query = query.where(func.lower(_C.c.identity) == func.lower(identity))
        return [_record(row) for row in await self._connection.execute(query)]

    async def page(
        self,
        limit: int,
        *,
        before: int | None = None,
        status: str | None = None,
        identity: str | None = None,
        pending: bool = False,
    ) -> list[Reservation]:
        """See the port."""
        query = _select(pending=pending).order_by(_T.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(_T.c.id < before)
        if status is not None:
            query = query.where(_T.c.status == status)
        if identity is not None:
            query = query.where(func.lower(_C.c.identity) == func.lower(identity))
        return [_record(row) for row in await self._connection.execute(query)]

    async def follow(self, now: datetime) -> list[TransactionId]:
        """See the port. EXPLAIN: partial indexes of open reservations and of starts with one."""
        values = {"now": now, "since": now - _LATE}
        await self._connection.execute(_USED, values)
        await self._connection.execute(_DROPPED, {"now": now})
        await self._connection.execute(_EXPIRED, {"now": now})
        rows = await self._connection.execute(_UNKNOWN, {"since": now - _LATE})
        return [TransactionId(row.id) for row in rows]


def _select(*, pending: bool = False) -> Select[Any]:
    query = select(_T, _C.c.identity).join(_C, _C.c.id == _T.c.charge_point_id)
    return query if pending else query.where(_T.c.status != "requested")


def _record(row: Row[Any]) -> Reservation:
    return Reservation(
        key=row.id,
        reservation_id=row.reservation_id,
        identity=Identity(row.identity),
        connector_id=row.connector_id,
        id_tag=row.id_tag,
        parent_id_tag=row.parent_id_tag,
        expires_at=row.expires_at,
        status=row.status,
        confirmed=row.confirmed,
        transaction_id=row.transaction_id,
    )
