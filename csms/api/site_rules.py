"""What narrows sites: rules, limits with a start and an end, the site's meter."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from csms.api import pages
from csms.api.fields import In, Kilo, Out, Page, PageQuery, Text, Time, When, kilo, whole
from csms.api.routes import Route
from csms.clock import Clock
from csms.domain.site_rules import LimitScope, MeterReading, OutsideLimit, SiteRules
from csms.errors import NotFound
from csms.services.access import Principal, Role
from csms.services.ports.site_rules import StoredLimit
from csms.services.site_rules import SiteRulesService

_Amperes = Annotated[float, Field(ge=0, le=1000, multiple_of=0.1)]
_Lease = Annotated[int, Field(ge=0, le=86_400)]
_Writes = Annotated[int, Field(ge=1, le=1_000_000)]
_Power = Annotated[float, Field(ge=-1_000_000, le=1_000_000)]
_LARGEST_ID = 2**63 - 1


class RulesPatch(In):
    """Changes of the rules; `fallbackA` null: each charger's maximum where all fit, else 0."""

    fallback_a: _Amperes | None = None
    lease_s: _Lease = 900
    building_max_kw: Kilo = 0
    daily_writes: _Writes = 1000
    reclaim: bool = True
    wake_up: bool = True
    steady: bool = False

    def changes(self) -> dict[str, Any]:
        """Return what was given, by the names of the domain."""
        values: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        if values.get("fallback_a") is not None:
            values["fallback_a"] = Decimal(str(values["fallback_a"]))
        if "building_max_kw" in values:
            values["building_max_w"] = whole(values.pop("building_max_kw"))
        return values


class RulesOut(Out):
    """The rules of a site.

    `fallbackA`: what every charger falls back to by itself; `leaseS`: how long a limit holds
    without word from us (0: until the session ends); `buildingMaxKw` counts while no meter tells
    the building's load; `dailyWrites`: limits a charger is sent a day before raises wait;
    `wakeUp`: cars that sleep through the end of a pause are woken, if need be by a new session;
    `steady`: a limit near its fair share stays, so that chargers are told fewer changes.
    """

    fallback_a: float | None
    lease_s: int
    building_max_kw: float
    daily_writes: int
    reclaim: bool
    wake_up: bool
    steady: bool

    @classmethod
    def of(cls, rules: SiteRules) -> Self:
        """Return rules in the API's units."""
        return cls(
            fallback_a=None if rules.fallback_a is None else float(rules.fallback_a),
            lease_s=rules.lease_s,
            building_max_kw=rules.building_max_w / 1000,
            daily_writes=rules.daily_writes,
            reclaim=rules.reclaim,
            wake_up=rules.wake_up,
            steady=rules.steady,
        )


class SiteLimitIn(In):
    """A limit with a start and an end; without them from now on, and until it is removed."""

    limit_kw: Kilo
    starts_at: When | None = None
    ends_at: When | None = None
    applies_to: Literal["site", "charging"] = "site"
    circuit_id: Text | None = None
    reason: Text | None = None


class SiteLimitPatch(In):
    """Another end; null: not by itself."""

    ends_at: When | None


class SiteLimitOut(Out):
    """A limit from outside; `appliesTo` `charging` leaves the building out."""

    id: str
    limit_kw: float
    starts_at: Time
    ends_at: Time | None
    applies_to: str
    circuit_id: str | None
    reason: str | None
    created_by: str
    created_at: Time

    @classmethod
    def of(cls, stored: StoredLimit) -> Self:
        """Return a limit in the API's units."""
        limit = stored.limit
        return cls(
            id=str(stored.id),
            limit_kw=limit.limit_w / 1000,
            starts_at=limit.starts_at,
            ends_at=limit.ends_at,
            applies_to=limit.scope.value,
            circuit_id=limit.circuit_id,
            reason=stored.reason,
            created_by=stored.created_by,
            created_at=stored.created_at,
        )


class MeterIn(In):
    """What flows through the grid connection now, positive = import.

    `solarKw`: what solar panels give, for those who know it; it is shown and kept, not shared by.
    """

    power_kw: _Power
    solar_kw: Kilo | None = None


class MeterOut(Out):
    """What is kept free for the building by the meter's word."""

    power_kw: float
    building_kw: float
    received_at: Time
    solar_kw: float | None

    @classmethod
    def of(cls, reading: MeterReading) -> Self:
        """Return a reading in the API's units."""
        return cls(
            power_kw=reading.power_w / 1000,
            building_kw=reading.building_w / 1000,
            received_at=reading.at,
            solar_kw=kilo(reading.solar_w),
        )


class MeterStateOut(Out):
    """The meter's last word; `silent` for 60 s (or ahead of our clock): `buildingMaxKw` counts."""

    state: Literal["none", "fresh", "silent"]
    power_kw: float | None
    building_kw: float | None
    received_at: Time | None
    solar_kw: float | None


