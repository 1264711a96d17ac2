"""ChangeAvailability: what the operator has told a connector to be."""

from __future__ import annotations

from typing import Any

from csms.domain.connectors import is_storable
from csms.services.call_effects import Ended, Sending
from csms.services.ports.store import UnitOfWork
from csms.services.records import Station

_TAKEN = frozenset({"Accepted", "Scheduled"})


class AvailabilityEffect:
    """Keeps the orders that stations have taken; others change nothing."""

    async def sending(self, unit: UnitOfWork, station: Station, call: Sending) -> None:
        """Nothing is known before the answer."""

    async def ended(self, unit: UnitOfWork, station: Station, end: Ended) -> None:
        """Note what the station has taken."""
        if end.call.action != "ChangeAvailability" or end.status not in _TAKEN:
            return
        payload: dict[str, Any] = dict(end.call.payload)
        if is_storable(payload["connectorId"]):
            await unit.availability.keep(
                station.key,
                payload["connectorId"],
                payload["type"],
                scheduled=end.status == "Scheduled",
                # what follows from it may come before its answer
                told_at=end.call.at,
            )
