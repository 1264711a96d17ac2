"""Signing in with a browser: a link with a token, or name and password; sets the session cookie."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus

from aiohttp import web

from csms.api.authentication import COOKIE, CSRF_COOKIE, same_origin
from csms.api.problems import Malformed, TooManyFailures, in_time
from csms.api.web import Web
from csms.clock import Clock
from csms.errors import DatabaseAway, Forbidden
from csms.services.access import Access, Principal
from csms.services.users import UserService

_LIFETIME_S = 12 * 3600
_FAILURES = 10
_FAILURES_WITHIN_S = 60.0
_MOST_ADDRESSES = 10_000

_PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Sign in - csms</title>
    <link rel="icon" type="image/svg+xml" href="/api/docs/favicon.svg">
  </head>
  <body>
    <h1>Sign in</h1>
    <p role="status">{message}</p>
    <form method="post" action="/sign-in">
      <p><label>Name <input name="name" autocomplete="username" required></label></p>
      <p><label>Password <input name="password" type="password"
        autocomplete="current-password" required></label></p>
      <p><button>Sign in</button></p>
    </form>
  </body>
</html>
"""


class SignIn:
    """The sign-in page.

    Args:
        secure: Whether browsers reach us over https only; else the request's own scheme counts.
        ui: The cockpit, which has a sign-in page of its own; without it a plain one does.
    """

    def __init__(
        self,
        access: Access,
        users: UserService,
        clock: Clock,
        *,
        secure: bool,
        ui: Web | None = None,
    ) -> None:
        self._access = access
        self._users = users
        self._clock = clock
        self._secure = secure
        self._ui = ui
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def add_to(self, router: web.UrlDispatcher) -> list[web.AbstractRoute]:
        """Add the routes and return them."""
        return [
            router.add_get("/sign-in", self._by_link),
            router.add_post("/sign-in", self._by_password),
            router.add_post("/sign-out", self._sign_out),
        ]

    async def _by_link(self, request: web.Request) -> web.StreamResponse:
        token = request.query.get("token")
        if token is None:
            return await self._page("", HTTPStatus.OK)
        principal = await self._tried(request, partial(self._access.by_token, token))
        if principal is None:
            return await self._page("This link is not valid (any more).", HTTPStatus.UNAUTHORIZED)
        return self._signed_in(principal, request)

    async def _by_password(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Origin") is not None and not same_origin(request):
            raise Forbidden("wrong_origin", "Sign in from this server's own page.")

        async def by_form() -> Principal | None:
            try:
                form = await in_time(request.post())
            except (ValueError, LookupError, AssertionError) as error:
                raise Malformed("invalid_form", "The form cannot be read.") from error
            name, password = form.get("name"), form.get("password")
            if isinstance(name, str) and isinstance(password, str):
                return await self._users.by_password(name, password)
            return None

        principal = await self._tried(request, by_form)
        if principal is None:
            return await self._page("Name or password is wrong.", HTTPStatus.UNAUTHORIZED)
        return self._signed_in(principal, request)

    async def _sign_out(self, request: web.Request) -> web.StreamResponse:
        if not same_origin(request):
            raise Forbidden("wrong_origin", "Sign out from this server's own pages.")
        if (cookie := request.cookies.get(COOKIE)) is not None:
            self._access.end(cookie)
        answer = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": "/sign-in"})
        answer.del_cookie(COOKIE)
        answer.del_cookie(CSRF_COOKIE)
        return answer

    def _signed_in(self, principal: Principal, request: web.Request) -> web.Response:
        secure = self._secure or request.secure
        cookie = self._access.cookie(principal, _LIFETIME_S)
        target = "/" if self._ui is not None and self._ui.built else "/api/docs"
        answer = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": target})
        answer.set_cookie(
            COOKIE,
            cookie,
            max_age=_LIFETIME_S,
            httponly=True,
            samesite="Lax",
            secure=secure,
        )
        answer.set_cookie(
            CSRF_COOKIE,
            self._access.csrf_token(cookie),
            max_age=_LIFETIME_S,
            samesite="Lax",
            secure=secure,
        )
        return answer

    async def _tried(
        self, request: web.Request, find: Callable[[], Awaitable[Principal | None]]
    ) -> Principal | None:
        """Return who it is; only tries that find nobody count as failed."""
        self._count_try(request)
        try:
            principal = await find()
        except DatabaseAway:
            self._forget_try(request)
            raise
        if principal is not None:
            self._forget_try(request)
        return principal

    def _count_try(self, request: web.Request) -> None:
        """Count a try as failed before anybody knows, so that many at once are not more."""
        address, now = request.remote or "", self._clock.monotonic()
        since, count = self._failures.pop(address, (now, 0))
        if now - since >= _FAILURES_WITHIN_S:
            since, count = now, 0
        self._failures[address] = (since, min(count + 1, _FAILURES))
        while len(self._failures) > _MOST_ADDRESSES:
            self._failures.popitem(last=False)
        if count >= _FAILURES:
            raise TooManyFailures("too_many_failures", "Too many failed attempts; wait a minute.")

    def _forget_try(self, request: web.Request) -> None:
        since, count = self._failures.get(request.remote or "", (0.0, 0))
        if count:
            self._failures[request.remote or ""] = (since, count - 1)

    async def _page(self, message: str, status: HTTPStatus) -> web.Response:
        """Return the page; `message` is a text of ours, never the caller's."""
        page = None if self._ui is None else await self._ui.page(status=status)
        return page or web.Response(
            text=_PAGE.format(message=message), status=status, content_type="text/html"
        )
