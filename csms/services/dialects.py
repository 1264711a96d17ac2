"""Vendor dialects: the built-in list, the operator's, and what holds for a station."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from csms.domain.dialects import (
    Dialect,
    Effective,
    Pattern,
    read_traits,
    written_traits,
)
from csms.domain.events import DialectChanged
from csms.domain.ids import ChargePointKey
from csms.errors import Conflict, Invalid, NotFound
from csms.services.audit import AuditTrail
from csms.services.dialect_book import built_in, known_of
from csms.services.ports.bus import Bus
from csms.services.ports.dialects import Acquaintance
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.station_state import existing_station

MOST_DIALECTS = 1000
"""That an operator may set."""


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
        self._bus.publish(DialectChanged(None))
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
        self._bus.publish(DialectChanged(None))
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
        self._bus.publish(DialectChanged(None))

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
        self._bus.publish(DialectChanged(station.key))

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
        self._bus.publish(DialectChanged(charge_point))

    async def _note(self, unit: UnitOfWork, actor: str, action: str, dialect: Dialect) -> None:
        details = written_traits(dialect.traits)
        await self._audit.note(unit, actor, action, "dialect", dialect.id, details)


async def _of(unit: UnitOfWork, charge_point: ChargePointKey) -> tuple[Acquaintance, Effective]:
    found = await known_of(unit, [charge_point])
    if charge_point not in found:
        raise NotFound("station_not_found", "There is no such station.")
    return found[charge_point]


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
