"""What drivers see and do at a connector's page: its state, their own start, session and stop.

A driver is known by a random token that their browser keeps; the database keeps its keyed hash
alone. Nobody is shown an id tag, and of other drivers' sessions only that the connector is in use.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from csms.clock import Clock
from csms.domain.authorization import AuthorizationStatus, IdTagRecord, authorize
from csms.domain.driver_page import Access, Phase, obstacle
from csms.errors import CallFailed, Conflict, Forbidden, NotFound, Refusal
from csms.services.credentials import tag_of_user, token_digest
from csms.services.driver_views import Asked, DriverViews, PageView
from csms.services.ports.driver_pages import Place
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import IdTag
from csms.services.sessions import SessionService

ACTOR = "driver page"
KEPT = timedelta(days=30)
"""How long starts are kept, and the id tags that were made for them."""

_TAG_LIFE = timedelta(days=1)
_OUTCOMES = {
    "station_offline": "offline",
    "queue_full": "noAnswer",
    "too_early": "noAnswer",
    "call_timeout": "noAnswer",
    "connection_lost": "noAnswer",
}


def new_token() -> str:
    """Return a token that nobody guesses: 192 random bits."""
    return secrets.token_urlsafe(24)


class DriverPageService:
    """Answers and acts for drivers' pages."""

    def __init__(
        self,
        units: UnitsOfWork,
        sessions: SessionService,
        views: DriverViews,
        clock: Clock,
        *,
        secret: bytes,
    ) -> None:
        self._units = units
        self._sessions = sessions
        self._views = views
        self._clock = clock
        self._secret = secret

    def asked(self, identity: str, connector_id: int, token: str | None) -> Asked:
        """Return the question that a page asks."""
        digest = None if token is None else token_digest(self._secret, token)
        return Asked(place=(identity.lower(), connector_id), digest=digest)

    async def view(self, asked: Asked) -> PageView:
        """Return what one page shows.

        Raises:
            NotFound: There is no such connector, or no page for it.
        """
        return _offered((await self.views([asked]))[0])

    async def views(self, asked: Sequence[Asked]) -> list[PageView | None]:
        """Return what pages show, in order: a few statements, whatever their number."""
        async with self._units() as unit:
            return await self._views.read(unit, asked)

    async def start(self, asked: Asked, token: str, id_tag: str | None) -> None:
        """Ask the charge point to start for this driver; what comes of it is in the view.

        Without an id tag one is used that is made for this driver. With the id tag of the session
        that runs there the driver gets hold of that session instead.

        Raises:
            NotFound: `not_offered`.
            Conflict: In use, reserved, out of order, not plugged in, charging elsewhere.
            Forbidden: `tag_needed`, `tag_refused`.

        Cancellation: the charge point may start all the same; the view says so.
        """
        digest = token_digest(self._secret, token)
        async with self._units() as unit:
            begun = await self._begin(unit, asked, token, digest, id_tag)
        if begun is None:
            return
        key, identity, tag = begun
        outcome = "accepted"
        try:
            await self._sessions.start(
                ACTOR,
                identity,
                connector_id=asked.place[1],
                id_tag=tag,
                vehicle_id=None,
                wait_s=0,
            )
        except Refusal as refusal:
            outcome = _outcome(refusal)
        async with self._units() as unit:
            await unit.driver_pages.end_start(key, outcome)

    async def stop(self, asked: Asked) -> None:
        """Ask the charge point to stop this driver's session; the view says what comes of it.

        Raises:
            NotFound: `no_session`: none of this driver's runs here.
        """
        mine = _offered((await self.views([asked]))[0]).mine
        if mine is None or mine.session is None or not mine.session.active:
            raise NotFound("no_session", "No session of yours runs here.")
        if mine.standing.phase is Phase.STOPPING:
            return
        async with self._units() as unit:
            await unit.driver_pages.ask_stop(mine.start.key, self._clock.now())
        outcome = "accepted"
        try:
            await self._sessions.stop(ACTOR, mine.session.transaction_id, wait_s=0)
        except Refusal as refusal:
            outcome = _outcome(refusal)
        async with self._units() as unit:
            await unit.driver_pages.end_stop(mine.start.key, outcome)

    async def forget_old(self, limit: int) -> int:
        """Delete old starts and the id tags made for them; returns how many."""
        async with self._units() as unit:
            return await unit.driver_pages.forget(self._clock.now() - KEPT, limit)

    async def _begin(
        self,
        unit: UnitOfWork,
        asked: Asked,
        token: str,
        digest: bytes,
        id_tag: str | None,
    ) -> tuple[int, str, str] | None:
        """Note the start, under the connector's lock; None: a running session was claimed."""
        now = self._clock.now()
        place = _offered((await self._views.read(unit, [asked]))[0]).place
        await unit.driver_pages.lock(place.charge_point, place.connector_id)
        view = _offered((await self._views.read(unit, [asked]))[0])
        after = await unit.sessions.newest_id()
        made = id_tag is None
        if id_tag is not None:
            await _require_good(unit, id_tag, now)
            running = await unit.driver_pages.running_by_tag(
                place.charge_point, place.connector_id, id_tag
            )
            if running is not None:
                transaction_id, tag = running
                await unit.driver_pages.add_start(
                    place.charge_point,
                    place.connector_id,
                    token_digest=digest,
                    id_tag=tag,
                    made=False,
                    after=after,
                    at=now,
                    transaction_id=transaction_id,
                )
                return None
        under_way = {Phase.STARTING, Phase.CHARGING, Phase.STOPPING}
        if view.mine is not None and view.mine.standing.phase in under_way:
            raise Conflict("in_use", "Your charging is under way already.")
        _require_free(view, with_tag=not made)
        if made and view.elsewhere is not None:
            raise Conflict("already_charging", "You are charging at another connector.")
        tag = id_tag or tag_of_user(self._secret, f"{ACTOR} {token}")
        if made:
            await _make_tag(unit, tag, place, now)
        key = await unit.driver_pages.add_start(
            place.charge_point,
            place.connector_id,
            token_digest=digest,
            id_tag=tag,
            made=made,
            after=after,
            at=now,
        )
        return key, place.identity, tag


