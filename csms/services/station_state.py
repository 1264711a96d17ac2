"""What a station's calls and notices have led to, for operators: jobs, security events."""

from __future__ import annotations

from collections.abc import Sequence

from csms.errors import NotFound
from csms.services.ports.state import Job, SecurityEvent
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import Station


class StationState:
    """Shows it."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def jobs(self, identity: str, limit: int, before: int | None = None) -> Sequence[Job]:
        """Return jobs, the newest first. Raises NotFound."""
        async with self._units() as unit:
            station = await existing_station(unit, identity)
            return await unit.jobs.page(station.key, limit, before=before)

    async def security_events(
        self, identity: str, limit: int, before: int | None = None
    ) -> Sequence[SecurityEvent]:
        """Return security events, the newest first. Raises NotFound."""
        async with self._units() as unit:
            station = await existing_station(unit, identity)
            return await unit.security_events.page(station.key, limit, before=before)


async def existing_station(unit: UnitOfWork, identity: str) -> Station:
    """Return a station. Raises NotFound `station_not_found`."""
    station = await unit.charge_points.get(identity)
    if station is None:
        raise NotFound("station_not_found", "There is no such station.")
    return station
