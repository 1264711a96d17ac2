"""Makes the demo's sites, stations and id tags, through the services that operators use."""

from __future__ import annotations

from typing import Any

from csms.app import Running
from csms.demo.plan import PlannedSite, PlannedStation
from csms.errors import Conflict
from csms.services.audit import AuditTrail
from csms.services.sites import SiteService
from csms.services.stations import StationService

_ACTOR = "demo"


async def plant(system: Running, sites: tuple[PlannedSite, ...]) -> None:
    """Add what is missing; what is there already is kept as the operator left it.

    Raises:
        DatabaseAway: Postgres cannot be reached.
    """
    ports = system.ports
    audit = AuditTrail(ports.units, ports.clock)
    site_service = SiteService(ports.units, ports.allocator, ports.bus, ports.clock, audit)
    station_service = StationService(
        ports.units,
        ports.gateway,
        ports.allocator,
        ports.bus,
        ports.clock,
        audit,
        secret=system.secret,
        quiet=False,
        last_seen=ports.last_seen,
    )
    async with ports.units() as unit:
        wanted = [station.identity for site in sites for station in site.stations]
        known = await unit.charge_points.keys_of(wanted)
        known_sites = {site.id for site in sites if await unit.sites.get(site.id) is not None}
        for site in sites:
            for station in site.stations:
                for tag in station.id_tags:
                    await unit.id_tags.insert_if_missing(tag, f"Driver at {station.name}")
    for site in sites:
        if site.id not in known_sites:
            await _add_site(site_service, site)
        for station in site.stations:
            if station.identity not in known:
                await _add_station(station_service, site, station)


async def _add_site(service: SiteService, site: PlannedSite) -> None:
    await service.create(
        _ACTOR,
        site.id,
        {"name": site.name, "grid_limit_w": site.grid_limit_w},
        site.circuits,
        site.batteries,
    )


async def _add_station(service: StationService, site: PlannedSite, station: PlannedStation) -> None:
    lat, lon = site.ground.place(station.along_m, station.across_m)
    values: dict[str, Any] = {
        "name": station.name,
        "site_id": site.id,
        "circuit_id": station.circuit_id,
        "location": {"lat": lat, "lon": lon, "address": site.ground.address},
        "current_type": station.current_type,
        "phases": station.phases,
        "max_power_w": station.max_power_w,
        "connector_count": station.connectors,
        "connector_type": station.connector_type,
    }
    try:
        await service.create(_ACTOR, station.identity, values, None)
    except Conflict:
        # a simulator that connected first has made it, or an operator a moment ago
        return
