"""Limits on charge points without a site; see `csms.services.released`."""

from __future__ import annotations

from sqlalchemy import text

from csms.domain.ids import ChargePointKey
from csms.services.released import LeftBehind
from csms.store.database import Database

_MOST = 200

_LEFT_BEHIND = """
SELECT l.charge_point_id, l.connector_id, l.purpose
FROM charging_limits l JOIN charge_points c ON c.id = l.charge_point_id
WHERE c.site_id IS NULL AND c.node IS NOT NULL AND c.deleted_at IS NULL
    AND c.registration = 'Accepted'
ORDER BY 1, 2 LIMIT :most
"""

_FORGET = """
DELETE FROM charging_limits l USING charge_points c
WHERE c.id = l.charge_point_id AND c.site_id IS NULL
    AND l.charge_point_id = :key AND l.connector_id = :connector AND l.purpose = :purpose
"""


class SqlReleasedStore:
    """Each method is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def left_behind(self) -> list[LeftBehind]:
        """See the port."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(text(_LEFT_BEHIND), {"most": _MOST})
            return [
                LeftBehind(charge_point=ChargePointKey(row[0]), connector_id=row[1], purpose=row[2])
                for row in rows
            ]

    async def forget(self, limit: LeftBehind) -> None:
        """See the port."""
        async with self._database.transaction() as connection:
            await connection.execute(
                text(_FORGET),
                {
                    "key": limit.charge_point,
                    "connector": limit.connector_id,
                    "purpose": limit.purpose,
                },
            )
