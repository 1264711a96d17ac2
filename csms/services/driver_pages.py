"""What drivers see and do at a connector's page: its state, their own start, session and stop.

A driver is known by a random token that their browser keeps; the database keeps its keyed hash
alone. Nobody is shown an id tag, and of other drivers' sessions only that the connector is in use.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from csms.clock import Clock
from csms.domain.authorization import AuthorizationStatus, IdTagRecord, authorize
from csms.domain.charging_time import Estimate, Progress, estimate
from csms.domain.driver_page import (
    CLAIM,
    SHOWN_AFTER_STOP,
    Access,
    ConnectorFacts,
    ConnectorState,
    EffectiveRules,
    Phase,
    Standing,
    StartFacts,
    connector_state,
    obstacle,
    resolve,
    standing,
)
from csms.domain.ids import ChargePointKey, TransactionId
from csms.errors import CallFailed, Conflict, Forbidden, NotFound, Refusal
from csms.services.credentials import tag_of_user, token_digest
from csms.services.ports.driver_pages import DriverStart, FirstCharge, Place, PlaceKey
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import IdTag, Session
from csms.services.sessions import SessionService, energy_wh
from csms.services.transactions import Price

ACTOR = "driver page"
KEPT = timedelta(days=30)
"""How long starts are kept, and the id tags that were made for them."""

_KNOWN = timedelta(days=7)
_FAILURE_SHOWN = timedelta(minutes=10)
_TAG_LIFE = timedelta(days=1)
_MOST_FIRSTS = 20_000
_OUTCOMES = {
    "station_offline": "offline",
    "queue_full": "noAnswer",
    "too_early": "noAnswer",
    "call_timeout": "noAnswer",
    "connection_lost": "noAnswer",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question: a connector, and who asks (token digest; None: nobody in particular)."""

    place: PlaceKey
    digest: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """The asking driver's own start at this connector, and what has become of it.

    Attributes:
        called: Whether the charge point has accepted the start.
    """

    start: DriverStart
    standing: Standing
    called: bool
    session: Session | None
    estimate: Estimate | None
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """What a connector's page shows to one driver.

    Attributes:
        state: For this driver: their own start under way does not make it in use.
        elsewhere: A session of this driver that runs at another connector.
    """

    place: Place
    state: ConnectorState
    rules: EffectiveRules
    price: Price
    mine: Mine | None
    elsewhere: Session | None


def new_token() -> str:
    """Return a token that nobody guesses: 192 random bits."""
    return secrets.token_urlsafe(24)


class DriverPageService:
    """Answers and acts for drivers' pages.

    Args:
        default: What is allowed where the operator has said nothing.
        price: What a kWh costs.
        is_online: Whether a charge point has a live connection.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        sessions: SessionService,
        clock: Clock,
        *,
        secret: bytes,
        default: Access,
        price: Price,
        is_online: Callable[[ChargePointKey], bool],
    ) -> None:
        self._units = units
        self._sessions = sessions
        self._clock = clock
        self._secret = secret
        self._default = default
        self._price = price
        self._is_online = is_online
        self._firsts: OrderedDict[TransactionId, FirstCharge] = OrderedDict()

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
            return await self._views(unit, asked)

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
        place = _offered((await self._views(unit, [asked]))[0]).place
        await unit.driver_pages.lock(place.charge_point, place.connector_id)
        view = _offered((await self._views(unit, [asked]))[0])
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

    async def _views(self, unit: UnitOfWork, asked: Sequence[Asked]) -> list[PageView | None]:
        now = self._clock.now()
        digests = {each.digest for each in asked if each.digest is not None}
        starts: list[DriverStart] = []
        if digests:
            await unit.driver_pages.link(digests, now)
            starts = await unit.driver_pages.starts(digests, since=now - _KNOWN)
        places = await unit.driver_pages.places(
            {each.place for each in asked}, now=now, claimed_since=now - CLAIM
        )
        ids = {start.transaction_id for start in starts if start.transaction_id is not None}
        found = await unit.sessions.many(ids) if ids else []
        sessions = {session.transaction_id: session for session in found}
        await self._find_firsts(unit, sessions)
        by_driver: dict[bytes, list[DriverStart]] = {}
        for start in starts:
            by_driver.setdefault(start.token_digest, []).append(start)
        views: list[PageView | None] = []
        for each in asked:
            place = places.get(each.place)
            own = by_driver.get(each.digest, []) if each.digest is not None else []
            views.append(None if place is None else self._composed(place, own, sessions, now))
        return views

    def _composed(
        self,
        place: Place,
        own: Sequence[DriverStart],
        sessions: Mapping[TransactionId, Session],
        now: datetime,
    ) -> PageView:
        mine, elsewhere = None, None
        for start in own:
            session = None if start.transaction_id is None else sessions.get(start.transaction_id)
            if (start.charge_point, start.connector_id) == (place.charge_point, place.connector_id):
                mine = self._mine(start, session, now)
            elif session is not None and session.active:
                elsewhere = session
        claimed = place.claimed_by is not None and not any(
            place.claimed_by == start.token_digest for start in own
        )
        state = connector_state(
            ConnectorFacts(
                online=self._is_online(place.charge_point),
                accepted=place.accepted,
                status=place.status,
                station_status=place.station_status,
                busy=place.busy,
                reserved=place.reserved,
                claimed=claimed,
            )
        )
        return PageView(
            place=place,
            state=state,
            rules=resolve(place.station_rules, place.site_rules, self._default),
            price=self._price,
            mine=mine,
            elsewhere=elsewhere,
        )

    def _mine(self, start: DriverStart, session: Session | None, now: datetime) -> Mine | None:
        stands = standing(
            StartFacts(
                asked_at=start.asked_at,
                outcome=start.outcome,
                running=None if session is None else session.active,
                stop_asked_at=start.stop_asked_at,
                stop_outcome=start.stop_outcome,
            ),
            now,
        )
        if stands.phase is Phase.FAILED and now - start.asked_at > _FAILURE_SHOWN:
            return None
        if stands.phase is Phase.DONE and session is not None:
            ended = session.stopped_at or session.started_at  # of a clock that may be wrong
            if now - max(ended, start.asked_at) > SHOWN_AFTER_STOP:
                return None
        return Mine(
            start=start,
            standing=stands,
            called=start.outcome == "accepted",
            session=session,
            estimate=None if session is None else self._estimate(session),
            seen_at=now,
        )

    async def _find_firsts(
        self, unit: UnitOfWork, sessions: Mapping[TransactionId, Session]
    ) -> None:
        """Remember the first state of charge of running sessions that tell one."""
        wanted = [
            key
            for key, session in sessions.items()
            if session.active and session.soc_percent is not None and key not in self._firsts
        ]
        if not wanted:
            return
        self._firsts.update(await unit.driver_pages.first_charges(wanted))
        while len(self._firsts) > _MOST_FIRSTS:
            self._firsts.popitem(last=False)

    def _estimate(self, session: Session) -> Estimate | None:
        first = self._firsts.get(session.transaction_id)
        if first is None or session.soc_percent is None or not session.active:
            return None
        register = first.register_wh
        taken = 0 if register is None else max(register - session.meter_start_wh, 0)
        progress = Progress(
            first_permille=first.soc_permille,
            first_wh=taken,
            now_permille=int(session.soc_percent * 10),
            now_wh=energy_wh(session),
            power_w=session.power_w or 0,
        )
        return estimate(progress, dc=session.current_type == "DC")


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
