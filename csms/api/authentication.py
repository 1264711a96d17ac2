"""From a request to a principal: bearer token, or session cookie with CSRF token."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from aiohttp import web

from csms.api.problems import Unauthenticated
from csms.errors import Forbidden
from csms.services.access import Access, Principal, Role

COOKIE = "csms_session"
CSRF_COOKIE = "csms_csrf"
CSRF_HEADER = "X-CSRF-Token"

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Authentication:
    """Knows who sends a request and whether they may."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def require(self, request: web.Request, role: Role) -> Principal:
        """Return who asks.

        Raises:
            Unauthenticated: No credentials, or bad ones.
            Forbidden: Known, but not of that role; or a write by cookie without its CSRF token.
        """
        principal, by_cookie = await self._principal(request)
        if by_cookie and request.method not in _READING:
            self._check_csrf(request)
        self._check_role(principal, role)
        return principal

    async def require_socket(self, request: web.Request, role: Role) -> Principal:
        """Return who opens a WebSocket; a browser (with a cookie) must come from our own pages.

        Raises:
            Unauthenticated, Forbidden: As `require`.
        """
        principal, by_cookie = await self._principal(request)
        if by_cookie and not same_origin(request):
            raise Forbidden("wrong_origin", "Browsers may connect from this server's pages only.")
        self._check_role(principal, role)
        return principal

    async def _principal(self, request: web.Request) -> tuple[Principal, bool]:
        header = request.headers.get("Authorization")
        principal: Principal | None = None
        if header is not None:
            scheme, _, token = header.partition(" ")
            if scheme.lower() == "bearer":
                principal = await self._access.by_token(token.strip())
        elif (cookie := request.cookies.get(COOKIE)) is not None:
            principal = await self._access.by_cookie(cookie)
        if principal is None:
            raise Unauthenticated(
                "unauthenticated", "Send a valid API key: Authorization: Bearer TOKEN."
            )
        return principal, header is None

    def _check_csrf(self, request: web.Request) -> None:
        right = self._access.csrf_token(request.cookies[COOKIE])
        sent = request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(right.encode(), sent.encode("utf-8", "surrogateescape")):
            raise Forbidden("csrf_token_required", f"Send the CSRF token in {CSRF_HEADER}.")

    @staticmethod
    def _check_role(principal: Principal, role: Role) -> None:
        if not principal.role.includes(role):
            raise Forbidden("forbidden", f"This takes the role {role}; yours is {principal.role}.")


def same_origin(request: web.Request) -> bool:
    """Return whether a browser sends this from a page of ours: Origin names our own host."""
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc.lower() == request.host.lower()
