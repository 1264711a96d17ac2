"""Feels the pulse of the process: is the event loop late, does the database answer."""

from __future__ import annotations

from csms.clock import Clock
from csms.errors import DatabaseAway
from csms.metrics import METRICS
from csms.services.ports.store import UnitsOfWork

LOOP_EVERY_S = 0.5
DATABASE_EVERY_S = 2.0


async def watch_loop(clock: Clock) -> None:
    """Measure how late the event loop wakes sleepers, for ever."""
    while True:
        asked = clock.monotonic()
        await clock.sleep(LOOP_EVERY_S)
        METRICS.loop_lag_seconds.observe(max(0.0, clock.monotonic() - asked - LOOP_EVERY_S))


async def watch_database(units: UnitsOfWork, clock: Clock) -> None:
    """Ask the database for a sign of life and sum up the time without one, for ever.

    An outage counts from the first question without an answer to the first answer.
    """
    since: float | None = None
    while True:
        asked = clock.monotonic()
        try:
            await units.ping()
            up = True
        except DatabaseAway:
            up = False
        now = clock.monotonic()
        if since is not None:
            METRICS.database_away_seconds += now - since
        elif not up:
            METRICS.database_away_seconds += now - asked
        since = None if up else now
        METRICS.database_up = up
        await clock.sleep(DATABASE_EVERY_S)
