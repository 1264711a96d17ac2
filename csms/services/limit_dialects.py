"""How each charge point of a site wants its limits told, kept at hand for the control loop."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from csms.clock import Clock
from csms.domain.events import DialectChanged
from csms.domain.ids import ChargePointKey
from csms.domain.limit_dialect import PLAIN, LimitDialect, limit_dialect
from csms.services.ports.bus import Bus
from csms.services.ports.dialects import Manners

_KEPT_S = 60.0


class LimitDialects:
    """Looks dialects up for many at once, and keeps them for a minute, for changes elsewhere.

    Concurrency: any task; two at once may look the same up twice.
    """

    def __init__(self, manners: Manners | None, bus: Bus, clock: Clock) -> None:
        """Start with nothing known; without `manners` everybody is spoken to plainly."""
        self._manners = manners
        self._clock = clock
        self._known: dict[ChargePointKey, tuple[float, LimitDialect]] = {}
        bus.subscribe(DialectChanged, self._changed)

    async def of(
        self, charge_points: Collection[ChargePointKey]
    ) -> Mapping[ChargePointKey, LimitDialect]:
        """Return the dialects of those that exist. Raises DatabaseAway."""
        if self._manners is None:
            return dict.fromkeys(charge_points, PLAIN)
        now = self._clock.monotonic()
        missing = [
            key
            for key in charge_points
            if key not in self._known or now - self._known[key][0] >= _KEPT_S
        ]
        if missing:
            for key, traits in (await self._manners.traits(missing)).items():
                self._known[key] = now, limit_dialect(traits)
        return {key: self._known[key][1] for key in charge_points if key in self._known}

    def _changed(self, event: DialectChanged) -> None:
        if event.charge_point is None:
            self._known.clear()
        else:
            self._known.pop(event.charge_point, None)
