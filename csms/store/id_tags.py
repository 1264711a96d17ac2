"""Id tags; the column `id_tag_key` holds the spelling under which they are compared."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    delete,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import id_tag_key
from csms.services.ports.id_tags import IdTagFilter, IdTagGroup
from csms.services.ports.store import Changes
from csms.services.records import IdTag
from csms.store import tables
from csms.store.charge_points import writable

_T = tables.id_tags
_S = tables.transactions
_WRITABLE = frozenset(
    {"id_tag", "status", "expires_at", "parent_id_tag", "max_active_sessions", "name"}
)
_READ = (
    _T.c.id,
    _T.c.id_tag,
    _T.c.id_tag_key,
    _T.c.status,
    _T.c.expires_at,
    _T.c.parent_id_tag,
    _T.c.max_active_sessions,
    _T.c.name,
)
_PARENT = func.upper(_T.c.parent_id_tag)


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
        found = await self.many([id_tag])
        return next(iter(found.values()), None)

    async def many(self, id_tags: Collection[str], *, lock: bool = False) -> dict[str, IdTag]:
        """Return those that exist; locked in the order of their keys, so that none waits in turn.

        EXPLAIN: the unique index of keys.
        """
        keys = sorted({id_tag_key(id_tag) for id_tag in id_tags})
        statement = select(*_READ).where(_T.c.id_tag_key.in_(keys)).order_by(_T.c.id_tag_key)
        if lock:
            statement = statement.with_for_update()
        return {row.id_tag_key: _tag(row) for row in await self._connection.execute(statement)}

    async def page(
        self, limit: int, wanted: IdTagFilter, now: datetime, *, before: int | None = None
    ) -> list[IdTag]:
        """Return tags, the newest first.

        EXPLAIN: the primary key backwards with a filter on its rows, so most pages end after a few;
        a text that no tag has costs one look at all of them (a million: half a second). A group
        comes from its own index.
        """
        statement = select(*_READ).where(*_conditions(wanted, now))
        if before is not None:
            statement = statement.where(_T.c.id < before)
        statement = statement.order_by(_T.c.id.desc()).limit(limit)
        return [_tag(row) for row in await self._connection.execute(statement)]

    async def groups(
        self, limit: int, *, text: str | None = None, after: str | None = None
    ) -> list[IdTagGroup]:
        """Return groups by key. EXPLAIN: the index of parents, in its order."""
        statement = select(
            _PARENT.label("key"),
            func.min(_T.c.parent_id_tag).label("name"),
            func.count().label("n"),
        ).where(_T.c.parent_id_tag.is_not(None))
        if text is not None:
            statement = statement.where(_T.c.parent_id_tag.icontains(text, autoescape=True))
        if after is not None:
            statement = statement.where(after < _PARENT)
        statement = statement.group_by(_PARENT).order_by(_PARENT).limit(limit)
        return [
            IdTagGroup(key=row.key, parent_id_tag=row.name, members=row.n)
            for row in await self._connection.execute(statement)
        ]

    async def members(self, id_tags: Collection[str]) -> dict[str, int]:
        """See the port. EXPLAIN: the index of parents."""
        keys = {id_tag_key(id_tag) for id_tag in id_tags}
        statement = (
            select(_PARENT.label("key"), func.count().label("n"))
            .where(_T.c.parent_id_tag.is_not(None), _PARENT.in_(sorted(keys)))
            .group_by(_PARENT)
        )
        return {row.key: row.n for row in await self._connection.execute(statement)}

    async def running(self, id_tags: Collection[str]) -> dict[str, int]:
        """See the port. EXPLAIN: the partial index of active transactions by tag."""
        keys = {id_tag_key(id_tag) for id_tag in id_tags}
        statement = (
            select(_S.c.id_tag_key, func.count().label("n"))
            .where(_S.c.active, _S.c.id_tag_key.in_(sorted(keys)))
            .group_by(_S.c.id_tag_key)
        )
        return {row.id_tag_key: row.n for row in await self._connection.execute(statement)}

    async def update(self, key: int, changes: Changes) -> None:
        """Change some columns; the tag itself stays."""
        if changes:
            values = writable(changes, _WRITABLE - {"id_tag"})
            await self._connection.execute(update(_T).where(_T.c.id == key).values(values))

    async def set_status(self, keys: Collection[int], status: str) -> None:
        """Accept or block many in one statement."""
        await self._connection.execute(
            update(_T).where(_T.c.id.in_(list(keys))).values(status=status)
        )

    async def delete(self, keys: Collection[int]) -> None:
        """Remove these tags: they are unknown from now on."""
        await self._connection.execute(delete(_T).where(_T.c.id.in_(list(keys))))


def _conditions(wanted: IdTagFilter, now: datetime) -> list[ColumnElement[bool]]:
    """Return what tags have to fulfil."""
    found: list[ColumnElement[bool]] = []
    if wanted.text is not None:
        found.append(
            or_(
                _T.c.id_tag.icontains(wanted.text, autoescape=True),
                _T.c.name.icontains(wanted.text, autoescape=True),
            )
        )
    if wanted.status is not None:
        found.append(_T.c.status == wanted.status)
    if wanted.expired is not None:
        expired = and_(_T.c.expires_at.is_not(None), _T.c.expires_at <= now)
        found.append(expired if wanted.expired else not_(expired))
    if wanted.parent is not None:
        found += [_T.c.parent_id_tag.is_not(None), func.upper(literal(wanted.parent)) == _PARENT]
    return found


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
