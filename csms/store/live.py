"""Reads for live views; see `csms.services.ports.live`.

Lean columns and one statement a question: these are asked each second while somebody watches.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import BigInteger, Text

from csms.domain.ids import REPLAY_PREFIX, ChargePointKey, Identity, SiteId, TransactionId
from csms.services.ports.live import (
    CompletedToday,
    ConnectorRow,
    EndingCertificateRow,
    LimitTrouble,
    QuarantinedRow,
    RefusedRow,
    SiteRow,
    StationRow,
)
from csms.store.site_status import read_status

_METER_SILENT_AFTER = timedelta(seconds=60)

# Connectors come as arrays, so that a station is one row. EXPLAIN: charge points by primary key,
# connectors by theirs.
_STATIONS = """
SELECT c.id, c.identity, c.name, c.site_id, c.registration, c.quiet, c.vendor, c.model,
       c.firmware_version, c.connector_count, c.connected_at, c.disconnected_at, c.last_seen_at,
       c.booted_at, k.numbers, k.statuses, k.errors, k.infos, k.vendor_errors, k.times
FROM charge_points c LEFT JOIN LATERAL (
    SELECT array_agg(connector_id ORDER BY connector_id) AS numbers,
           array_agg(status ORDER BY connector_id) AS statuses,
           array_agg(error_code ORDER BY connector_id) AS errors,
           array_agg(info ORDER BY connector_id) AS infos,
           array_agg(vendor_error_code ORDER BY connector_id) AS vendor_errors,
           array_agg(received_at ORDER BY connector_id) AS times
    FROM connectors WHERE charge_point_id = c.id
) k ON true
WHERE c.deleted_at IS NULL
"""
_PAGE = text(f"{_STATIONS} AND c.id > :after ORDER BY c.id LIMIT :limit")
_SOME = text(f"{_STATIONS} AND c.id = ANY(:keys)").bindparams(
    bindparam("keys", type_=ARRAY(BigInteger))
)

# A decision is large where many cars charge, so only one that is not known yet is read.
_SITES = text("""
SELECT s.id, s.name, s.time_zone, s.grid_limit_w, d.version, d.decided_at,
       CASE WHEN d.version IS DISTINCT FROM k.version
           THEN d.decision - 'turns' - 'drawn' END AS decision,
       m.power_w AS meter_w, m.solar_w
FROM sites s
LEFT JOIN site_decisions d ON d.site_id = s.id
LEFT JOIN unnest(:ids, :versions) AS k(id, version) ON k.id = s.id
LEFT JOIN site_meters m ON m.site_id = s.id AND m.received_at >= :fresh
ORDER BY s.id LIMIT :limit
""").bindparams(bindparam("ids", type_=ARRAY(Text)), bindparam("versions", type_=ARRAY(BigInteger)))

# As the statistics count (csms.store.statistics). EXPLAIN: a bitmap of two days of
# ix_transactions_stopped_at, and of the newest ids for charge points whose clocks lie.
_TODAY = text("""
SELECT t.site_id, t.currency, count(*) AS sessions, coalesce(sum(t.cost), 0) AS revenue,
       coalesce(sum(greatest(t.meter_stop_wh - t.meter_start_wh, 0))
           FILTER (WHERE NOT 'meterSuspect' = ANY(t.findings)), 0) AS energy_wh
FROM transactions t JOIN charge_points c ON c.id = t.charge_point_id
LEFT JOIN sites s ON s.id = t.site_id
WHERE NOT t.active AND NOT starts_with(c.identity, :replayed) AND (t.stopped_at >= :since
        OR t.stop_received_at >= :since
        AND t.id > (SELECT coalesce(max(id), 0) - 5000 FROM transactions))
  AND CAST(timezone(coalesce(s.time_zone, 'UTC'),
      CASE WHEN 'timeSuspect' = ANY(t.findings) THEN t.stop_received_at ELSE t.stopped_at END
      ) AS date) = CAST(timezone(coalesce(s.time_zone, 'UTC'), CAST(:now AS timestamptz)) AS date)
