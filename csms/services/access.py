"""Who asks: bearer tokens and cookies to principals, from memory where possible."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum

from csms.clock import Clock
from csms.services.credentials import TOKEN_PREFIX, signature, token_digest
from csms.services.ports.store import UnitsOfWork

_KNOWN_FOR_S = 10.0
_MOST_KNOWN = 10_000


class Role(StrEnum):
    """What somebody may do; the first ones include those after them, but drivers stand apart."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"
    DRIVER = "driver"

    def includes(self, needed: Role) -> bool:
        """Return whether this role may do what `needed` may.

        >>> Role.ADMIN.includes(Role.VIEWER), Role.DRIVER.includes(Role.VIEWER)
        (True, False)
        """
        if Role.DRIVER in (self, needed):
            return self is needed or self is Role.ADMIN
        order = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who is known.

    Attributes:
        subject: What a cookie of theirs stands for: ``key:DIGEST`` or ``user:ID:GENERATION``.
    """

    name: str
    role: Role
    subject: str


class Access:
    """Finds principals. Changes here are seen at once, those of other nodes within ten seconds."""

    def __init__(
        self, units: UnitsOfWork, clock: Clock, *, secret: bytes, admin_token: str | None
    ) -> None:
        self._units = units
        self._clock = clock
        self._secret = secret
        self._known: OrderedDict[str, tuple[float, Principal | None]] = OrderedDict()
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._admin = None if admin_token is None else token_digest(secret, admin_token)

    def forget(self) -> None:
        """Ask the database again: a user or a key has changed."""
        self._known.clear()

    async def by_token(self, token: str) -> Principal | None:
        """Return whose bearer token this is; None when it is nobody's."""
        digest = token_digest(self._secret, token)
        if self._admin is not None and hmac.compare_digest(digest, self._admin):
            return self._administrator(digest)
        if not token.startswith(TOKEN_PREFIX):
            return None
        return await self._by_subject(f"key:{digest.hex()}")

    async def by_cookie(self, value: str) -> Principal | None:
        """Return whose cookie this is; None when it is forged, out of date or withdrawn."""
        subject = self._signed_subject(value)
        return None if subject is None else await self._by_subject(subject)

    def end(self, value: str) -> None:
        """Take a cookie for nobody's from now on: its owner has signed out.

        A copy of it that somebody has made opens nothing here any more; other nodes, and this one
        after a restart, know nothing of it until the cookie ends by itself.
        """
        if self._signed_subject(value) is None:
            return
        self._ended[value] = None
        while len(self._ended) > _MOST_KNOWN:
            self._ended.popitem(last=False)

    def _signed_subject(self, value: str) -> str | None:
        """Return whom a cookie of ours stands for while it is good."""
        text, _, signed = value.rpartition(".")
        if not hmac.compare_digest(signature(self._secret, text).encode(), signed.encode()):
            return None
        subject, _, expires = text.rpartition(".")
        if int(expires) <= self._clock.now().timestamp() or value in self._ended:
            return None
        return subject

    def cookie(self, principal: Principal, lifetime_s: int) -> str:
        """Return a signed cookie for this principal."""
        expires = int(self._clock.now().timestamp()) + lifetime_s
        text = f"{principal.subject}.{expires}"
        return f"{text}.{signature(self._secret, text)}"

    def csrf_token(self, cookie: str) -> str:
        """Return the token that writes with this cookie have to show."""
        return signature(self._secret, f"csrf {cookie}")[:32]

    async def _by_subject(self, subject: str) -> Principal | None:
        now = self._clock.monotonic()
        known = self._known.get(subject)
        if known is not None and known[0] > now:
            return known[1]
        principal = await self._read(subject)
        self._known[subject] = (now + _KNOWN_FOR_S, principal)
        self._known.move_to_end(subject)
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return principal

    async def _read(self, subject: str) -> Principal | None:
        kind, _, rest = subject.partition(":")
        if kind == "user":
            key, _, generation = rest.partition(":")
            return await self._user(int(key), int(generation), subject)
        digest = bytes.fromhex(rest)
        if self._admin is not None and hmac.compare_digest(digest, self._admin):
            return self._administrator(digest)
        async with self._units() as unit:
            found = await unit.users.key_by_digest(digest)
        if found is None:
            return None
        key_row, user = found
        if key_row.expires_at is not None and key_row.expires_at <= self._clock.now():
            return None
        if user is not None and user.disabled:
            return None
        return Principal(name=key_row.name, role=Role(key_row.role), subject=subject)

    async def _user(self, key: int, generation: int, subject: str) -> Principal | None:
        async with self._units() as unit:
            user = await unit.users.get(key)
        if user is None or user.disabled or user.generation != generation:
            return None
        return Principal(name=user.name, role=Role(user.role), subject=subject)

    def _administrator(self, digest: bytes) -> Principal:
        return Principal(name="administrator", role=Role.ADMIN, subject=f"key:{digest.hex()}")
