"""What narrows a site: its rules, limits of the grid operator and others, and its meter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from csms.clock import Clock
from csms.domain.events import SiteChanged
from csms.domain.ids import SiteId
from csms.domain.site_rules import (
    CHARGER_METER_FRESH,
    MeterReading,
    OutsideLimit,
    SiteRules,
    heard,
)
from csms.domain.what_if import Consequence, Supposition
from csms.errors import Invalid, NotFound
from csms.services.audit import AuditTrail, told, told_before
from csms.services.ports.bus import Bus
from csms.services.ports.site_rules import KeptDecision, StoredLimit
from csms.services.ports.smart_charging import Allocator
from csms.services.ports.store import UnitOfWork, UnitsOfWork

_BEAR_ON_SAFETY = frozenset({"fallback_a", "building_max_w"})


class SiteRulesService:
    """Changes what narrows sites; each change is decided on at once."""

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

    async def rules(self, site_id: str) -> SiteRules:
        """Return the rules of a site. Raises NotFound."""
        async with self._units() as unit:
            return await _rules(unit, site_id)

    async def change_rules(self, actor: str, site_id: str, changes: Mapping[str, Any]) -> SiteRules:
        """Change what is given and return the rules.

        Raises:
            NotFound: No such site.
            Invalid: With them the site could not be safe; says why.
        """
        supposition = Supposition(rule_changes=changes)
        found = await self._allocator.what_if(SiteId(site_id), supposition)
        # what was so before, because a station has come since, keeps nobody from another rule
        if found.problems and changes.keys() & _BEAR_ON_SAFETY:
            raise Invalid(
                "unsafe_site",
                "The site would not be safe.",
                {_field(changes): "; ".join(found.problems)},
            )
        async with self._units() as unit:
            if not await unit.sites.lock(site_id):
                raise _no_site()
            before = await _rules(unit, site_id)
            rules = replace(before, **changes)
            await unit.site_rules.set_rules(site_id, rules)
            details = {**told(changes), **told_before(before, changes)}
            await self._audit.note(unit, actor, "change", "site rules", site_id, details)
        await self._changed(site_id)
        return rules

    async def limits(
        self, site_id: str, limit: int, *, before: int | None = None
    ) -> list[StoredLimit]:
        """Return limits from outside, the newest first. Raises NotFound."""
        async with self._units() as unit:
            await _rules(unit, site_id)
            return await unit.site_rules.limits(site_id, limit, before=before)

    async def add_limit(
        self, actor: str, site_id: str, limit: OutsideLimit, reason: str | None
    ) -> StoredLimit:
        """Add a limit; its decreases are on their way when this returns, if it holds by now.

        Raises:
            NotFound: No such site.
            Invalid: It ends before it starts, or the site has no such circuit.
        """
        if limit.ends_at is not None and limit.ends_at <= limit.starts_at:
            raise Invalid(
                "invalid_request",
                "The limit ends before it starts.",
                {"endsAt": "must be later than startsAt"},
            )
        async with self._units() as unit:
            site = await unit.sites.get(site_id)
            if site is None or not await unit.sites.lock(site_id):
                raise _no_site()
            known = {circuit.id for circuit in site.circuits}
            if limit.circuit_id is not None and limit.circuit_id not in known:
                raise Invalid(
                    "invalid_request",
                    "The site has no such circuit.",
                    {"circuitId": f"is none of {', '.join(sorted(known)) or 'none'}"},
                )
            stored = await unit.site_rules.add_limit(
                site_id, limit, reason, actor, self._clock.now()
            )
            details = told(
                {
                    "site": site_id,
                    "limit_w": limit.limit_w,
                    "starts_at": limit.starts_at,
                    "ends_at": limit.ends_at,
                    "reason": reason,
                }
            )
            await self._audit.note(unit, actor, "create", "site limit", str(stored.id), details)
        await self._changed(site_id)
        return stored

    async def end_limit(
        self, actor: str, site_id: str, limit_id: int, ends_at: datetime | None
    ) -> StoredLimit:
        """Let a limit end at another time (None: not by itself) and return it.

        Raises:
            NotFound: No such site or limit.
            Invalid: It would end before it starts.
        """
        async with self._units() as unit:
            stored = await _limit(unit, site_id, limit_id)
            if ends_at is not None and ends_at <= stored.limit.starts_at:
                raise Invalid(
                    "invalid_request",
                    "The limit would end before it starts.",
                    {"endsAt": "must be later than startsAt"},
                )
            await unit.site_rules.end_limit(limit_id, ends_at)
            changes = {"ends_at": ends_at}
            details = {"site": site_id, **told(changes), **told_before(stored.limit, changes)}
            await self._audit.note(unit, actor, "change", "site limit", str(limit_id), details)
            stored = await _limit(unit, site_id, limit_id)
        await self._changed(site_id)
        return stored

    async def remove_limit(self, actor: str, site_id: str, limit_id: int) -> None:
        """Remove a limit; raises go out as room allows. Raises NotFound."""
        async with self._units() as unit:
            stored = await _limit(unit, site_id, limit_id)
            await unit.site_rules.remove_limit(limit_id)
            details = {"site": site_id, "limit_w": stored.limit.limit_w, "reason": stored.reason}
            await self._audit.note(unit, actor, "delete", "site limit", str(limit_id), details)
        await self._changed(site_id)

    async def decisions(
        self,
        site_id: str,
        limit: int,
        *,
        before: int | None = None,
        transaction_id: int | None = None,
        identity: str | None = None,
    ) -> list[KeptDecision]:
        """Return what was decided for sessions of a site, the newest first. Raises NotFound."""
        async with self._units() as unit:
            await _rules(unit, site_id)
            return await unit.site_rules.decisions(
                site_id, limit, before=before, transaction_id=transaction_id, identity=identity
            )

    async def meter(self, site_id: str) -> MeterReading | None:
        """Return the last word of a site's meter, None where it has none. Raises NotFound."""
        async with self._units() as unit:
            await _rules(unit, site_id)
            return await unit.site_rules.meter(site_id)

    async def hear_meter(
        self, site_id: str, power_w: int, solar_w: int | None = None
    ) -> MeterReading:
        """Take the word of a site's meter and return what is kept free by it. Raises NotFound."""
        async with self._units() as unit:
            if not await unit.sites.lock(site_id):
                raise _no_site()
            before = await unit.site_rules.meter(site_id)
            now = self._clock.now()
            fresh = now - CHARGER_METER_FRESH
            draw, may_draw = await unit.site_rules.chargers_draw_w(site_id, fresh)
            reading = heard(before, power_w, draw, now, solar_w, may_draw_w=may_draw)
            await unit.site_rules.set_meter(site_id, reading)
        if before is None or before.building_w != reading.building_w:
            self._bus.publish(SiteChanged(SiteId(site_id)))
        return reading

    async def remove_meter(self, actor: str, site_id: str) -> None:
        """Forget a site's meter: the building's configured maximum counts. Raises NotFound."""
        async with self._units() as unit:
            if not await unit.sites.lock(site_id):
                raise _no_site()
            await unit.site_rules.remove_meter(site_id)
            await self._audit.note(unit, actor, "delete", "site meter", site_id)
        await self._changed(site_id)

    async def what_if(self, site_id: str, supposition: Supposition) -> Consequence:
        """Return what would be decided; nothing is sent or stored.

        Raises:
            NotFound: No such site.
            Invalid: A supposed car is on a charger that the site does not have.
        """
        try:
            return await self._allocator.what_if(SiteId(site_id), supposition)
        except ValueError as error:
            raise Invalid(
                "invalid_request", "This cannot be supposed.", {"cars": str(error)}
            ) from None

    async def _changed(self, site_id: str) -> None:
        self._bus.publish(SiteChanged(SiteId(site_id)))
        await self._allocator.decide(SiteId(site_id))


def _field(changes: Mapping[str, Any]) -> str:
    return "buildingMaxKw" if changes.keys() == {"building_max_w"} else "fallbackA"


async def _rules(unit: UnitOfWork, site_id: str) -> SiteRules:
    rules = await unit.site_rules.rules(site_id)
    if rules is None:
        raise _no_site()
    return rules


async def _limit(unit: UnitOfWork, site_id: str, limit_id: int) -> StoredLimit:
    if not await unit.sites.lock(site_id):
        raise _no_site()
    stored = await unit.site_rules.limit(site_id, limit_id)
    if stored is None:
        raise NotFound("limit_not_found", "The site has no such limit.")
    return stored


def _no_site() -> NotFound:
    return NotFound("site_not_found", "There is no such site.")
