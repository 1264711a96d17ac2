"""Limits that operators send by hand: the ledger must not believe that its own still hold."""

from __future__ import annotations

from csms.domain.events import SiteChanged
from csms.domain.ids import SiteId
from csms.services.call_effects import NOT_SENT, Ended, Sending
from csms.services.ports.bus import Bus
from csms.services.ports.store import UnitOfWork
from csms.services.records import Station

_ABOUT_LIMITS = frozenset({"SetChargingProfile", "ClearChargingProfile", "Reset"})


class LimitEffect:
    """Lets a station of a site be told its limits anew after a call that may have changed them.

    Before the call and after it: what is told in between may be the older word.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def sending(self, unit: UnitOfWork, station: Station, call: Sending) -> None:
        """Forget what holds: it may change from now on."""
        if call.action in _ABOUT_LIMITS:
            await self._forget(unit, station)

    async def ended(self, unit: UnitOfWork, station: Station, end: Ended) -> None:
        """Forget it again, unless the call never left; the control loop tells it anew."""
        if end.call.action in _ABOUT_LIMITS and end.outcome not in NOT_SENT:
            await self._forget(unit, station)
            if station.site_id is not None:
                self._bus.publish(SiteChanged(SiteId(station.site_id)))

    async def _forget(self, unit: UnitOfWork, station: Station) -> None:
        if station.site_id is not None and await unit.sites.lock(station.site_id):
            await unit.site_rules.forget_limits(station.key)
