"""Sites: a grid connection, circuits, chargers, batteries, and the loads on the chargers.

Owns the site's description, what can be wrong with it, its tree of limits, and how a share in W
becomes a limit that a charger can be told. Shares nothing out itself: `site_decision` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NewType

from csms.domain.allocation import Policy
from csms.domain.battery import Battery
from csms.domain.charging_profiles import RateLimit, RateUnit
from csms.domain.ids import SiteId
from csms.domain.phases import PhaseRotation, grid_phases
from csms.domain.pieces import Pieces, in_one_go
from csms.domain.power_tree import (
    Load,
    LoadId,
    Node,
    NodeId,
    PowerTree,
    tree_built,
    tree_problems,
)
from csms.domain.units import amperes, power_of

CircuitId = NewType("CircuitId", str)
ChargerId = NewType("ChargerId", str)
"""The identity of a charge point, or the name of a charger that another system controls."""

GRID = NodeId("grid")
LEAST_CURRENT_A = Decimal(6)
"""No AC car takes less than 6 A (IEC 61851); a limit between 0 and 6 A cannot be signalled."""

Currents = tuple[int, int, int]
"""On L1, L2 and L3, in 0.1 A."""

PHASES_UNHEARD = (
    "whole kW know nothing of phases: a limit in A of the connection or of a circuit cannot be "
    "kept with this policy"
)

MOST_PHASES = 3
_USUAL_V = 230


class CurrentType(StrEnum):
    """What leaves the charger."""

    AC = "AC"
    DC = "DC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """A part of the site's wiring with a limit of its own; `parent_id` None hangs on the grid.

    Attributes:
        phase_limit_da: Most current on each of its phases, in 0.1 A; None without such a limit.
    """

    id: CircuitId
    limit_w: int
    parent_id: CircuitId | None = None
    phase_limit_da: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charger:
    """A charger of a site.

    Attributes:
        circuit_id: None hangs on the grid connection.
        max_w: The hardware's maximum over all connectors; it is trusted to keep it, until its meter
            shows more.
        seen_w: More than `max_w` where its meter shows that, as the limit that it would need.
        connectors: How many.
        phases: 1 to 3, of AC.
        voltage_v: Phase to neutral.
        controlled_elsewhere: Another system controls it and is told W: no 6 A minimum, no limit on
            our wire.
        rate_unit: Overrides what is sent, for AC chargers that only take W.
        allowed_a: The only currents that it takes, rising; () takes any.
        rotation: How its phases are wired to the grid's.
    """

    id: ChargerId
    max_w: int
    circuit_id: CircuitId | None = None
    connectors: int = 1
    current_type: CurrentType = CurrentType.AC
    phases: int = 3
    voltage_v: int = 230
    controlled_elsewhere: bool = False
    rate_unit: RateUnit | None = None
    allowed_a: tuple[Decimal, ...] = ()
    rotation: PhaseRotation = PhaseRotation.RST
    seen_w: int = 0

    @property
    def most_w(self) -> int:
        """The most that it draws whatever it is told: what it was seen to draw, or its maximum."""
        return max(self.max_w, self.seen_w) if self.seen_w else self.max_w

    @property
    def volts(self) -> int:
        """The power of 1 A on all of its phases, in W."""
        return self.phases * self.voltage_v

    @property
    def max_da(self) -> int:
        """The most current on each of its phases, in 0.1 A."""
        return self.max_w * 10 // max(1, self.volts)

    @property
    def most_da(self) -> int:
        """The most that it draws on each of its phases, in 0.1 A, rounded up."""
        return -(-self.most_w * 10 // max(1, self.volts))

    @property
    def steps_da(self) -> tuple[int, ...]:
        """The only currents that its loads can be told, rising, in 0.1 A; () for any."""
        if self.current_type is CurrentType.DC or self.controlled_elsewhere:
            return ()
        return tuple(int(each * 10) for each in self.allowed_a if each > 0)

    @property
    def told_by(self) -> tuple[object, ...]:
        """All of it that `rate_limit` and `limit_power_w` go by: equal ones are told the same."""
        return (
            self.max_w,
            self.current_type,
            self.phases,
            self.voltage_v,
            self.rate_unit,
            self.allowed_a,
        )

    @property
    def conductors(self) -> int:
        """Its own phases, as bits."""
        return (1 << self.phases) - 1

    @property
    def least_a(self) -> Decimal:
        """The least current that lets a car charge: 6 A, or the first that it takes above that."""
        if not self.allowed_a:
            return LEAST_CURRENT_A
        return next((each for each in self.allowed_a if each >= LEAST_CURRENT_A), LEAST_CURRENT_A)

    @property
    def has_least_current(self) -> bool:
        """Whether its loads get 6 A or nothing."""
        return self.current_type is CurrentType.AC and not self.controlled_elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site; chargers are kept apart, because they come and go with their charge points.

    Attributes:
        grid_phase_limit_da: Most current on each phase of the connection, in 0.1 A; None without
            such a limit.
    """

    id: SiteId
    name: str
    grid_limit_w: int
    grid_phase_limit_da: int | None = None
    time_zone: str = "UTC"
    circuits: tuple[Circuit, ...] = ()
    batteries: tuple[Battery, ...] = ()
    policy: Policy = Policy.FAIR

    @property
    def shares_phases(self) -> bool:
        """Whether its currents are shared phase by phase."""
        return self.policy is Policy.FAIR and self.limits_phases

    @property
    def limits_phases(self) -> bool:
        """Whether its phases have limits of their own."""
        limits = (self.grid_phase_limit_da, *(each.phase_limit_da for each in self.circuits))
        return any(limit is not None for limit in limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorRef:
    """A connector of a site's charger."""

    charger_id: ChargerId
    connector_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLoad:
    """A vehicle that wants power.

    Attributes:
        vehicle_max_w: None when nobody knows: the charger's maximum then.
        phases: Phases that the vehicle uses, when known; None counts all of the charger's.
        drawn: The charger's phases that the vehicle was seen to use, as bits; None while nobody
            knows: all of them then.
        weight: From 1.
        order: Place in the queue, lower first (start of the session, or a turn).
        idle: It was seen to take nothing of what it may.
        rests: It has a claim to nothing, but may keep what nobody else wants.
        returns: Then it may also have the least of that again.
        least_w: Its fallback share, kept for its connector anyhow: it is given that, or it waits.
    """

    id: LoadId
    at: ConnectorRef
    vehicle_max_w: int | None = None
    phases: int | None = None
    drawn: int | None = None
    weight: int = 1
    order: int = 0
    idle: bool = False
    rests: bool = False
    returns: bool = True
    least_w: int = 0


def circuit_node(circuit_id: CircuitId) -> NodeId:
    """Return the node of a circuit; it reads well in a reason.

    >>> circuit_node(CircuitId("garage"))
    'circuit garage'
    """
    return NodeId(f"circuit {circuit_id}")


def charger_node(charger_id: ChargerId) -> NodeId:
    """Return the node of a charger.

    >>> charger_node(ChargerId("CP-7"))
    'charger CP-7'
    """
    return NodeId(f"charger {charger_id}")


def site_problems(site: Site, chargers: Iterable[Charger] = ()) -> list[str]:
    """Return everything that is wrong with a site, as texts for its operator; [] when sound."""
    chargers = tuple(chargers)
    problems = tree_problems(_nodes(site, chargers, {}, site.grid_limit_w, {}))
    if site.limits_phases and not site.shares_phases:
        problems.append(PHASES_UNHEARD)
    for circuit in site.circuits:
        if not circuit.id:
            problems.append("a circuit has no id")
    for charger in chargers:
        where: str = charger_node(charger.id)
        if not charger.id:
            problems.append("a charger has no id")
        if charger.connectors < 1:
            problems.append(f"{where} has no connector")
        if not 1 <= charger.phases <= MOST_PHASES:
            problems.append(f"{where} has {charger.phases} phases; 1 to 3 are possible")
        if charger.voltage_v < 1:
            problems.append(f"{where} has a voltage of {charger.voltage_v} V")
    seen: set[str] = set()
    for battery in site.batteries:
        where = f"battery {battery.id}"
        if battery.id in seen:
            problems.append(f"{where} is there twice")
        seen.add(battery.id)
        if battery.capacity_wh < 0:
            problems.append(f"{where} has a negative capacity ({battery.capacity_wh} Wh)")
        if battery.power_w < 0:
            problems.append(f"{where} has a negative power ({battery.power_w} W)")
    return problems


def site_tree_built(
    site: Site,
    chargers: Iterable[Charger],
    *,
    reserved_w: Mapping[NodeId, int] | None = None,
    reserved_da: Mapping[NodeId, Currents] | None = None,
    supply_w: int | None = None,
) -> Pieces[PowerTree]:
    """Return the tree of limits: grid connection, circuits, chargers.

    Args:
        site: Sound after `site_problems`.
        chargers: All of the site.
        reserved_w: Power at a node that is not ours to give; absent nodes have none.
        reserved_da: Current on L1, L2, L3 beside that, in 0.1 A, by chargers' nodes.
        supply_w: What the root can feed, batteries included; None is the grid limit alone.

    Raises:
        ValueError: The site is not sound, or a reserve names an unknown node.
    """
    reserved = reserved_w or {}
    supply = site.grid_limit_w if supply_w is None else supply_w
    tree = yield from tree_built(_nodes(site, chargers, reserved, supply, reserved_da or {}))
    if unknown := reserved.keys() - tree.index.keys():
        msg = f"power is reserved at unknown nodes: {', '.join(sorted(unknown))}"
        raise ValueError(msg)
    return tree


site_tree = in_one_go(site_tree_built)


def tree_load(load: SiteLoad, charger: Charger, policy: Policy) -> Load:
    """Return a vehicle as a load of the tree.

    Under FAIR an AC load gets 6 A on its phases or nothing, so room for 6 A (or the first step that
    its charger takes) is kept even for a vehicle that says it takes less: it cannot be told less.
    """
    most = charger.max_w if load.vehicle_max_w is None else min(charger.max_w, load.vehicle_max_w)
    least = 0
    if policy is Policy.FAIR and charger.has_least_current and most > 0:
        least = _least_w(charger, load.phases)
    if policy is Policy.FAIR and load.least_w:
        least = max(least, min(charger.max_w, load.least_w))
    if least:
        most = min(charger.max_w, max(most, least))
    return Load(
        id=load.id,
        node=charger_node(charger.id),
        max_w=most,
        min_w=least,
        weight=load.weight,
        order=load.order,
    )


def rate_limit(charger: Charger, power_w: int, phases: int | None = None) -> RateLimit:
    """Return the limit to tell a charger so that it draws at most `power_w`.

    AC in A, cut down to 0.1 A, or to what the charger takes; under 6 A it is 0, but a share that is
    all a vehicle or charger can have is told as 6 A. DC, and AC chargers that take nothing else, in
    W.

    Args:
        charger: Whom to tell.
        power_w: 0 or more, over all phases.
        phases: Phases that the vehicle uses, when known.
    """
    watts_only = charger.rate_unit is RateUnit.WATTS
    if charger.current_type is CurrentType.DC:
        return RateLimit(unit=RateUnit.WATTS, value=Decimal(power_w))
    current: Decimal = amperes(
        power_w, phases=_phases(charger, phases), voltage_v=charger.voltage_v
    )
    asked_w, takes_least = power_w, True
    if charger.allowed_a:
        fits = [each for each in charger.allowed_a if each <= current]
        current = fits[-1] if fits else Decimal(0)
        power_w = min(
            power_w, power_of(current, phases=_phases(charger, phases), voltage_v=charger.voltage_v)
        )
        takes_least = charger.least_a in charger.allowed_a
    if current < charger.least_a:
        least_w = _least_w(charger, phases)
        whole = takes_least and 0 < asked_w >= min(least_w, charger.max_w)
        current = charger.least_a if whole else Decimal(0)
        power_w = least_w if whole else 0
    if watts_only:
        return RateLimit(unit=RateUnit.WATTS, value=Decimal(power_w))
    return RateLimit(unit=RateUnit.AMPERES, value=current)


def limit_power_w(charger: Charger, limit: RateLimit, phases: int | None = None) -> int:
    """Return the most power that a charger draws under a limit, in W, rounded up.

    Args:
        charger: Its own maximum holds in any case.
        limit: What it was told.
        phases: Only when it is certain that the vehicle uses no more.
    """
    if limit.unit is RateUnit.WATTS:
        power = power_of(limit.value, phases=1, voltage_v=1)
    else:
        power = power_of(limit.value, phases=_phases(charger, phases), voltage_v=charger.voltage_v)
    return min(charger.max_w, power)


def _phases(charger: Charger, phases: int | None) -> int:
    return charger.phases if phases is None else min(phases, charger.phases)


def _least_w(charger: Charger, phases: int | None) -> int:
    return power_of(charger.least_a, phases=_phases(charger, phases), voltage_v=charger.voltage_v)


def _nodes(
    site: Site,
    chargers: Iterable[Charger],
    reserved: Mapping[NodeId, int],
    supply_w: int,
    reserved_da: Mapping[NodeId, Currents],
) -> Iterator[Node]:
    per_phase = site.shares_phases
    yield Node(
        id=GRID,
        parent=None,
        limit_w=supply_w,
        reserved_w=reserved.get(GRID, 0),
        phase_limit_da=site.grid_phase_limit_da if per_phase else None,
        reserved_da=_even(reserved.get(GRID, 0)),
    )
    for circuit in site.circuits:
        at = circuit_node(circuit.id)
        yield Node(
            id=at,
            parent=GRID if circuit.parent_id is None else circuit_node(circuit.parent_id),
            limit_w=circuit.limit_w,
            reserved_w=reserved.get(at, 0),
            phase_limit_da=circuit.phase_limit_da if per_phase else None,
            reserved_da=_even(reserved.get(at, 0)),
        )
    for charger in chargers:
        at = charger_node(charger.id)
        held = reserved.get(at, 0)
        phases = grid_phases(charger.rotation, charger.conductors)
        current = -(-held * 10 // max(1, charger.volts))
        beside = reserved_da.get(at, (0, 0, 0))
        yield Node(
            id=at,
            parent=GRID if charger.circuit_id is None else circuit_node(charger.circuit_id),
            limit_w=charger.most_w,
            reserved_w=held,
            self_limiting=True,
            phase_limit_da=charger.most_da if per_phase else None,
            reserved_da=(
                current * (phases & 1) + beside[0],
                current * (phases >> 1 & 1) + beside[1],
                current * (phases >> 2 & 1) + beside[2],
            ),
            phases=phases,
            volts=charger.volts,
        )


def _even(power_w: int) -> tuple[int, int, int]:
    """Return the current of a power on each of three phases, in 0.1 A, rounded up.

    What is kept free beside chargers (a building) is taken to load the phases evenly.
    """
    current = -(-power_w * 10 // (MOST_PHASES * _USUAL_V))
    return current, current, current
