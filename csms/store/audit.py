"""The audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.services.ports.users import AuditFilter
from csms.services.records import AuditEntry
from csms.store import tables

_T = tables.audit


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    """Return what entries have to fulfil."""
    equal = (
        (_T.c.actor, wanted.actor),
        (_T.c.action, wanted.action),
        (_T.c.object_type, wanted.object_type),
        (_T.c.object_id, wanted.object_id),
    )
    found: list[ColumnElement[bool]] = [column == text for column, text in equal if text]
    if wanted.since is not None:
        found.append(_T.c.at >= wanted.since)
    if wanted.until is not None:
        found.append(_T.c.at < wanted.until)
    return found


class Audit:
    """See `csms.services.ports.users.Audit`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(
        self,
        *,
        at: datetime,
        actor: str,
        action: str,
        object_type: str,
        object_id: str | None,
        details: Mapping[str, Any],
    ) -> None:
        """Add an entry; there is no way to change or remove one."""
        await self._connection.execute(
            insert(_T).values(
                at=at,
                actor=actor,
                action=action,
                object_type=object_type,
                object_id=object_id,
                details=dict(details),
            )
        )

    async def page(
        self, limit: int, wanted: AuditFilter | None = None, *, before: int | None = None
    ) -> list[AuditEntry]:
        """Return entries, the newest first.

        EXPLAIN: the primary key backwards, filtered; people write few entries.
        """
        statement = select(_T).order_by(_T.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(_T.c.id < before)
        if wanted is not None:
            statement = statement.where(*_conditions(wanted))
        return [
            AuditEntry(
                key=row.id,
                at=row.at,
                actor=row.actor,
                action=row.action,
                object_type=row.object_type,
                object_id=row.object_id,
                details=row.details,
            )
            for row in await self._connection.execute(statement)
        ]
