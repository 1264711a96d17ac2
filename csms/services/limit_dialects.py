"""How each charge point of a site wants its limits told, kept at hand for the control loop.

A charge point that refuses limits and has never taken one from us is told them in other ways, one
after the other: in watts, then without times, then both. What it takes in the end is learned for
its firmware. Who has taken one refuses for reasons of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from csms.clock import Clock
from csms.domain.charging_profiles import ProfileKind, RateUnit
from csms.domain.events import DialectChanged
from csms.domain.ids import ChargePointKey
from csms.domain.limit_dialect import PLAIN, LimitDialect, limit_dialect
from csms.domain.limit_rows import REFUSALS_BEFORE_UNMANAGED
from csms.services.ports.bus import Bus
from csms.services.ports.dialects import Manners

_KEPT_S = 60.0
_REFUSALS = frozenset({"Rejected", "NotSupported", "callError"})
_PATIENCE = REFUSALS_BEFORE_UNMANAGED - 1
"""Refusals of one way before the next one is tried; a single one may be a mood."""

Learn = Callable[[ChargePointKey, Mapping[str, Any]], Awaitable[None]]


class LimitDialects:
    """Looks dialects up for many at once, and keeps them for a minute, for changes elsewhere.

    Concurrency: any task; two at once may look the same up twice.
    """

    def __init__(
        self, manners: Manners | None, bus: Bus, clock: Clock, learn: Learn | None = None
    ) -> None:
        """Start with nothing known; without `manners` everybody is spoken to plainly."""
        self._manners = manners
        self._clock = clock
        self._learn = learn
        self._known: dict[ChargePointKey, tuple[float, LimitDialect]] = {}
        self._refusals: dict[ChargePointKey, int] = {}
        self._settled: set[ChargePointKey] = set()  # have taken a limit as they are told now
        bus.subscribe(DialectChanged, self._changed)

    async def of(
        self, charge_points: Collection[ChargePointKey]
    ) -> Mapping[ChargePointKey, LimitDialect]:
        """Return the dialects of those that exist. Raises DatabaseAway."""
        if self._manners is None:
            return {key: self._tried(key, PLAIN) for key in charge_points}
        now = self._clock.monotonic()
        missing = [
            key
            for key in charge_points
            if key not in self._known or now - self._known[key][0] >= _KEPT_S
        ]
        if missing:
            for key, traits in (await self._manners.traits(missing)).items():
                self._known[key] = now, limit_dialect(traits)
        return {
            key: self._tried(key, self._known[key][1])
            for key in charge_points
            if key in self._known
        }

    async def ended(self, charge_point: ChargePointKey, status: str) -> None:
        """Note how a limit was taken; what another way has brought is learned."""
        if charge_point in self._settled:
            return
        if status in _REFUSALS:
            self._refusals[charge_point] = self._refusals.get(charge_point, 0) + 1
        elif status == "Accepted":
            way = self._way(charge_point)
            self._refusals[charge_point] = way * _PATIENCE  # so it is told from now on
            self._settled.add(charge_point)
            if way and self._learn is not None:
                await self._learn(charge_point, _traits(way))

    def _tried(self, charge_point: ChargePointKey, dialect: LimitDialect) -> LimitDialect:
        way = self._way(charge_point)
        if not way:
            return dialect
        unit, kind = _WAYS[way]
        return replace(dialect, rate_unit=unit or dialect.rate_unit, kind=kind or dialect.kind)

    def _way(self, charge_point: ChargePointKey) -> int:
        return self._refusals.get(charge_point, 0) // _PATIENCE % len(_WAYS)

    def _changed(self, event: DialectChanged) -> None:
        if event.charge_point is None:
            self._known.clear()
            self._settled.clear()
            self._refusals.clear()
        else:
            self._known.pop(event.charge_point, None)
            self._settled.discard(event.charge_point)
            self._refusals.pop(event.charge_point, None)


_WAYS: tuple[tuple[RateUnit | None, ProfileKind | None], ...] = (
    (None, None),
    (RateUnit.WATTS, None),
    (None, ProfileKind.RELATIVE),
    (RateUnit.WATTS, ProfileKind.RELATIVE),
)


def _traits(way: int) -> dict[str, Any]:
    unit, kind = _WAYS[way]
    traits = {
        "rate_units": None if unit is None else [unit.value],
        "profile_kinds": None if kind is None else [kind.value],
    }
    return {name: value for name, value in traits.items() if value is not None}
