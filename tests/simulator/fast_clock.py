"""A charge point's time that passes faster than the machine's, so that tests need not wait."""

import asyncio
from datetime import datetime, timedelta

from simulator.clock import RealClock

RATE = 20.0


class FastClock:
    """Real time, ``rate`` times as fast from the moment of its making on."""

    def __init__(self, rate: float = RATE) -> None:
        self._real = RealClock()
        self._rate = rate
        self._since = self._real.monotonic()
        self._began = self._real.now()

    def now(self) -> datetime:
        """Return the wall-clock time, which runs ahead of the machine's."""
        return self._began + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return seconds since the clock was made."""
        return (self._real.monotonic() - self._since) * self._rate

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds`` of this clock."""
        await self._real.sleep(seconds / self._rate)

    async def wait(self, event: asyncio.Event, timeout_s: float | None) -> bool:
        """Wait for ``event`` at most ``timeout_s`` seconds of this clock."""
        return await self._real.wait(event, None if timeout_s is None else timeout_s / self._rate)
