"""Connectors, starts and rules as drivers' pages need them: set-based, whatever the number."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Table, bindparam, insert, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.driver_page import LINK_WITHIN, Access, PageRules
from csms.domain.ids import ChargePointKey, Identity, TransactionId, id_tag_key
from csms.services.ports.driver_pages import DriverStart, FirstCharge, Place, PlaceKey
from csms.store import driver_tables

_STATIONS = driver_tables.driver_page_stations
_SITES = driver_tables.driver_page_sites
_S = driver_tables.driver_starts

# EXPLAIN: index scans for each of the few connectors that are asked for; running transactions and
# open starts by their partial indexes
_PLACES = text("""
SELECT lower(p.identity) AS asked_identity, w.connector_id, p.id, p.identity, p.name,
       p.connector_type, p.current_type, p.max_power_w, p.registration,
       coalesce(p.connector_count, 0) AS connector_count,
       (SELECT coalesce(max(connector_id), 0) FROM connectors
         WHERE charge_point_id = p.id) AS highest,
       s.name AS site_name, ps.access, ps.plug_first,
       ss.access AS site_access, ss.plug_first AS site_plug_first,
       c.charge_point_id IS NOT NULL AS reported, c.status, c.error_code,
       c0.status AS station_status, c0.error_code AS station_error_code,
       EXISTS (SELECT FROM transactions t WHERE t.charge_point_id = p.id AND t.active
                  AND t.connector_id = w.connector_id) AS busy,
       EXISTS (SELECT FROM reservations r WHERE r.charge_point_id = p.id
                  AND r.status = 'active' AND r.expires_at > :now
                  AND r.connector_id = w.connector_id) AS reserved,
       (SELECT d.token_digest FROM driver_starts d
         WHERE d.charge_point_id = p.id AND d.connector_id = w.connector_id
           AND d.transaction_id IS NULL AND d.asked_at >= :claimed_since
           AND (d.outcome IS NULL OR d.outcome = 'accepted')
         ORDER BY d.id DESC LIMIT 1) AS claimed_by
  FROM unnest(CAST(:identities AS text[]), CAST(:connectors AS bigint[]))
       AS w (identity, connector_id)
  JOIN charge_points p ON lower(p.identity) = w.identity AND p.deleted_at IS NULL
  LEFT JOIN sites s ON s.id = p.site_id
  LEFT JOIN driver_page_stations ps ON ps.charge_point_id = p.id
  LEFT JOIN driver_page_sites ss ON ss.site_id = p.site_id
  LEFT JOIN connectors c ON c.charge_point_id = p.id AND c.connector_id = w.connector_id
  LEFT JOIN connectors c0 ON c0.charge_point_id = p.id AND c0.connector_id = 0
""")

# the first transaction after the start, with its id tag on its connector, soon enough
_LINK = text("""
UPDATE driver_starts d SET transaction_id = f.id
  FROM (SELECT o.id AS start_id, t.id
          FROM driver_starts o
          CROSS JOIN LATERAL (
                SELECT x.id FROM transactions x
                 WHERE x.charge_point_id = o.charge_point_id AND x.id > o.after_transaction
                   AND x.connector_id = o.connector_id AND x.id_tag_key = upper(o.id_tag)
                   AND x.start_received_at BETWEEN o.asked_at AND o.asked_at + :within
                   AND NOT EXISTS (SELECT FROM driver_starts e WHERE e.transaction_id = x.id)
                 ORDER BY x.id LIMIT 1) t
         WHERE o.token_digest = ANY (:digests) AND o.transaction_id IS NULL
           AND o.asked_at >= :since) f
 WHERE d.id = f.start_id
""").bindparams(bindparam("digests", type_=ARRAY(BYTEA)))

_STARTS = text("""
SELECT DISTINCT ON (token_digest, charge_point_id, connector_id) *
  FROM driver_starts
 WHERE token_digest = ANY (:digests) AND asked_at >= :since
 ORDER BY token_digest, charge_point_id, connector_id, id DESC
""").bindparams(bindparam("digests", type_=ARRAY(BYTEA)))

_RUNNING_BY_TAG = text("""
SELECT id, id_tag FROM transactions
 WHERE charge_point_id = :key AND active AND connector_id = :connector_id
   AND id_tag_key = :id_tag_key
 ORDER BY id DESC LIMIT 1
