"""Garbage collection that never stops the event loop for long.

Python frees nearly everything by counting references; the collector is only there for circles, and
to find them it walks through everything that is alive: with 10,000 stations it stopped the loop for
0.7 s when all of them came back at once. So whatever has outlived two looks is left out of the next
ones (`gc.freeze`), and a connection that ends leaves no circle behind. What else does is found when
memory has really grown: a pause then, and not before.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

import structlog

from csms.clock import Clock

_log = structlog.get_logger(__name__)

T = TypeVar("T")

LOOK_EVERY_S = 1.0
LOOK_AT_ALL_EVERY_S = 600
GROWN_BY = 1.25
GROWN_AT_LEAST = 64 * 2**20
"""So much more memory than after the last whole look, in bytes, before there is another one."""

# more new objects than were freed, before the second is over: some 20 ms. A thousand messages in
# flight are ten thousand objects, which come and go without its help
_YOUNG = 30_000
_MIDDLE = 0
_OLD = 10  # nothing is there: it was left out
_STATM = Path("/proc/self/statm")


def bound_pauses() -> None:
    """Let the collector look at young objects only, from here on and for ever."""
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    gc.freeze()  # what was imported lives for ever
    if _leave_out not in gc.callbacks:
        gc.callbacks.append(_leave_out)


def _leave_out(phase: str, info: Mapping[str, int]) -> None:
    if phase == "stop" and info["generation"]:
        gc.freeze()


async def looked_after(
    work: Coroutine[Any, Any, T],
    *,
    clock: Clock,
    resident: Callable[[], int] | None = None,
) -> T:
    """Await `work`, and look through everything when memory has grown meanwhile.

    Cancellation: passed on to `work`.
    """
    watch = asyncio.get_running_loop().create_task(_watch(clock, resident or resident_bytes))
    try:
        return await work
    finally:
        watch.cancel()


async def _watch(clock: Clock, resident: Callable[[], int]) -> None:
    at_rest: int | None = None  # what is there after the start, with its stations back
    looks = 0
    while True:
        await clock.sleep(LOOK_EVERY_S)
        looks += 1
        # Python counts what is new less what was freed: where old objects are freed as fast as new
        # ones come, as with the timers of 10,000 stations, the new ones would grow to 50 ms
        gc.collect(1)
        if looks % LOOK_AT_ALL_EVERY_S:
            continue
        now = resident()
        if at_rest is None:
            at_rest = now
        elif now > max(at_rest * GROWN_BY, at_rest + GROWN_AT_LEAST):
            gc.unfreeze()
            found = gc.collect()
            gc.freeze()
            at_rest = resident()
            _log.info("memory looked through", mb=now >> 20, left_mb=at_rest >> 20, freed=found)


def resident_bytes() -> int:
    """Return how much memory this process has; where that is not told, the most it ever had."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # no Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
