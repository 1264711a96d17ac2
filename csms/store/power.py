"""Power over time; see `csms.services.ports.power`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import BigInteger, Integer

from csms.domain.ids import ChargePointKey, Identity, SiteId
from csms.domain.power_series import Measured, Span
from csms.services.ports.power import SiteSample, SiteStation
from csms.store import sample_tables, tables

_P = tables.charge_points
_T = sample_tables.site_samples
_DECIDED_WITHIN = timedelta(minutes=5)
_METERED_WITHIN = timedelta(minutes=1)

# EXPLAIN: one index scan a charge point over (charge_point_id, received_at) of the partitions that
# the two times leave, then a hash or sort of what is left.
_MEASURED = text("""
SELECT charge_point_id, connector_id, transaction_id,
       CAST(floor(extract(epoch FROM received_at - CAST(:begin AS timestamptz)) / :step) AS int)
           AS step,
       CAST(avg(power_w) AS bigint) AS power_w, max(energy_wh) AS register_wh,
       extract(epoch FROM max(received_at) - CAST(:begin AS timestamptz)) AS at_s
FROM meter_values
WHERE charge_point_id = ANY(:keys) AND received_at >= :begin AND received_at < :end
  AND connector_id > 0 AND (power_w IS NOT NULL OR energy_wh IS NOT NULL)
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 LIMIT :limit
""").bindparams(bindparam("keys", type_=ARRAY(BigInteger)))

_SPANS = text("""
SELECT charge_point_id, id,
       extract(epoch FROM start_received_at - CAST(:begin AS timestamptz)) AS begin_s,
       CASE WHEN NOT active THEN extract(epoch FROM
           coalesce(stop_received_at, stopped_at) - CAST(:begin AS timestamptz)) END AS end_s
FROM transactions
WHERE id = ANY(:ids) OR (active AND charge_point_id = ANY(:keys))
""").bindparams(bindparam("ids", type_=ARRAY(Integer)), bindparam("keys", type_=ARRAY(BigInteger)))

_SAMPLES = text("""
SELECT date_bin(make_interval(secs => :step), at, CAST(:begin AS timestamptz)) AS step,
       CAST(min(limit_w) AS bigint) AS limit_w, CAST(avg(allocated_w) AS bigint) AS allocated_w,
       CAST(avg(battery_w) AS bigint) AS battery_w, CAST(avg(meter_w) AS bigint) AS meter_w,
       CAST(avg(building_w) AS bigint) AS building_w, CAST(avg(solar_w) AS bigint) AS solar_w
FROM site_samples WHERE site_id = :site AND at >= :begin AND at < :end
GROUP BY 1 ORDER BY 1 LIMIT :limit
""")

_TAKE = text("""
INSERT INTO site_samples
    (site_id, at, limit_w, allocated_w, battery_w, meter_w, building_w, solar_w)
SELECT s.id, date_trunc('minute', CAST(:now AS timestamptz)),
       least(s.grid_limit_w, (SELECT CAST(c ->> 1 AS bigint)
                              FROM jsonb_array_elements(d.decision -> 'circuits') c
                              WHERE c ->> 0 = 'grid' LIMIT 1)),
       CAST(d.decision ->> 'gridPowerW' AS bigint),
       CAST(d.decision -> 'battery' ->> 'powerW' AS bigint), m.power_w, m.building_w,
       m.solar_w
FROM sites s
LEFT JOIN site_decisions d ON d.site_id = s.id AND d.decided_at >= :decided
LEFT JOIN site_meters m ON m.site_id = s.id AND m.received_at >= :metered
ON CONFLICT DO NOTHING
""")


class PowerHistory:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def stations(self, site_id: SiteId, limit: int) -> list[SiteStation]:
        """See the port."""
        statement = (
            select(_P.c.id, _P.c.identity, _P.c.name)
            .where(_P.c.site_id == site_id, _P.c.deleted_at.is_(None))
            .order_by(_P.c.identity)
            .limit(limit)
        )
        return [
            SiteStation(key=ChargePointKey(row.id), identity=Identity(row.identity), name=row.name)
            for row in await self._connection.execute(statement)
        ]

    async def measured(
        self,
        keys: Collection[ChargePointKey],
        begin: datetime,
        end: datetime,
        step_s: int,
        limit: int,
    ) -> list[Measured]:
        """See the port."""
        values = {"keys": list(keys), "begin": begin, "end": end, "step": step_s, "limit": limit}
        return [
            Measured(
                load=row.charge_point_id,
                transaction=row.transaction_id,
                connector=row.connector_id,
                step=row.step,
                power_w=row.power_w,
                register_wh=row.register_wh,
                at_s=float(row.at_s),
            )
            for row in await self._connection.execute(_MEASURED, values)
        ]

    async def spans(
        self, keys: Collection[ChargePointKey], transactions: Collection[int], begin: datetime
    ) -> list[Span]:
        """See the port."""
        values = {"keys": list(keys), "ids": list(transactions), "begin": begin}
        return [
            Span(
                load=row.charge_point_id,
                transaction=row.id,
                begin_s=float(row.begin_s),
                end_s=None if row.end_s is None else float(row.end_s),
            )
            for row in await self._connection.execute(_SPANS, values)
        ]

    async def samples(
        self, site_id: SiteId, begin: datetime, end: datetime, step_s: int, limit: int
    ) -> list[SiteSample]:
        """See the port. EXPLAIN: by the primary key."""
        values = {"site": site_id, "begin": begin, "end": end, "step": step_s, "limit": limit}
        return [
            SiteSample(
                at=row.step,
                limit_w=row.limit_w,
                allocated_w=row.allocated_w,
                battery_w=row.battery_w,
                meter_w=row.meter_w,
                building_w=row.building_w,
                solar_w=row.solar_w,
            )
            for row in await self._connection.execute(_SAMPLES, values)
        ]

    async def take_samples(self, now: datetime) -> int:
        """See the port."""
        result = await self._connection.execute(
            _TAKE,
            {"now": now, "decided": now - _DECIDED_WITHIN, "metered": now - _METERED_WITHIN},
        )
        return int(result.rowcount)

    async def drop_samples(self, before: datetime) -> int:
        """See the port. EXPLAIN: by ix_site_samples_at."""
        result = await self._connection.execute(delete(_T).where(_T.c.at < before))
        return int(result.rowcount)