""")

# EXPLAIN: for each of the few sessions an index scan over (charge_point_id, received_at) from its
# start on, which ends at the first row that fits
_FIRST_CHARGES = text("""
SELECT t.id, m.soc_permille, m.energy_wh
  FROM transactions t
  CROSS JOIN LATERAL (
        SELECT v.soc_permille, v.energy_wh FROM meter_values v
         WHERE v.charge_point_id = t.charge_point_id AND v.received_at >= t.start_received_at
           AND v.transaction_id = t.id AND v.soc_permille IS NOT NULL
         ORDER BY v.received_at LIMIT 1) m
 WHERE t.id = ANY (:ids) AND t.active
""")

_FORGET = text("""
WITH old AS (
    SELECT d.id FROM driver_starts d
     WHERE d.asked_at < :before
       AND NOT EXISTS (SELECT FROM transactions t WHERE t.id = d.transaction_id AND t.active)
     ORDER BY d.asked_at LIMIT :limit
), gone AS (
    DELETE FROM driver_starts d USING old WHERE d.id = old.id RETURNING d.id_tag, d.made
), tags AS (
    DELETE FROM id_tags i USING gone
     WHERE gone.made AND i.id_tag_key = upper(gone.id_tag)
       AND NOT EXISTS (SELECT FROM driver_starts k
                        WHERE k.id_tag = gone.id_tag AND k.asked_at >= :before)
)
SELECT count(*) FROM gone
""")


class DriverPages:
    """See `csms.services.ports.driver_pages.DriverPages`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def places(
        self, keys: Collection[PlaceKey], *, now: datetime, claimed_since: datetime
    ) -> Mapping[PlaceKey, Place]:
        """See the port."""
        found = await self._connection.execute(
            _PLACES,
            {
                "identities": [identity for identity, _ in keys],
                "connectors": [connector_id for _, connector_id in keys],
                "now": now,
                "claimed_since": claimed_since,
            },
        )
        return {
            (row.asked_identity, row.connector_id): _place(row)
            for row in found
            if row.reported or row.connector_id <= _configured(row)
        }

    async def lock(self, charge_point: ChargePointKey, connector_id: int) -> None:
        """See the port."""
        await self._connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtext('driver start'), hashtext(:place))"),
            {"place": f"{charge_point}/{connector_id}"},
        )

    async def add_start(
        self,
        charge_point: ChargePointKey,
        connector_id: int,
        *,
        token_digest: bytes,
        id_tag: str,
        made: bool,
        after: int,
        at: datetime,
        transaction_id: TransactionId | None = None,
    ) -> int:
        """See the port."""
        values = {
            "token_digest": token_digest,
            "charge_point_id": charge_point,
            "connector_id": connector_id,
            "id_tag": id_tag,
            "made": made,
            "after_transaction": after,
            "asked_at": at,
            "transaction_id": transaction_id,
            "outcome": None if transaction_id is None else "accepted",
        }
        statement = insert(_S).values(values).returning(_S.c.id)
        return int((await self._connection.execute(statement)).scalar_one())

    async def end_start(self, key: int, outcome: str) -> None:
        """See the port."""
        await self._connection.execute(update(_S).where(_S.c.id == key).values(outcome=outcome))

    async def ask_stop(self, key: int, at: datetime) -> None:
        """See the port."""
        await self._connection.execute(
            update(_S).where(_S.c.id == key).values(stop_asked_at=at, stop_outcome=None)
        )

    async def end_stop(self, key: int, outcome: str) -> None:
        """See the port."""
        await self._connection.execute(
            update(_S).where(_S.c.id == key).values(stop_outcome=outcome)
        )

    async def link(self, digests: Collection[bytes], now: datetime) -> None:
        """See the port; a phone that comes back later finds what has begun meanwhile."""
        await self._connection.execute(
            _LINK,
            {"digests": list(digests), "within": LINK_WITHIN, "since": now - timedelta(days=1)},
        )

    async def starts(self, digests: Collection[bytes], *, since: datetime) -> list[DriverStart]:
        """See the port."""
        found = await self._connection.execute(_STARTS, {"digests": list(digests), "since": since})
        return [_start(row) for row in found]

    async def running_by_tag(
        self, charge_point: ChargePointKey, connector_id: int, id_tag: str
    ) -> tuple[TransactionId, str] | None:
        """See the port."""
        found = await self._connection.execute(
            _RUNNING_BY_TAG,
            {
                "key": charge_point,
                "connector_id": connector_id,
                "id_tag_key": id_tag_key(id_tag),
            },
        )
        row = found.first()
        return None if row is None else (TransactionId(row.id), row.id_tag)

    async def first_charges(
        self, transactions: Collection[TransactionId]
    ) -> Mapping[TransactionId, FirstCharge]:
        """See the port."""
        found = await self._connection.execute(_FIRST_CHARGES, {"ids": list(transactions)})
        return {
            TransactionId(row.id): FirstCharge(
                soc_permille=row.soc_permille, register_wh=row.energy_wh
            )
            for row in found
        }

    async def rules(self, charge_point: ChargePointKey) -> PageRules:
        """See the port."""
        statement = select(_STATIONS).where(_STATIONS.c.charge_point_id == charge_point)
        return _rules((await self._connection.execute(statement)).first())

    async def set_rules(self, charge_point: ChargePointKey, rules: PageRules) -> None:
        """See the port."""
        await self._set(_STATIONS, "charge_point_id", charge_point, rules)

    async def site_rules(self, site_id: str) -> PageRules:
        """See the port."""
        statement = select(_SITES).where(_SITES.c.site_id == site_id)
        return _rules((await self._connection.execute(statement)).first())

    async def set_site_rules(self, site_id: str, rules: PageRules) -> None:
        """See the port."""
        await self._set(_SITES, "site_id", site_id, rules)

    async def _set(self, table: Table, column: str, key: object, rules: PageRules) -> None:
        access = None if rules.access is None else rules.access.value
        values = {"access": access, "plug_first": rules.plug_first}
        await self._connection.execute(
            upsert(table)
            .values({column: key, **values})
            .on_conflict_do_update(index_elements=[column], set_=values)
        )

    async def forget(self, before: datetime, limit: int) -> int:
        """See the port."""
        found = await self._connection.execute(_FORGET, {"before": before, "limit": limit})
        return int(found.scalar_one())


