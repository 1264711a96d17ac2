"""Configuration keys; see `csms.services.ports.state.Configurations`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, null, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.configuration import MOST_KEYS, ConfigurationKey, KeyReading
from csms.domain.ids import ChargePointKey, Identity
from csms.services.ports.state import WantedKey
from csms.store import state_tables, tables

_T = state_tables.configuration_keys
_C = tables.charge_points

_MOST_WANTED = 200
_AGAIN_AFTER = timedelta(minutes=1)
_READ = (
    _T.c.key,
    _T.c.value,
    _T.c.readonly,
    _T.c.read_at,
    _T.c.desired,
    _T.c.refused_status,
    _T.c.reboot_since,
)


class Configurations:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, charge_point: ChargePointKey) -> list[ConfigurationKey]:
        """See the port."""
        query = (
            select(*_READ)
            .where(_T.c.charge_point_id == charge_point)
            .order_by(_T.c.key_folded)
            .limit(2 * MOST_KEYS)
        )
        return [
            ConfigurationKey(**row)  # the columns have the names of the fields
            for row in (await self._connection.execute(query)).mappings()
        ]

    async def read(
        self,
        charge_point: ChargePointKey,
        readings: Sequence[KeyReading],
        unknown: Collection[str],
        at: datetime,
    ) -> None:
        """See the port."""
        last = {reading.key.lower(): reading for reading in readings[:MOST_KEYS]}
        if last:
            rows = [
                {
                    "charge_point_id": charge_point,
                    "key_folded": folded,
                    "key": reading.key,
                    "value": reading.value,
                    "readonly": reading.readonly,
                    "read_at": at,
                }
                for folded, reading in sorted(last.items())
            ]
            statement = insert(_T).values(rows)
            new = statement.excluded
            await self._connection.execute(
                statement.on_conflict_do_update(
                    constraint="pk_configuration_keys",
                    set_={
                        "key": new.key,
                        "value": new.value,
                        "readonly": new.readonly,
                        "read_at": new.read_at,
                        "reboot_since": null(),  # what is read holds
                    },
                )
            )
            await self._drop_surplus(charge_point)
        folded_unknown = [key.lower() for key in unknown]
        if folded_unknown:
            these = (_T.c.charge_point_id == charge_point, _T.c.key_folded.in_(folded_unknown))
            await self._connection.execute(delete(_T).where(*these, _T.c.desired.is_(None)))
            await self._connection.execute(
                update(_T)
                .where(*these)
                .values(value=None, readonly=None, read_at=at, refused_status="NotSupported")
            )

    async def _drop_surplus(self, charge_point: ChargePointKey) -> None:
        """Keep the newest keys only: a station that invents names must not fill the table."""
        surplus = (
            select(_T.c.key_folded)
            .where(_T.c.charge_point_id == charge_point, _T.c.desired.is_(None))
            .order_by(_T.c.read_at.desc().nulls_last(), _T.c.key_folded)
            .offset(MOST_KEYS)
        )
        await self._connection.execute(
            delete(_T).where(_T.c.charge_point_id == charge_point, _T.c.key_folded.in_(surplus))
        )

    async def changed(
        self,
        charge_point: ChargePointKey,
        key: str,
        value: str | None,
        sent: str,
        status: str,
        at: datetime,
    ) -> None:
        """See the port."""
        this = (_T.c.charge_point_id == charge_point, _T.c.key_folded == key.lower())
        if status == "Accepted":
            statement = insert(_T).values(
                charge_point_id=charge_point,
                key_folded=key.lower(),
                key=key,
                value=value,
                readonly=False,
                read_at=at,
            )
            await self._connection.execute(
                statement.on_conflict_do_update(
                    constraint="pk_configuration_keys",
                    set_={"value": value, "read_at": at, "reboot_since": null()},
                )
            )
        elif status == "RebootRequired":
            await self._connection.execute(update(_T).where(*this).values(reboot_since=at))
        else:
            await self._connection.execute(
                update(_T).where(*this, _T.c.desired == sent).values(refused_status=status)
            )

    async def desire(self, charge_point: ChargePointKey, key: str, desired: str | None) -> None:
        """See the port."""
        statement = insert(_T).values(
            charge_point_id=charge_point, key_folded=key.lower(), key=key, desired=desired
        )
        await self._connection.execute(
            statement.on_conflict_do_update(
                constraint="pk_configuration_keys",
                set_={
                    "desired": desired,
                    "refused_status": null(),
                    "reboot_since": null(),
                    "tried_at": null(),
                },
            )
        )
        if desired is None:  # a key that was only ever wished for
            await self._connection.execute(
                delete(_T).where(
                    _T.c.charge_point_id == charge_point,
                    _T.c.key_folded == key.lower(),
                    _T.c.read_at.is_(None),
                )
            )

    async def wanted(self, node: str, now: datetime) -> list[WantedKey]:
        """See the port. EXPLAIN: the partial index of desired keys."""
        query = (
            select(
                _C.c.id,
                _C.c.identity,
                _T.c.key,
                _T.c.desired,
                _T.c.reboot_since.is_not(None).label("verify"),
            )
            .join(_C, _C.c.id == _T.c.charge_point_id)
            .where(
                _T.c.desired.is_not(None),
                _T.c.value.is_distinct_from(_T.c.desired),
                _T.c.refused_status.is_(None),
                or_(_T.c.tried_at.is_(None), _T.c.tried_at < now - _AGAIN_AFTER),
                # what needs a reboot is looked at once there has been one
                or_(_T.c.reboot_since.is_(None), _C.c.booted_at > _T.c.reboot_since),
                _C.c.node == node,
                _C.c.registration == "Accepted",
                _C.c.quiet == text("false"),
                _C.c.deleted_at.is_(None),
            )
            .order_by(_C.c.id, _T.c.key_folded)
            .limit(_MOST_WANTED)
        )
        return [
            WantedKey(
                charge_point=ChargePointKey(row.id),
                identity=Identity(row.identity),
                key=row.key,
                desired=row.desired,
                verify=row.verify,
            )
            for row in await self._connection.execute(query)
        ]

    async def tried(self, charge_point: ChargePointKey, key: str, at: datetime) -> None:
        """See the port."""
        await self._connection.execute(
            update(_T)
            .where(_T.c.charge_point_id == charge_point, _T.c.key_folded == func.lower(key))
            .values(tried_at=at)
        )
