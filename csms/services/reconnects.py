"""Charge points that have just (re)connected: when their limits are unknown, when they may be told.

Whatever a charge point enforced before, it may have dropped it: that is stored at once. But one
that boots refuses calls until its BootNotification is answered, and one that merely reconnects
sends none, so a newcomer is told nothing until it has said something, or for 3 s. One that flaps
gets its limits at once a few times, then once a minute.

Pure bookkeeping; `csms.services.smart_charging` stores and sends.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from csms.aio import Hint
from csms.clock import Clock
from csms.domain.ids import ChargePointKey, SiteId

SILENT_S = 3.0
FREE_RECONNECTS = 5
PERIOD_S = 60.0


@dataclass(slots=True, eq=False)
class _Newcomer:
    """One connection; times in the clock's seconds.

    Attributes:
        earliest_at: Not before that, whatever it says; later than `connected_at` when it flaps.
        ready_at: When it may be told its limits.
        site_id: Known once its limits are stored as unknown; None where it stands on no site.
    """

    connected_at: float
    earliest_at: float
    ready_at: float
    site_id: SiteId | None = None


class Reconnects:
    """Newcomers and what is to be done about each; cheap when thousands come at once.

    Concurrency: one task takes; the others only tell.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._newcomers: dict[ChargePointKey, _Newcomer] = {}
        self._unforgotten: dict[ChargePointKey, _Newcomer] = {}
        self._times: list[tuple[float, int, ChargePointKey, _Newcomer]] = []  # a heap
        self._order = itertools.count()
        self._recent: dict[ChargePointKey, list[float]] = {}
        self._hint = Hint()

    def connected(self, charge_point: ChargePointKey) -> None:
        """Note a new connection."""
        now = self._clock.monotonic()
        recent = [at for at in self._recent.get(charge_point, ()) if now - at < PERIOD_S]
        if recent:
            self._recent[charge_point] = recent
        else:
            self._recent.pop(charge_point, None)
        earliest = recent[0] + PERIOD_S if len(recent) >= FREE_RECONNECTS else now
        newcomer = _Newcomer(now, earliest, max(earliest, now + SILENT_S))
        self._newcomers[charge_point] = self._unforgotten[charge_point] = newcomer
        self._look_at(charge_point, newcomer)
        self._hint.give()

    def spoke(self, charge_point: ChargePointKey) -> None:
        """Note that a charge point has booted or reported something."""
        newcomer = self._newcomers.get(charge_point)
        if newcomer is not None and newcomer.ready_at > newcomer.earliest_at:
            newcomer.ready_at = newcomer.earliest_at
            self._look_at(charge_point, newcomer)
            self._hint.give()

    def is_settling(self, charge_point: ChargePointKey) -> bool:
        """Return whether it is told nothing for a moment."""
        newcomer = self._newcomers.get(charge_point)
        return newcomer is not None and newcomer.earliest_at <= newcomer.connected_at

    def is_held_back(self, charge_point: ChargePointKey) -> bool:
        """Return whether it flaps and is told nothing for longer."""
        newcomer = self._newcomers.get(charge_point)
        return newcomer is not None and newcomer.earliest_at > newcomer.connected_at

    def to_forget(self) -> dict[ChargePointKey, object]:
        """Return those whose limits are unknown from now on, each with its connection's token."""
        return dict(self._unforgotten)

    def forgotten(
        self,
        connections: Mapping[ChargePointKey, object],
        sites: Mapping[ChargePointKey, SiteId],
    ) -> None:
        """Note that this is stored, for the connections that `to_forget` told."""
        for key, connection in connections.items():
            newcomer = self._unforgotten.get(key)
            if newcomer is not None and newcomer is connection:
                newcomer.site_id = sites.get(key)
                del self._unforgotten[key]
                self._look_at(key, newcomer)

    def take_ready(self) -> set[SiteId]:
        """Let those that are ready be newcomers no more and return their sites."""
        now = self._clock.monotonic()
        sites = set()
        while self._times and self._times[0][0] <= now:
            _, _, key, newcomer = heapq.heappop(self._times)
            is_present = self._newcomers.get(key) is newcomer
            if is_present and key not in self._unforgotten and newcomer.ready_at <= now:
                del self._newcomers[key]
                self._recent.setdefault(key, []).append(now)
                if newcomer.site_id is not None:
                    sites.add(newcomer.site_id)
        return sites

    async def wait(self) -> None:
        """Wait until there may be something to forget or to take.

        Cancellation: leaves everything as it is.
        """
        until = self._times[0][0] if self._times else None
        await self._hint.taken(None if until is None else max(until - self._clock.monotonic(), 0.0))

    def _look_at(self, charge_point: ChargePointKey, newcomer: _Newcomer) -> None:
        heapq.heappush(self._times, (newcomer.ready_at, next(self._order), charge_point, newcomer))
