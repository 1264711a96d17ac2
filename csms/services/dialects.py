"""Vendor dialects: the built-in list, the operator's, what holds for a station, and its pace."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
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
    read_traits,
    reported_traits,
    written_traits,
)
from csms.domain.events import StationChanged, StationConnected
from csms.domain.ids import ChargePointKey
from csms.errors import Conflict, Invalid, NotFound
from csms.services.audit import AuditTrail
from csms.services.ports.bus import Bus
from csms.services.ports.dialects import Acquaintance, Pace
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.station_state import existing_station

MOST_DIALECTS = 1000
"""That an operator may set."""

_KNOWN_FOR_S = 5.0
_BOOT_FOLLOWS_WITHIN = timedelta(seconds=5)


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


class DialectService:
    """Shows and changes dialects; says what holds for a station."""

    def __init__(self, units: UnitsOfWork, bus: Bus, audit: AuditTrail) -> None:
        self._units = units
        self._bus = bus
        self._audit = audit

    async def all(self) -> Sequence[Dialect]:
        """Return the built-in dialects and the operator's, by id."""
        async with self._units() as unit:
            found = await unit.dialects.all()
        return sorted((*built_in(), *found), key=lambda each: each.id)

    async def get(self, dialect_id: str) -> Dialect:
        """Return one. Raises NotFound."""
        for dialect in await self.all():
            if dialect.id == dialect_id:
                return dialect
        raise NotFound("dialect_not_found", "There is no such dialect.")

    async def create(self, actor: str, dialect: Dialect) -> Dialect:
        """Add one of the operator's and return it.

        Raises:
            Conflict: `dialect_exists`, `too_many_dialects`.
            Invalid: It names no charge points.
        """
        _check(dialect)
        async with self._units() as unit:
            there = [*built_in(), *await unit.dialects.all()]
            if any(each.id == dialect.id for each in there):
                raise Conflict("dialect_exists", "There is a dialect of this id.")
            if len(there) - len(built_in()) >= MOST_DIALECTS:
                raise Conflict("too_many_dialects", f"There are {MOST_DIALECTS} already.")
            await unit.dialects.insert(dialect)
            await self._note(unit, actor, "create", dialect)
        return dialect

    async def change(
        self, actor: str, dialect_id: str, pattern: Mapping[str, Any], changes: Mapping[str, Any]
    ) -> Dialect:
        """Change one of the operator's and return it.

        Args:
            actor: Who asks.
            dialect_id: Which.
            pattern: Fields of `Pattern`, those to change.
            changes: `source`, and `traits`: JSON values by name, None takes one out.

        Raises:
            NotFound: No such dialect.
            Conflict: `built_in`.
            Invalid: It would name no charge points.
        """
        async with self._units() as unit:
            found = await _operators(unit, dialect_id)
            traits = read_traits({**written_traits(found.traits), **changes.get("traits", {})})
            changed = replace(
                found,
                pattern=replace(found.pattern, **pattern),
                source=changes.get("source", found.source),
                traits=traits,
            )
            _check(changed)
            await unit.dialects.update(changed)
            await self._note(unit, actor, "change", changed)
        return changed

    async def delete(self, actor: str, dialect_id: str) -> None:
        """Remove one of the operator's.

        Raises:
            NotFound: No such dialect.
            Conflict: `built_in`.
        """
        async with self._units() as unit:
            found = await _operators(unit, dialect_id)
            await unit.dialects.delete(found.id)
            await self._note(unit, actor, "delete", found)

    async def of_station(self, identity: str) -> tuple[Acquaintance, Effective]:
        """Return what is known of a station, and what holds for it. Raises NotFound."""
        async with self._units() as unit:
            station = await existing_station(unit, identity)
            return await _of(unit, station.key)

    async def set_own(self, actor: str, identity: str, changes: Mapping[str, Any]) -> None:
        """Set traits of one station alone: JSON values by name, None takes one back.

        Raises:
            NotFound: No such station.
        """
        async with self._units() as unit:
            station = await existing_station(unit, identity)
            await unit.charge_points.get(identity, lock=True)
            known, _ = await _of(unit, station.key)
            own = read_traits({**written_traits(known.own), **changes})
            await unit.dialects.set_own(station.key, own)
            await self._audit.note(
                unit, actor, "dialect", "station", station.identity, dict(changes)
            )
        self._bus.publish(StationChanged(station.key))

    async def learn(self, charge_point: ChargePointKey, traits: Mapping[str, Any]) -> None:
        """Keep what a charge point's own answers have shown; it is void with its next firmware.

        Args:
            charge_point: Which.
            traits: JSON values by name; others that were learned stay.
        """
        async with self._units() as unit:
            found = await unit.dialects.acquaintances([charge_point])
            known = found.get(charge_point)
            if known is None:
                return
            learned = written_traits(read_traits({**written_traits(known.learned), **traits}))
            await unit.dialects.set_learned(charge_point, learned, known.device.firmware)
        self._bus.publish(StationChanged(charge_point))

    async def _note(self, unit: UnitOfWork, actor: str, action: str, dialect: Dialect) -> None:
        details = written_traits(dialect.traits)
        await self._audit.note(unit, actor, action, "dialect", dialect.id, details)


