"""The connection diary; see `csms.services.ports.diary`."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select, text

from csms.services.ports.diary import Attempt
from csms.store import state_tables
from csms.store.database import Database

_T = state_tables.connection_attempts

_KEPT_A_STATION = 200
_KEPT_UNKNOWN = 1_000

# Refused log-ins and take-overs are security events too: one a minute each, whatever the storm.
_NOTE = text("""
WITH come AS (
    SELECT a.*, c.id AS charge_point_id
    FROM unnest(
        CAST(:identities AS text[]), CAST(:times AS timestamptz[]), CAST(:outcomes AS text[]),
        CAST(:statuses AS int[]), CAST(:reasons AS text[]), CAST(:addresses AS text[])
    ) WITH ORDINALITY AS a(identity, at, outcome, status, reason, address, place)
    LEFT JOIN charge_points c
        ON lower(c.identity) = lower(a.identity) AND c.deleted_at IS NULL
), told AS (
    INSERT INTO security_events
        (charge_point_id, source, type, at, received_at, tech_info, critical)
    SELECT DISTINCT charge_point_id, 'server',
        CASE outcome WHEN 'refused' THEN 'LoginRefused' ELSE 'ConnectionTakenOver' END,
        date_trunc('minute', at), date_trunc('minute', at), coalesce(reason, ''), false
    FROM come
    WHERE charge_point_id IS NOT NULL
        AND (outcome = 'tookOver' OR outcome = 'refused' AND status IN (401, 403))
    ON CONFLICT ON CONSTRAINT uq_security_events_content DO NOTHING
)
INSERT INTO connection_attempts
    (identity, identity_folded, charge_point_id, at, outcome, status, reason, address)
SELECT identity, lower(identity), charge_point_id, at, outcome, status, reason, address
FROM come ORDER BY place
""")

_PRUNE = text("""
DELETE FROM connection_attempts WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY identity_folded ORDER BY id DESC) AS place
        FROM connection_attempts
        WHERE identity_folded IN (SELECT lower(i) FROM unnest(CAST(:identities AS text[])) i)
    ) numbered WHERE place > :kept
)
""")

_PRUNE_UNKNOWN = text("""
DELETE FROM connection_attempts WHERE charge_point_id IS NULL AND id <= (
    SELECT id FROM connection_attempts WHERE charge_point_id IS NULL
    ORDER BY id DESC OFFSET :kept LIMIT 1
)
""")


class SqlDiaryStore:
    """Each method is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, attempts: Sequence[Attempt]) -> None:
        """See the port."""
        identities = [attempt.identity for attempt in attempts]
        values = {
            "identities": identities,
            "times": [attempt.at for attempt in attempts],
            "outcomes": [attempt.outcome for attempt in attempts],
            "statuses": [attempt.status for attempt in attempts],
            "reasons": [attempt.reason for attempt in attempts],
            "addresses": [attempt.address for attempt in attempts],
        }
        async with self._database.transaction() as connection:
            await connection.execute(_NOTE, values)
            await connection.execute(
                _PRUNE, {"identities": sorted(set(identities)), "kept": _KEPT_A_STATION}
            )
            await connection.execute(_PRUNE_UNKNOWN, {"kept": _KEPT_UNKNOWN})

    async def page(
        self, identity: str, limit: int, before: int | None = None
    ) -> list[tuple[int, Attempt]]:
        """See the port."""
        query = (
            select(_T)
            .where(_T.c.identity_folded == func.lower(identity))
            .order_by(_T.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(_T.c.id < before)
        async with self._database.transaction() as connection:
            rows = (await connection.execute(query)).all()
        return [
            (
                row.id,
                Attempt(
                    identity=row.identity,
                    at=row.at,
                    outcome=row.outcome,
                    status=row.status,
                    reason=row.reason,
                    address=row.address,
                ),
            )
            for row in rows
        ]
