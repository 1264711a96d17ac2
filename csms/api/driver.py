"""A connector's page for drivers at `/c/{stationId}/{connectorId}`: see, start, watch, stop.

Open to strangers, so everything is bounded: requests, starts and wrong codes by address and by
connector, bodies, open streams. The page knows its driver by a random cookie, which programs of
other origins can neither read nor use.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from math import ceil
from typing import Annotated, Any

import orjson
from aiohttp import web
from pydantic import Field, ValidationError

from csms.api import problems
from csms.api.authentication import same_origin
from csms.api.driver_page import CSP, Template, notice_of, page_of
from csms.api.driver_texts import LANGUAGES, Texts, chosen
from csms.api.driver_view import view_out
from csms.api.fields import IdTagText, In, precise_time
from csms.clock import Clock
from csms.domain.connectors import MOST_CONNECTORS
from csms.errors import DatabaseAway, Forbidden, NotFound, Refusal
from csms.services.allowances import Allowance, household
from csms.services.driver_feed import DriverFeed, Watch
from csms.services.driver_pages import DriverPageService, new_token
from csms.services.driver_views import Asked

TOKEN_COOKIE = "csms_driver"  # noqa: S105  a cookie's name
LANGUAGE_COOKIE = "csms_language"
_COOKIE_PATH = "/c/"
_TOKEN_LIFE_S = 7 * 86_400
_LANGUAGE_LIFE_S = 365 * 86_400
_LONGEST_TOKEN = 64
_MOST_BODY_BYTES = 512
_MOST_CALLS = 200  # starts and stops that are under way at once
_MOST_STREAMS, _MOST_STREAMS_ADDRESS, _MOST_STREAMS_PLACE = 2000, 60, 60
_STREAM_LIFE_S = 3600.0
_PULSE_S = 5.0
_SILENCE_S = 8.0  # browsers hold a line for dead that is silent for 30 s
_SEND_S = 10.0
_RETRY_MS = 2000


class StartIn(In):
    """A start; without `idTag` one is used that is made for this driver."""

    id_tag: Annotated[IdTagText | None, Field()] = None


class TooMany(Refusal):
    """Too often, or too many at once: 429."""

    status = 429

    def __init__(self, wait_s: float) -> None:
        super().__init__("too_many", "Too many attempts; wait.")
        self.wait_s = ceil(wait_s)


class Limits:
    """How often what may be done, by address (household) and by connector."""

    def __init__(self, clock: Clock) -> None:
        minutes_10 = 600.0
        self.reads = Allowance(clock, burst=120, per_s=4)
        self.starts = Allowance(clock, burst=10, per_s=10 / minutes_10)
        self.place_starts = Allowance(clock, burst=10, per_s=10 / minutes_10)
        self.stops = Allowance(clock, burst=10, per_s=1 / 5)
        self.wrong_codes = Allowance(clock, burst=5, per_s=5 / minutes_10)
        self.place_wrong_codes = Allowance(clock, burst=10, per_s=10 / minutes_10)
        self.all_wrong_codes = Allowance(clock, burst=300, per_s=300 / 3600)

    def check_code(self, address: str, place: str) -> None:
        """Raise TooMany while there were too many wrong codes."""
        wait_s = max(
            self.wrong_codes.wait_s(address),
            self.place_wrong_codes.wait_s(place),
            self.all_wrong_codes.wait_s(""),
        )
        if wait_s > 0:
            raise TooMany(wait_s)

    def count_wrong_code(self, address: str, place: str) -> None:
        """Note a wrong code."""
        self.wrong_codes.take(address)
        self.place_wrong_codes.take(place)
        self.all_wrong_codes.take("")


class DriverPages:
    """The page, its state, its live stream, start and stop.

    Args:
        secure: Whether browsers reach us over https only; else the request's own scheme counts.
    """

    def __init__(
        self,
        pages: DriverPageService,
        feed: DriverFeed,
        clock: Clock,
        template: Template,
        *,
        secure: bool,
    ) -> None:
        self._pages = pages
        self._feed = feed
        self._clock = clock
        self._template = template
        self._secure = secure
        self._texts = {language: Texts(language) for language in LANGUAGES}
        self._limits = Limits(clock)
        self._calls = 0
        self._streams: Counter[str] = Counter()
        self._closing = False

    def add_to(self, app: web.Application) -> list[web.AbstractRoute]:
        """Add the routes and return them; at the server's stop the streams end."""
        app.on_shutdown.append(self._close)
        one = r"/c/{station_id}/{connector_id:\d{1,3}}"
        router = app.router
        return [
            router.add_get(one, self._page),
            router.add_get(f"{one}/state", self._state),
            router.add_get(f"{one}/events", self._events, allow_head=False),
            router.add_post(f"{one}/start", self._start),
            router.add_post(f"{one}/stop", self._stop),
        ]

    async def _page(self, request: web.Request) -> web.StreamResponse:
        """Return the page itself; what goes wrong is said in words, in the driver's language."""
        wanted = request.query.get("lang")
        texts = self._texts[
            chosen(
                wanted or request.cookies.get(LANGUAGE_COOKIE),
                request.headers.get("Accept-Language"),
            )
        ]
        token = _token(request)
        view, status = None, HTTPStatus.OK
        try:
            self._allow_reading(request)
            view = self._timed(view_out(await self._pages.view(self._asked(request, token))))
            title, page = page_of(texts, view)
        except TooMany:
            status = HTTPStatus.TOO_MANY_REQUESTS
            title, page = notice_of(texts, "page.busy")
        except NotFound:
            status = HTTPStatus.NOT_FOUND
            title, page = notice_of(texts, "page.missing")
        except DatabaseAway:
            status = HTTPStatus.SERVICE_UNAVAILABLE
            title, page = notice_of(texts, "page.away")
        body = await asyncio.to_thread(
            self._template.filled, texts, title=title, page=page, view=view
        )
        answer = web.Response(
            text=body,
            status=status,
            content_type="text/html",
            headers={
                "Content-Security-Policy": CSP,
                "Content-Language": texts.language,
                "Vary": "Accept-Language, Cookie",
            },
        )
        answer.enable_compression()
        if view is not None and token is None:
            self._keep(request, answer, TOKEN_COOKIE, new_token(), _TOKEN_LIFE_S)
        if wanted in LANGUAGES:
            self._keep(request, answer, LANGUAGE_COOKIE, str(wanted), _LANGUAGE_LIFE_S)
        return answer

    async def _state(self, request: web.Request) -> web.StreamResponse:
        async def act() -> web.StreamResponse:
            self._allow_reading(request)
            return await self._shown(self._asked(request, _token(request)))

        return await _answered(act)

    async def _start(self, request: web.Request) -> web.StreamResponse:
        async def act() -> web.StreamResponse:
            body = await _body(request)
            token = _token(request)
            if token is None:
                raise Forbidden("cookie_needed", "Load the page first; it sets a cookie.")
            asked = self._asked(request, token)
            address, place = household(request.remote or ""), f"{asked.place}"
            if body.id_tag is not None:
                self._limits.check_code(address, place)
            for allowance, key in (
                (self._limits.starts, address),
                (self._limits.place_starts, place),
            ):
                _require(allowance.take(key))
            with self._calling():
                try:
                    await self._pages.start(asked, token, body.id_tag)
                except Forbidden as refusal:
                    if refusal.code == "tag_refused":
                        self._limits.count_wrong_code(address, place)
                    raise
            return await self._shown(asked)

        return await _answered(act)

    async def _stop(self, request: web.Request) -> web.StreamResponse:
        async def act() -> web.StreamResponse:
            await _body(request)
            asked = self._asked(request, _token(request))
            _require(self._limits.stops.take(household(request.remote or "")))
            with self._calling():
                await self._pages.stop(asked)
            return await self._shown(asked)

        return await _answered(act)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Stream the page's state: whole each time it changes, so a cut leaves nothing to mend."""

        async def act() -> web.StreamResponse:
            self._allow_reading(request)
            asked = self._asked(request, _token(request))
            await self._pages.view(asked)
            address, place = f"a {household(request.remote or '')}", f"p {asked.place}"
            with self._streaming(address, place), self._feed.watching(asked) as watch:
                return await self._streamed(request, watch)

        return await _answered(act)

    async def _streamed(self, request: web.Request, watch: Watch) -> web.StreamResponse:
        answer = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        await answer.prepare(request)
        told: tuple[str, dict[str, Any]] | None = None
        told_at = began = self._clock.monotonic()
        try:
            await _send(answer, f"retry: {_RETRY_MS}\n\n")
            while not self._closing and self._clock.monotonic() - began < _STREAM_LIFE_S:
                await watch.hint.taken(_PULSE_S)
                if watch.looked_at is None:
                    continue
                news = self._news(watch)
                now = self._clock.monotonic()
                if news != told:
                    await _send(answer, self._event(*news))
                    told, told_at = news, now
                elif now - told_at > _SILENCE_S:
                    await _send(answer, self._event("pulse", {}))
                    told_at = now
        except (ConnectionError, TimeoutError):
            return answer  # the phone is gone or reads nothing; it comes back by itself
        return answer

    def _news(self, watch: Watch) -> tuple[str, dict[str, Any]]:
        if self._feed.is_stale(watch):
            return "stale", {}
        if watch.view is None:
            return "gone", {}
        return "state", view_out(watch.view)

    def _event(self, name: str, data: dict[str, Any]) -> str:
        if name == "state":
            data = self._timed(data)
        return f"event: {name}\ndata: {orjson.dumps(data).decode()}\n\n"

    async def _shown(self, asked: Asked) -> web.Response:
        # from before the look: what the stream tells later has seen all that this has seen, or more
        at = precise_time(self._clock.now())
        view = {**view_out(await self._pages.view(asked)), "at": at}
        return web.Response(body=orjson.dumps(view), content_type="application/json")

    def _timed(self, view: dict[str, Any]) -> dict[str, Any]:
        """Return the view with the time at which it is told: clocks of phones may be wrong."""
        return {**view, "at": precise_time(self._clock.now())}

    def _asked(self, request: web.Request, token: str | None) -> Asked:
        station_id = request.match_info["station_id"]
        connector_id = int(request.match_info["connector_id"])
        if "\x00" in station_id or not 1 <= connector_id <= MOST_CONNECTORS:
            raise NotFound("not_offered", "There is no page for this connector.")
        return self._pages.asked(station_id, connector_id, token)

    def _allow_reading(self, request: web.Request) -> None:
        _require(self._limits.reads.take(household(request.remote or "")))

    def _keep(
        self, request: web.Request, answer: web.Response, name: str, value: str, life_s: int
    ) -> None:
        answer.set_cookie(
            name,
            value,
            max_age=life_s,
            path=_COOKIE_PATH,
            httponly=True,
            samesite="Lax",
            secure=self._secure or request.secure,
        )

    @contextmanager
    def _calling(self) -> Iterator[None]:
        if self._calls >= _MOST_CALLS:
            raise TooMany(_PULSE_S)
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1

    @contextmanager
    def _streaming(self, address: str, place: str) -> Iterator[None]:
        if (
            self._streams[""] >= _MOST_STREAMS
            or self._streams[address] >= _MOST_STREAMS_ADDRESS
            or self._streams[place] >= _MOST_STREAMS_PLACE
        ):
            raise TooMany(_PULSE_S)
        keys = ("", address, place)
        self._streams.update(keys)
        try:
            yield
        finally:
            self._streams.subtract(keys)
            for key in keys:
                if not self._streams[key]:
                    del self._streams[key]

    async def _close(self, app: web.Application) -> None:
        del app
        self._closing = True
        self._feed.wake_all()


