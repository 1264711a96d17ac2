"""Sites: what shares one grid connection."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from csms.clock import Clock, wire_time
from csms.domain import battery, sites
from csms.domain.allocation import Policy
from csms.domain.events import SiteChanged
from csms.domain.ids import SiteId
from csms.domain.site_status import SiteStatus
from csms.domain.what_if import Supposition
from csms.errors import Invalid, NotFound
from csms.services.audit import AuditTrail, told, told_before
from csms.services.ports.bus import Bus
from csms.services.ports.smart_charging import Allocator
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import BatteryDraft, Circuit, Site

_PLAIN_BATTERY = "battery"
_LIMITS_AT_ONCE = 1000
_BEARS_ON_SAFETY = frozenset({"grid_limit_w", "grid_phase_limit_da", "policy"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainCharger:
    """A charger of the plain form."""

    id: str
    max_power_w: int
    connectors: int


class SiteService:
    """Creates, changes, shows and removes sites; after each change the allocator decides anew."""

    def __init__(
        self,
        units: UnitsOfWork,
        allocator: Allocator,
        bus: Bus,
        clock: Clock,
        audit: AuditTrail,
    ) -> None:
        self._units = units
        self._allocator = allocator
        self._bus = bus
        self._clock = clock
        self._audit = audit

    async def create(
        self,
        actor: str,
        site_id: str | None,
        values: Mapping[str, Any],
        circuits: Sequence[Circuit],
        batteries: Sequence[BatteryDraft],
    ) -> Site:
        """Add a site and return it.

        Raises:
            Invalid: Circuits, batteries, time zone or policy make no sense.
            Conflict: `site_exists`.
        """
        site_id = site_id or f"site-{secrets.token_hex(6)}"
        _check(values, circuits, batteries)
        async with self._units() as unit:
            await unit.sites.insert({**values, "id": site_id})
            await unit.sites.replace_circuits(site_id, circuits)
            await unit.sites.replace_batteries(site_id, batteries, self._clock.now())
            await self._audit.note(unit, actor, "create", "site", site_id, values)
            site = await _existing(unit, site_id)
        await self._changed([site.id])
        return site

    async def get(self, site_id: str) -> Site:
        """Return one site. Raises NotFound."""
        async with self._units() as unit:
            return await _existing(unit, site_id)

    async def page(self, limit: int, after: str | None = None) -> list[Site]:
        """Return sites by id."""
        async with self._units() as unit:
            return await unit.sites.page(limit, after=after)

    async def change(
        self,
        actor: str,
        site_id: str,
        values: Mapping[str, Any],
        circuits: Sequence[Circuit] | None,
        batteries: Sequence[BatteryDraft] | None,
    ) -> Site:
        """Change what is given and return the site; given circuits or batteries replace all.

        Raises:
            NotFound, Invalid: As `create`.
        """
        _check(values, circuits or (), batteries or ())
        if values.keys() & _BEARS_ON_SAFETY or circuits is not None:
            await self._check_safety(site_id, values, circuits)
        async with self._units() as unit:
            await _locked(unit, site_id)
            before = await _existing(unit, site_id)
            await unit.sites.update(site_id, values)
            if circuits is not None:
                await self._check_limits(unit, site_id, {circuit.id for circuit in circuits})
                await unit.sites.replace_circuits(site_id, circuits)
            if batteries is not None:
                await unit.sites.replace_batteries(site_id, batteries, self._clock.now())
            given = {
                **values,
                **({} if circuits is None else {"circuits": circuits}),
                **({} if batteries is None else {"batteries": batteries}),
            }
            details = {**told(given), **told_before(before, given)}
            await self._audit.note(unit, actor, "change", "site", site_id, details)
            site = await _existing(unit, site_id)
        await self._changed([site.id])
        return site

    async def delete(self, actor: str, site_id: str) -> None:
        """Remove a site; its stations stay, without a site. Raises NotFound."""
        async with self._units() as unit:
            await unit.sites.begin_change()
            await _locked(unit, site_id)
            site = await _existing(unit, site_id)
            await unit.sites.delete(site_id)
            await self._audit.note(unit, actor, "delete", "site", site_id, {"called": site.name})
        self._bus.publish(SiteChanged(SiteId(site_id)))

    async def configure(
        self,
        actor: str,
        site_id: str,
        *,
        grid_limit_w: int,
        chargers: Sequence[PlainCharger],
        battery_power_w: int | None,
        battery_wh: int | None,
    ) -> Site:
        """Create the site of a plain form or replace what the form says; the rest is kept.

        Chargers whose ids are stations join the site; all others are controlled by another
        system. Chargers that are no longer listed leave.

        Raises:
            Invalid: A charger is listed twice.
        """
        _check_chargers(chargers)
        batteries = (
            []
            if battery_power_w is None or battery_wh is None
            else [BatteryDraft(id=_PLAIN_BATTERY, capacity_wh=battery_wh, power_w=battery_power_w)]
        )
        now = self._clock.now()
        async with self._units() as unit:
            await unit.sites.begin_change()
            row = {"id": site_id, "name": site_id, "grid_limit_w": grid_limit_w}
            await unit.sites.insert_if_missing(row)
            keys = await unit.charge_points.keys_of([charger.id for charger in chargers])
            if len(set(keys.values())) != len(keys):
                raise _listed_twice(sorted(keys))
            others = await unit.sites.sites_of(keys.values()) - {site_id}
            await unit.sites.lock(site_id, *others)
            await unit.sites.update(site_id, {"grid_limit_w": grid_limit_w})
            await unit.sites.replace_stations(
                site_id,
                [
                    (keys[charger.id], charger.max_power_w, charger.connectors)
                    for charger in chargers
                    if charger.id in keys
                ],
            )
            await unit.sites.replace_external(
                site_id,
                [
                    (charger.id, charger.max_power_w, charger.connectors)
                    for charger in chargers
                    if charger.id not in keys
                ],
                now,
            )
            await unit.sites.replace_batteries(site_id, batteries, now)
            details = {"grid_limit_w": grid_limit_w, "chargers": len(chargers)}
            await self._audit.note(unit, actor, "configure", "site", site_id, details)
            site = await _existing(unit, site_id)
        await self._changed([site.id, *sorted(others)])
        return site

    async def status(self, site_id: str) -> SiteStatus:
        """Return the newest decision. Raises NotFound."""
        return await self._allocator.status(SiteId(site_id))

    async def _check_safety(
        self, site_id: str, values: Mapping[str, Any], circuits: Sequence[Circuit] | None
    ) -> None:
        """Raise Invalid when the site could not be safe with what it asks of its chargers."""
        supposition = Supposition(
            site_changes={
                name: Policy(value) if name == "policy" else value
                for name, value in values.items()
                if name in _BEARS_ON_SAFETY
            },
            circuits=None if circuits is None else domain_circuits(circuits),
        )
        found = await self._allocator.what_if(SiteId(site_id), supposition)
        if found.problems:
            where = "gridCapacityKw" if "grid_limit_w" in values else "gridLimitA"
            where = "policy" if "policy" in values else where
            where = where if circuits is None else "circuits"
            raise Invalid(
                "unsafe_site", "The site would not be safe.", {where: "; ".join(found.problems)}
            )

    async def _check_limits(self, unit: UnitOfWork, site_id: str, kept: Collection[str]) -> None:
        """Raise Invalid when a circuit would go whose limit from outside has not ended."""
        now, before = self._clock.now(), None
        while found := await unit.site_rules.limits(site_id, _LIMITS_AT_ONCE, before=before):
            for stored in found:
                circuit, ends_at = stored.limit.circuit_id, stored.limit.ends_at
                over = ends_at is not None and ends_at <= now
                if circuit is not None and circuit not in kept and not over:
                    until = "" if ends_at is None else f" until {wire_time(ends_at)}"
                    raise Invalid(
                        "unsafe_site",
                        "The site would not be safe.",
                        {
                            "circuits": f"circuit {circuit} has a limit of "
                            f"{stored.limit.limit_w / 1000:g} kW{until}: remove that first"
                        },
                    )
            before = found[-1].id

    async def _changed(self, site_ids: Iterable[SiteId]) -> None:
        for site_id in site_ids:
            self._bus.publish(SiteChanged(site_id))
            await self._allocator.decide(site_id)


async def _existing(unit: UnitOfWork, site_id: str) -> Site:
    site = await unit.sites.get(site_id)
    if site is None:
        raise _no_site()
    return site


async def _locked(unit: UnitOfWork, site_id: str) -> None:
    if not await unit.sites.lock(site_id):
        raise _no_site()


def _no_site() -> NotFound:
    return NotFound("site_not_found", "There is no such site.")


def _check_chargers(chargers: Sequence[PlainCharger]) -> None:
    seen: set[str] = set()
    twice = []
    for charger in chargers:
        if charger.id in seen:
            twice.append(charger.id)
        seen.add(charger.id)
    if twice:
        raise _listed_twice(twice)


def _listed_twice(ids: Sequence[str]) -> Invalid:
    return Invalid(
        "invalid_request",
        "A charger is listed twice.",
        {"chargers": f"ids must be unique: {', '.join(ids[:5])}"},
    )


def _check(
    values: Mapping[str, Any],
    circuits: Sequence[Circuit],
    batteries: Sequence[BatteryDraft],
) -> None:
    """Raise Invalid with everything that is wrong with a site."""
    fields: dict[str, str] = {}
    if "time_zone" in values and values["time_zone"] not in available_timezones():
        fields["timeZone"] = "is no IANA time zone such as Europe/Berlin"
    if "policy" in values and values["policy"] not in set(Policy):
        fields["policy"] = f"is none of {', '.join(sorted(Policy))}"
    problems = sites.site_problems(
        sites.Site(
            id=SiteId("new"),
            name="new",
            grid_limit_w=0,
            grid_phase_limit_da=values.get("grid_phase_limit_da"),
            policy=Policy(values.get("policy", Policy.FAIR))
            if "policy" not in fields
            else Policy.FAIR,
            circuits=domain_circuits(circuits),
            batteries=tuple(
                battery.Battery(
                    id=battery.BatteryId(draft.id),
                    capacity_wh=draft.capacity_wh,
                    power_w=draft.power_w,
                )
                for draft in batteries
            ),
        )
    )
    if problems:
        where = "circuits" if circuits else "batteries" if batteries else "policy"
        fields[where] = "; ".join(problems)
    if fields:
        raise Invalid("invalid_request", "The site makes no sense.", fields)


def domain_circuits(circuits: Sequence[Circuit]) -> tuple[sites.Circuit, ...]:
    """Return circuits as the domain knows them."""
    return tuple(
        sites.Circuit(
            id=sites.CircuitId(circuit.id),
            limit_w=circuit.limit_w,
            parent_id=None if circuit.parent_id is None else sites.CircuitId(circuit.parent_id),
            phase_limit_da=circuit.phase_limit_da,
        )
        for circuit in circuits
    )
