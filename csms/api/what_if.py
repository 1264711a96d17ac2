"""What would be decided if a site were otherwise: to look at before it is saved."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field

from csms.api.fields import ConnectorNumber, In, Kilo, Out, Text, whole
from csms.api.routes import Route
from csms.api.site_rules import RulesPatch
from csms.api.site_views import StatusOut
from csms.api.sites import Circuits, PhaseLimit, drafts, tenths
from csms.clock import Clock
from csms.domain.allocation import Policy
from csms.domain.ids import TransactionId
from csms.domain.site_rules import LimitScope, OutsideLimit
from csms.domain.sites import ChargerId
from csms.domain.what_if import Consequence, SupposedCar, Supposition
from csms.errors import Invalid
from csms.services.access import Role
from csms.services.site_rules import SiteRulesService
from csms.services.sites import domain_circuits

_MOST_CARS = 1000


class CarIn(In):
    """A car that would come."""

    charger_id: Text
    connector_id: ConnectorNumber


class AddedLimit(In):
    """A limit from outside, from now on."""

    limit_kw: Kilo
    applies_to: Literal["site", "charging"] = "site"
    circuit_id: Text | None = None


class WhatIf(In):
    """How the site would be otherwise; what is left out stays as it is.

    `limitKw` stands for all limits from outside that there are, `addedLimit` comes to them;
    `circuits` replace all circuits, `gridLimitA` null takes the limit of the phases away.
    """

    grid_capacity_kw: Kilo | None = None
    grid_limit_a: PhaseLimit | None = None
    circuits: Circuits | None = None
    policy: Text | None = None
    building_kw: Kilo | None = None
    limit_kw: Kilo | None = None
    added_limit: AddedLimit | None = None
    rules: RulesPatch | None = None
    cars: Annotated[list[CarIn], Field(max_length=_MOST_CARS)] = Field(default_factory=list)
    without_sessions: Annotated[list[Text], Field(max_length=_MOST_CARS)] = Field(
        default_factory=list
    )

    def site_changes(self) -> dict[str, Any]:
        """Return what of the site would be otherwise, by the names of the domain.

        Raises:
            Invalid: There is no such policy.
        """
        changes: dict[str, Any] = {}
        if "grid_limit_a" in self.model_fields_set:
            changes["grid_phase_limit_da"] = tenths(self.grid_limit_a)
        if self.policy is not None:
            if self.policy not in set(Policy):
                raise Invalid(
                    "invalid_request",
                    "This cannot be supposed.",
                    {"policy": f"is none of {', '.join(sorted(Policy))}"},
                )
            changes["policy"] = Policy(self.policy)
        return changes


class ConsequenceOut(Out):
    """What would follow: the decision, or why the site could not be. Nothing was sent."""

    status: StatusOut | None
    problems: list[str]
    decreases: int
    increases: int

    @classmethod
    def of(cls, found: Consequence) -> Self:
        """Return a consequence in the API's units."""
        return cls(
            status=None if found.status is None else StatusOut.of(found.status),
            problems=list(found.problems),
            decreases=found.decreases,
            increases=found.increases,
        )


class WhatIfs:
    """The operation."""

    def __init__(self, rules: SiteRulesService, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        return [
            Route(
                method="POST",
                path="/api/sites/{site_id}/what-if",
                handler=self.ask_what_if,
                role=Role.OPERATOR,
                tag="sites",
            )
        ]

    async def ask_what_if(self, site_id: str, body: WhatIf) -> ConsequenceOut:
        """Return what would be decided if the site were otherwise; nothing is sent or stored."""
        now, grid, added = self._clock.now(), body.grid_capacity_kw, body.added_limit
        found = await self._rules.what_if(
            site_id,
            Supposition(
                grid_limit_w=None if grid is None else whole(grid),
                circuits=None if body.circuits is None else domain_circuits(drafts(body.circuits)),
                site_changes=body.site_changes(),
                building_w=None if body.building_kw is None else whole(body.building_kw),
                limits=None
                if body.limit_kw is None
                else (OutsideLimit(limit_w=whole(body.limit_kw), starts_at=now),),
                added_limits=()
                if added is None
                else (
                    OutsideLimit(
                        limit_w=whole(added.limit_kw),
                        starts_at=now,
                        scope=LimitScope(added.applies_to),
                        circuit_id=added.circuit_id,
                    ),
                ),
                rule_changes=None if body.rules is None else body.rules.changes(),
                cars=tuple(
                    SupposedCar(charger_id=ChargerId(car.charger_id), connector_id=car.connector_id)
                    for car in body.cars
                ),
                without=frozenset(
                    TransactionId(int(each)) for each in body.without_sessions if each.isdecimal()
                ),
            ),
        )
        return ConsequenceOut.of(found)
