"""The tail of the message log, for those who watch: taken as it is stored, so nothing is read.

Each watcher has a filter and room for so many frames a second; what is more is counted, and the
newest stay. Frames of other nodes are in the log, not in this tail.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from csms.aio import Hint
from csms.clock import Clock
from csms.domain.ids import ChargePointKey, Identity
from csms.domain.messages import LoggedFrame
from csms.errors import NotFound
from csms.services.due import Due
from csms.services.messages import LoggedMessage, logged_message
from csms.services.ports.store import UnitsOfWork
from csms.services.records import MessageRecord

MOST_A_SECOND = 200
_STEP_S = 1.0
_BURST_S = 0.05
_MOST_KNOWN = 20_000

Follow = Callable[[Callable[[Sequence[LoggedFrame]], None]], Callable[[], None]]
"""Calls back with frames that were just stored; returns how to stop that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tailed:
    """A frame of the log with its station; the same object for all who watch."""

    identity: Identity | None
    message: LoggedMessage


class TailWatcher(Protocol):
    """Somebody who watches; must be quick."""

    def appended(self, messages: Sequence[Tailed], dropped: int) -> None:
        """Take frames, the oldest first, and how many before them were too many."""
        ...


class _Watch:
    __slots__ = ("action", "dropped", "frames", "key", "watcher")

    def __init__(
        self, watcher: TailWatcher, key: ChargePointKey | None, action: str | None
    ) -> None:
        self.watcher = watcher
        self.key = key
        self.action = action
        self.frames: deque[LoggedFrame] = deque(maxlen=MOST_A_SECOND)
        self.dropped = 0

    def take(self, frames: Sequence[LoggedFrame]) -> bool:
        """Keep what fits the filter; returns whether something did."""
        key, action, kept = self.key, self.action, self.frames
        count = 0
        for frame in frames:
            if (key is None or frame.charge_point == key) and action in (None, frame.action):
                count += 1
                self.dropped += len(kept) == MOST_A_SECOND  # the oldest goes
                kept.append(frame)
        return count > 0


class MessageTail:
    """Hands frames on once a second. Concurrency: for the event loop's thread."""

    def __init__(self, follow: Follow, units: UnitsOfWork, clock: Clock) -> None:
        self._follow = follow
        self._units = units
        self._clock = clock
        self._watches: list[_Watch] = []
        self._stop: Callable[[], None] | None = None
        self._identities: dict[ChargePointKey, Identity] = {}
        self._hint = Hint()
        self._due = Due(clock)

    async def watch(
        self, watcher: TailWatcher, *, identity: str | None, action: str | None
    ) -> Callable[[], None]:
        """Give the watcher frames from now on; returns how to leave.

        Args:
            watcher: Who watches.
            identity: Only frames of this station.
            action: Only frames of this action, answers included.

        Raises:
            NotFound: There is no such station.
        """
        key = None
        if identity is not None:
            async with self._units() as unit:
                key = (await unit.charge_points.keys_of([identity])).get(identity)
            if key is None:
                raise NotFound("station_not_found", "There is no such station.")
        watch = _Watch(watcher, key, action)
        self._watches.append(watch)
        if self._stop is None:
            self._stop = self._follow(self._receive)

        def leave() -> None:
            if watch in self._watches:
                self._watches.remove(watch)
            if not self._watches and self._stop is not None:
                self._stop()
                self._stop = None

        return leave

    async def run(self) -> None:
        """Hand frames on until cancelled. Raises DatabaseAway: start it again."""
        self._hint.give()  # some may wait since the database went away
        while True:
            await self._hint.taken()
            await self._clock.sleep(max(_BURST_S, self._due.left("step", _STEP_S)))
            self._due.take("step", _STEP_S)
            await self._step()

    def _receive(self, frames: Sequence[LoggedFrame]) -> None:
        for watch in self._watches:
            if watch.take(frames):
                self._hint.give()

    async def _step(self) -> None:
        await self._learn({frame.charge_point for w in self._watches for frame in w.frames})
        made: dict[int, Tailed] = {}  # by the frame's identity in memory: watchers share it
        for watch in list(self._watches):
            frames, watch.frames = list(watch.frames), deque(maxlen=MOST_A_SECOND)
            dropped, watch.dropped = watch.dropped, 0
            if not frames:
                continue
            for frame in frames:
                if id(frame) not in made:
                    made[id(frame)] = self._tailed(frame)
            watch.watcher.appended([made[id(frame)] for frame in frames], dropped)

    async def _learn(self, keys: set[ChargePointKey]) -> None:
        """Look up identities that are not known yet."""
        unknown = keys - self._identities.keys()
        if not unknown:
            return
        if len(self._identities) > _MOST_KNOWN:
            self._identities.clear()
        async with self._units() as unit:
            self._identities |= await unit.live.identities(keys)

    def _tailed(self, frame: LoggedFrame) -> Tailed:
        record = MessageRecord(
            key=0,
            at=frame.at,
            direction=frame.direction,
            type=frame.type,
            action=frame.action,
            message_id=frame.message_id,
            raw=frame.raw,
            repairs=frame.repairs or (),
            repaired=frame.repaired,
            latency_ms=None if frame.latency_us is None else frame.latency_us / 1000,
        )
        return Tailed(
            identity=self._identities.get(frame.charge_point), message=logged_message(record)
        )
