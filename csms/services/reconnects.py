"""Charge points that have just (re)connected: when their limits may be sent again.

A charge point that boots refuses calls until its BootNotification is answered, and one that merely
reconnects sends none. So a newcomer is left alone until it has said something, or for 3 s. One
that flaps gets its limits again at once a few times, then once a minute.
"""

from __future__ import annotations

from collections import defaultdict

from csms.aio import Hint
from csms.clock import Clock
from csms.domain.ids import ChargePointKey, SiteId

_SILENT_S = 3.0
_FREE_RECONNECTS = 5
_PERIOD_S = 60.0


class Reconnects:
    """Newcomers and the time when each is ready.

    Attributes:
        to_forget: Charge points whose limits are unknown since they reconnected, by site; the
            site's next step stores that.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready_at: dict[ChargePointKey, float] = {}
        self._recent: dict[ChargePointKey, list[float]] = {}
        self._hint = Hint()
        self.to_forget: defaultdict[SiteId, set[ChargePointKey]] = defaultdict(set)

    def connected(self, charge_point: ChargePointKey) -> None:
        """Note a new connection."""
        now = self._clock.monotonic()
        recent = [at for at in self._recent.get(charge_point, ()) if now - at < _PERIOD_S]
        self._recent[charge_point] = recent
        self._ready_at[charge_point] = now + _SILENT_S
        self._hint.give()

    def spoke(self, charge_point: ChargePointKey) -> None:
        """Note that a charge point has booted or reported something."""
        if charge_point in self._ready_at:
            recent = self._recent.get(charge_point, [])
            flaps = len(recent) >= _FREE_RECONNECTS
            self._ready_at[charge_point] = recent[0] + _PERIOD_S if flaps else 0.0
            self._hint.give()

    def newcomers(self) -> frozenset[ChargePointKey]:
        """Return those that are not ready yet."""
        return frozenset(self._ready_at)

    async def ready(self) -> list[ChargePointKey]:
        """Wait until some are ready and return them; they are newcomers no more.

        Cancellation: leaves them as they are.
        """
        while True:
            now = self._clock.monotonic()
            ready = [key for key, at in self._ready_at.items() if at <= now]
            if ready:
                for key in ready:
                    del self._ready_at[key]
                    self._recent.setdefault(key, []).append(now)
                return ready
            next_at = min(self._ready_at.values(), default=None)
            await self._hint.taken(None if next_at is None else next_at - now)