async def _answered(act: Callable[[], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """Return the answer; of a refusal for being too much with how long to wait."""
    try:
        return await act()
    except TooMany as refusal:
        answer = problems.response(refusal)
        answer.headers["Retry-After"] = str(refusal.wait_s)
        return answer


async def _body(request: web.Request) -> StartIn:
    """Return the body of a request that only a page of ours can have sent.

    Raises:
        Forbidden: Another origin's page sends it.
        Refusal: It is no JSON, too large or wrong.
    """
    if request.headers.get("Origin") is not None and not same_origin(request):
        raise Forbidden("wrong_origin", "Use this server's own page.")
    if request.content_type != "application/json":
        raise problems.UnsupportedMediaType(
            "unsupported_media_type", "Send the body as application/json."
        )
    if request.content_length is None or request.content_length > _MOST_BODY_BYTES:
        raise problems.Malformed("body_too_large", "The body is too large, or of unknown size.")
    try:
        return StartIn.model_validate_json(await problems.in_time(request.read()))
    except ValidationError as error:
        raise problems.of_validation(error) from None


def _token(request: web.Request) -> str | None:
    token = request.cookies.get(TOKEN_COOKIE)
    if token is None or not 20 <= len(token) <= _LONGEST_TOKEN or not token.isascii():
        return None
    return token


def _require(wait_s: float) -> None:
    if wait_s > 0:
        raise TooMany(wait_s)


async def _send(answer: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(_SEND_S):
        await answer.write(text.encode())
