"""Charge points for the operator: asset data, boot facts, connectors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never

from sqlalchemy import Row, and_, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.charge_points import Registration
from csms.domain.ids import ChargePointKey, Identity, SiteId
from csms.services.ports.charge_points import Changes, Verdict
from csms.services.records import Connector, Station
from csms.store import tables
from csms.store.availability import Order, order_for, orders_of

_T = tables.charge_points
_WRITABLE = frozenset(
    {
        "identity",
        "name",
        "location",
        "site_id",
        "circuit_id",
        "registration",
        "current_type",
        "phases",
        "voltage_v",
        "phase_rotation",
        "max_power_w",
        "connector_count",
        "connector_type",
        "security_profile",
        "password_digest",
        "pending_password_digest",
        "pending_password_waits",
        "other_password_digests",
        "pending_security_profile",
        "profile_told_at",
        "subject_check",
        "serial_number",
        "strict",
        "quiet",
    }
)
_READ = (
    _T.c.id,
    _T.c.identity,
    _T.c.name,
    _T.c.location,
    _T.c.site_id,
    _T.c.circuit_id,
    _T.c.registration,
    _T.c.current_type,
    _T.c.phases,
    _T.c.voltage_v,
    _T.c.phase_rotation,
    _T.c.max_power_w,
    _T.c.connector_count,
    _T.c.connector_type,
    _T.c.security_profile,
    _T.c.password_digest.is_not(None).label("has_password"),
    (
        _T.c.pending_password_digest.is_not(None)
        | (func.cardinality(_T.c.other_password_digests) > 0)
    ).label("password_pending"),
    _T.c.pending_security_profile,
    _T.c.profile_told_at,
    _T.c.subject_check,
    _T.c.serial_number,
    _T.c.strict,
    _T.c.quiet,
    _T.c.vendor,
    _T.c.model,
    _T.c.charge_point_serial_number,
    _T.c.charge_box_serial_number,
    _T.c.firmware_version,
    _T.c.iccid,
    _T.c.imsi,
    _T.c.meter_type,
    _T.c.meter_serial_number,
    _T.c.booted_at,
    _T.c.connected_at,
    _T.c.disconnected_at,
    _T.c.last_seen_at,
    _T.c.created_at,
)
_LIVE = _T.c.deleted_at.is_(None)

# The newest few of those whose fate is unknown: nobody loses that many in a row. One that waits
# for a reboot still does when another comes after it.
_BEGIN_ROTATION = text("""
UPDATE charge_points SET
    pending_password_digest = :digest,
    pending_password_waits = pending_password_digest IS NOT NULL AND pending_password_waits,
    other_password_digests = CASE WHEN pending_password_digest IS NULL
        THEN other_password_digests
        ELSE (array_append(other_password_digests, pending_password_digest))
            [greatest(1, cardinality(other_password_digests) - 2):]
    END
