"""Who is signed in: what the cockpit asks first."""

from __future__ import annotations

from aiohttp import web

from csms.api.authentication import COOKIE
from csms.api.fields import Out
from csms.api.routes import Route
from csms.services.access import Access, Principal, Role


class MeOut(Out):
    """Who asks; `csrfToken` is for writes by the session cookie, null for bearers of a key."""

    name: str
    role: Role
    csrf_token: str | None
    version: str


class Me:
    """The operation."""

    def __init__(self, access: Access, version: str) -> None:
        self._access = access
        self._version = version

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        return [
            Route(
                method="GET",
                path="/api/me",
                handler=self.get_me,
                role=Role.VIEWER,
                tag="system",
            )
        ]

    async def get_me(self, principal: Principal, request: web.Request) -> MeOut:
        """Return who asks and what they may do."""
        cookie = None if "Authorization" in request.headers else request.cookies.get(COOKIE)
        return MeOut(
            name=principal.name,
            role=principal.role,
            csrf_token=None if cookie is None else self._access.csrf_token(cookie),
            version=self._version,
        )
