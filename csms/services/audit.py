"""The audit trail: each change by an operator leaves one entry, in the change's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from csms.clock import Clock
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.ports.users import AuditFilter
from csms.services.records import AuditEntry


class AuditTrail:
    """Writes and reads entries."""

    def __init__(self, units: UnitsOfWork, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def note(
        self,
        unit: UnitOfWork,
        actor: str,
        action: str,
        object_type: str,
        object_id: str | None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an entry to the transaction of the change.

        Args:
            unit: The open transaction.
            actor: Name of the user or API key.
            action: What was done, such as ``create``.
            object_type: Singular noun, such as ``station``.
            object_id: Id of the object, as the API spells it.
            details: JSON, without secrets: what was given, by name, and under `before` what it was;
                `called`: the object's name where its id says nothing.
        """
        await unit.audit.append(
            at=self._clock.now(),
            actor=actor,
            action=action,
            object_type=object_type,
            object_id=object_id,
            details=details or {},
        )

    async def page(
        self, limit: int, before: int | None = None, wanted: AuditFilter | None = None
    ) -> list[AuditEntry]:
        """Return entries, the newest first; None wants all."""
        async with self._units() as unit:
            return await unit.audit.page(limit, wanted, before=before)


def told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as JSON, for the details of an entry.

    >>> told({"cost": Decimal("1.50"), "flags": ("a",), "at": datetime(2026, 1, 31)})
    {'cost': '1.50', 'flags': ['a'], 'at': '2026-01-31T00:00:00'}
    """
    return {name: _json(value) for name, value in values.items()}


def told_before(record: object, names: Iterable[str]) -> dict[str, Any]:
    """Return `{"before": {name: value}}` of those of `names` that the record has; else nothing.

    >>> told_before(Decimal(7), ["real", "no such thing"])
    {'before': {'real': '7'}}
    """
    before = {name: getattr(record, name) for name in names if hasattr(record, name)}
    return {"before": told(before)} if before else {}


def _json(value: Any) -> Any:
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    match value:
        case datetime():
            return value.isoformat()
        case Enum():
            return value.value
        case Decimal():
            return str(value)
        case Mapping():
            return told(value)
        case tuple() | list() | frozenset() | set():
            return [_json(each) for each in value]
        case None | str() | int() | float() | bool():
            return value
        case _:
            return str(value)
