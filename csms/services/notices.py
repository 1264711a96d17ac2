"""Notices of charge points: firmware, diagnostics and log jobs, security events.

Durable first, answered then, like the facts of charging; but on a path of their own, because they
are rare and touch other tables. Batches form by themselves here too.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from csms.clock import Clock
from csms.domain.security_events import SecurityEventFact
from csms.errors import BadFact, DatabaseAway
from csms.services.batches import Batches
from csms.services.ports.notices import Notice, NoticeStore

_log = structlog.get_logger(__name__)

_WAIT_S = 20.0
"""How long a notice waits for a database that is away, as all facts do."""
_RETRY_S = 0.2
_MOST = 50


class Notices:
    """Makes notices durable.

    Concurrency: any task may call `submit`.
    """

    def __init__(self, store: NoticeStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._batches = Batches(self._keep, most=_MOST)

    async def submit(self, notice: Notice) -> None:
        """Make one notice durable.

        Raises:
            BadFact: Postgres refuses this one; its neighbours are stored.
            DatabaseAway: It could not be stored in time; answer nothing, it will come again.

        Cancellation: it may still be stored.
        """
        deadline = self._clock.monotonic() + _WAIT_S
        while True:
            try:
                refused = await self._batches.submit(notice)
            except DatabaseAway:
                if self._clock.monotonic() >= deadline:
                    raise
                await self._clock.sleep(_RETRY_S)
                continue
            if refused is not None:
                raise refused
            return

    async def _keep(self, notices: Sequence[Notice]) -> list[BadFact | None]:
        """Store a batch; where the database refuses it, one by one."""
        try:
            self._alarm(await self._store.keep(notices))
        except BadFact as error:
            if len(notices) == 1:
                return [error]
            return [(await self._keep([notice]))[0] for notice in notices]
        return [None] * len(notices)

    @staticmethod
    def _alarm(events: Sequence[SecurityEventFact]) -> None:
        for event in events:
            tell = _log.error if event.critical else _log.warning
            tell(
                "security event",
                charge_point_key=event.charge_point,
                type=event.type,
                source=event.source,
                critical=event.critical,
            )
