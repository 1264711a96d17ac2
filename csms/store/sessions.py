"""Transactions as the operator reads them, and their meter values."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import ChargePointKey, Identity, SiteId, TransactionId, id_tag_key
from csms.domain.transactions import is_no_id
from csms.services.ports.charge_points import Changes
from csms.services.ports.sessions import SessionFilter
from csms.services.records import MeterReading, Session
from csms.store import tables
from csms.store.charge_points import writable

_T = tables.transactions
_P = tables.charge_points
_L = tables.charging_limits
_D = tables.charging_limits.alias("d")  # of connectors that take no TxProfile
_M = tables.meter_values
_AMENDED = frozenset(
    {
        "active",
        "meter_start_wh",
        "meter_stop_wh",
        "stopped_at",
        "stop_received_at",
        "stop_reason",
        "findings",
        "power_w",
        "cost",
    }
)
_READ = (
    _T.c.id,
    _T.c.charge_point_id,
    _P.c.identity,
    _T.c.site_id,
    _T.c.connector_id,
    _T.c.id_tag,
    _T.c.vehicle_id,
    _T.c.active,
    _T.c.started_at,
    _T.c.start_received_at,
    _T.c.stopped_at,
    _T.c.stop_received_at,
    _T.c.meter_start_wh,
    _T.c.meter_stop_wh,
    _T.c.register_wh,
    _T.c.power_w,
    _T.c.soc_percent,
    func.coalesce(_L.c.acknowledged_w, _D.c.acknowledged_w).label("acknowledged_w"),
    _P.c.current_type,
    _P.c.phases,
    _P.c.voltage_v,
    _T.c.stop_reason,
    _T.c.findings,
    _T.c.price_per_kwh,
    _T.c.currency,
    _T.c.cost,
)


def _sessions() -> Select[Any]:
    return (
        select(*_READ)
        .join(_P, _P.c.id == _T.c.charge_point_id)
        .outerjoin(
            _L,
            and_(
                _T.c.active,
                _L.c.charge_point_id == _T.c.charge_point_id,
                _L.c.connector_id == _T.c.connector_id,
                _L.c.purpose == "TxProfile",
                _L.c.transaction_id == _T.c.id,
            ),
        )
        .outerjoin(
            _D,
            and_(
                _T.c.active,
                _D.c.charge_point_id == _T.c.charge_point_id,
                _D.c.connector_id == _T.c.connector_id,
                _D.c.connector_id > 0,
                _D.c.purpose == "TxDefaultProfile",
            ),
        )
    )


class Sessions:
    """See `csms.services.ports.sessions.Sessions`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, transaction_id: int, *, lock: bool = False) -> Session | None:
        """Return one session; None too for a number that no session can have."""
        if is_no_id(transaction_id):
            return None
        statement = _sessions().where(_T.c.id == transaction_id)
        if lock:
            statement = statement.with_for_update(of=_T)
        found = await self._all(statement)
        return found[0] if found else None

    async def page(
        self, limit: int, wanted: SessionFilter, *, before: int | None = None
    ) -> list[Session]:
        """Return sessions that the filter lets through, the highest id first."""
        statement = _sessions().where(*_conditions(wanted)).order_by(_T.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(_T.c.id < before)
        return await self._all(statement)

    async def active(self, limit: int, *, after: int = 0, beyond: int = 0) -> list[Session]:
        """Return active sessions and, with `after`, all newer ones; the lowest id first.

        Those up to `beyond` are left out: they were on the page before.
        """
        wanted = or_(_T.c.active, _T.c.id > after) if after else _T.c.active
        statement = _sessions().where(wanted, _T.c.id > beyond).order_by(_T.c.id).limit(limit)
        return await self._all(statement)

    async def many(self, ids: Collection[int]) -> list[Session]:
        """Return those of these ids that exist, the lowest id first."""
        return await self._all(_sessions().where(_T.c.id.in_(list(ids))).order_by(_T.c.id))

    async def id_tag_status(self, transaction_id: int) -> str:
        """Return what StartTransaction.conf said of the tag, of a transaction that is there."""
        statement = select(_T.c.id_tag_status).where(_T.c.id == transaction_id)
        return str((await self._connection.execute(statement)).scalar_one())

    async def count_active(self) -> int:
        """Return how many sessions run; read from the partial index of active ones."""
        statement = select(func.count()).select_from(_T).where(_T.c.active)
        return int((await self._connection.execute(statement)).scalar_one())

    async def newest_id(self) -> int:
        """Return the highest transaction id of all: the end of the primary key's index."""
        statement = select(func.max(_T.c.id))
        return int((await self._connection.execute(statement)).scalar_one() or 0)

    async def started_after(
        self, identity: str, transaction_id: int, *, id_tag: str, connector_id: int | None
    ) -> Session | None:
        """Return the first transaction of this tag that is newer than `transaction_id`."""
        statement = (
            _sessions()
            .where(
                func.lower(_P.c.identity) == func.lower(identity),
                _P.c.deleted_at.is_(None),
                _T.c.id > transaction_id,
                _T.c.id_tag_key == id_tag_key(id_tag),
            )
            .order_by(_T.c.id)
            .limit(1)
        )
        if connector_id is not None:
            statement = statement.where(_T.c.connector_id == connector_id)
        found = await self._all(statement)
        return found[0] if found else None

    async def amend(self, transaction_id: TransactionId, changes: Changes) -> None:
        """See the port."""
        values = writable(changes, _AMENDED)
        await self._connection.execute(update(_T).where(_T.c.id == transaction_id).values(values))

    async def set_vehicle(self, transaction_id: TransactionId, vehicle_id: str) -> None:
        """Note which vehicle is charged."""
        await self._connection.execute(
            update(_T).where(_T.c.id == transaction_id).values(vehicle_id=vehicle_id)
        )

    async def meter_values(
        self,
        charge_point: ChargePointKey,
        *,
        transaction_id: int | None,
        received_from: datetime,
        received_to: datetime,
        offset: int,
        limit: int,
    ) -> list[MeterReading]:
        """Return readings, the newest first.

        EXPLAIN: index scans backwards over (charge_point_id, received_at) of the partitions that
        the two times leave; the transaction is a filter on those rows.
        """
        statement = (
            select(_M)
            .where(
                _M.c.charge_point_id == charge_point,
                _M.c.received_at >= received_from,
                _M.c.received_at <= received_to,
            )
            .order_by(_M.c.received_at.desc(), _M.c.measured_at.desc())
            .offset(offset)
            .limit(limit)
        )
        if transaction_id is not None:
            statement = statement.where(_M.c.transaction_id == transaction_id)
        return [_reading(row) for row in await self._connection.execute(statement)]

    async def _all(self, statement: Select[Any]) -> list[Session]:
        return [_session(row) for row in await self._connection.execute(statement)]


def _conditions(wanted: SessionFilter) -> list[ColumnElement[bool]]:
    """Return what sessions have to fulfil."""
    found: list[ColumnElement[bool]] = []
    if wanted.active is not None:
        # as it stands in the partial index
        found.append(_T.c.active if wanted.active else _T.c.active.is_(False))
    if wanted.identity is not None:
        keys = select(_P.c.id).where(func.lower(_P.c.identity) == func.lower(wanted.identity))
        found.append(_T.c.charge_point_id.in_(keys))
    if wanted.id_tag is not None:
        found.append(_T.c.id_tag_key == id_tag_key(wanted.id_tag))
    if wanted.site is not None:
        found.append(_T.c.site_id == wanted.site)
    if wanted.since is not None:
        found.append(_T.c.started_at >= wanted.since)
    if wanted.until is not None:
        found.append(_T.c.started_at < wanted.until)
    return found


def _session(row: Row[*tuple[Any, ...]]) -> Session:
    return Session(
        transaction_id=TransactionId(row.id),
        charge_point=ChargePointKey(row.charge_point_id),
        identity=Identity(row.identity),
        site_id=None if row.site_id is None else SiteId(row.site_id),
        connector_id=row.connector_id,
        id_tag=row.id_tag,
        vehicle_id=row.vehicle_id,
        active=row.active,
        started_at=row.started_at,
        start_received_at=row.start_received_at,
        stopped_at=row.stopped_at,
        stop_received_at=row.stop_received_at,
        meter_start_wh=row.meter_start_wh,
        meter_stop_wh=row.meter_stop_wh,
        register_wh=row.register_wh,
        power_w=row.power_w,
        soc_percent=row.soc_percent,
        limit_w=row.acknowledged_w,
        current_type=row.current_type,
        phases=row.phases,
        voltage_v=row.voltage_v,
        stop_reason=row.stop_reason,
        findings=tuple(row.findings),
        price_per_kwh=row.price_per_kwh,
        currency=row.currency,
        cost=row.cost,
    )


def _reading(row: Row[*tuple[Any, ...]]) -> MeterReading:
    return MeterReading(
        received_at=row.received_at,
        measured_at=row.measured_at,
        connector_id=row.connector_id,
        transaction_id=row.transaction_id,
        context=row.context,
        energy_wh=row.energy_wh,
        power_w=row.power_w,
        offered_w=row.offered_w,
        current_ma=(row.current_l1_ma, row.current_l2_ma, row.current_l3_ma),
        voltage_mv=(row.voltage_l1_mv, row.voltage_l2_mv, row.voltage_l3_mv),
        soc_permille=row.soc_permille,
        rest=row.rest,
    )
