"""What happens, for those who watch live: a snapshot of each topic, then what has changed.

Fed from memory: hints name the stations that have changed, the feed of sessions brings power and
limits; of the database one question a second is asked (sites), a few more each some seconds. While
nobody watches a topic nothing is asked or kept for it. A topic is told of once a second at most.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from csms.aio import Hint, loop_turn
from csms.clock import Clock
from csms.domain.events import StationChanged
from csms.domain.ids import ChargePointKey
from csms.services import attention
from csms.services.attention import Attention, Troubles
from csms.services.charging_estimates import ChargingEstimates
from csms.services.due import Due
from csms.services.live_board import SessionBoard
from csms.services.live_sites import LiveSite, SiteBoard
from csms.services.live_stations import LiveStation, StationBoard
from csms.services.live_today import Numbers, Today
from csms.services.ports.bus import Bus
from csms.services.ports.gateway import Gateway
from csms.services.ports.live import CompletedToday
from csms.services.ports.store import UnitsOfWork
from csms.services.records import Session
from csms.services.session_feed import SessionFeed

T = TypeVar("T", Attention, Today)

_STEP_S = 1.0
_BURST_S = 0.05  # hints come in bursts, and a browser subscribes to several topics at once
_POLL_S = 30.0
_POLLED_IN_A_SECOND = 200  # with more stations the poll comes less often
_TROUBLES_S = 5.0
_COMPLETED_S = 60.0
_COMPLETED_SOON_S = 5.0  # after a session has ended
_WEIGHED_IN_A_SECOND = 1_000  # stations or sessions that are added up, looked through
_MOST_ITEMS = 500
_PIECE = 250  # things that are gone through without a turn of the event loop
_CERTIFICATE_ENDS_WITHIN = timedelta(days=30)
_REFUSED_WITHIN = timedelta(hours=1)


class Topic(StrEnum):
    """What can be watched; frames of the message log come by another way."""

    STATIONS = "stations"
    SESSIONS = "sessions"
    SITES = "sites"
    ATTENTION = "attention"
    TODAY = "today"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """A session as it stands now; `eta_at`: when its vehicle will be full, if one can tell."""

    session: Session
    eta_at: datetime | None


Thing = LiveStation | LiveSession | LiveSite | Attention | Today


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What is new of one topic.

    Attributes:
        removed: Ids, as the API spells them.
        whole: Whether this (with those that belong to it) is all that there is.
        more: Whether the next one belongs to it: many things are told in pieces, so that those who
            make texts of them do not keep the event loop from charge points.
    """

    topic: Topic
    changed: tuple[Thing, ...]
    removed: tuple[str, ...] = ()
    whole: bool = False
    more: bool = False


