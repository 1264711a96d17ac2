"""Charge points that have just (re)connected: when their limits are unknown, when they may be told.

Whatever a charge point enforced before, it may have dropped it: that is stored at once. But one
that boots refuses calls until its BootNotification is answered, and one that merely reconnects
sends none, so a newcomer is told nothing until it has said something, or for 3 s. One that flaps
gets its limits at once a few times, then once a minute.

Pure bookkeeping; `csms.services.smart_charging` stores and sends.
"""

from __future__ import annotations

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
        forgotten: That its limits are unknown is stored.
        site_id: Known once that is stored; None where it stands on no site.
    """

    connected_at: float
    earliest_at: float
    ready_at: float
    forgotten: bool = False
    site_id: SiteId | None = None


class Reconnects:
    """Newcomers and what is to be done about each.

    Concurrency: one task takes; the others only tell.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._newcomers: dict[ChargePointKey, _Newcomer] = {}
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
        self._newcomers[charge_point] = _Newcomer(now, earliest, max(earliest, now + SILENT_S))
        self._hint.give()

    def spoke(self, charge_point: ChargePointKey) -> None:
        """Note that a charge point has booted or reported something."""
        newcomer = self._newcomers.get(charge_point)
        if newcomer is not None:
            newcomer.ready_at = newcomer.earliest_at
            self._hint.give()

    def settling(self) -> frozenset[ChargePointKey]:
        """Return those that are told nothing for a moment."""
        return frozenset(
            key for key, one in self._newcomers.items() if one.earliest_at <= one.connected_at
        )

    def held_back(self) -> frozenset[ChargePointKey]:
        """Return those that flap and are told nothing for longer."""
        return frozenset(
            key for key, one in self._newcomers.items() if one.earliest_at > one.connected_at
        )

    def to_forget(self) -> dict[ChargePointKey, object]:
        """Return those whose limits are unknown from now on, each with its connection's token."""
        return {key: one for key, one in self._newcomers.items() if not one.forgotten}

    def forgotten(
        self,
        connections: Mapping[ChargePointKey, object],
        sites: Mapping[ChargePointKey, SiteId],
    ) -> None:
        """Note that this is stored, for the connections that `to_forget` told."""
        for key, connection in connections.items():
            newcomer = self._newcomers.get(key)
            if newcomer is not None and newcomer is connection:
                newcomer.forgotten = True
                newcomer.site_id = sites.get(key)

    def take_ready(self) -> set[SiteId]:
        """Let those that are ready be newcomers no more and return their sites."""
        now = self._clock.monotonic()
        ready = {
            key: one
            for key, one in self._newcomers.items()
            if one.forgotten and one.ready_at <= now
        }
        for key in ready:
            del self._newcomers[key]
            self._recent.setdefault(key, []).append(now)
        return {one.site_id for one in ready.values() if one.site_id is not None}

    async def wait(self) -> None:
        """Wait until there may be something to forget or to take.

        Cancellation: leaves everything as it is.
        """
        now = self._clock.monotonic()
        times = [one.ready_at for one in self._newcomers.values()]
        await self._hint.taken(max(min(times) - now, 0.0) if times else None)
