"""A clock that the test moves."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

_START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
_ROUNDS = 20


class FakeClock:
    """A `csms.clock.Clock` that stands still until `advance`.

    Wall clock and monotonic time move together; `set_wall` jumps the wall clock alone, as an
    operator or NTP does.
    """

    def __init__(self, start: datetime = _START) -> None:
        self._wall = start
        self._us = 1_000_000_000  # whole microseconds: ten steps of 0.1 s are one second
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._wall

    def monotonic(self) -> float:
        return self._us / 1e6

    @property
    def sleeping(self) -> int:
        """How many tasks wait in `sleep`."""
        return sum(not future.done() for _, _, future in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        entry = (self._us + round(seconds * 1e6), next(self._order), future)
        heapq.heappush(self._sleepers, entry)
        await future  # a cancelled sleeper stays in the heap, done; advance() drops it

    def set_wall(self, at: datetime) -> None:
        """Let the wall clock jump; sleepers do not notice."""
        self._wall = at

    async def advance(self, seconds: float) -> None:
        """Move the time; wake sleepers in the order of their times and let the loop run each time.

        What a woken task sleeps again within the span wakes it again, at its exact time.
        """
        end = self._us + round(seconds * 1e6)
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, future = heapq.heappop(self._sleepers)
            if future.done():
                continue
            self._move_to(due)
            future.set_result(None)
            await self.settle()
        self._move_to(end)
        await self.settle()

    async def settle(self) -> None:
        """Let tasks that are ready run for some rounds of the loop; no time passes."""
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)

    def _move_to(self, us: int) -> None:
        self._wall += timedelta(microseconds=us - self._us)
        self._us = us
