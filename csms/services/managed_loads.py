"""Loads on chargers that another system controls: it asks us how much power each may take."""

from __future__ import annotations

from collections.abc import Mapping

from csms.clock import Clock
from csms.domain.ids import SiteId
from csms.domain.site_status import SiteStatus
from csms.errors import Conflict, Invalid, NotFound
from csms.services.ports.smart_charging import Allocator
from csms.services.ports.store import UnitsOfWork

_MOST_KEY = 2**63 - 1


class ManagedLoadService:
    """Starts, updates and stops managed loads; each answers with the new decision in it."""

    def __init__(self, units: UnitsOfWork, allocator: Allocator, clock: Clock) -> None:
        self._units = units
        self._allocator = allocator
        self._clock = clock

    async def start(
        self, site_id: str, charger_id: str, connector_id: int, vehicle_max_power_w: int
    ) -> SiteStatus:
        """Add a load.

        Raises:
            NotFound: No such site, or no such charger that another system controls.
            Invalid: The charger has no such connector.
            Conflict: `connector_busy`.
        """
        async with self._units() as unit:
            if not await unit.sites.lock(site_id):
                raise _no_site()
            charger = await unit.managed_loads.charger(site_id, charger_id)
            if charger is None:
                raise NotFound(
                    "charger_not_found", "The site has no such charger of another system."
                )
            count, busy = charger
            if not 0 <= connector_id <= count:
                raise Invalid(
                    "invalid_request",
                    "The charger has no such connector.",
                    {"connectorId": f"must be 0 to {count}"},
                )
            if connector_id in busy or len(busy) >= count:
                raise Conflict("connector_busy", "This connector is busy already.")
            await unit.managed_loads.insert(
                {
                    "site_id": site_id,
                    "charger_id": charger_id,
                    "connector_id": connector_id,
                    "vehicle_max_power_w": vehicle_max_power_w,
                    "started_at": self._clock.now(),
                }
            )
        return await self._allocator.decide(SiteId(site_id))

    async def update(
        self, site_id: str, load_id: str, consumed_power_w: int, vehicle_max_power_w: int | None
    ) -> SiteStatus:
        """Note what a load takes, and what its vehicle can take when that is given.

        Raises:
            NotFound: No such site or load.
            Conflict: `load_stopped`.
        """
        changes: dict[str, object] = {"consumed_power_w": consumed_power_w}
        if vehicle_max_power_w is not None:
            changes["vehicle_max_power_w"] = vehicle_max_power_w
        return await self._changed(site_id, load_id, changes)

    async def stop(self, site_id: str, load_id: str, consumed_energy_wh: int | None) -> SiteStatus:
        """End a load. Raises as `update`."""
        changes: dict[str, object] = {"stopped_at": self._clock.now()}
        if consumed_energy_wh is not None:
            changes["consumed_energy_wh"] = consumed_energy_wh
        return await self._changed(site_id, load_id, changes)

    async def _changed(
        self, site_id: str, load_id: str, changes: Mapping[str, object]
    ) -> SiteStatus:
        key = _key(load_id)
        async with self._units() as unit:
            if not await unit.sites.lock(site_id):
                raise _no_site()
            load = None if key is None else await unit.managed_loads.get(site_id, key)
            if load is None:
                raise NotFound("load_not_found", "The site has no such load.")
            if load.stopped_at is not None:
                raise Conflict("load_stopped", "This load has ended.")
            await unit.managed_loads.update(load.key, changes)
        return await self._allocator.decide(SiteId(site_id))


def _key(load_id: str) -> int | None:
    """Return the key in a load's id (``m`` and a number), None when it is no such id.

    >>> _key("m12"), _key("12"), _key("m-1")
    (12, None, None)
    """
    digits = load_id.removeprefix("m")
    if digits == load_id or not (digits.isascii() and digits.isdigit()) or len(digits) > 19:
        return None
    key = int(digits)
    return key if key <= _MOST_KEY else None


def _no_site() -> NotFound:
    return NotFound("site_not_found", "There is no such site.")
