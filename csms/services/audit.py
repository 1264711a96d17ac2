"""The audit trail: each change by an operator leaves one entry, in the change's transaction."""

from __future__ import annotations

from collections.abc import Mapping
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
            details: JSON, without secrets.
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
