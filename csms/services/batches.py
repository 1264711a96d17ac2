"""Calls that go to the database together: whoever comes while one is under way waits for the next.

The same natural batching as `csms.services.intake`, for questions and small writes: no timer, no
task of its own. One batch runs at a time, so a storm of ten thousand needs one connection of the
pool, not ten thousand.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from csms.errors import DatabaseAway

T = TypeVar("T")
R = TypeVar("R")


class _Waiter(Generic[T, R]):
    """A caller; `turn` ends with True when it is to run the next batch, else when it is done."""

    __slots__ = ("item", "outcome", "turn")

    def __init__(self, item: T, turn: asyncio.Future[bool]) -> None:
        self.item = item
        self.turn = turn
        self.outcome: tuple[R] | DatabaseAway = DatabaseAway("no batch has run")


class Batches(Generic[T, R]):
    """Runs `work` on what has gathered meanwhile.

    The first caller of a batch runs it for all; when it is cancelled in the middle, the others'
    items go into the next batch, so work must be safe to be repeated.

    Concurrency: any task may call `submit`.
    """

    def __init__(self, work: Callable[[Sequence[T]], Awaitable[Sequence[R]]], *, most: int) -> None:
        """Put the parts together.

        Args:
            work: From items to their results, in the same order; its `DatabaseAway` is everybody's.
            most: Items in one batch.
        """
        self._work = work
        self._most = most
        self._waiting: deque[_Waiter[T, R]] = deque()
        self._busy = False

    async def submit(self, item: T) -> R:
        """Return the result of one item.

        Raises:
            DatabaseAway: For all of the batch.

        Cancellation: the work may still be done.
        """
        waiter: _Waiter[T, R] = _Waiter(item, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        if self._busy:
            try:
                leads = await waiter.turn
            except asyncio.CancelledError:
                self._left(waiter)
                raise
        else:
            leads = self._busy = True
        if leads:
            await self._lead()
        if isinstance(waiter.outcome, DatabaseAway):
            raise DatabaseAway(str(waiter.outcome)) from waiter.outcome
        return waiter.outcome[0]

    async def _lead(self) -> None:
        """Run a batch; the caller is the first that waits."""
        batch: list[_Waiter[T, R]] = []
        while self._waiting and len(batch) < self._most:
            waiter = self._waiting.popleft()
            if not waiter.turn.cancelled():
                batch.append(waiter)
        try:
            results = await self._work([waiter.item for waiter in batch])
            for waiter, result in zip(batch, results, strict=True):
                waiter.outcome = (result,)
        except DatabaseAway as error:
            for waiter in batch:
                waiter.outcome = error
        except BaseException:
            # only the one that runs the batch is told: the others may be innocent
            self._waiting.extendleft(reversed(batch[1:]))
            raise
        finally:
            self._hand_over()
        for waiter in batch:
            if not waiter.turn.done():
                waiter.turn.set_result(False)

    def _hand_over(self) -> None:
        """Let the next caller that still waits run the next batch."""
        while self._waiting:
            turn = self._waiting[0].turn
            if not turn.cancelled():
                turn.set_result(True)
                return
            self._waiting.popleft()
        self._busy = False

    def _left(self, waiter: _Waiter[T, R]) -> None:
        """Give the turn of a caller that was cancelled, if it has just got one, to the next."""
        if not waiter.turn.cancelled() and waiter.turn.result():
            self._waiting.remove(waiter)
            self._hand_over()