class LiveFeed:
    """Follows what is wanted, and tells one listener.

    Concurrency: for the event loop's thread; one task runs `run`.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        gateway: Gateway,
        bus: Bus,
        clock: Clock,
        sessions: SessionFeed,
        estimates: ChargingEstimates,
        *,
        last_seen: Callable[[ChargePointKey], datetime | None],
    ) -> None:
        self._units = units
        self._bus = bus
        self._clock = clock
        self._feed = sessions
        self._estimates = estimates
        self._stations = StationBoard(units, gateway, last_seen)
        self._stations_known = False
        self._sites = SiteBoard(units, clock, self._stations.drawn_w)
        self._hint = Hint()
        self._sessions = SessionBoard(self._hint.give)
        self._leave_sessions: Callable[[], None] | None = None
        self._tell: Callable[[Update], None] = _to_nobody
        self._wanted: frozenset[Topic] = frozenset()
        self._told: set[Topic] = set()
        self._due = Due(clock)
        self._troubles = Troubles()
        self._attention: dict[str, Attention] = {}
        self._completed: tuple[CompletedToday, ...] = ()
        self._today: dict[str, Today] = {}

    def listen(self, tell: Callable[[Update], None]) -> None:
        """Let `tell` take all updates; it must be quick."""
        self._tell = tell

    def want(self, topics: Collection[Topic]) -> None:
        """Follow exactly these topics; one that is new begins with an update that is whole."""
        self._wanted = frozenset(topics)
        self._told &= self._wanted
        self._hint.give()

    async def run(self) -> None:
        """Follow what is wanted until cancelled. Raises DatabaseAway: start it again."""
        unsubscribe = self._bus.subscribe(StationChanged, self._receive)
        self._due.forget()  # what happened while it did not run is found by polls
        try:
            while True:
                await self._hint.taken(self._due.left("step", _STEP_S) if self._wanted else None)
                if not self._wanted:
                    self._forget()
                    continue
                await self._clock.sleep(_BURST_S)
                await self._step()
        finally:
            unsubscribe()

    def _receive(self, event: StationChanged) -> None:
        if self._wanted:
            self._stations.note(event.charge_point)
            self._hint.give()

    async def _step(self) -> None:
        if self._leave_sessions is None:
            self._leave_sessions = self._feed.watch(self._sessions)
        if not self._sessions.known:
            return  # its snapshot wakes us
        for topic in [topic for topic in Topic if topic in self._wanted - self._told]:
            await self._begin(topic)
        if not self._due.take("step", _STEP_S):
            return
        topics = self._told & self._wanted
        if topics & {Topic.STATIONS, Topic.ATTENTION}:
            await self._move_stations()
        sessions, over = self._sessions.take()
        if Topic.SESSIONS in topics and (sessions or over):
            ids = tuple(str(key) for key in over)
            await self._tell_all(Topic.SESSIONS, await self._with_etas(sessions), ids)
        if topics & {Topic.SITES, Topic.ATTENTION, Topic.TODAY}:
            await self._move_sites()
        if Topic.ATTENTION in topics:
            await self._look_for_attention()
        if Topic.TODAY in topics:
            await self._add_up()

    async def _begin(self, topic: Topic) -> None:
        """Tell all that there is of a topic."""
        if topic in (Topic.STATIONS, Topic.ATTENTION):
            await self._move_stations()
        if topic in (Topic.SITES, Topic.ATTENTION, Topic.TODAY):
            await self._move_sites()
        things: Collection[Thing]
        match topic:
            case Topic.STATIONS:
                things = self._stations.all()
            case Topic.SESSIONS:
                things = await self._with_etas(tuple(self._sessions.active()))
            case Topic.SITES:
                things = self._sites.all()
            case Topic.ATTENTION:
                self._due.forget("attention", "troubles")
                await self._look_for_attention(tells=False)
                things = self._attention.values()
            case Topic.TODAY:
                self._due.forget("today", "completed")
                await self._add_up(tells=False)
                things = self._today.values()
        if topic in self._wanted:  # else nobody wants it any more
            self._told.add(topic)
            await self._tell_all(topic, tuple(things), whole=True)

    async def _move_stations(self) -> None:
        if not self._stations_known:
            self._stations.take_sessions(self._sessions.active())
            self._stations_known = True
        self._stations.take_sessions(self._sessions.take_moved())
        if self._due.take("stations", max(_POLL_S, len(self._stations) / _POLLED_IN_A_SECOND)):
            await self._stations.load()
        await self._stations.refresh()
        moved = self._stations.take()
        if Topic.STATIONS in self._told and (moved.changed or moved.removed):
            await self._tell_all(Topic.STATIONS, moved.changed, moved.removed)

    async def _with_etas(self, sessions: Sequence[Session]) -> list[LiveSession]:
        etas = await self._estimates.etas(self._units, sessions)
        return [LiveSession(session=s, eta_at=etas.get(s.transaction_id)) for s in sessions]

    async def _move_sites(self) -> None:
        changed, removed = await self._sites.refresh(self._sessions.active())
        if Topic.SITES in self._told and (changed or removed):
            self._tell(Update(topic=Topic.SITES, changed=changed, removed=removed))

    async def _look_for_attention(self, *, tells: bool = True) -> None:
        if not self._due.take("attention", 1 + len(self._stations) / _WEIGHED_IN_A_SECOND):
            return
        now = self._clock.now()
        if self._due.take("troubles", _TROUBLES_S):
            async with self._units() as unit:
                self._troubles = Troubles(
                    limits=tuple(await unit.live.limit_troubles(_MOST_ITEMS)),
                    certificates=tuple(
                        await unit.live.ending_certificates(
                            now + _CERTIFICATE_ENDS_WITHIN, _MOST_ITEMS
                        )
                    ),
                    quarantined=tuple(await unit.live.quarantined(_MOST_ITEMS)),
                    refused=tuple(await unit.live.refused(now - _REFUSED_WITHIN, _MOST_ITEMS)),
                )
        items = attention.found(now, self._stations.all(), self._sites.all(), self._troubles)
        before, self._attention = self._attention, {item.id: item for item in items}
        if tells:
            self._tell_difference(Topic.ATTENTION, before, self._attention)

    async def _add_up(self, *, tells: bool = True) -> None:
        active = self._sessions.active()
        if not self._due.take("today", len(active) / _WEIGHED_IN_A_SECOND):
            return
        every_s = _COMPLETED_SOON_S if self._sessions.has_ended else _COMPLETED_S
        if self._due.take("completed", every_s):
            self._sessions.has_ended = False
            async with self._units() as unit:
                self._completed = tuple(await unit.live.completed_today(self._clock.now()))
        numbers = Numbers(self._sites.all(), self._stations.drawn_w)
        numbers.add_completed(self._completed)
        sessions = tuple(active)
        for start in range(0, len(sessions), _PIECE):
            numbers.add_active(sessions[start : start + _PIECE])
            await loop_turn()
        before, self._today = self._today, {one.id: one for one in numbers.totals()}
        if tells:
            self._tell_difference(Topic.TODAY, before, self._today)

    async def _tell_all(
        self,
        topic: Topic,
        changed: Sequence[Thing],
        removed: tuple[str, ...] = (),
        *,
        whole: bool = False,
    ) -> None:
        for start in range(0, len(changed) - _PIECE, _PIECE):
            piece = tuple(changed[start : start + _PIECE])
            self._tell(Update(topic=topic, changed=piece, whole=whole, more=True))
            await loop_turn()
            if topic not in self._told:
                return  # nobody wants it any more, or somebody anew
        rest = tuple(changed[(len(changed) - 1) // _PIECE * _PIECE :]) if changed else ()
        self._tell(Update(topic=topic, changed=rest, removed=removed, whole=whole))

    def _tell_difference(self, topic: Topic, before: dict[str, T], now: dict[str, T]) -> None:
        changed = tuple(thing for key, thing in now.items() if before.get(key) != thing)
        removed = tuple(before.keys() - now.keys())
        if changed or removed:
            self._tell(Update(topic=topic, changed=changed, removed=removed))

    def _forget(self) -> None:
        """Nobody watches: what is known here grows old."""
        if self._leave_sessions is not None:
            self._leave_sessions()
            self._leave_sessions = None
        self._sessions = SessionBoard(self._hint.give)
        self._stations.forget()
        self._stations_known = False
        self._sites.forget()
        self._due.forget()
        self._told.clear()


def _to_nobody(update: Update) -> None:
    """Nobody listens."""
    del update
