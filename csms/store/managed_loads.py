"""Loads on chargers that another system controls."""

from __future__ import annotations

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import SiteId
from csms.services.ports.store import Changes
from csms.services.records import ManagedLoad
from csms.store import tables
from csms.store.charge_points import writable

_T = tables.managed_loads
_X = tables.external_chargers
_WRITABLE = frozenset(
    {
        "site_id",
        "charger_id",
        "connector_id",
        "vehicle_max_power_w",
        "consumed_power_w",
        "consumed_energy_wh",
        "started_at",
        "stopped_at",
    }
)


class ManagedLoads:
    """See `csms.services.ports.sites.ManagedLoads`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def charger(self, site_id: str, charger_id: str) -> tuple[int, list[int]] | None:
        """Return the number of connectors and the numbers of the busy ones."""
        statement = (
            select(_X.c.connector_count, _T.c.connector_id)
            .outerjoin(
                _T,
                (_T.c.site_id == _X.c.site_id)
                & (_T.c.charger_id == _X.c.id)
                & _T.c.stopped_at.is_(None),
            )
            .where(_X.c.site_id == site_id, _X.c.id == charger_id)
        )
        rows = (await self._connection.execute(statement)).all()
        if not rows:
            return None
        busy = [row.connector_id for row in rows if row.connector_id is not None]
        return rows[0].connector_count, busy

    async def insert(self, values: Changes) -> int:
        """Add a load; returns its key."""
        statement = insert(_T).values(writable(values, _WRITABLE)).returning(_T.c.id)
        return int((await self._connection.execute(statement)).scalar_one())

    async def get(self, site_id: str, key: int) -> ManagedLoad | None:
        """Return one load of this site, running or not."""
        statement = select(
            _T.c.id,
            _T.c.site_id,
            _T.c.charger_id,
            _T.c.connector_id,
            _T.c.vehicle_max_power_w,
            _T.c.stopped_at,
        ).where(_T.c.site_id == site_id, _T.c.id == key)
        row = (await self._connection.execute(statement)).first()
        if row is None:
            return None
        return ManagedLoad(
            key=row.id,
            site_id=SiteId(row.site_id),
            charger_id=row.charger_id,
            connector_id=row.connector_id,
            vehicle_max_power_w=row.vehicle_max_power_w,
            stopped_at=row.stopped_at,
        )

    async def update(self, key: int, changes: Changes) -> None:
        """Change some columns."""
        await self._connection.execute(
            update(_T).where(_T.c.id == key).values(writable(changes, _WRITABLE))
        )
