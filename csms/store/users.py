"""Users and API keys."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.services.ports.store import Changes
from csms.services.records import ApiKey, User
from csms.store import tables
from csms.store.charge_points import writable

_U = tables.users
_K = tables.api_keys
_WRITABLE = frozenset({"name", "role", "password_hash", "disabled"})
_KEY_WRITABLE = frozenset({"name", "role", "user_id", "token_digest", "expires_at"})
_READ = (
    _U.c.id,
    _U.c.name,
    _U.c.role,
    _U.c.disabled,
    _U.c.generation,
    _U.c.password_hash.is_not(None).label("has_password"),
    _U.c.created_at,
)
_KEY_READ = (_K.c.id, _K.c.name, _K.c.role, _K.c.user_id, _K.c.expires_at, _K.c.created_at)


class Users:
    """See `csms.services.ports.users.Users`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def insert(self, values: Changes) -> User:
        """Add a user."""
        statement = insert(_U).values(writable(values, _WRITABLE)).returning(*_READ)
        return _user((await self._connection.execute(statement)).one())

    async def get(self, key: int) -> User | None:
        """Return one user."""
        row = (await self._connection.execute(select(*_READ).where(_U.c.id == key))).first()
        return None if row is None else _user(row)

    async def password_hash(self, name: str) -> tuple[User, str | None] | None:
        """Return the user of this name with the hash of the password."""
        statement = select(*_READ, _U.c.password_hash).where(_U.c.name == name)
        row = (await self._connection.execute(statement)).first()
        return None if row is None else (_user(row), row.password_hash)

    async def page(self, limit: int, *, before: int | None = None) -> list[User]:
        """Return users, the newest first."""
        statement = select(*_READ).order_by(_U.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(_U.c.id < before)
        return [_user(row) for row in await self._connection.execute(statement)]

    async def update(self, key: int, changes: Changes) -> User | None:
        """Change some columns; the user's cookies end."""
        values: dict[str, object] = writable(changes, _WRITABLE)
        statement = (
            update(_U)
            .where(_U.c.id == key)
            .values(**values, generation=_U.c.generation + 1)
            .returning(*_READ)
        )
        row = (await self._connection.execute(statement)).first()
        return None if row is None else _user(row)

    async def delete(self, key: int) -> bool:
        """Remove a user with their API keys."""
        statement = delete(_U).where(_U.c.id == key).returning(_U.c.id)
        return (await self._connection.execute(statement)).first() is not None

    async def insert_key(self, values: Changes) -> ApiKey:
        """Add an API key."""
        statement = insert(_K).values(writable(values, _KEY_WRITABLE)).returning(*_KEY_READ)
        return _key((await self._connection.execute(statement)).one())

    async def key_by_digest(self, digest: bytes) -> tuple[ApiKey, User | None] | None:
        """Return the key with this digest and its user, if it has one."""
        statement = select(*_KEY_READ).where(_K.c.token_digest == digest)
        row = (await self._connection.execute(statement)).first()
        if row is None:
            return None
        user = None if row.user_id is None else await self.get(row.user_id)
        return _key(row), user

    async def get_key(self, key: int) -> ApiKey | None:
        """Return one API key."""
        row = (await self._connection.execute(select(*_KEY_READ).where(_K.c.id == key))).first()
        return None if row is None else _key(row)

    async def page_keys(self, limit: int, *, before: int | None = None) -> list[ApiKey]:
        """Return API keys, the newest first."""
        statement = select(*_KEY_READ).order_by(_K.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(_K.c.id < before)
        return [_key(row) for row in await self._connection.execute(statement)]

    async def delete_key(self, key: int) -> bool:
        """Remove an API key: its token is nobody's from now on."""
        statement = delete(_K).where(_K.c.id == key).returning(_K.c.id)
        return (await self._connection.execute(statement)).first() is not None


def _user(row: Row[*tuple[Any, ...]]) -> User:
    return User(
        key=row.id,
        name=row.name,
        role=row.role,
        disabled=row.disabled,
        generation=row.generation,
        has_password=row.has_password,
        created_at=row.created_at,
    )


def _key(row: Row[*tuple[Any, ...]]) -> ApiKey:
    return ApiKey(
        key=row.id,
        name=row.name,
        role=row.role,
        user_key=row.user_id,
        expires_at=row.expires_at,
        created_at=row.created_at,
    )
