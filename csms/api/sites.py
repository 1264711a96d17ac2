"""Sites, and the loads that other systems ask power for."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from csms.api import pages
from csms.api.fields import ConnectorNumber, In, Kilo, Page, PageQuery, Text, whole
from csms.api.routes import Route
from csms.api.site_views import SiteOut, StatusOut
from csms.domain.connectors import MOST_CONNECTORS
from csms.domain.units import floor_amperes
from csms.errors import Invalid
from csms.services.access import Principal, Role
from csms.services.managed_loads import ManagedLoadService
from csms.services.records import BatteryDraft, Circuit
from csms.services.sites import PlainCharger, SiteService

_MOST_PARTS = 1000


PhaseLimit = Annotated[float, Field(ge=0, le=100_000)]
"""Of the current of each phase, in A."""


class CircuitIn(In):
    """A limit within the site; without `parentId` it hangs on the grid connection.

    `limitA` limits the current of each of its phases too.
    """

    id: Text
    parent_id: Text | None = None
    name: Text | None = None
    limit_kw: Kilo
    limit_a: PhaseLimit | None = None


class BatteryIn(In):
    """A battery; `capacityKwh` is the energy it starts with and is charged back to."""

    id: Text
    capacity_kwh: Kilo
    power_kw: Kilo


Circuits = Annotated[list[CircuitIn], Field(max_length=_MOST_PARTS)]
_Batteries = Annotated[list[BatteryIn], Field(max_length=_MOST_PARTS)]


class SiteIn(In):
    """A new site."""

    id: Text | None = None
    name: Text
    time_zone: Text = "UTC"
    grid_capacity_kw: Kilo
    grid_limit_a: PhaseLimit | None = None
    circuits: Circuits = Field(default_factory=list)
    batteries: _Batteries = Field(default_factory=list)
    policy: Text = "fair"


class SitePatch(In):
    """Changes of a site; circuits and batteries replace all that were there (null: none)."""

    name: Text | None = None
    time_zone: Text | None = None
    grid_capacity_kw: Kilo | None = None
    grid_limit_a: PhaseLimit | None = None
    circuits: Circuits | None = None
    batteries: _Batteries | None = None
    policy: Text | None = None

    @model_validator(mode="after")
    def _clears_nothing(self) -> Self:
        needed = self.model_fields_set - {"circuits", "batteries", "grid_limit_a"}
        cleared = sorted(name for name in needed if getattr(self, name) is None)
        if cleared:
            raise ValueError(f"cannot be cleared: {', '.join(cleared)}")
        return self


class PlainChargerIn(In):
    """A charger of the plain form."""

    id: Text
    max_power: Kilo
    connectors: Annotated[int, Field(ge=1, le=MOST_CONNECTORS)]


class PlainBatteryIn(In):
    """The battery of the plain form, in kWh and kW."""

    initial_capacity: Kilo
    power: Kilo


class PlainForm(In):
    """A site in kW and kWh; `stationId` names the site."""

    station_id: Text | None = None
    grid_capacity: Kilo
    chargers: Annotated[list[PlainChargerIn], Field(max_length=_MOST_PARTS)] = Field(
        default_factory=list
    )
    battery: PlainBatteryIn | None = None


class LoadIn(In):
    """A vehicle on a charger that another system controls; power in kW."""

    charger_id: Text
    connector_id: ConnectorNumber
    vehicle_max_power: Kilo


class PowerUpdate(In):
    """What a load takes now, and what its vehicle can take, in kW."""

    consumed_power: Kilo
    vehicle_max_power: Kilo | None = None


class LoadEnd(In):
    """What a load has taken in all, in kWh."""

    consumed_energy: Kilo | None = None


def drafts(given: list[CircuitIn]) -> list[Circuit]:
    """Return circuits in the units of inside."""
    return [
        Circuit(
            id=circuit.id,
            parent_id=circuit.parent_id,
            name=circuit.name,
            limit_w=whole(circuit.limit_kw),
            phase_limit_da=tenths(circuit.limit_a),
        )
        for circuit in given
    ]


def tenths(limit_a: float | None) -> int | None:
    """Return a current in 0.1 A, floored."""
    return None if limit_a is None else int(floor_amperes(Decimal(str(limit_a))) * 10)


def _batteries(given: list[BatteryIn]) -> list[BatteryDraft]:
    return [
        BatteryDraft(
            id=battery.id,
            capacity_wh=whole(battery.capacity_kwh),
            power_w=whole(battery.power_kw),
        )
        for battery in given
    ]


class Sites:
    """The operations."""

    def __init__(self, sites: SiteService, loads: ManagedLoadService) -> None:
        self._sites = sites
        self._loads = loads

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        one = "/api/sites/{site_id}"
        busy = {404: "There is no such site, charger or load.", 409: "Busy, or ended already."}

        def route(method: str, path: str, handler: Any, **more: Any) -> Route:
            role = Role.VIEWER if method == "GET" else Role.OPERATOR
            return Route(method=method, path=path, handler=handler, role=role, tag="sites", **more)

        return [
            route("GET", "/api/sites", self.list_sites),
            route(
                "POST",
                "/api/sites",
                self.create_site,
                status=201,
                refusals={409: "A site of this id exists."},
            ),
            route("GET", one, self.get_site),
            route("PATCH", one, self.change_site),
            route("DELETE", one, self.delete_site, status=204),
            route("PUT", f"{one}/config", self.configure_site),
            route("GET", f"{one}/status", self.get_site_status),
            route(
                "POST",
                f"{one}/sessions",
                self.start_load,
                status=201,
                refusals=busy,
                idempotent=True,
            ),
            route(
                "POST",
                f"{one}/sessions/{{load_id}}/power-update",
                self.update_load,
                refusals=busy,
            ),
            route("POST", f"{one}/sessions/{{load_id}}/stop", self.stop_load, refusals=busy),
        ]

    async def list_sites(self, query: PageQuery) -> Page[SiteOut]:
        """Return sites by id."""
        after = None if query.cursor is None else pages.decode(query.cursor, str)[0]
        found = await self._sites.page(query.limit, after)
        return Page[SiteOut](
            items=[SiteOut.of(site) for site in found],
            next_cursor=pages.encode(found[-1].id) if len(found) == query.limit else None,
        )

    async def create_site(self, body: SiteIn, principal: Principal) -> SiteOut:
        """Add a site; without an id one is generated."""
        values = {
            "name": body.name,
            "time_zone": body.time_zone,
            "grid_limit_w": whole(body.grid_capacity_kw),
            "grid_phase_limit_da": tenths(body.grid_limit_a),
            "policy": body.policy,
        }
        site = await self._sites.create(
            principal.name, body.id, values, drafts(body.circuits), _batteries(body.batteries)
        )
        return SiteOut.of(site)

    async def get_site(self, site_id: str) -> SiteOut:
        """Return one site."""
        return SiteOut.of(await self._sites.get(site_id))

    async def change_site(self, site_id: str, body: SitePatch, principal: Principal) -> SiteOut:
        """Change what is given."""
        values: dict[str, Any] = {
            name: getattr(body, name)
            for name in body.model_fields_set & {"name", "time_zone", "policy"}
        }
        if body.grid_capacity_kw is not None:
            values["grid_limit_w"] = whole(body.grid_capacity_kw)
        if "grid_limit_a" in body.model_fields_set:
            values["grid_phase_limit_da"] = tenths(body.grid_limit_a)
        site = await self._sites.change(
            principal.name,
            site_id,
            values,
            drafts(body.circuits or []) if "circuits" in body.model_fields_set else None,
            _batteries(body.batteries or []) if "batteries" in body.model_fields_set else None,
        )
        return SiteOut.of(site)

    async def delete_site(self, site_id: str, principal: Principal) -> None:
        """Remove a site; its stations stay, without a site."""
        await self._sites.delete(principal.name, site_id)

    async def configure_site(self, site_id: str, body: PlainForm, principal: Principal) -> SiteOut:
        """Create a site from the plain form, or replace what the form says.

        Chargers whose ids are stations join the site; another system controls all others.
        """
        if body.station_id is not None and body.station_id != site_id:
            raise Invalid(
                "invalid_request",
                "The form names another site than the path.",
                {"stationId": f"must be {site_id!r} or left out"},
            )
        _check_id(site_id)
        battery = body.battery
        site = await self._sites.configure(
            principal.name,
            site_id,
            grid_limit_w=whole(body.grid_capacity),
            chargers=[
                PlainCharger(
                    id=charger.id,
                    max_power_w=whole(charger.max_power),
                    connectors=charger.connectors,
                )
                for charger in body.chargers
            ],
            battery_power_w=None if battery is None else whole(battery.power),
            battery_wh=None if battery is None else whole(battery.initial_capacity),
        )
        return SiteOut.of(site)

    async def get_site_status(self, site_id: str) -> StatusOut:
        """Return how the site's power is shared, as last decided."""
        return StatusOut.of(await self._sites.status(site_id))

    async def start_load(self, site_id: str, body: LoadIn) -> StatusOut:
        """Add a load on a charger that another system controls; the answer tells its share."""
        status = await self._loads.start(
            site_id, body.charger_id, body.connector_id, whole(body.vehicle_max_power)
        )
        return StatusOut.of(status)

    async def update_load(self, site_id: str, load_id: str, body: PowerUpdate) -> StatusOut:
        """Note what a load takes."""
        most = body.vehicle_max_power
        status = await self._loads.update(
            site_id, load_id, whole(body.consumed_power), None if most is None else whole(most)
        )
        return StatusOut.of(status)

    async def stop_load(self, site_id: str, load_id: str, body: LoadEnd) -> StatusOut:
        """End a load; its power goes to the others."""
        energy = body.consumed_energy
        status = await self._loads.stop(site_id, load_id, None if energy is None else whole(energy))
        return StatusOut.of(status)


def _check_id(site_id: str) -> None:
    """Raise Invalid unless the text from the path can be the id of a new site."""
    if not 1 <= len(site_id) <= 255 or not site_id.isprintable():
        raise Invalid(
            "invalid_request",
            "This cannot be the id of a site.",
            {"siteId": "must have 1 to 255 printable characters"},
        )