WHERE id = :key
""")


def writable(changes: Changes, allowed: frozenset[str]) -> dict[str, object]:
    """Return `changes` as a plain dict; a column outside `allowed` is a fault of the caller."""
    foreign = changes.keys() - allowed
    if foreign:
        raise ValueError(f"not the operator's columns: {sorted(foreign)}")
    return dict(changes)


class ChargePoints:
    """See `csms.services.ports.charge_points.ChargePoints`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def insert(self, values: Changes) -> ChargePointKey:
        """Add a station."""
        statement = insert(_T).values(writable(values, _WRITABLE)).returning(_T.c.id)
        return ChargePointKey((await self._connection.execute(statement)).scalar_one())

    async def get(self, identity: str, *, lock: bool = False) -> Station | None:
        """Return the station of this identity; `lock` holds its row."""
        statement = select(*_READ).where(_LIVE, func.lower(_T.c.identity) == func.lower(identity))
        if lock:  # not against rows that refer to it: those of a running session
            statement = statement.with_for_update(key_share=True)
        rows = (await self._connection.execute(statement)).all()
        stations = await self._with_connectors(rows)
        return stations[0] if stations else None

    async def page(
        self, limit: int, *, before: int | None = None, site_id: str | None = None
    ) -> list[Station]:
        """Return stations, the newest first: four statements, whatever the number."""
        statement = select(*_READ).where(_LIVE).order_by(_T.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(_T.c.id < before)
        if site_id is not None:
            statement = statement.where(_T.c.site_id == site_id)
        return await self._with_connectors((await self._connection.execute(statement)).all())

    async def update(self, key: ChargePointKey, changes: Changes) -> None:
        """Change some columns."""
        if changes:
            statement = update(_T).where(_T.c.id == key).values(writable(changes, _WRITABLE))
            await self._connection.execute(statement)

    async def begin_rotation(self, key: ChargePointKey, digest: bytes) -> None:
        """See the port."""
        await self._connection.execute(_BEGIN_ROTATION, {"key": key, "digest": digest})

    async def end_rotation(self, key: ChargePointKey, digest: bytes, verdict: Verdict) -> None:
        """See the port."""
        pending, others = _T.c.pending_password_digest, _T.c.other_password_digests
        values: dict[str, object]
        match verdict:
            case "adopted":
                values = {
                    "password_digest": digest,
                    "pending_password_digest": func.nullif(pending, digest),
                    "other_password_digests": [],
                }
            case "waits":
                values = {"pending_password_waits": True}
            case "refused":
                values = {
                    "pending_password_digest": func.nullif(pending, digest),
                    "other_password_digests": func.array_remove(others, digest),
                }
            case _:
                assert_never(verdict)
        await self._connection.execute(update(_T).where(_T.c.id == key).values(values))

    async def begin_upgrade(self, key: ChargePointKey, profile: int, at: datetime) -> None:
        """See the port; a still higher one that it was told before stays."""
        await self._connection.execute(
            update(_T)
            .where(_T.c.id == key, _T.c.security_profile < profile)
            .values(
                pending_security_profile=func.greatest(_T.c.pending_security_profile, profile),
                profile_told_at=at,
            )
        )

    async def end_upgrade(
        self, key: ChargePointKey, profile: int | None, told_at: datetime | None
    ) -> None:
        """See the port; nothing happens when the station has come with it meanwhile."""
        statement = update(_T).where(_T.c.id == key, _T.c.pending_security_profile.is_not(None))
        if profile is not None:
            statement = statement.where(_T.c.security_profile < profile)
        await self._connection.execute(
            statement.values(
                pending_security_profile=profile,
                profile_told_at=None if profile is None else told_at,
            )
        )

    async def count_unproven(self) -> int:
        """See the port."""
        statement = select(func.count()).select_from(_T).where(_LIVE, _T.c.security_profile == 0)
        return int((await self._connection.execute(statement)).scalar_one())

    async def overdue_upgrades(self, told_before: datetime, limit: int) -> list[Station]:
        """See the port."""
        statement = (
            select(*_READ)
            .where(
                _LIVE,
                _T.c.pending_security_profile > _T.c.security_profile,
                _T.c.profile_told_at < told_before,
            )
            .order_by(_T.c.profile_told_at)
            .limit(limit)
        )
        rows = (await self._connection.execute(statement)).all()
        return [_station(row, {}, {}) for row in rows]

    async def delete(self, key: ChargePointKey, at: datetime) -> None:
        """Hide the station; its sessions stay and its identity is free again."""
        await self._connection.execute(
            update(_T)
            .where(_T.c.id == key)
            .values(deleted_at=at, site_id=None, circuit_id=None, password_digest=None)
        )

    async def has_active_session(self, key: ChargePointKey) -> bool:
        """Return whether a transaction runs here."""
        t = tables.transactions
        statement = select(t.c.id).where(t.c.charge_point_id == key, t.c.active).limit(1)
        return (await self._connection.execute(statement)).first() is not None

    async def count(self) -> int:
        """Return how many stations there are."""
        statement = select(func.count()).select_from(_T).where(_LIVE)
        return int((await self._connection.execute(statement)).scalar_one())

    async def keys_of(self, identities: Collection[str]) -> dict[str, ChargePointKey]:
        """Return the keys of those that are stations, by the spelling asked for."""
        by_lower: dict[str, list[str]] = defaultdict(list)
        for identity in identities:
            by_lower[identity.lower()].append(identity)
        statement = select(_T.c.id, func.lower(_T.c.identity)).where(
            _LIVE, func.lower(_T.c.identity).in_(list(by_lower))
        )
        return {
            spelling: ChargePointKey(key)
            for key, lower in (await self._connection.execute(statement)).all()
            for spelling in by_lower[lower]
        }

    async def _with_connectors(self, rows: Collection[Row[*tuple[Any, ...]]]) -> list[Station]:
        keys = [row.id for row in rows]
        connectors = await self._connectors(keys) if keys else {}
        orders = await orders_of(self._connection, keys) if keys else {}
        return [_station(row, connectors.get(row.id, {}), orders.get(row.id, {})) for row in rows]

    async def _connectors(self, keys: list[int]) -> Mapping[int, dict[int, Connector]]:
        """Return what was reported of connectors and what runs on them."""
        c, t, limit = tables.connectors, tables.transactions, tables.charging_limits
        default = limit.alias("d")  # of connectors that take no TxProfile
        found: dict[int, dict[int, dict[str, Any]]] = defaultdict(lambda: defaultdict(dict))
        reported = select(c).where(c.c.charge_point_id.in_(keys))
        for row in await self._connection.execute(reported):
            found[row.charge_point_id][row.connector_id].update(
                status=row.status,
                error_code=row.error_code,
                info=row.info,
                vendor_error_code=row.vendor_error_code,
                status_at=row.received_at,
            )
        running = (
            select(
                t.c.charge_point_id,
                t.c.connector_id,
                t.c.id,
                t.c.power_w,
                func.coalesce(limit.c.acknowledged_w, default.c.acknowledged_w).label(
                    "acknowledged_w"
                ),
            )
            .outerjoin(
                limit,
                and_(
                    limit.c.charge_point_id == t.c.charge_point_id,
                    limit.c.connector_id == t.c.connector_id,
                    limit.c.purpose == "TxProfile",
                    limit.c.transaction_id == t.c.id,
                ),
            )
            .outerjoin(
                default,
                and_(
                    default.c.charge_point_id == t.c.charge_point_id,
                    default.c.connector_id == t.c.connector_id,
                    default.c.connector_id > 0,
                    default.c.purpose == "TxDefaultProfile",
                ),
            )
            .where(t.c.active, t.c.charge_point_id.in_(keys))
            .order_by(t.c.id)
        )
        for load in await self._connection.execute(running):
            found[load.charge_point_id][load.connector_id].update(
                power_w=load.power_w, limit_w=load.acknowledged_w, transaction_id=load.id
            )
        return {
            key: {
                number: Connector(connector_id=number, **values)
                for number, values in connectors.items()
            }
            for key, connectors in found.items()
        }


def _station(
    row: Row[*tuple[Any, ...]], known: Mapping[int, Connector], orders: Mapping[int, Order]
) -> Station:
    """Return the station with its configured connectors, reported or not, and reported others."""
    numbers = sorted({*range(1, (row.connector_count or 0) + 1), *known})
    values = dict(row._mapping)  # noqa: SLF001  public in SQLAlchemy in spite of its name
    values["key"] = ChargePointKey(values.pop("id"))
    values["identity"] = Identity(row.identity)
    values["site_id"] = None if row.site_id is None else SiteId(row.site_id)
    values["registration"] = Registration(row.registration)
    connectors = [known.get(number) or Connector(connector_id=number) for number in numbers]
    if orders:
        for place, connector in enumerate(connectors):
            told, scheduled = order_for(connector.connector_id, orders, numbers)
            connectors[place] = replace(
                connector, availability=told, availability_scheduled=scheduled
            )
    return Station(**values, connectors=tuple(connectors))
