"""How fast one station may talk, so that a flood of its own never slows down the others (A12).

A station that waits for each answer, as OCPP wants it, sets its own pace by that and is never held
up, also when it empties a long queue. What counts is what it sends without waiting: a burst of that
is served, then its socket is read slowly, and when it pushes on it is closed.
"""

from __future__ import annotations

from csms.clock import Clock

WAITING = 8
"""Calls that wait to be served; more than that means that nobody waits for answers."""

BURST = 1_000
PER_S = 100.0
"""Pushed messages a second after the burst: 4 % of a core."""

PAUSE_S = 0.5
MOST_PAUSES = 20
"""In a row, 10 s; then the connection is closed."""


class Pace:
    """The tokens of one connection."""

    __slots__ = ("_at", "_clock", "_pauses", "_tokens")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens = float(BURST)
        self._at = clock.monotonic()
        self._pauses = 0

    def pushed(self) -> float | None:
        """Count a message that was read while `WAITING` others wait to be served.

        Returns:
            Seconds not to read for, mostly 0; None: close the connection.
        """
        self._tokens -= 1
        if self._tokens >= 0:
            return 0.0
        now = self._clock.monotonic()
        refilled = self._tokens + (now - self._at) * PER_S
        self._at = now
        if refilled >= BURST:
            self._pauses = 0  # it has been quiet in between
        self._tokens = min(float(BURST), refilled)
        if self._tokens >= 0:
            return 0.0
        self._pauses += 1
        return None if self._pauses > MOST_PAUSES else PAUSE_S
