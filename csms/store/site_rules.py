"""Rules, limits and meters of sites."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import ChargePointKey
from csms.domain.reclaim import RAMP
from csms.domain.site_rules import (
    LimitScope,
    MeterReading,
    OutsideLimit,
    SiteRules,
    read_rules,
    written_rules,
)
from csms.services.ports.site_rules import KeptDecision, SessionLimit, StoredLimit
from csms.store import limit_decisions, limit_tables, tables
from csms.store.control_sql import FORGET

_S = tables.sites
_L = limit_tables.site_limits
_M = limit_tables.site_meters

# What runs on stations, and what other systems have told of their loads; what was told long ago, or
# by a station that is away, may not be drawn any more. Beside it the same with what sessions may
# draw by now that were told a limit, or are being told one, since their meter's last word.
_DRAW = text("""
SELECT coalesce(sum(r.told_w), 0) + m.told_w AS told_w,
       coalesce(sum(greatest(r.told_w, r.may_w)), 0) + m.told_w AS may_w
FROM (
    SELECT CASE WHEN t.metered_received_at > :since THEN t.power_w END AS told_w,
           (SELECT max(greatest(l.acknowledged_w, l.in_flight_w)) FROM charging_limits l
            WHERE l.charge_point_id = c.id AND l.connector_id = t.connector_id
                AND (l.purpose = 'TxDefaultProfile'
                     OR l.purpose = 'TxProfile' AND l.transaction_id = t.id)
                AND l.sent_at > :since
                AND (t.metered_received_at IS NULL OR t.metered_received_at
                     <= greatest(l.sent_at, l.acknowledged_at) + CAST(:ramp AS interval))
           ) AS may_w
    FROM charge_points c JOIN transactions t ON t.charge_point_id = c.id AND t.active
    WHERE c.site_id = :site AND c.deleted_at IS NULL AND c.node IS NOT NULL
) r
RIGHT JOIN (
    SELECT coalesce(sum(consumed_power_w), 0) AS told_w FROM managed_loads
    WHERE site_id = :site AND stopped_at IS NULL
) m ON true
GROUP BY m.told_w
""")

# a session without a limit of its own has that of its connector, or of its charge point
_SESSION = text("""
SELECT t.connector_id, t.id, coalesce(own.acknowledged_w, one.acknowledged_w, f.acknowledged_w,
    own.desired_w, f.desired_w, 0) AS limit_w
FROM transactions t
LEFT JOIN charging_limits own ON own.charge_point_id = t.charge_point_id
    AND own.connector_id = t.connector_id AND own.purpose = 'TxProfile'
    AND own.transaction_id = t.id
LEFT JOIN charging_limits one ON one.charge_point_id = t.charge_point_id
    AND one.connector_id = t.connector_id AND one.purpose = 'TxDefaultProfile'
LEFT JOIN charging_limits f ON f.charge_point_id = t.charge_point_id
    AND f.connector_id = 0 AND f.purpose = 'TxDefaultProfile'