GROUP BY t.site_id, t.currency ORDER BY t.site_id NULLS LAST, t.currency
""")

_LIMITS = text("""
SELECT c.identity, c.site_id, l.connector_id, l.transaction_id, l.refused_status, l.refused_at,
       coalesce(l.refused_w, l.desired_w) AS wanted_w
FROM charging_limits l
JOIN charge_points c ON c.id = l.charge_point_id AND c.deleted_at IS NULL
JOIN transactions t ON t.id = l.transaction_id AND t.active
WHERE l.purpose = 'TxProfile' AND l.refusals > 0 AND l.refused_status IS NOT NULL
ORDER BY l.refused_at LIMIT :limit
""")

_CERTIFICATES = text("""
SELECT * FROM (
    SELECT DISTINCT ON (c.id) c.identity, s.serial_number, s.not_after
    FROM station_certificates s
    JOIN charge_points c ON c.id = s.charge_point_id AND c.deleted_at IS NULL
    WHERE s.certificate_type = 'ChargePointCertificate' AND s.not_after IS NOT NULL
      AND s.revoked_at IS NULL AND (c.security_profile = 3 OR s.in_use_at IS NOT NULL)
    ORDER BY c.id, s.not_after DESC
) newest WHERE not_after < :until ORDER BY not_after LIMIT :limit
""")

_QUARANTINED = text("""
SELECT c.identity, count(*) AS count, min(q.received_at) AS since,
       (array_agg(q.action ORDER BY q.id DESC))[1] AS action,
       (array_agg(q.reason ORDER BY q.id DESC))[1] AS reason
FROM quarantine q JOIN charge_points c ON c.id = q.charge_point_id
WHERE q.state = 'open' GROUP BY c.identity ORDER BY min(q.received_at) LIMIT :limit
""")

# EXPLAIN: the diary is small by its retention: 200 rows a station, 1,000 of unknown ones.
_REFUSED = text("""
SELECT a.identity, a.at, a.status, a.reason, a.address, f.count, f.first_at,
       EXISTS (SELECT 1 FROM charge_points c
               WHERE lower(c.identity) = a.identity_folded AND c.deleted_at IS NULL) AS known
