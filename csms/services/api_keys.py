"""API keys: bearer tokens for programs; only their digests are kept."""

from __future__ import annotations

from datetime import datetime

from csms.errors import Invalid, NotFound
from csms.services.access import Access, Role
from csms.services.audit import AuditTrail
from csms.services.credentials import new_token, token_digest
from csms.services.ports.store import UnitsOfWork
from csms.services.records import ApiKey


class ApiKeyService:
    """Creates, shows and removes API keys."""

    def __init__(
        self, units: UnitsOfWork, access: Access, audit: AuditTrail, *, secret: bytes
    ) -> None:
        self._units = units
        self._access = access
        self._audit = audit
        self._secret = secret

    async def create(
        self,
        actor: str,
        name: str,
        role: Role,
        user_key: int | None,
        expires_at: datetime | None,
    ) -> tuple[ApiKey, str]:
        """Add a key and return it with its token, which is never shown again.

        Raises:
            Invalid: There is no such user.
        """
        token = new_token()
        async with self._units() as unit:
            if user_key is not None and await unit.users.get(user_key) is None:
                raise Invalid(
                    "invalid_request", "There is no such user.", {"userId": "does not exist"}
                )
            key = await unit.users.insert_key(
                {
                    "name": name,
                    "role": role.value,
                    "user_id": user_key,
                    "token_digest": token_digest(self._secret, token),
                    "expires_at": expires_at,
                }
            )
            details = {"name": name, "role": role.value}
            await self._audit.note(unit, actor, "create", "api_key", str(key.key), details)
        return key, token

    async def get(self, key: int) -> ApiKey:
        """Return one key. Raises NotFound."""
        async with self._units() as unit:
            found = await unit.users.get_key(key)
        if found is None:
            raise _no_key()
        return found

    async def page(self, limit: int, before: int | None = None) -> list[ApiKey]:
        """Return keys, the newest first."""
        async with self._units() as unit:
            return await unit.users.page_keys(limit, before=before)

    async def delete(self, actor: str, key: int) -> None:
        """Remove a key: its token is nobody's from now on. Raises NotFound."""
        async with self._units() as unit:
            found = await unit.users.get_key(key)
            if found is None or not await unit.users.delete_key(key):
                raise _no_key()
            details = {"called": found.name}
            await self._audit.note(unit, actor, "delete", "api_key", str(key), details)
        self._access.forget()


def _no_key() -> NotFound:
    return NotFound("api_key_not_found", "There is no such API key.")
