"""Waiting for something that happens on its own time, such as on a socket."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def wait_until(
    predicate: Callable[[], T | Awaitable[T]], timeout: float = 30.0, *, what: str = ""
) -> T:
    """Ask `predicate` (plain or async) every 10 ms until it answers something true; return that.

    The limit only ends a wait that is lost: it is longer than what any machine may stand still.

    An error inside the predicate passes through at once: it is a failure, not "not yet".

    Raises:
        AssertionError: `timeout` seconds have passed; names `what` and the last answer.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout
    while True:
        answer = predicate()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return answer
        if loop.time() > end:
            name = what or inspect.getsource(predicate).strip()
            raise AssertionError(f"not within {timeout} s (last answer {answer!r}): {name}")
        await asyncio.sleep(0.01)
