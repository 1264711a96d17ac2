"""Notes on their way to the database: kept for a moment, written together, never in the way.

What makes a note (a handshake, say) does not wait for it. A storm beyond what memory is given loses
its oldest notes; while the database is away they wait.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

import structlog

from csms.clock import Clock
from csms.errors import BadFact

_log = structlog.get_logger(__name__)

MOST_WAITING = 20_000
MOST_AT_ONCE = 500

_WRITE_EVERY_S = 2.0

T = TypeVar("T")


class Notes(Generic[T]):
    """Takes notes of one kind and writes them.

    Concurrency: any task may call it; one task runs `run`.
    """

    def __init__(
        self, what: str, write: Callable[[Sequence[T]], Awaitable[object]], clock: Clock
    ) -> None:
        """Start with none.

        Args:
            what: What they are about, for the log.
            write: Makes some durable; raises DatabaseAway, or BadFact when they cannot be kept.
            clock: Says when it is time to write.
        """
        self._what = what
        self._write = write
        self._clock = clock
        self._waiting: deque[T] = deque(maxlen=MOST_WAITING)

    def add(self, note: T) -> None:
        """Take a note. Never blocks."""
        self._waiting.append(note)

    async def run(self) -> None:
        """Write what was noted, for ever."""
        while True:
            await self._clock.sleep(_WRITE_EVERY_S)
            await self.flush()

    async def flush(self) -> None:
        """Write all that was noted so far.

        Raises:
            DatabaseAway: The rest waits on.
        """
        while self._waiting:
            batch = list(islice(self._waiting, MOST_AT_ONCE))
            try:
                await self._write(batch)
            except BadFact:
                _log.exception("notes cannot be kept", about=self._what, count=len(batch))
            for note in batch:
                # meanwhile a storm may have pushed it out, or another flush written it
                if self._waiting and self._waiting[0] is note:
                    self._waiting.popleft()
