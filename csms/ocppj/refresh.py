"""Live sessions see what operators change: registration, strictness, deletion.

A session works with the charge point's row as it was at its handshake. `StationChanged` says that a
row may have changed, but also comes with every status; so keys are collected and looked up at a
bounded rate.
"""

from __future__ import annotations

from collections.abc import Sequence

from csms.aio import Hint
from csms.clock import Clock
from csms.domain.events import StationChanged
from csms.domain.ids import ChargePointKey
from csms.errors import DatabaseAway
from csms.ocppj.registry import Registry
from csms.services.connections import Connections
from csms.services.ports.bus import Bus

MOST_A_ROUND = 500
ROUND_S = 0.5

_POLL_S = 30.0
_POLICY_VIOLATION = 1008


class Refresher:
    """Keeps the records of live sessions fresh.

    Concurrency: one task runs `run`.
    """

    def __init__(
        self, registry: Registry, connections: Connections, bus: Bus, clock: Clock
    ) -> None:
        self._registry = registry
        self._connections = connections
        self._clock = clock
        self._changed: dict[ChargePointKey, None] = {}
        self._hint = Hint()
        bus.subscribe(StationChanged, self._note)

    async def run(self) -> None:
        """Look up changed stations, for ever.

        Raises:
            DatabaseAway: The keys are kept for the next run.

        Cancellation: nothing is left half done.
        """
        while True:
            if not self._changed:
                await self._hint.taken(_POLL_S)
            await self._clock.sleep(ROUND_S)
            keys = list(self._changed)[:MOST_A_ROUND]
            for key in keys:  # before the question: what changes meanwhile comes again
                del self._changed[key]
            try:
                await self._refresh(keys)
            except DatabaseAway:
                self._changed |= dict.fromkeys(keys)
                raise

    async def _refresh(self, keys: Sequence[ChargePointKey]) -> None:
        """Look up charge points by one question and tell their sessions."""
        sessions = [session for key in keys if (session := self._registry.get(key)) is not None]
        found = await self._connections.known([s.station.record.identity for s in sessions])
        for session in sessions:
            before = session.station.record
            now = found.get(before.identity)
            if now is None or now.key != before.key:
                await session.close(_POLICY_VIOLATION, "the station was deleted")
            else:
                # a changed password or profile counts from the next handshake on: this socket was
                # let in by the rules of its time and may live until the station leaves
                self._registry.refresh(now)

    def _note(self, event: StationChanged) -> None:
        if self._registry.get(event.charge_point) is not None:
            self._changed[event.charge_point] = None
            self._hint.give()
