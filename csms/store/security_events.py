"""Security events, for operators; see `csms.services.ports.state.SecurityEvents`."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import ChargePointKey
from csms.domain.security_events import FOREIGN_TRANSACTION, SecurityEventFact
from csms.services.ports.state import SecurityEvent
from csms.store import state_tables

_T = state_tables.security_events

_LONGEST = 255
_FIRST_LOOK = timedelta(days=1)
_OVERLAP = 1_000
"""How many orphans are looked at again: they need not be committed in the order of their keys."""

# several nodes may do it: the content's constraint keeps each event single
_FOREIGN = text("""
WITH found AS (
    SELECT id, charge_point_id, received_at, payload ->> 'transactionId' AS transaction
    FROM orphan_messages
    WHERE id > CAST(:after AS bigint) - :overlap
        AND reason = 'foreignTransaction' AND received_at > :since
    ORDER BY id LIMIT 5000
), kept AS (
    INSERT INTO security_events
        (charge_point_id, source, type, at, received_at, tech_info, critical)
    SELECT charge_point_id, 'server', :type, received_at, received_at,
        'transactionId ' || transaction, false
    FROM found ORDER BY id
    ON CONFLICT ON CONSTRAINT uq_security_events_content DO NOTHING
)
SELECT max(id) FROM orphan_messages
""")


class SecurityEvents:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, event: SecurityEventFact) -> bool:
        """See the port."""
        statement = (
            insert(_T)
            .values(
                charge_point_id=event.charge_point,
                source=event.source,
                type=event.type,
                at=event.at,
                received_at=event.received_at,
                tech_info=(event.tech_info or "")[:_LONGEST].replace("\0", ""),
                critical=event.critical,
            )
            .on_conflict_do_nothing(constraint="uq_security_events_content")
            .returning(_T.c.id)
        )
        return (await self._connection.execute(statement)).first() is not None

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

    async def note_foreign_transactions(self, after: int, now: datetime) -> int:
        """See the port. EXPLAIN: a range of the primary key of orphans."""
        values = {
            "after": after,
            "overlap": _OVERLAP,
            "since": now - _FIRST_LOOK,
            "type": FOREIGN_TRANSACTION,
        }
        newest = (await self._connection.execute(_FOREIGN, values)).scalar_one()
        return after if newest is None else int(newest)
