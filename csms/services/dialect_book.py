"""What is known of kinds of charge points and of each of them, for the parts that speak to them."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import Any

from csms.clock import Clock
from csms.domain.dialects import (
    Dialect,
    Effective,
    Origin,
    Pattern,
    Traits,
    effective,
    matching,
    read_traits,
    reported_traits,
)
from csms.domain.events import DialectChanged, StationChanged, StationConnected
from csms.domain.ids import ChargePointKey
from csms.services.batches import Batches
from csms.services.ports.bus import Bus
from csms.services.ports.dialects import Acquaintance, Pace
from csms.services.ports.store import UnitOfWork, UnitsOfWork

_KNOWN_FOR_S = 60.0
_MOST_AT_ONCE = 500  # charge points a look-up
_BOOT_FOLLOWS_WITHIN = timedelta(seconds=5)
_BOOT_FOLLOWS_SURELY = timedelta(minutes=1)


@cache
def built_in() -> tuple[Dialect, ...]:
    """Return the dialects that come with the program, by id."""
    text = resources.files("csms.domain").joinpath("dialects.toml").read_text("utf-8")
    entries = tomllib.loads(text)["dialect"]
    return tuple(sorted((_read(entry) for entry in entries), key=lambda each: each.id))


def _read(entry: dict[str, Any]) -> Dialect:
    rest = dict(entry)
    pattern = Pattern(**{name: rest.pop(name, None) for name in ("vendor", "model", "firmware")})
    return Dialect(
        id=rest.pop("id"),
        source=rest.pop("source"),
        pattern=pattern,
        traits=read_traits(rest),
        origin=Origin.BUILT_IN,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What was found out about a charge point.

    Attributes:
        until: For how long it is believed, in the clock's seconds.
        settled: Only a new connection or a change of dialects can change it: the charge point has
            booted on this connection, or will not, and its boots make no difference.
    """

    pace: Pace | None
    settled: bool
    until: float


class DialectBook:
    """How each charge point wants to be spoken to, for the parts that speak to them.

    Implements `csms.services.ports.dialects.Paces` and `Manners`. A pace is looked up when a call
    is about to go out, many at once in one look-up, and kept until something happens here that may
    change it; a minute at most, for changes on other nodes.

    Quiet time begins with a BootNotification. A charge point that wants some is not called either
    while its BootNotification may be on its way: in the first seconds of a connection.
    """

    def __init__(self, units: UnitsOfWork, bus: Bus, clock: Clock) -> None:
        self._units = units
        self._clock = clock
        self._known: dict[ChargePointKey, _Known] = {}
        self._looking: dict[ChargePointKey, object] = {}
        self._finding = Batches(self._find, most=_MOST_AT_ONCE)
        bus.subscribe(StationConnected, lambda event: self._forget(event.charge_point))
        bus.subscribe(StationChanged, self._station_changed)
        bus.subscribe(DialectChanged, self._dialect_changed)

    async def of(self, charge_point: ChargePointKey) -> Pace | None:
        """See the port."""
        known = self._known.get(charge_point)
        if known is not None and self._clock.monotonic() < known.until:
            return known.pace
        look = self._looking[charge_point] = object()
        try:
            known = await self._finding.submit(charge_point)
        finally:
            if current := self._looking.get(charge_point) is look:
                del self._looking[charge_point]
        if current:  # else a hint came while we looked: what was read may be old
            self._known[charge_point] = known
        return known.pace

    async def traits(
        self, charge_points: Collection[ChargePointKey]
    ) -> Mapping[ChargePointKey, Traits]:
        """See `csms.services.ports.dialects.Manners`; their paces are known from then on, too.

        So who asks from time to time need not wait for paces when there is something to say.
        """
        look = object()
        self._looking.update(dict.fromkeys(charge_points, look))
        try:
            async with self._units() as unit:
                found = await known_of(unit, charge_points)
        finally:
            current = [key for key in charge_points if self._looking.get(key) is look]
            for key in current:
                del self._looking[key]
        for key in current:  # of the others a hint came while we looked: what was read may be old
            if key in found:
                self._known[key] = self._told(*found[key])
        return {key: holds.traits for key, (_, holds) in found.items()}

    async def _find(self, charge_points: Sequence[ChargePointKey]) -> list[_Known]:
        async with self._units() as unit:
            found = await known_of(unit, set(charge_points))
        # one that is not there was deleted a moment ago: its connection is about to be closed
        unknown = Acquaintance(), effective(())
        return [self._told(*found.get(key, unknown)) for key in charge_points]

    def _told(self, known: Acquaintance, holds: Effective) -> _Known:
        pace = _pace(known, holds)
        connected_at = known.connected_at or self._clock.now()
        booted = known.booted_at is not None and known.booted_at >= connected_at
        is_old = self._clock.now() - connected_at > _BOOT_FOLLOWS_SURELY
        return _Known(
            pace=pace,
            settled=pace is None and (booted or is_old),
            until=self._clock.monotonic() + _KNOWN_FOR_S,
        )

    def _station_changed(self, event: StationChanged) -> None:
        known = self._known.get(event.charge_point)
        if known is None or not known.settled:
            self._forget(event.charge_point)

    def _dialect_changed(self, event: DialectChanged) -> None:
        if event.charge_point is not None:
            self._forget(event.charge_point)
        else:
            self._known.clear()
            self._looking.clear()

    def _forget(self, charge_point: ChargePointKey) -> None:
        self._known.pop(charge_point, None)
        self._looking.pop(charge_point, None)


def _pace(known: Acquaintance, holds: Effective) -> Pace | None:
    spacing_s = float(holds.traits.call_spacing_s or 0)
    quiet = timedelta(seconds=float(holds.traits.quiet_after_boot_s or 0))
    ends = []
    if quiet and known.booted_at is not None:
        ends.append(known.booted_at + quiet)
    if quiet and known.connected_at is not None:
        ends.append(known.connected_at + min(quiet, _BOOT_FOLLOWS_WITHIN))
    if not spacing_s and not quiet:
        return None
    return Pace(spacing_s=spacing_s, quiet_until=max(ends, default=None))


async def known_of(
    unit: UnitOfWork, charge_points: Collection[ChargePointKey]
) -> dict[ChargePointKey, tuple[Acquaintance, Effective]]:
    """Return what is known of each of these charge points that exists, and what holds for it."""
    dialects = (*built_in(), *await unit.dialects.all())
    known = await unit.dialects.acquaintances(charge_points)
    ours = {
        device: matching(dialects, device) for device in {each.device for each in known.values()}
    }
    return {
        key: (
            each,
            effective(
                ours[each.device],
                reported=reported_traits(each.configuration),
                learned=each.learned,
                own=each.own,
            ),
        )
        for key, each in known.items()
    }