FROM (
    SELECT identity_folded, max(id) AS id, count(*) FILTER (WHERE outcome = 'refused') AS count,
           min(at) FILTER (WHERE outcome = 'refused') AS first_at
    FROM connection_attempts WHERE at >= :since GROUP BY identity_folded
) f JOIN connection_attempts a ON a.id = f.id
WHERE a.outcome = 'refused' ORDER BY a.id DESC LIMIT :limit
""")

_IDENTITIES = text("SELECT id, identity FROM charge_points WHERE id = ANY(:keys)").bindparams(
    bindparam("keys", type_=ARRAY(BigInteger))
)


class LiveRows:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def stations(self, limit: int, *, after: int = 0) -> list[StationRow]:
        """See the port."""
        rows = await self._connection.execute(_PAGE, {"after": after, "limit": limit})
        return [_station(row) for row in rows]

    async def stations_of(self, keys: Collection[ChargePointKey]) -> list[StationRow]:
        """See the port."""
        rows = await self._connection.execute(_SOME, {"keys": list(keys)})
        return [_station(row) for row in rows]

    async def sites(
        self, known: Mapping[SiteId, int | None], limit: int, now: datetime
    ) -> list[SiteRow]:
        """See the port."""
        values = {
            "ids": list(known),
            "versions": list(known.values()),
            "fresh": now - _METER_SILENT_AFTER,
            "limit": limit,
        }
        return [_site(row) for row in await self._connection.execute(_SITES, values)]

    async def completed_today(self, now: datetime) -> list[CompletedToday]:
        """See the port."""
        values = {"now": now, "since": now - timedelta(days=2), "replayed": REPLAY_PREFIX}
        return [
            CompletedToday(
                site_id=None if row.site_id is None else SiteId(row.site_id),
                currency=row.currency,
                sessions=row.sessions,
                energy_wh=int(row.energy_wh),
                revenue=row.revenue,
            )
            for row in await self._connection.execute(_TODAY, values)
        ]

    async def limit_troubles(self, limit: int) -> list[LimitTrouble]:
        """See the port. EXPLAIN: running transactions' rows of the ledger, which it holds only."""
        return [
            LimitTrouble(
                identity=Identity(row.identity),
                site_id=None if row.site_id is None else SiteId(row.site_id),
                connector_id=row.connector_id,
                transaction_id=None
                if row.transaction_id is None
                else TransactionId(row.transaction_id),
                status=row.refused_status,
                wanted_w=row.wanted_w,
                since=row.refused_at,
            )
            for row in await self._connection.execute(_LIMITS, {"limit": limit})
        ]

    async def ending_certificates(self, until: datetime, limit: int) -> list[EndingCertificateRow]:
        """See the port."""
        rows = await self._connection.execute(_CERTIFICATES, {"until": until, "limit": limit})
        return [
            EndingCertificateRow(
                identity=Identity(row.identity),
                serial_number=row.serial_number,
                not_after=row.not_after,
            )
            for row in rows
        ]

    async def quarantined(self, limit: int) -> list[QuarantinedRow]:
        """See the port. EXPLAIN: by ix_quarantine_open."""
        return [
            QuarantinedRow(
                identity=Identity(row.identity),
                count=row._mapping["count"],  # noqa: SLF001  rows have a method of this name
                newest_action=row.action,
                newest_reason=row.reason,
                since=row.since,
            )
            for row in await self._connection.execute(_QUARANTINED, {"limit": limit})
        ]

    async def refused(self, since: datetime, limit: int) -> list[RefusedRow]:
        """See the port."""
        rows = await self._connection.execute(_REFUSED, {"since": since, "limit": limit})
        return [
            RefusedRow(
                identity=row.identity,
                known=row.known,
                count=row._mapping["count"],  # noqa: SLF001  rows have a method of this name
                first_at=row.first_at,
                at=row.at,
                status=row.status,
                reason=row.reason,
                address=row.address,
            )
            for row in rows
        ]

    async def identities(self, keys: Collection[ChargePointKey]) -> dict[ChargePointKey, Identity]:
        """See the port."""
        rows = await self._connection.execute(_IDENTITIES, {"keys": list(keys)})
        return {ChargePointKey(row.id): Identity(row.identity) for row in rows}


def _station(row: Any) -> StationRow:
    known = {
        number: ConnectorRow(
            connector_id=number,
            status=status,
            error_code=error,
            info=info,
            vendor_error_code=vendor_error,
            received_at=at,
        )
        for number, status, error, info, vendor_error, at in zip(
            row.numbers or (),
            row.statuses or (),
            row.errors or (),
            row.infos or (),
            row.vendor_errors or (),
            row.times or (),
            strict=True,
        )
    }
    numbers = sorted({*range(1, (row.connector_count or 0) + 1), *known})
    return StationRow(
        key=ChargePointKey(row.id),
        identity=Identity(row.identity),
        name=row.name,
        site_id=None if row.site_id is None else SiteId(row.site_id),
        registration=row.registration,
        quiet=row.quiet,
        vendor=row.vendor,
        model=row.model,
        firmware_version=row.firmware_version,
        connected_at=row.connected_at,
        disconnected_at=row.disconnected_at,
        last_seen_at=row.last_seen_at,
        booted_at=row.booted_at,
        connectors=tuple(known.get(n) or ConnectorRow(connector_id=n) for n in numbers),
    )


def _site(row: Any) -> SiteRow:
    site_id = SiteId(row.id)
    return SiteRow(
        id=site_id,
        name=row.name,
        time_zone=row.time_zone,
        grid_limit_w=row.grid_limit_w,
        version=row.version,
        status=None if row.decision is None else read_status(site_id, row.decided_at, row.decision),
        meter_w=row.meter_w,
        solar_w=row.solar_w,
    )