class SiteRulesApi:
    """The operations."""

    def __init__(self, rules: SiteRulesService, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return all operations of these resources."""
        site = "/api/sites/{site_id}"
        one = f"{site}/limits/{{limit_id}}"

        def route(method: str, path: str, handler: Any, **more: Any) -> Route:
            role = Role.VIEWER if method == "GET" else Role.OPERATOR
            return Route(method=method, path=path, handler=handler, role=role, tag="sites", **more)

        return [
            route("GET", f"{site}/rules", self.get_rules),
            route("PATCH", f"{site}/rules", self.change_rules),
            route("GET", f"{site}/limits", self.list_site_limits),
            route("POST", f"{site}/limits", self.add_site_limit, status=201, idempotent=True),
            route("PATCH", one, self.end_site_limit),
            route("DELETE", one, self.remove_site_limit, status=204),
            route("GET", f"{site}/meter", self.get_site_meter),
            route("POST", f"{site}/meter", self.hear_site_meter),
            route("DELETE", f"{site}/meter", self.remove_site_meter, status=204),
        ]

    async def get_rules(self, site_id: str) -> RulesOut:
        """Return the rules of a site."""
        return RulesOut.of(await self._rules.rules(site_id))

    async def change_rules(self, site_id: str, body: RulesPatch, principal: Principal) -> RulesOut:
        """Change what is given; refused with the reason where the site would not be safe."""
        rules = await self._rules.change_rules(principal.name, site_id, body.changes())
        return RulesOut.of(rules)

    async def list_site_limits(self, site_id: str, query: PageQuery) -> Page[SiteLimitOut]:
        """Return limits from outside, the newest first."""
        before = None if query.cursor is None else pages.decode(query.cursor, int)[0]
        found = await self._rules.limits(site_id, query.limit, before=before)
        return Page[SiteLimitOut](
            items=[SiteLimitOut.of(each) for each in found],
            next_cursor=pages.encode(found[-1].id) if len(found) == query.limit else None,
        )

    async def add_site_limit(
        self, site_id: str, body: SiteLimitIn, principal: Principal
    ) -> SiteLimitOut:
        """Add a limit, such as a grid operator's; its decreases go out before it starts."""
        limit = OutsideLimit(
            limit_w=whole(body.limit_kw),
            starts_at=body.starts_at or self._clock.now(),
            ends_at=body.ends_at,
            scope=LimitScope(body.applies_to),
            circuit_id=body.circuit_id,
        )
        stored = await self._rules.add_limit(principal.name, site_id, limit, body.reason)
        return SiteLimitOut.of(stored)

    async def end_site_limit(
        self, site_id: str, limit_id: str, body: SiteLimitPatch, principal: Principal
    ) -> SiteLimitOut:
        """Let a limit end at another time."""
        stored = await self._rules.end_limit(principal.name, site_id, _key(limit_id), body.ends_at)
        return SiteLimitOut.of(stored)

    async def remove_site_limit(self, site_id: str, limit_id: str, principal: Principal) -> None:
        """Remove a limit."""
        await self._rules.remove_limit(principal.name, site_id, _key(limit_id))

    async def get_site_meter(self, site_id: str) -> MeterStateOut:
        """Return what the site's meter has said last, and whether it still counts."""
        reading = await self._rules.meter(site_id)
        if reading is None:
            return MeterStateOut(
                state="none", power_kw=None, building_kw=None, received_at=None, solar_kw=None
            )
        return MeterStateOut(
            state="fresh" if reading.counts(self._clock.now()) else "silent",
            power_kw=reading.power_w / 1000,
            building_kw=reading.building_w / 1000,
            received_at=reading.at,
            solar_kw=kilo(reading.solar_w),
        )

    async def hear_site_meter(self, site_id: str, body: MeterIn) -> MeterOut:
        """Take the word of the site's meter; silent for 60 s, `buildingMaxKw` counts."""
        solar_w = None if body.solar_kw is None else whole(body.solar_kw)
        return MeterOut.of(
            await self._rules.hear_meter(site_id, whole_signed(body.power_kw), solar_w)
        )

    async def remove_site_meter(self, site_id: str, principal: Principal) -> None:
        """Forget the site's meter: `buildingMaxKw` counts."""
        await self._rules.remove_meter(principal.name, site_id)


def whole_signed(kilo: float) -> int:
    """Return kW as whole W, of either sign.

    >>> whole_signed(-1.5)
    -1500
    """
    return whole(abs(kilo)) * (-1 if kilo < 0 else 1)


def _key(limit_id: str) -> int:
    key = int(limit_id) if limit_id.isascii() and limit_id.isdecimal() else -1
    if not 0 <= key <= _LARGEST_ID:
        raise NotFound("limit_not_found", "The site has no such limit.")
    return key
