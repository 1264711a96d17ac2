"""Time that passes when it is told to, for charge points that are not run."""

import asyncio
from datetime import UTC, datetime, timedelta


class HandClock:
    """Seconds since noon of a Monday; whoever waits by it waits for ever."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return datetime(2026, 3, 2, 12, tzinfo=UTC) + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError

    async def wait(self, event: asyncio.Event, timeout_s: float | None) -> bool:
        raise NotImplementedError
