"""The only place that asks the machine for the time.

Everything else gets a `Clock`; tests give a fake one.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time as the rest of the program sees it."""

    def now(self) -> datetime:
        """Return the wall clock as an aware UTC time."""
        ...

    def monotonic(self) -> float:
        """Return seconds since some start; never runs backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`. Cancellation leaves nothing behind."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the wall clock as an aware UTC time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the event loop's kind of seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        await asyncio.sleep(seconds)


def wire_time(at: datetime) -> str:
    """Return `at` as OCPP and the API write it: ``YYYY-MM-DDTHH:MM:SSZ``.

    Microseconds and ``+00:00`` trouble real charge points (lbbrhzn/ocpp#512): they never leave.
    """
    # strftime leaves out the leading zeros of early years, which clocks that are not set tell
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
