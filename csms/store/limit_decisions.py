"""What was decided for sessions, kept for a month and read by sites."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import SiteId
from csms.domain.limit_decisions import LimitDecision
from csms.services.ports.site_rules import KeptDecision
from csms.store import decision_tables, tables

_D = decision_tables.limit_decisions
_C = tables.charge_points

_KEPT_FOR = timedelta(days=30)
_MOST_AT_ONCE = 10_000

_KEEP = """
INSERT INTO limit_decisions
    (site_id, charge_point_id, connector_id, transaction_id, limit_w, reason, decided_at)
SELECT s.id, r.charge_point_id, r.connector_id, r.transaction_id, r.limit_w, r.reason, :at
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(charge_point_id bigint, connector_id bigint,
    transaction_id integer, limit_w bigint, reason text)
CROSS JOIN (SELECT id FROM sites WHERE id = :site FOR KEY SHARE) s  -- it may just be removed
"""

# EXPLAIN: from the oldest on by (decided_at)
_PRUNE = """
DELETE FROM limit_decisions WHERE id IN (
    SELECT id FROM limit_decisions WHERE decided_at < :before ORDER BY decided_at LIMIT :most)
"""


async def keep(
    connection: AsyncConnection, site_id: SiteId, decisions: Sequence[LimitDecision], now: datetime
) -> None:
    """Add decisions of a step."""
    rows = [
        {
            "charge_point_id": one.charge_point,
            "connector_id": one.connector_id,
            "transaction_id": one.transaction_id,
            "limit_w": one.limit_w,
            "reason": one.reason,
        }
        for one in decisions
    ]
    await connection.execute(
        text(_KEEP), {"site": site_id, "at": now, "rows": orjson.dumps(rows).decode()}
    )


async def prune(connection: AsyncConnection, now: datetime) -> None:
    """Remove what is older than a month; a bounded number at once."""
    await connection.execute(text(_PRUNE), {"before": now - _KEPT_FOR, "most": _MOST_AT_ONCE})


async def page(
    connection: AsyncConnection,
    site_id: str,
    limit: int,
    *,
    before: int | None,
    transaction_id: int | None,
    identity: str | None,
) -> list[KeptDecision]:
    """Return decisions of a site, the newest first."""
    statement = (
        select(_D, _C.c.identity)
        .join(_C, _C.c.id == _D.c.charge_point_id)
        .where(_D.c.site_id == site_id)
        .order_by(_D.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(_D.c.id < before)
    if transaction_id is not None:
        statement = statement.where(_D.c.transaction_id == transaction_id)
    if identity is not None:
        statement = statement.where(_C.c.identity == identity)
    return [
        KeptDecision(
            id=row.id,
            identity=row.identity,
            connector_id=row.connector_id,
            transaction_id=row.transaction_id,
            limit_w=row.limit_w,
            reason=row.reason,
            at=row.decided_at,
        )
        for row in await connection.execute(statement)
    ]
