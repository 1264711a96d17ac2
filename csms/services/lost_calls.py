"""Calls that nobody waits for any more: their csms died, or what came of them was not recorded.

Such a call would stay open for ever, and with it what its answer decides: a reservation that the
charge point may hold would be shown to nobody. So it ends as `connection_lost`, and what follows
from a lost answer follows. It is never sent again.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from csms.clock import Clock
from csms.services.commands import CommandService
from csms.services.ports.store import UnitsOfWork

_log = structlog.get_logger(__name__)

_POLL_S = 30.0
_RECORDED_WITHIN = timedelta(minutes=1)
"""How long after the end of a connection its csms may take to record what it knows itself."""

_LONGEST = timedelta(hours=1)
"""No call is open so long: its time limit and its wait for the dialect's turn are minutes."""


class LostCalls:
    """Ends lost calls, those of before the start at once.

    Concurrency: one task runs `run`; several nodes may, each call ends once.
    """

    def __init__(self, units: UnitsOfWork, commands: CommandService, clock: Clock) -> None:
        self._units = units
        self._commands = commands
        self._clock = clock

    async def run(self) -> None:
        """End them, for ever.

        Raises:
            DatabaseAway: Run it again.
        """
        within = timedelta()
        while True:
            if not await self.sweep(within):
                within = _RECORDED_WITHIN
                await self._clock.sleep(_POLL_S)

    async def sweep(self, within: timedelta) -> int:
        """End some lost calls that are older than `within`; returns how many."""
        now = self._clock.now()
        async with self._units() as unit:
            found = await unit.calls.lost(before=now - within, surely_before=now - _LONGEST)
        for identity, call in found:
            _log.warning("nobody knows what came of a call", call=call.id, action=call.action)
            await self._commands.lose(identity, call)
        return len(found)
