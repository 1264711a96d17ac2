"""Refused messages, for operators; the intake puts them there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import ChargePointKey, Identity
from csms.services.records import RefusedMessage
from csms.store import tables

_T = tables.quarantine
_C = tables.charge_points


class Quarantine:
    """See `csms.services.ports.messages.Quarantine`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page(
        self,
        limit: int,
        *,
        before: int | None = None,
        state: str | None = None,
        identity: str | None = None,
    ) -> list[RefusedMessage]:
        """Return messages, the newest first."""
        statement = _select().order_by(_T.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(_T.c.id < before)
        if state is not None:
            statement = statement.where(_T.c.state == state)
        if identity is not None:
            statement = statement.where(func.lower(_C.c.identity) == func.lower(identity))
        return [_record(row) for row in await self._connection.execute(statement)]

    async def get(self, key: int, *, lock: bool = False) -> RefusedMessage | None:
        """Return one message, or None; with `lock` nobody else settles it meanwhile."""
        statement = _select().where(_T.c.id == key)
        if lock:
            statement = statement.with_for_update(of=_T)
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else _record(row)

    async def end(self, key: int, state: str, at: datetime) -> None:
        """Settle a message."""
        await self._connection.execute(
            update(_T).where(_T.c.id == key).values(state=state, ended_at=at)
        )

    async def count_open(self) -> int:
        """Return how many wait for an operator. EXPLAIN: an index-only scan of the open ones."""
        statement = select(func.count()).select_from(_T).where(_T.c.state == "open")
        return int((await self._connection.execute(statement)).scalar_one())

    async def has_started_since(self, charge_point: ChargePointKey, at: datetime) -> bool:
        """Return whether a transaction of this charge point was started after that time."""
        t = tables.transactions.c
        statement = select(
            exists().where(t.charge_point_id == charge_point, t.start_received_at > at)
        )
        return bool((await self._connection.execute(statement)).scalar_one())


def _select() -> Select[Any]:
    return select(_T, _C.c.identity, _C.c.strict).join(_C, _C.c.id == _T.c.charge_point_id)


def _record(row: Row[Any]) -> RefusedMessage:
    return RefusedMessage(
        key=row.id,
        charge_point=ChargePointKey(row.charge_point_id),
        identity=Identity(row.identity),
        strict=row.strict,
        action=row.action,
        reason=row.reason,
        raw=row.raw,
        received_at=row.received_at,
        state=row.state,
        ended_at=row.ended_at,
    )
