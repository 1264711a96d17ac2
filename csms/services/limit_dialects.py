"""How each charge point of a site wants its limits told, kept at hand for the control loop.

A charge point that refuses limits and has never taken one from us is told them in other ways, one
after the other: in watts, then without times, then both. One that takes its fallback share and
refuses the limits of sessions is told these as the TxDefaultProfile of their connector. What it
takes in the end is learned for its firmware. Who has taken one refuses for reasons of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from csms.clock import Clock
from csms.domain.charging_profiles import ProfileKind, ProfilePurpose, RateUnit
from csms.domain.events import DialectChanged
from csms.domain.ids import ChargePointKey
from csms.domain.limit_dialect import PLAIN, LimitDialect, limit_dialect
from csms.domain.limit_rows import HARD_REFUSALS, REFUSALS_BEFORE_UNMANAGED
from csms.domain.site_snapshot import Request
from csms.services.ports.bus import Bus
from csms.services.ports.dialects import Manners

_KEPT_S = 60.0
_FRESH_S = 45.0
"""Before the paces end that are found with them, so that no limit has to wait for its pace."""

_REFUSALS = frozenset({"Rejected", "NotSupported", "callError"})
_PATIENCE = REFUSALS_BEFORE_UNMANAGED - 1
"""Refusals of one way before the next one is tried; a single one may be a mood."""

Learn = Callable[[ChargePointKey, Mapping[str, Any]], Awaitable[None]]


class LimitDialects:
    """Looks dialects up for many at once, and keeps them: a minute, for changes elsewhere.

    A step that comes before `refresh` may still go by what is two minutes old.

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
        self._session_refusals: dict[ChargePointKey, int] = {}  # of TxProfiles since then
        self._takes_sessions: set[ChargePointKey] = set()  # have taken a TxProfile
        bus.subscribe(DialectChanged, self._changed)

    async def of(
        self, charge_points: Collection[ChargePointKey]
    ) -> Mapping[ChargePointKey, LimitDialect]:
        """Return the dialects of those that exist. Raises DatabaseAway."""
        if self._manners is None:
            return {key: self._tried(key, PLAIN) for key in charge_points}
        await self._look_up(charge_points, 2 * _KEPT_S)
        return {
            key: self._tried(key, self._known[key][1])
            for key in charge_points
            if key in self._known
        }

    async def refresh(self, charge_points: Collection[ChargePointKey]) -> None:
        """Look those up again that were not for a while, before a step has to. Raises DatabaseAway.

        Of a large site that takes longer than a limit that drops may take to its chargers.
        """
        await self._look_up(charge_points, _FRESH_S)

    async def _look_up(self, charge_points: Collection[ChargePointKey], kept_s: float) -> None:
        if self._manners is None:
            return
        now, known = self._clock.monotonic(), self._known
        missing = [
            key for key in charge_points if key not in known or now - known[key][0] >= kept_s
        ]
        if missing:
            for key, traits in (await self._manners.traits(missing)).items():
                known[key] = now, limit_dialect(traits)

    async def ended(self, request: Request, status: str) -> None:
        """Note how a limit was taken; what another way has brought is learned."""
        key = request.key
        if status == "Accepted":
            await self._accepted(request)
        elif status in _REFUSALS:
            is_session = request.purpose is ProfilePurpose.TX
            if key not in self._settled:
                self._refusals[key] = _more(self._refusals.get(key, 0), status)
            elif is_session and key not in self._takes_sessions:
                count = self._session_refusals.get(key, 0)
                self._session_refusals[key] = _more(count, status)

    async def _accepted(self, request: Request) -> None:
        key, lessons = request.key, dict[str, Any]()
        if request.purpose is ProfilePurpose.TX:
            self._takes_sessions.add(key)
            self._session_refusals.pop(key, None)
        elif request.connector_id and self._is_by_default(key):
            known = self._known[key][1] if key in self._known else PLAIN
            lessons["profile_purposes"] = sorted(known.purposes - {ProfilePurpose.TX})
        if key not in self._settled:
            way = self._way(key)
            self._refusals[key] = way * _PATIENCE  # so it is told from now on
            self._settled.add(key)
            lessons |= _traits(way)
        if lessons and self._learn is not None:
            await self._learn(key, lessons)

    def _is_by_default(self, charge_point: ChargePointKey) -> bool:
        """Return whether it takes no TxProfiles, as far as its answers tell."""
        return self._session_refusals.get(charge_point, 0) >= _PATIENCE

    def _tried(self, charge_point: ChargePointKey, dialect: LimitDialect) -> LimitDialect:
        if self._is_by_default(charge_point):
            dialect = replace(dialect, purposes=dialect.purposes - {ProfilePurpose.TX})
        refusals = self._refusals.get(charge_point, 0)
        if charge_point not in self._settled and 0 < refusals < _PATIENCE * len(_WAYS):
            dialect = replace(dialect, is_trying=True)
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
            for kept in (self._settled, self._takes_sessions):
                kept.clear()
            for counts in (self._refusals, self._session_refusals):
                counts.clear()
        else:
            self._known.pop(event.charge_point, None)
            for kept in (self._settled, self._takes_sessions):
                kept.discard(event.charge_point)
            for counts in (self._refusals, self._session_refusals):
                counts.pop(event.charge_point, None)


_WAYS: tuple[tuple[RateUnit | None, ProfileKind | None], ...] = (
    (None, None),
    (RateUnit.WATTS, None),
    (None, ProfileKind.RELATIVE),
    (RateUnit.WATTS, ProfileKind.RELATIVE),
)


def _more(refusals: int, status: str) -> int:
    """Return a count with one more; who cannot do it at all is not asked twice."""
    return (refusals // _PATIENCE + 1) * _PATIENCE if status in HARD_REFUSALS else refusals + 1


def _traits(way: int) -> dict[str, Any]:
    unit, kind = _WAYS[way]
    traits = {
        "rate_units": None if unit is None else [unit.value],
        "profile_kinds": None if kind is None else [kind.value],
    }
    return {name: value for name, value in traits.items() if value is not None}
