"""Changes of sessions for those who watch: one query a tick for all of them.

Hints say which sessions to look at; a poll finds what a lost hint has missed. Without watchers
nothing is read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from csms.aio import Hint
from csms.clock import Clock
from csms.domain.events import SessionsChanged
from csms.domain.ids import TransactionId
from csms.errors import DatabaseAway
from csms.services.charging_estimates import ChargingEstimates
from csms.services.ports.bus import Bus
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import Session
from csms.services.sessions import cost, energy_wh

_TICK_S = 1.0
_POLL_S = 1.0  # limits change without a hint
_POLLED_IN_A_SECOND = 500  # with more sessions the poll comes less often
_PAUSE_S = 0.1  # between two queries, so that a burst of hints becomes one
_MOST = 20_000
_PAGE = 500  # sessions read in one go; more would keep the event loop from charge points


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What has changed since the last one, in the order of transaction ids.

    Attributes:
        ticked: Active sessions of which a value has moved; at most once a second each.
    """

    started: tuple[Session, ...] = ()
    completed: tuple[Session, ...] = ()
    ticked: tuple[Session, ...] = ()


class Watcher(Protocol):
    """Somebody who watches; must be quick, and gets no second chance."""

    def snapshot(self, sessions: tuple[Session, ...]) -> None:
        """Take all active sessions; comes first, and once. Those who come at once share it."""
        ...

    def changed(self, change: Change) -> None:
        """Take a change."""
        ...


class SessionFeed:
    """Follows the active sessions while somebody watches.

    What watchers are told of, `estimates` knows by then as well as it can be known.

    Concurrency: for the event loop's thread; one task runs `run`.
    """

    def __init__(
        self, units: UnitsOfWork, bus: Bus, clock: Clock, estimates: ChargingEstimates
    ) -> None:
        self._units = units
        self._bus = bus
        self._clock = clock
        self._estimates = estimates
        self._hint = Hint()
        self._hinted: set[TransactionId] = set()
        self._new: list[Watcher] = []
        self._watchers: list[Watcher] = []
        self._active: dict[TransactionId, Session] = {}
        self._told: dict[TransactionId, tuple[object, ...]] = {}
        self._touched: set[TransactionId] = set()
        self._newest = 0
        self._polled_at: float | None = None
        self._ticked_at = 0.0

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Give the watcher a snapshot soon, and changes from then on; returns how to leave."""
        self._new.append(watcher)
        self._hint.give()

        def leave() -> None:
            for watchers in (self._new, self._watchers):
                if watcher in watchers:
                    watchers.remove(watcher)

        return leave

    async def run(self) -> None:
        """Follow the sessions until cancelled. Raises DatabaseAway: start it again."""
        unsubscribe = self._bus.subscribe(SessionsChanged, self._receive)
        self._polled_at = None  # what happened while it did not run is found by a poll
        try:
            while True:
                watched = bool(self._watchers or self._new)
                await self._hint.taken(_TICK_S if watched else None)
                await self._step()
                await self._clock.sleep(_PAUSE_S)
        finally:
            unsubscribe()

    def _receive(self, event: SessionsChanged) -> None:
        if self._watchers or self._new:
            self._hinted |= event.transaction_ids
            self._hint.give()

    async def _step(self) -> None:
        if not (self._watchers or self._new):
            self._forget()
            return
        now = self._clock.monotonic()
        hinted, self._hinted = self._hinted, set()
        every_s = max(_POLL_S, len(self._active) / _POLLED_IN_A_SECOND)
        polls = self._polled_at is None or now - self._polled_at >= every_s
        if polls or len(hinted) > _MOST:
            change = await self._poll()
            self._polled_at = now
        elif hinted:
            change = self._applied(await self._many(hinted))
        else:
            change = Change()
        if now - self._ticked_at >= _TICK_S:
            change = Change(
                started=change.started, completed=change.completed, ticked=self._ticks(change)
            )
            self._ticked_at = now
        await self._learn(change)
        if change != Change():
            for watcher in list(self._watchers):
                watcher.changed(change)
        new, self._new = self._new, []
        self._watchers += new
        active = tuple(self._active.values())
        for watcher in new:
            watcher.snapshot(active)

    async def _learn(self, change: Change) -> None:
        """Let estimates know those that are told of now; who is not known is told all the same."""
        told = (*change.started, *change.ticked)
        with suppress(DatabaseAway):
            await self._estimates.learn(
                self._units, tuple(self._active.values()) if self._new else told
            )

    async def _poll(self) -> Change:
        """Read all active sessions, all that are newer than those seen, and those that ended."""
        first = self._polled_at is None and not self._active
        async with self._units() as unit:
            if first:  # what ended before anybody watched is not news
                self._newest = await unit.sessions.newest_id()
            found = await self._active_ones(unit)
            gone = self._active.keys() - {session.transaction_id for session in found}
            found += await self._read(unit, gone)
        change = self._applied(sorted(found, key=lambda session: session.transaction_id))
        if first and not self._watchers:
            self._told = {key: _values(session) for key, session in self._active.items()}
        return change

    async def _active_ones(self, unit: UnitOfWork) -> list[Session]:
        """Return all that are active or newer than the newest seen, the lowest id first."""
        found: list[Session] = []
        while len(found) < _MOST:
            beyond = found[-1].transaction_id if found else 0
            page = await unit.sessions.active(_PAGE, after=self._newest, beyond=beyond)
            found += page
            if len(page) < _PAGE:
                break
        return found

    async def _many(self, ids: Collection[TransactionId]) -> list[Session]:
        async with self._units() as unit:
            return await self._read(unit, ids)

    @staticmethod
    async def _read(unit: UnitOfWork, ids: Collection[TransactionId]) -> list[Session]:
        """Return those of these sessions that exist."""
        keys, found = sorted(ids), []
        for start in range(0, len(keys), _PAGE):
            found += await unit.sessions.many(keys[start : start + _PAGE])
        return found

    def _applied(self, found: Collection[Session]) -> Change:
        """Take newer rows of some sessions in; returns who has started and who has ended."""
        started, completed = [], []
        for session in found:
            key = session.transaction_id
            is_new = key not in self._active and (session.active or key > self._newest)
            if is_new:
                started.append(session)
                self._told[key] = _values(session)
            if session.active:
                if self._active.get(key) != session:
                    self._touched.add(key)
                self._active[key] = session
            elif self._active.pop(key, None) is not None or is_new:
                completed.append(session)
                self._told.pop(key, None)
        newest = max((session.transaction_id for session in found), default=0)
        self._newest = max(self._newest, newest)
        return Change(started=tuple(started), completed=tuple(completed))

    def _ticks(self, change: Change) -> tuple[Session, ...]:
        """Return active sessions whose values differ from what was told last."""
        fresh = {session.transaction_id for session in change.started}
        touched, self._touched = self._touched - fresh, self._touched & fresh
        moved = []
        for key in sorted(touched & self._active.keys()):
            session = self._active[key]
            values = _values(session)
            if self._told.get(key) != values:
                self._told[key] = values
                moved.append(session)
        return tuple(moved)

    def _forget(self) -> None:
        """Nobody watches: what is known here grows old."""
        self._active.clear()
        self._told.clear()
        self._touched.clear()
        self._hinted.clear()
        self._newest = 0
        self._polled_at = None


def _values(session: Session) -> tuple[int, int | None, Decimal | None, int | None, Decimal | None]:
    """Return what a tick tells of a session."""
    return (
        energy_wh(session),
        session.power_w,
        session.soc_percent,
        session.limit_w,
        cost(session),
    )