@dataclass(frozen=True, slots=True)
class _Known:
    pace: Pace | None
    until: float


class DialectBook:
    """How each charge point wants to be spoken to, for the parts that speak to them.

    Implements `csms.services.ports.dialects.Paces` and `Manners`. A pace is looked up when a call
    is about to go out. What was found is kept until the charge point boots, connects or changes
    here, and for a few seconds at most: for changes of dialects and on other nodes.

    Quiet time begins with a BootNotification. A charge point that wants some is not called either
    while its BootNotification may be on its way: in the first seconds of a connection.
    """

    def __init__(self, units: UnitsOfWork, bus: Bus, clock: Clock) -> None:
        self._units = units
        self._clock = clock
        self._known: dict[ChargePointKey, _Known] = {}
        self._looking: dict[ChargePointKey, object] = {}
        bus.subscribe(StationChanged, lambda event: self._forget(event.charge_point))
        bus.subscribe(StationConnected, lambda event: self._forget(event.charge_point))

    async def of(self, charge_point: ChargePointKey) -> Pace | None:
        """See the port."""
        known = self._known.get(charge_point)
        if known is not None and self._clock.monotonic() < known.until:
            return known.pace
        until = self._clock.monotonic() + _KNOWN_FOR_S
        look = self._looking[charge_point] = object()
        try:
            async with self._units() as unit:
                pace = _pace(*await _of(unit, charge_point))
        except NotFound:  # deleted a moment ago: its connection is about to be closed
            pace = None
        finally:
            if current := self._looking.get(charge_point) is look:
                del self._looking[charge_point]
        if current:  # else a hint came while we looked: what was read may be old
            self._known[charge_point] = _Known(pace, until)
        return pace

    async def traits(
        self, charge_points: Collection[ChargePointKey]
    ) -> Mapping[ChargePointKey, Traits]:
        """See `csms.services.ports.dialects.Manners`."""
        async with self._units() as unit:
            found = await _all_of(unit, charge_points)
        return {key: holds.traits for key, (_, holds) in found.items()}

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
    if not spacing_s and not ends:
        return None
    return Pace(spacing_s=spacing_s, quiet_until=max(ends, default=None))


async def _of(unit: UnitOfWork, charge_point: ChargePointKey) -> tuple[Acquaintance, Effective]:
    found = await _all_of(unit, [charge_point])
    if charge_point not in found:
        raise NotFound("station_not_found", "There is no such station.")
    return found[charge_point]


async def _all_of(
    unit: UnitOfWork, charge_points: Collection[ChargePointKey]
) -> dict[ChargePointKey, tuple[Acquaintance, Effective]]:
    dialects = (*built_in(), *await unit.dialects.all())
    known = await unit.dialects.acquaintances(charge_points)
    return {
        key: (
            each,
            effective(
                dialects,
                each.device,
                reported=reported_traits(each.configuration),
                learned=each.learned,
                own=each.own,
            ),
        )
        for key, each in known.items()
    }


async def _operators(unit: UnitOfWork, dialect_id: str) -> Dialect:
    for dialect in await unit.dialects.all():
        if dialect.id == dialect_id:
            return dialect
    if any(each.id == dialect_id for each in built_in()):
        raise Conflict(
            "built_in", "It comes with the program: add one of your own, which goes before it."
        )
    raise NotFound("dialect_not_found", "There is no such dialect.")


def _check(dialect: Dialect) -> None:
    if dialect.pattern == Pattern():
        raise Invalid(
            "invalid_request",
            "Say which charge points are meant.",
            {"vendor": "is needed, or model, or firmware"},
        )