def _configured(row: Row[*tuple[Any, ...]]) -> int:
    """Return how many connectors there are without a report; one where nothing is known at all."""
    return int(row.connector_count or (1 if row.highest == 0 else 0))


def _rules(row: Row[*tuple[Any, ...]] | None) -> PageRules:
    if row is None:
        return PageRules()
    return _page_rules(row.access, row.plug_first)


def _page_rules(access: str | None, plug_first: bool | None) -> PageRules:
    return PageRules(access=None if access is None else Access(access), plug_first=plug_first)


def _place(row: Row[*tuple[Any, ...]]) -> Place:
    return Place(
        charge_point=ChargePointKey(row.id),
        identity=Identity(row.identity),
        connector_id=row.connector_id,
        name=row.name,
        site_name=row.site_name,
        connector_type=row.connector_type,
        current_type=row.current_type,
        max_power_w=row.max_power_w,
        connectors=max(row.connector_count, row.highest),
        accepted=row.registration == "Accepted",
        station_rules=_page_rules(row.access, row.plug_first),
        site_rules=_page_rules(row.site_access, row.site_plug_first),
        status=row.status,
        error_code=row.error_code,
        station_status=row.station_status,
        station_error_code=row.station_error_code,
        busy=row.busy,
        reserved=row.reserved,
        claimed_by=row.claimed_by,
    )


def _start(row: Row[*tuple[Any, ...]]) -> DriverStart:
    transaction = row.transaction_id
    return DriverStart(
        key=row.id,
        token_digest=bytes(row.token_digest),
        charge_point=ChargePointKey(row.charge_point_id),
        connector_id=row.connector_id,
        id_tag=row.id_tag,
        asked_at=row.asked_at,
        outcome=row.outcome,
        transaction_id=None if transaction is None else TransactionId(transaction),
        stop_asked_at=row.stop_asked_at,
        stop_outcome=row.stop_outcome,
    )