def _offered(view: PageView | None) -> PageView:
    """Return the view; a page that is off looks like a connector that is not there.

    A driver whose session is under way keeps the page when it is turned off.
    """
    if view is not None and (view.rules.access is not Access.OFF or view.mine is not None):
        return view
    raise NotFound("not_offered", "There is no page for this connector.")


def _require_free(view: PageView, *, with_tag: bool) -> None:
    why = obstacle(view.rules, view.state, with_tag=with_tag)
    if why is None:
        return
    match why.value:
        case "not_offered":
            raise NotFound(why.value, "There is no page for this connector.")
        case "tag_needed":
            raise Forbidden(why.value, "This connector needs an id tag.")
        case _:
            raise Conflict(why.value, "The connector cannot be used now.")


async def _require_good(unit: UnitOfWork, id_tag: str, now: datetime) -> None:
    """Raise Forbidden unless the tag may charge; the same for unknown, blocked and expired."""
    tag = await unit.id_tags.get(id_tag)
    if authorize(None if tag is None else _record(tag), now).status is AuthorizationStatus.ACCEPTED:
        return
    raise Forbidden("tag_refused", "This code cannot be used here.")


def _record(tag: IdTag) -> IdTagRecord:
    return IdTagRecord(
        id_tag=tag.id_tag,
        blocked=tag.status == "Blocked",
        expires_at=tag.expires_at,
        parent_id_tag=tag.parent_id_tag,
        max_active_sessions=tag.max_active_sessions,
    )


async def _make_tag(unit: UnitOfWork, tag: str, place: Place, now: datetime) -> None:
    """Let the driver's made tag be good for a day, and for one session at a time."""
    expires_at = now + _TAG_LIFE
    known = await unit.id_tags.get(tag)
    if known is None:
        name = f"Driver page, {place.name}"[:255]
        await unit.id_tags.insert(
            {"id_tag": tag, "name": name, "expires_at": expires_at, "max_active_sessions": 1}
        )
    else:
        await unit.id_tags.update(known.key, {"expires_at": expires_at})


def _outcome(refusal: Refusal) -> str:
    if isinstance(refusal, CallFailed):
        return _OUTCOMES.get(refusal.code, "rejected")
    return "rejected"
