"""Id tags; the column `id_tag_key` holds the spelling under which they are compared."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import id_tag_key
from csms.services.ports.store import Changes
from csms.services.records import IdTag
from csms.store import tables
from csms.store.charge_points import writable

_T = tables.id_tags
_WRITABLE = frozenset(
    {"id_tag", "status", "expires_at", "parent_id_tag", "max_active_sessions", "name"}
)
_READ = (
    _T.c.id,
    _T.c.id_tag,
    _T.c.status,
    _T.c.expires_at,
    _T.c.parent_id_tag,
    _T.c.max_active_sessions,
    _T.c.name,
)


class IdTags:
    """See `csms.services.ports.id_tags.IdTags`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def insert(self, values: Changes) -> None:
        """Add a tag."""
        row = writable(values, _WRITABLE)
        row["id_tag_key"] = id_tag_key(str(row["id_tag"]))
        await self._connection.execute(insert(_T).values(row))

    async def insert_if_missing(self, id_tag: str, name: str) -> None:
        """Add an accepted tag unless it is there, in whatever state."""
        row = {"id_tag": id_tag, "id_tag_key": id_tag_key(id_tag), "name": name}
        await self._connection.execute(
            upsert(_T).values(row).on_conflict_do_nothing(constraint="uq_id_tags_id_tag_key")
        )

    async def get(self, id_tag: str) -> IdTag | None:
        """Return the tag, in any case of letters."""
        statement = select(*_READ).where(_T.c.id_tag_key == id_tag_key(id_tag))
        row = (await self._connection.execute(statement)).first()
        return None if row is None else _tag(row)

    async def page(self, limit: int, *, before: int | None = None) -> list[IdTag]:
        """Return tags, the newest first."""
        statement = select(*_READ).order_by(_T.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(_T.c.id < before)
        return [_tag(row) for row in await self._connection.execute(statement)]

    async def update(self, key: int, changes: Changes) -> None:
        """Change some columns; the tag itself stays."""
        if changes:
            values = writable(changes, _WRITABLE - {"id_tag"})
            await self._connection.execute(update(_T).where(_T.c.id == key).values(values))

    async def delete(self, key: int) -> None:
        """Remove the tag: it is unknown from now on."""
        await self._connection.execute(delete(_T).where(_T.c.id == key))


def _tag(row: Row[*tuple[Any, ...]]) -> IdTag:
    return IdTag(
        key=row.id,
        id_tag=row.id_tag,
        status=row.status,
        expires_at=row.expires_at,
        parent_id_tag=row.parent_id_tag,
        max_active_sessions=row.max_active_sessions,
        name=row.name,
    )
