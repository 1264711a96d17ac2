"""Users who sign in; their passwords are kept as Argon2 hashes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from csms.errors import NotFound
from csms.services.access import Access, Principal, Role
from csms.services.audit import AuditTrail, told, told_before
from csms.services.ports.store import UnitsOfWork
from csms.services.records import User

# OWASP's second choice: about 60 ms and 19 MiB a try
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_AT_ONCE = 2


class UserService:
    """Creates, changes, shows and removes users, and knows their passwords."""

    def __init__(self, units: UnitsOfWork, access: Access, audit: AuditTrail) -> None:
        self._units = units
        self._access = access
        self._audit = audit
        self._hashing = asyncio.Semaphore(_AT_ONCE)
        self._nobody: str | None = None

    async def create(self, actor: str, name: str, role: Role, password: str | None) -> User:
        """Add a user. Raises Conflict `user_exists`."""
        hashed = None if password is None else await self._hash(password)
        async with self._units() as unit:
            user = await unit.users.insert(
                {"name": name, "role": role.value, "password_hash": hashed}
            )
            await self._audit.note(
                unit, actor, "create", "user", str(user.key), {"name": name, "role": role.value}
            )
        return user

    async def get(self, key: int) -> User:
        """Return one user. Raises NotFound."""
        async with self._units() as unit:
            user = await unit.users.get(key)
        if user is None:
            raise _no_user()
        return user

    async def page(self, limit: int, before: int | None = None) -> list[User]:
        """Return users, the newest first."""
        async with self._units() as unit:
            return await unit.users.page(limit, before=before)

    async def change(
        self,
        actor: str,
        key: int,
        values: Mapping[str, object],
        *,
        password: str | None = None,
        password_given: bool = False,
    ) -> User:
        """Change what is given; all cookies of the user end.

        Raises:
            NotFound: No such user.
            Conflict: `user_exists`.
        """
        changes = dict(values)
        if password_given:
            changes["password_hash"] = None if password is None else await self._hash(password)
        async with self._units() as unit:
            before = await unit.users.get(key)
            user = await unit.users.update(key, changes)
            if before is None or user is None:
                raise _no_user()
            shown = {
                **told(values),
                **({"password": "changed"} if password_given else {}),
                **told_before(before, values),
                "called": user.name,
            }
            await self._audit.note(unit, actor, "change", "user", str(key), shown)
        self._access.forget()
        return user

    async def delete(self, actor: str, key: int) -> None:
        """Remove a user with their API keys. Raises NotFound."""
        async with self._units() as unit:
            user = await unit.users.get(key)
            if user is None or not await unit.users.delete(key):
                raise _no_user()
            await self._audit.note(unit, actor, "delete", "user", str(key), {"called": user.name})
        self._access.forget()

    async def by_password(self, name: str, password: str) -> Principal | None:
        """Return the user of this name and password; None when there is none.

        An unknown name takes as long as a wrong password.
        """
        async with self._units() as unit:
            found = await unit.users.password_hash(name)
        user, stored = found if found is not None else (None, None)
        if self._nobody is None:
            self._nobody = await self._hash("nobody has this password")
        async with self._hashing:
            right = await asyncio.to_thread(_verify, stored or self._nobody, password)
        if user is None or stored is None or user.disabled or not right:
            return None
        return Principal(
            name=user.name, role=Role(user.role), subject=f"user:{user.key}:{user.generation}"
        )

    async def _hash(self, password: str) -> str:
        async with self._hashing:
            return await asyncio.to_thread(_HASHER.hash, password)


def _verify(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _no_user() -> NotFound:
    return NotFound("user_not_found", "There is no such user.")
