"""Local authorization lists; see `csms.services.ports.state.LocalLists`."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import null, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import ChargePointKey, Identity
from csms.domain.local_list import LocalList
from csms.store import state_tables, tables

_T = state_tables.local_lists
_C = tables.charge_points

_MOST_WANTED = 50
_AGAIN_AFTER = timedelta(minutes=1)


class LocalLists:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, charge_point: ChargePointKey, *, lock: bool = False) -> LocalList:
        """See the port."""
        if lock:  # there has to be a row to lock
            row = insert(_T).values(charge_point_id=charge_point)
            await self._connection.execute(row.on_conflict_do_nothing())
        query = select(_T).where(_T.c.charge_point_id == charge_point)
        found = (await self._connection.execute(query.with_for_update() if lock else query)).first()
        if found is None:
            return LocalList()
        return LocalList(
            installed_version=found.installed_version,
            installed=None if found.installed is None else tuple(found.installed),
            desired_version=found.desired_version,
            desired=tuple(found.desired or ()),
            force_full=found.force_full,
            refused_status=found.refused_status,
        )

    async def put(
        self, charge_point: ChargePointKey, known: LocalList, *, at_once: bool = False
    ) -> None:
        """See the port."""
        installed = known.installed
        await self._connection.execute(
            update(_T)
            .where(_T.c.charge_point_id == charge_point)
            .values(
                installed_version=known.installed_version,
                installed=null() if installed is None else [dict(each) for each in installed],
                desired_version=known.desired_version,
                desired=[dict(each) for each in known.desired],
                force_full=known.force_full,
                refused_status=known.refused_status,
                tried_at=null() if at_once else _T.c.tried_at,
            )
        )

    async def wanted(self, node: str, now: datetime) -> list[tuple[ChargePointKey, Identity]]:
        """See the port."""
        query = (
            select(_C.c.id, _C.c.identity)
            .join(_T, _C.c.id == _T.c.charge_point_id)
            .where(
                _T.c.desired_version.is_not(None),
                _T.c.installed_version.is_distinct_from(_T.c.desired_version),
                _T.c.refused_status.is_(None),
                or_(_T.c.tried_at.is_(None), _T.c.tried_at < now - _AGAIN_AFTER),
                _C.c.node == node,
                _C.c.registration == "Accepted",
                _C.c.quiet == text("false"),
                _C.c.deleted_at.is_(None),
            )
            .order_by(_C.c.id)
            .limit(_MOST_WANTED)
        )
        return [
            (ChargePointKey(row.id), Identity(row.identity))
            for row in await self._connection.execute(query)
        ]

    async def tried(self, charge_point: ChargePointKey, at: datetime) -> None:
        """See the port."""
        await self._connection.execute(
            update(_T).where(_T.c.charge_point_id == charge_point).values(tried_at=at)
        )
