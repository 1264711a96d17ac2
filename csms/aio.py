"""Tasks that somebody owns: coalescing hints and supervised loops."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import closing
from typing import TypeVar

import structlog

from csms.clock import Clock
from csms.errors import DatabaseAway

_log = structlog.get_logger(__name__)

T = TypeVar("T")

TURN_S = 0.004
"""How long a computation in pieces may go on before everybody else has a turn."""


class Hint:
    """A wake-up that coalesces: any number of `give` before a `taken` wake the loop once.

    A hint may be lost on the way to another node, so a loop that waits for one also polls.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def give(self) -> None:
        """Wake the loop, or let its next wait return at once."""
        self._event.set()

    async def taken(self, timeout_s: float | None = None) -> bool:
        """Wait for a hint or for `timeout_s` seconds; return whether a hint came.

        Cancellation: the hint stays given.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


async def loop_turn() -> None:
    """Let the event loop run what is ready and look at its sockets once, without waiting."""
    for _ in range(2):
        await asyncio.sleep(0)  # what was ready, then what the sockets have brought


async def in_turns(pieces: Generator[None, None, T]) -> T:
    """Return the result of a long computation; in between the event loop gets its turns.

    Cancellation: the computation is given up.

    Args:
        pieces: Yields often, each time after well less than `TURN_S`.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + TURN_S
    with closing(pieces):
        while True:
            try:
                next(pieces)
            except StopIteration as end:
                result: T = end.value
                return result
            if loop.time() >= until:
                await loop_turn()
                until = loop.time() + TURN_S


async def supervise(
    name: str,
    body: Callable[[], Awaitable[None]],
    clock: Clock,
    *,
    pause_s: float = 0.2,
    longest_pause_s: float = 10.0,
    longest_outage_pause_s: float = 0.5,
) -> None:
    """Run `body` until it returns; after an error log it, pause and start it again.

    The pause doubles up to `longest_pause_s` while the errors follow each other closely; while the
    database is away only up to `longest_outage_pause_s`, so that its return is noticed soon. A loop
    must never die silently: this and the borders of the drivers alone catch everything.

    Cancellation: passes through; `body` gets it.
    """
    pause = pause_s
    while True:
        started, longest = clock.monotonic(), longest_pause_s
        try:
            await body()
        except DatabaseAway as error:
            _log.warning("loop waits for the database", loop=name, error=str(error))
            longest = longest_outage_pause_s
        except Exception:
            _log.exception("loop failed and starts again", loop=name)
        else:
            return
        if clock.monotonic() - started > longest_pause_s:
            pause = pause_s
        pause = min(pause, longest)
        await clock.sleep(pause)
        pause = min(pause * 2, longest)
