"""The message log on its way to the database: by batches of its own, never in the way of a fact.

Frames are kept in memory for a moment and written together. Nothing waits for them but a reader
who asks for `settle`; while the database is away they wait, and the oldest go when they are too
many.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

import structlog

from csms.aio import Hint
from csms.clock import Clock
from csms.domain.messages import LoggedFrame
from csms.errors import BadFact, DatabaseAway
from csms.metrics import METRICS
from csms.services.ports.intake import FrameStore

_log = structlog.get_logger(__name__)

_ENOUGH = 250  # so many are written at once, fewer after the pause
_MOST = 500  # more at a time would keep the event loop from the facts
_MOST_WAITING = 50_000
_PAUSE_S = 0.25
_RETRY_S = 0.2


class MessageLog:
    """Takes frames one by one and stores them together.

    Concurrency: any task may call `add` and `settle`; one task runs `run`.

    Attributes:
        lost: How many frames were given up.
    """

    def __init__(self, store: FrameStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._frames: deque[LoggedFrame] = deque(maxlen=_MOST_WAITING)
        self._wake = Hint()
        self._settled: asyncio.Future[None] | None = None
        self._closing = False
        self._followers: tuple[Callable[[Sequence[LoggedFrame]], None], ...] = ()
        self.lost = 0

    def add(self, frame: LoggedFrame) -> None:
        """Take one frame. Never blocks."""
        waiting = len(self._frames)
        if waiting == _MOST_WAITING:
            self._lose(1)  # the oldest goes
        self._frames.append(frame)
        if waiting == _ENOUGH:
            self._wake.give()

    async def settle(self) -> None:
        """Wait until every frame taken so far is stored, so that a reader misses none.

        Raises:
            DatabaseAway: It is not to be had.
        """
        if not self._frames:
            return
        if self._settled is None:
            self._settled = asyncio.get_running_loop().create_future()
        self._wake.give()
        await asyncio.shield(self._settled)

    def follow(self, receive: Callable[[Sequence[LoggedFrame]], None]) -> Callable[[], None]:
        """Call `receive` with each batch that was stored, the oldest first; returns how to stop.

        It must be quick and must not raise.
        """
        self._followers = (*self._followers, receive)

        def stop() -> None:
            self._followers = tuple(each for each in self._followers if each is not receive)

        return stop

    async def run(self) -> None:
        """Store batches until `close` was called and nothing waits any more."""
        while True:
            if not self._closing and len(self._frames) <= _ENOUGH and self._settled is None:
                await self._wake.taken(_PAUSE_S)
            if self._frames:
                await self._store_next()
            elif self._closing:
                return

    def close(self) -> None:
        """Let `run` end once all that waits is stored."""
        self._closing = True
        self._wake.give()

    async def _store_next(self) -> None:
        frames = list(islice(self._frames, _MOST))
        last = len(frames) == len(self._frames)
        try:
            await self._store.log(frames)
        except DatabaseAway as error:
            self._settle(error)
            if self._closing:
                self._lose(len(self._frames))
                self._frames.clear()
            else:
                await self._clock.sleep(_RETRY_S)
            return
        except BadFact:
            self._lose(len(frames))
            _log.exception("part of the message log is refused by the database")
        else:
            for receive in self._followers:
                receive(frames)
        for frame in frames:
            # the deque drops its oldest when it is full, so these may be gone already
            if self._frames and self._frames[0] is frame:
                self._frames.popleft()
        if last:
            self._settle(None)

    def _lose(self, count: int) -> None:
        self.lost += count
        METRICS.log_frames_lost += count

    def _settle(self, error: DatabaseAway | None) -> None:
        settled, self._settled = self._settled, None
        if settled is None or settled.done():
            return
        if error is None:
            settled.set_result(None)
        else:
            settled.set_exception(DatabaseAway(str(error)))
