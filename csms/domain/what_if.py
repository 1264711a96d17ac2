"""What would be decided if a site were otherwise: nothing is sent, nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from csms.domain.fallback import building_problem, fallback_problem
from csms.domain.ids import TransactionId
from csms.domain.limit_rows import NOTHING_KNOWN
from csms.domain.pieces import Pieces, in_one_go
from csms.domain.site_control import controlled
from csms.domain.site_report import reported
from csms.domain.site_rules import MeterReading, OutsideLimit
from csms.domain.site_snapshot import SessionState, SiteSnapshot
from csms.domain.site_status import SiteStatus
from csms.domain.sites import Charger, ChargerId, Circuit, site_problems


@dataclass(frozen=True, slots=True, kw_only=True)
class SupposedCar:
    """A car that would come."""

    charger_id: ChargerId
    connector_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposition:
    """How a site would be otherwise; None: as it is.

    Attributes:
        site_changes: What of the site would be otherwise, by the names of `Site`.
        rule_changes: Rules that would be otherwise, by the names of `SiteRules`.
        building_w: What the building would draw.
        limits: Limits from outside, in place of those that are there.
        added_limits: Limits from outside, besides these.
        cars: That would come besides those that are there.
        without: Sessions that would end.
    """

    grid_limit_w: int | None = None
    circuits: tuple[Circuit, ...] | None = None
    site_changes: Mapping[str, Any] | None = None
    rule_changes: Mapping[str, Any] | None = None
    building_w: int | None = None
    limits: tuple[OutsideLimit, ...] | None = None
    added_limits: tuple[OutsideLimit, ...] = ()
    cars: tuple[SupposedCar, ...] = ()
    without: frozenset[TransactionId] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """What would follow.

    Attributes:
        status: None where the site could not be.
        problems: Why it could not be, in sentences; [] where it could.
        decreases, increases: Limits that would be sent at once.
    """

    status: SiteStatus | None
    problems: Sequence[str]
    decreases: int = 0
    increases: int = 0


def considered(
    snapshot: SiteSnapshot, supposition: Supposition, now: datetime
) -> Pieces[Consequence]:
    """Return what would be decided now; supposed cars have the ids -1, -2 and so on.

    Raises:
        ValueError: A supposed car is where the site has no charger or connector, or where another
            one is.
    """
    snapshot = _supposed(snapshot, supposition, now)
    yield
    chargers = [state.charger for state in snapshot.chargers]
    problems = site_problems(snapshot.site, chargers)
    there = {str(circuit.id) for circuit in snapshot.site.circuits}
    problems += [
        f"a limit of {limit.limit_w / 1000:g} kW is of circuit {limit.circuit_id}, "
        "which is not there"
        for limit in supposition.added_limits
        if limit.circuit_id is not None and limit.circuit_id not in there
    ]
    if not problems:
        problem = building_problem(
            snapshot.site, snapshot.rules.building_max_w
        ) or fallback_problem(
            snapshot.site,
            chargers,
            snapshot.rules.fallback_a,
            reserved_w=snapshot.rules.building_max_w,
        )
        problems = [] if problem is None else [problem]
    if problems:
        return Consequence(status=None, problems=problems)
    step = yield from controlled(snapshot, now)
    raises = sum(
        sending.limit_w > (step.rows[sending.target.row].before_w or 0) for sending in step.sendings
    )
    status = yield from reported(snapshot, step, now)
    return Consequence(
        status=status,
        problems=(),
        decreases=len(step.sendings) - raises,
        increases=raises,
    )


consequence = in_one_go(considered)


def _supposed(snapshot: SiteSnapshot, supposition: Supposition, now: datetime) -> SiteSnapshot:
    site = replace(snapshot.site, **(supposition.site_changes or {}))
    if supposition.grid_limit_w is not None:
        site = replace(site, grid_limit_w=supposition.grid_limit_w)
    if supposition.circuits is not None:
        site = replace(site, circuits=supposition.circuits)
    meter = snapshot.meter
    if supposition.building_w is not None:
        building = supposition.building_w
        meter = MeterReading(power_w=building, building_w=building, building_at=now, at=now)
    stay = tuple(
        session
        for session in snapshot.sessions
        if session.transaction_id not in supposition.without
    )
    _check_cars(snapshot, supposition.cars, stay)
    cars = tuple(
        SessionState(
            transaction_id=TransactionId(-number),
            charger_id=car.charger_id,
            connector_id=car.connector_id,
            measured_w=None,
            limit=NOTHING_KNOWN,
        )
        for number, car in enumerate(supposition.cars, 1)
    )
    return replace(
        snapshot,
        site=site,
        rules=replace(snapshot.rules, **(supposition.rule_changes or {})),
        meter=meter,
        chargers=tuple(
            # a car that is there can be told its limit
            replace(state, reachable=True, known=True)
            if any(car.charger_id == state.charger.id for car in supposition.cars)
            else state
            for state in snapshot.chargers
        ),
        outside=(
            *(snapshot.outside if supposition.limits is None else supposition.limits),
            *supposition.added_limits,
        ),
        sessions=(*stay, *cars),
    )


def _check_cars(
    snapshot: SiteSnapshot, cars: Sequence[SupposedCar], stay: Sequence[SessionState]
) -> None:
    """Raise ValueError unless each car has a connector of its own."""
    chargers = {state.charger.id: state.charger for state in snapshot.chargers}
    taken = {(session.charger_id, session.connector_id) for session in stay}
    for car in cars:
        place = car.charger_id, car.connector_id
        charger = chargers.get(car.charger_id)
        if charger is None:
            msg = f"the site has no charger {car.charger_id}"
        elif not _first(charger) <= car.connector_id <= charger.connectors:
            msg = f"charger {car.charger_id} has no connector {car.connector_id}"
        elif place in taken:
            msg = f"connector {car.connector_id} of charger {car.charger_id} has a car already"
        else:
            taken.add(place)
            continue
        raise ValueError(msg)


def _first(charger: Charger) -> int:
    """Return the first number of its connectors; other systems may count from 0."""
    return 0 if charger.controlled_elsewhere else 1
