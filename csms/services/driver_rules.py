"""Where drivers have pages: what the operator says for stations and sites, and what then holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from csms.domain.driver_page import Access, EffectiveRules, PageRules, resolve
from csms.errors import NotFound
from csms.services.audit import AuditTrail, told, told_before
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import Station

_NOTHING = PageRules()


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesShown:
    """What was said, and what holds."""

    said: PageRules
    holds: EffectiveRules


class DriverRulesService:
    """Shows and changes where drivers have pages, and lists the connectors for their codes."""

    def __init__(self, units: UnitsOfWork, audit: AuditTrail, *, default: Access) -> None:
        self._units = units
        self._audit = audit
        self._default = default

    async def of_station(self, identity: str) -> tuple[Station, RulesShown]:
        """Return a station and its rules. Raises NotFound."""
        async with self._units() as unit:
            return await self._of_station(unit, identity)

    async def change_station(
        self, actor: str, identity: str, changes: Mapping[str, Any]
    ) -> tuple[Station, RulesShown]:
        """Change what is given (None: nothing is said) and return the result. Raises NotFound."""
        async with self._units() as unit:
            station, shown = await self._of_station(unit, identity)
            await unit.driver_pages.set_rules(station.key, replace(shown.said, **changes))
            details = {**told(changes), **told_before(shown.said, changes)}
            await self._audit.note(unit, actor, "change", "driver page", station.identity, details)
            return await self._of_station(unit, identity)

    async def of_site(self, site_id: str) -> RulesShown:
        """Return the rules of a site. Raises NotFound."""
        async with self._units() as unit:
            await _require_site(unit, site_id)
            return self._shown(_NOTHING, await unit.driver_pages.site_rules(site_id), of_site=True)

    async def change_site(self, actor: str, site_id: str, changes: Mapping[str, Any]) -> RulesShown:
        """Change what is given (None: nothing is said) and return the result. Raises NotFound."""
        async with self._units() as unit:
            await _require_site(unit, site_id)
            before = await unit.driver_pages.site_rules(site_id)
            said = replace(before, **changes)
            await unit.driver_pages.set_site_rules(site_id, said)
            details = {**told(changes), **told_before(before, changes)}
            await self._audit.note(unit, actor, "change", "driver pages of site", site_id, details)
        return self._shown(_NOTHING, said, of_site=True)

    async def stations(self, site_id: str, limit: int) -> tuple[str, Sequence[Station]]:
        """Return a site's name and its stations by identity, at most `limit`. Raises NotFound."""
        async with self._units() as unit:
            name = await _require_site(unit, site_id)
            found = await unit.charge_points.page(limit, site_id=site_id)
        return name, sorted(found, key=lambda station: station.identity)

    async def _of_station(self, unit: UnitOfWork, identity: str) -> tuple[Station, RulesShown]:
        station = await unit.charge_points.get(identity)
        if station is None:
            raise NotFound("station_not_found", "There is no such station.")
        site = _NOTHING
        if station.site_id is not None:
            site = await unit.driver_pages.site_rules(station.site_id)
        return station, self._shown(await unit.driver_pages.rules(station.key), site)

    def _shown(self, station: PageRules, site: PageRules, *, of_site: bool = False) -> RulesShown:
        return RulesShown(
            said=site if of_site else station, holds=resolve(station, site, self._default)
        )


def connectors_of(station: Station) -> list[int]:
    """Return the numbers of a station's connectors; 1 where nothing is known."""
    return [each.connector_id for each in station.connectors if each.connector_id > 0] or [1]


async def _require_site(unit: UnitOfWork, site_id: str) -> str:
    site = await unit.sites.get(site_id)
    if site is None:
        raise NotFound("site_not_found", "There is no such site.")
    return site.name
