"""The ports of the store for users: who they are, what they did, what they were answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from csms.services.ports.charge_points import Changes
from csms.services.records import ApiKey, AuditEntry, StoredAnswer, User


class Users(Protocol):
    """Users and API keys."""

    async def insert(self, values: Changes) -> User:
        """Add a user. Raises Conflict `user_exists`."""
        ...

    async def get(self, key: int) -> User | None:
        """Return one, or None."""
        ...

    async def password_hash(self, name: str) -> tuple[User, str | None] | None:
        """Return the user of this name and the hash of the password."""
        ...

    async def page(self, limit: int, *, before: int | None = None) -> list[User]:
        """Return one page, the newest first."""
        ...

    async def update(self, key: int, changes: Changes) -> User | None:
        """Change some columns of one row."""
        ...

    async def delete(self, key: int) -> bool:
        """Remove one."""
        ...

    async def insert_key(self, values: Changes) -> ApiKey:
        """Add an API key."""
        ...

    async def key_by_digest(self, digest: bytes) -> tuple[ApiKey, User | None] | None:
        """Return the key with this token digest and its user, if it has one."""
        ...

    async def get_key(self, key: int) -> ApiKey | None:
        """Return one API key, or None."""
        ...

    async def page_keys(self, limit: int, *, before: int | None = None) -> list[ApiKey]:
        """Return API keys, the newest first."""
        ...

    async def delete_key(self, key: int) -> bool:
        """Remove an API key; False when there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries; what is given holds all together.

    Attributes:
        since: First moment, in; `until` the last, out.
    """

    actor: str | None = None
    action: str | None = None
    object_type: str | None = None
    object_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Audit(Protocol):
    """Who did what; append only."""

    async def append(
        self,
        *,
        at: datetime,
        actor: str,
        action: str,
        object_type: str,
        object_id: str | None,
        details: Mapping[str, Any],
    ) -> None:
        """Add an entry."""
        ...

    async def page(
        self, limit: int, wanted: AuditFilter | None = None, *, before: int | None = None
    ) -> list[AuditEntry]:
        """Return one page, the newest first; None wants all."""
        ...


class IdempotencyKeys(Protocol):
    """Answers by idempotency key and actor."""

    async def claim(self, actor: str, key: str, digest: bytes) -> StoredAnswer | None:
        """Take the key; None when it is ours now, else what is stored under it."""
        ...

    async def finish(self, actor: str, key: str, status: int, body: str) -> None:
        """Store the answer."""
        ...

    async def release(self, actor: str, key: str) -> None:
        """Give the key back: nothing was done."""
        ...

    async def forget(self, before: datetime) -> int:
        """Delete keys made before that time; returns how many."""
        ...