WHERE t.charge_point_id = :key AND t.active AND t.connector_id > 0
ORDER BY t.id DESC LIMIT 1
""")


class SiteRulesRows:
    """See `csms.services.ports.site_rules.SiteRulesRepository`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def rules(self, site_id: str) -> SiteRules | None:
        """See the port."""
        found = await self._connection.execute(select(_S.c.rules).where(_S.c.id == site_id))
        row = found.first()
        return None if row is None else read_rules(row.rules)

    async def set_rules(self, site_id: str, rules: SiteRules) -> None:
        """See the port."""
        await self._connection.execute(
            update(_S).where(_S.c.id == site_id).values(rules=written_rules(rules))
        )

    async def limits(
        self, site_id: str, limit: int, *, before: int | None = None
    ) -> list[StoredLimit]:
        """See the port."""
        statement = select(_L).where(_L.c.site_id == site_id).order_by(_L.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(_L.c.id < before)
        return [_stored(row) for row in await self._connection.execute(statement)]

    async def limit(self, site_id: str, limit_id: int) -> StoredLimit | None:
        """See the port."""
        statement = select(_L).where(_L.c.site_id == site_id, _L.c.id == limit_id)
        row = (await self._connection.execute(statement)).first()
        return None if row is None else _stored(row)

    async def add_limit(
        self,
        site_id: str,
        limit: OutsideLimit,
        reason: str | None,
        created_by: str,
        now: datetime,
    ) -> StoredLimit:
        """See the port."""
        values = {
            "site_id": site_id,
            "circuit_id": limit.circuit_id,
            "limit_w": limit.limit_w,
            "scope": limit.scope.value,
            "starts_at": limit.starts_at,
            "ends_at": limit.ends_at,
            "reason": reason,
            "created_by": created_by,
            "created_at": now,
        }
        row = (await self._connection.execute(insert(_L).values(values).returning(_L))).one()
        return _stored(row)

    async def end_limit(self, limit_id: int, ends_at: datetime | None) -> None:
        """See the port."""
        await self._connection.execute(
            update(_L).where(_L.c.id == limit_id).values(ends_at=ends_at)
        )

    async def remove_limit(self, limit_id: int) -> None:
        """See the port."""
        await self._connection.execute(delete(_L).where(_L.c.id == limit_id))

    async def decisions(
        self,
        site_id: str,
        limit: int,
        *,
        before: int | None = None,
        transaction_id: int | None = None,
        identity: str | None = None,
    ) -> list[KeptDecision]:
        """See the port."""
        return await limit_decisions.page(
            self._connection,
            site_id,
            limit,
            before=before,
            transaction_id=transaction_id,
            identity=identity,
        )

    async def meter(self, site_id: str) -> MeterReading | None:
        """See the port."""
        row = (await self._connection.execute(select(_M).where(_M.c.site_id == site_id))).first()
        if row is None:
            return None
        return MeterReading(
            power_w=row.power_w,
            building_w=row.building_w,
            building_at=row.building_at,
            recent_w=row.building_w if row.recent_w is None else row.recent_w,
            at=row.received_at,
            solar_w=row.solar_w,
        )

    async def set_meter(self, site_id: str, reading: MeterReading) -> None:
        """See the port."""
        values = {
            "power_w": reading.power_w,
            "building_w": reading.building_w,
            "building_at": reading.building_at,
            "recent_w": reading.recent_w,
            "received_at": reading.at,
            "solar_w": reading.solar_w,
        }
        await self._connection.execute(
            upsert(_M)
            .values(site_id=site_id, **values)
            .on_conflict_do_update(index_elements=["site_id"], set_=values)
        )

    async def remove_meter(self, site_id: str) -> None:
        """See the port."""
        await self._connection.execute(delete(_M).where(_M.c.site_id == site_id))

    async def fallback_share_w(self, charge_point: ChargePointKey) -> int | None:
        """See the port."""
        limits = tables.charging_limits.c
        share_w = func.coalesce(limits.acknowledged_w, limits.desired_w)
        statement = select(share_w).where(
            limits.charge_point_id == charge_point,
            limits.connector_id == 0,
            limits.purpose == "TxDefaultProfile",
        )
        found: int | None = (await self._connection.execute(statement)).scalar_one_or_none()
        return found

    async def session_limit(self, charge_point: ChargePointKey) -> SessionLimit | None:
        """See the port."""
        row = (await self._connection.execute(_SESSION, {"key": charge_point})).first()
        if row is None:
            return None
        return SessionLimit(
            connector_id=row.connector_id, transaction_id=row.id, limit_w=row.limit_w
        )

    async def forget_limits(self, charge_point: ChargePointKey) -> None:
        """See the port."""
        await self._connection.execute(text(FORGET), {"keys": [charge_point]})

    async def chargers_draw_w(self, site_id: str, since: datetime) -> tuple[int, int]:
        """See the port."""
        values = {"site": site_id, "since": since, "ramp": RAMP}
        row = (await self._connection.execute(_DRAW, values)).one()
        return int(row.told_w), int(row.may_w)


def _stored(row: Any) -> StoredLimit:
    return StoredLimit(
        id=row.id,
        limit=OutsideLimit(
            limit_w=row.limit_w,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            scope=LimitScope(row.scope),
            circuit_id=row.circuit_id,
        ),
        reason=row.reason,
        created_by=row.created_by,
        created_at=row.created_at,
    )
