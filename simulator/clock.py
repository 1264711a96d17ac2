"""The simulator's only source of time.

Owns wall-clock time (timestamps on the wire), monotonic time (physics and waits) and sleeping.
Nothing else in the package reads a clock, so a test can put another one in its place. Time is real
here: a faster run speeds up the vehicles' batteries and stays (see :mod:`simulator.fleet`), never
    what is metered or stamped.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the simulator asks of time."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, UTC."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start; never runs backwards."""

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds`` (0 or less: only give way)."""

    async def wait(self, event: asyncio.Event, timeout_s: float | None) -> bool:
        """Wait for ``event`` at most ``timeout_s`` (None: for ever); tell whether it is set."""


class RealClock:
    """The machine's clocks, with an offset that plays a charge point whose clock is wrong."""

    def __init__(self, *, offset_s: float = 0.0) -> None:
        self._offset = timedelta(seconds=offset_s)

    def now(self) -> datetime:
        """Return the wall-clock time plus the offset."""
        return datetime.now(UTC) + self._offset

    def monotonic(self) -> float:
        """Return the machine's monotonic time in seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds``."""
        await asyncio.sleep(max(0.0, seconds))

    async def wait(self, event: asyncio.Event, timeout_s: float | None) -> bool:
        """Wait for ``event`` at most ``timeout_s`` seconds; tell whether it is set."""
        if event.is_set():
            return True
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            return event.is_set()
        return True


class SettableClock:
    """Another clock's time, as the central system has set it; waits are not changed by that."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = timedelta(0)

    def now(self) -> datetime:
        """Return the wall-clock time as it was set, gone on since."""
        return self._clock.now() + self._offset

    def set(self, moment: datetime) -> None:
        """Have it be ``moment`` now."""
        self._offset = moment - self._clock.now()

    def monotonic(self) -> float:
        """Return the other clock's monotonic time in seconds; setting does not change it."""
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds``."""
        await self._clock.sleep(seconds)

    async def wait(self, event: asyncio.Event, timeout_s: float | None) -> bool:
        """Wait for ``event`` at most ``timeout_s`` seconds; tell whether it is set."""
        return await self._clock.wait(event, timeout_s)


class ShiftedClock:
    """Another clock's time, wrong by what ``shift`` says; waits are right."""

    def __init__(self, clock: Clock, shift: Callable[[datetime], timedelta]) -> None:
        self._clock = clock
        self._shift = shift

    def now(self) -> datetime:
        """Return the wall-clock time as this clock has it."""
        now = self._clock.now()
        return now + self._shift(now)

    def monotonic(self) -> float:
        """Return the other clock's monotonic time in seconds."""
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds``."""
        await self._clock.sleep(seconds)

    async def wait(self, event: asyncio.Event, timeout_s: float | None) -> bool:
        """Wait for ``event`` at most ``timeout_s`` seconds; tell whether it is set."""
        return await self._clock.wait(event, timeout_s)


def iso(moment: datetime) -> str:
    """Return ``moment`` as OCPP writes it: UTC, milliseconds, ``Z`` (OCPP 1.6 3.15).

    >>> iso(datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC))
    '2026-01-02T03:04:05.678Z'
    """
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def parse_iso(text: str) -> datetime:
    """Return the aware moment that ``text`` names; a text without offset counts as UTC.

    Raises:
        ValueError: ``text`` is not an ISO 8601 date and time.
    """
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
