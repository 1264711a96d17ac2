"""Vendor dialects; see `csms.services.ports.dialects.DialectRepository`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.dialects import (
    NO_TRAITS,
    REPORTING_KEYS,
    Device,
    Dialect,
    Origin,
    Pattern,
    Traits,
    read_traits,
    written_traits,
)
from csms.domain.ids import ChargePointKey
from csms.services.ports.dialects import Acquaintance
from csms.store import state_tables, tables

_T = state_tables.dialects
_S = state_tables.station_dialects
_K = state_tables.configuration_keys
_C = tables.charge_points

_MOST = 2000


class Dialects:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> list[Dialect]:
        """See the port."""
        rows = await self._connection.execute(select(_T).order_by(_T.c.id).limit(_MOST))
        return [
            Dialect(
                id=row.id,
                pattern=Pattern(vendor=row.vendor, model=row.model, firmware=row.firmware),
                traits=read_traits(row.traits),
                origin=Origin.OPERATOR,
                source=row.source,
            )
            for row in rows
        ]

    async def insert(self, dialect: Dialect) -> None:
        """See the port."""
        await self._connection.execute(insert(_T).values(id=dialect.id, **_columns(dialect)))

    async def update(self, dialect: Dialect) -> None:
        """See the port."""
        await self._connection.execute(
            update(_T).where(_T.c.id == dialect.id).values(**_columns(dialect))
        )

    async def delete(self, dialect_id: str) -> None:
        """See the port."""
        await self._connection.execute(delete(_T).where(_T.c.id == dialect_id))

    async def acquaintances(
        self, charge_points: Collection[ChargePointKey]
    ) -> dict[ChargePointKey, Acquaintance]:
        """See the port. EXPLAIN: look-ups by primary key."""
        keys = list(charge_points)
        reported = select(_K.c.charge_point_id, _K.c.key_folded, _K.c.value).where(
            _K.c.charge_point_id.in_(keys),
            _K.c.key_folded.in_(REPORTING_KEYS),
            _K.c.value.is_not(None),
        )
        configurations: dict[int, dict[str, str]] = defaultdict(dict)
        for each in await self._connection.execute(reported):
            configurations[each.charge_point_id][each.key_folded] = each.value
        query = (
            select(
                _C.c.id,
                _C.c.vendor,
                _C.c.model,
                _C.c.firmware_version,
                _C.c.booted_at,
                _C.c.connected_at,
                _S.c.own,
                _S.c.learned,
                _S.c.learned_firmware,
            )
            .outerjoin(_S, _S.c.charge_point_id == _C.c.id)
            .where(_C.c.id.in_(keys), _C.c.deleted_at.is_(None))
        )
        return {
            ChargePointKey(row.id): _acquaintance(row, configurations.get(row.id, {}))
            for row in await self._connection.execute(query)
        }

    async def set_own(self, charge_point: ChargePointKey, own: Traits) -> None:
        """See the port."""
        await self._set(charge_point, {"own": written_traits(own)})

    async def set_learned(
        self, charge_point: ChargePointKey, learned: Mapping[str, Any], firmware: str | None
    ) -> None:
        """See the port."""
        await self._set(charge_point, {"learned": dict(learned), "learned_firmware": firmware})

    async def _set(self, charge_point: ChargePointKey, values: Mapping[str, Any]) -> None:
        statement = insert(_S).values(charge_point_id=charge_point, **values)
        await self._connection.execute(
            statement.on_conflict_do_update(constraint="pk_station_dialects", set_=dict(values))
        )


def _acquaintance(row: Row[*tuple[Any, ...]], configuration: Mapping[str, str]) -> Acquaintance:
    holds = row.learned_firmware == row.firmware_version
    return Acquaintance(
        device=Device(vendor=row.vendor, model=row.model, firmware=row.firmware_version),
        configuration=configuration,
        learned=read_traits(row.learned) if row.learned and holds else NO_TRAITS,
        own=read_traits(row.own) if row.own else NO_TRAITS,
        booted_at=row.booted_at,
        connected_at=row.connected_at,
    )


def _columns(dialect: Dialect) -> dict[str, Any]:
    return {
        "vendor": dialect.pattern.vendor,
        "model": dialect.pattern.model,
        "firmware": dialect.pattern.firmware,
        "traits": written_traits(dialect.traits),
        "source": dialect.source,
    }
