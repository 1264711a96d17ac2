"""Turns of our calls to one charge point that wants them spaced, or wants quiet after a boot.

Only charge points whose dialect says so have turns; see `csms.domain.dialects`. Limits are first in
the line, but even a decrease is not sent early: a charge point that loses calls which come too soon
may answer Accepted all the same, and a decrease that is believed and not obeyed is worse than one
that is still owed, which counts at the old limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from csms.clock import Clock, wire_time
from csms.domain.ids import ChargePointKey
from csms.errors import CallFailed
from csms.services.ports.dialects import Pace, Paces

FIRST, IN_LINE = 0, 1


class Line:
    """Who waits to call one charge point, and when it was called last.

    Concurrency: any number of tasks may wait.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._places: list[tuple[int, int]] = []
        self._number = 0
        self._called_at: float | None = None
        self._busy = False
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def turn(
        self,
        paces: Paces,
        charge_point: ChargePointKey,
        *,
        rank: int,
        patience_s: float,
        is_alive: Callable[[], bool],
    ) -> AsyncIterator[None]:
        """Wait for the turn and hold it: the body makes one call.

        Args:
            paces: Asked again after each wait: the charge point may have booted meanwhile.
            charge_point: Whose line this is.
            rank: FIRST goes before IN_LINE; else the first to come.
            patience_s: How long to wait at most.
            is_alive: Whether the connection on which the wait began is still there.

        Raises:
            CallFailed: `too_early`: at once when the turn cannot come in time, else after the wait;
                `station_offline`: the connection went while it waited.
            DatabaseAway: The pace cannot be looked up.
        """
        self._number += 1
        place = (rank, self._number)
        self._places.append(place)
        ends_at = self._clock.monotonic() + patience_s
        try:
            while True:
                pace = await paces.of(charge_point) or Pace()
                if not is_alive():
                    raise CallFailed("station_offline", "the connection went before its turn came")
                now = self._clock.monotonic()
                wait_s = self._wait_s(pace, now)
                if now + wait_s > ends_at:
                    raise CallFailed("too_early", self._why(pace, wait_s))
                mine = not self._busy and min(self._places) == place
                if mine and wait_s <= 0:
                    break
                await self._change(wait_s if mine else ends_at - now)
            self._busy = True
            self._called_at = now
        finally:
            self._places.remove(place)
            self.look_again()
        try:
            yield
        finally:
            self._busy = False
            self.look_again()

    def look_again(self) -> None:
        """Let all who wait see whether it is their turn, or there is nothing to wait for."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _wait_s(self, pace: Pace, now: float) -> float:
        waits = [0.0]
        if self._called_at is not None:
            waits.append(self._called_at + pace.spacing_s - now)
        if pace.quiet_until is not None:
            waits.append((pace.quiet_until - self._clock.now()).total_seconds())
        return max(waits)

    def _why(self, pace: Pace, wait_s: float) -> str:
        if pace.quiet_until is not None and pace.quiet_until > self._clock.now():
            return f"not sent: it has just booted; no calls before {wire_time(pace.quiet_until)}"
        if wait_s > 0:
            return f"not sent: it takes one call in {pace.spacing_s:g} s; try in {wait_s:.0f} s"
        return "not sent: other calls went before it"

    async def _change(self, at_most_s: float) -> None:
        changed = self._changed
        try:
            async with asyncio.timeout(max(at_most_s, 0.0)):
                await changed.wait()
        except TimeoutError:
            return
