"""Shares a site's power or its currents among its loads, and says why nobody gets more.

Two ways to the same result: in W over a tree of power limits (`allocation`), or in steps of 0.1 A
over power and phases (`allocation_phases`) where a site knows what its phases carry. In both a
`rotation` decides who waits when not everybody can have 6 A.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from csms.domain.admission import admit
from csms.domain.allocation import Policy, allocated
from csms.domain.allocation_phases import Bottleneck, allocate_network
from csms.domain.charging_profiles import RateLimit, RateUnit
from csms.domain.phase_network import PhaseLoad, phase_network
from csms.domain.phases import grid_phases, phase_names
from csms.domain.pieces import AT_ONCE, Pieces, collected
from csms.domain.power_tree import Load, LoadId, NodeId, PowerTree
from csms.domain.rotation import Turn, next_turns, precedence
from csms.domain.sites import (
    Charger,
    ChargerId,
    ConnectorRef,
    CurrentType,
    SiteLoad,
    charger_node,
    limit_power_w,
    rate_limit,
    tree_load,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadShare:
    """What one load gets.

    Attributes:
        power_w: Its share, never above the vehicle's maximum.
        limit: What its charger is to be told; None when another system controls it.
        limit_w: The most that it can draw under that limit: what `reconciliation` counts.
        reason: Why it is not more, for people.
        waiting: It gets nothing because its minimum did not fit; its turn comes.
        phases: The grid's phases that it counts on, as bits; None where phases are not shared.
        volts: What 1 A of its limit really draws, in W; None: on all phases of its charger.
    """

    load_id: LoadId
    at: ConnectorRef
    power_w: int
    limit: RateLimit | None
    limit_w: int
    reason: str
    waiting: bool
    phases: int | None = None
    volts: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """Shares by place in the queue, what they come to at each node, and the turns after it.

    Attributes:
        carried_w: Power through each node, reserves included.
        carried_da: Current through its L1, L2, L3, in 0.1 A; empty where phases are not shared.
    """

    shares: tuple[LoadShare, ...]
    carried_w: Mapping[NodeId, int]
    carried_da: Mapping[NodeId, tuple[int, int, int]] = field(default_factory=dict)
    turns: Mapping[LoadId, Turn] = field(default_factory=dict)


def share_power(
    tree: PowerTree,
    loads: Sequence[SiteLoad],
    chargers: Mapping[ChargerId, Charger],
    policy: Policy,
    turns: Mapping[LoadId, Turn],
    now: datetime | None,
) -> Pieces[Sharing]:
    """Return the shares in W, in pieces.

    Args:
        tree: Limits of power.
        loads: By their place in the queue.
        chargers: Of the loads.
        policy: Whole kW know no minimums, so that nobody waits.
        turns: Of the rotation before.
        now: None: no rotation, the queue alone decides who waits.
    """
    if policy is Policy.FAIR and any(chargers[load.at.charger_id].steps_da for load in loads):
        # what one load cannot be told is another's, and the next step costs all of what is missing
        found = yield from share_phases(tree, loads, chargers, turns, now)
        plain = tuple(replace(share, phases=None, volts=None) for share in found.shares)
        return replace(found, shares=plain, carried_da={})
    asked = yield from collected(
        tree_load(load, chargers[load.at.charger_id], policy) for load in loads
    )
    after: dict[LoadId, Turn] = {}
    if now is not None and policy is Policy.FAIR:
        if _all_fit(tree, asked):  # nearly always; who comes first is a question for others
            after = next_turns(turns, [one.id for one in asked if one.least_w], (), now)
        else:
            network = phase_network(
                tree,
                [
                    _phase_load(load, chargers[load.at.charger_id], drawn=None)
                    for load, one in zip(loads, asked, strict=True)
                    if one.least_w
                ],
            )
            yield
            order = precedence(network, turns, now, _idle(loads))
            yield
            _, outside = admit(network, order.claims, order.first)
            waiting = {network.loads[member].id for member in outside}
            after = next_turns(turns, [load.id for load in network.loads], waiting, now)
            behind = max((load.order for load in loads), default=0) + 1
            asked = [
                replace(one, order=one.order + behind) if one.id in waiting else one
                for one in asked
            ]
    got = yield from allocated(tree, asked, policy)
    places = _places(got.waiting, loads, after)
    below = Counter(one.node for one in asked if one.max_w)
    yield
    company = _company(tree, below)
    carried = {node.id: held for node, held in zip(tree.nodes, tree.reserved_w, strict=True)}
    through: Counter[NodeId] = Counter()
    told: dict[tuple[object, ...], tuple[RateLimit, int]] = {}
    shares = []
    for number, (load, one) in enumerate(zip(loads, asked, strict=True)):
        if not number % AT_ONCE:
            yield
        charger, granted = chargers[load.at.charger_id], got.power_w[load.id]
        through[one.node] += granted
        limit, limit_w = None, granted
        if not charger.controlled_elsewhere:
            # many have the same share: it is turned into amperes once
            alike = granted, load.phases, charger.told_by
            known = told.get(alike)
            if known is None:
                fresh = rate_limit(charger, granted, load.phases)
                known = told[alike] = fresh, limit_power_w(charger, fresh, load.phases)
            limit, limit_w = known
        held = got.bottlenecks.get(load.id)
        shares.append(
            LoadShare(
                load_id=load.id,
                at=load.at,
                # An AC vehicle under 6 A is granted the room for 6 A, but does not draw it.
                power_w=granted if load.vehicle_max_w is None else min(granted, load.vehicle_max_w),
                limit=limit,
                limit_w=limit_w,
                reason=_reason(
                    load,
                    charger,
                    None if held is None else Bottleneck(node=held, phase=None),
                    company,
                    places.get(load.id),
                ),
                waiting=load.id in got.waiting,
            )
        )
    for place, more in enumerate(_summed(tree, through)):
        carried[tree.nodes[place].id] += more
    return Sharing(shares=tuple(shares), carried_w=carried, turns=after)


def share_phases(
    tree: PowerTree,
    loads: Sequence[SiteLoad],
    chargers: Mapping[ChargerId, Charger],
    turns: Mapping[LoadId, Turn],
    now: datetime | None,
) -> Pieces[Sharing]:
    """Return the shares in steps of 0.1 A, within the limits of every phase; as `share_power`."""
    asked = yield from collected(
        _phase_load(load, chargers[load.at.charger_id], load.drawn) for load in loads
    )
    network = phase_network(tree, asked)
    yield
    after: dict[LoadId, Turn] = {}
    if now is None:
        got = allocate_network(network)
    else:
        order = precedence(network, turns, now, _idle(loads))
        yield
        got = allocate_network(network, order.claims, order.first)
        yield
        present = [one.id for one in asked if one.least_da]
        after = next_turns(turns, present, got.waiting, now)
    places = _places(frozenset(got.waiting), loads, after)
    company = _company(tree, Counter(one.node for one in asked if one.max_da))
    yield
    watts = {node.id: held for node, held in zip(tree.nodes, tree.reserved_w, strict=True)}
    currents = {node.id: list(node.reserved_da) for node in tree.nodes}
    for node, parent in zip(reversed(tree.nodes), reversed(tree.parents), strict=True):
        if parent >= 0:
            above = currents[tree.nodes[parent].id]
            above[:] = [a + b for a, b in zip(above, currents[node.id], strict=True)]
    shares = []
    for number, (load, one) in enumerate(zip(loads, asked, strict=True)):
        if not number % AT_ONCE:
            yield
        charger, current = chargers[load.at.charger_id], got.current_da[load.id]
        power = current * one.volts // 10
        for at in tree.path(one.node):
            watts[at] += power
            for phase in range(3):
                currents[at][phase] += current * (one.phases >> phase & 1)
        limit = _limit(charger, current, power)
        shares.append(
            LoadShare(
                load_id=load.id,
                at=load.at,
                power_w=power if load.vehicle_max_w is None else min(power, load.vehicle_max_w),
                limit=limit,
                limit_w=power if limit is None else limit_power_w(charger, limit),
                reason=_reason(
                    load,
                    charger,
                    got.bottlenecks.get(load.id),
                    company,
                    places.get(load.id),
                ),
                waiting=load.id in places,
                phases=one.phases,
                volts=one.volts,
            )
        )
    return Sharing(
        shares=tuple(shares),
        carried_w=watts,
        carried_da={node: (a, b, c) for node, (a, b, c) in currents.items()},
        turns=after,
    )


def _summed(tree: PowerTree, through: Mapping[NodeId, int]) -> list[int]:
    """Return what comes to each node of the tree and all below it."""
    sums = [0] * len(tree.nodes)
    for node, amount in through.items():
        sums[tree.place(node)] += amount
    for place in range(len(sums) - 1, -1, -1):
        parent = tree.parents[place]
        if parent >= 0:
            sums[parent] += sums[place]
    return sums


def _company(tree: PowerTree, below: Mapping[NodeId, int]) -> dict[NodeId, int]:
    """Return how many loads each node feeds."""
    return {node.id: count for node, count in zip(tree.nodes, _summed(tree, below), strict=True)}


def _idle(loads: Sequence[SiteLoad]) -> frozenset[LoadId]:
    return frozenset(load.id for load in loads if load.idle)


def _all_fit(tree: PowerTree, loads: Sequence[Load]) -> bool:
    """Return whether every load can have its minimum beside the others'."""
    needs = [0] * len(tree.nodes)
    for load in loads:
        needs[tree.place(load.node)] += load.least_w
    for place in range(len(needs) - 1, -1, -1):
        need, room, parent = needs[place], tree.available_w[place], tree.parents[place]
        if room is not None and need > room:
            return False
        if parent >= 0:
            needs[parent] += need
    return True


def _phase_load(load: SiteLoad, charger: Charger, drawn: int | None) -> PhaseLoad:
    """Return a vehicle as a load on the phases that it uses, in 0.1 A.

    Args:
        load: The vehicle.
        charger: Its own.
        drawn: The charger's phases that it uses, as bits; None: all of them count.
    """
    conductors = charger.conductors
    if drawn is not None and charger.current_type is CurrentType.AC:
        conductors = drawn & conductors or conductors
    volts = charger.voltage_v * conductors.bit_count()
    most = charger.max_da
    steps = charger.steps_da
    if load.vehicle_max_w is not None:
        most = min(most, load.vehicle_max_w * 10 // volts)
        # less than it takes would only be given back with the next reading
        most = next((step for step in steps if step >= most), most) if most else 0
    least = 0
    if charger.has_least_current and charger.max_da and (load.vehicle_max_w or most):
        least = int(charger.least_a * 10)
    if load.least_w:
        least = max(least, min(charger.max_da, -(-load.least_w * 10 // charger.volts)))
    if least:
        most = min(charger.max_da, max(most, least))
    return PhaseLoad(
        id=load.id,
        node=charger_node(charger.id),
        phases=grid_phases(charger.rotation, conductors),
        volts=volts,
        max_da=most,
        min_da=least,
        steps=steps or 1,
        weight=load.weight,
        order=load.order,
    )


def _limit(charger: Charger, current_da: int, power_w: int) -> RateLimit | None:
    if charger.controlled_elsewhere:
        return None
    if charger.current_type is CurrentType.DC:
        return RateLimit(unit=RateUnit.WATTS, value=Decimal(power_w))
    if charger.rate_unit is RateUnit.WATTS:
        # such a charger divides by all of its phases
        return RateLimit(unit=RateUnit.WATTS, value=Decimal(current_da * charger.volts // 10))
    return RateLimit(unit=RateUnit.AMPERES, value=Decimal(current_da).scaleb(-1))


def _places(
    waiting: frozenset[LoadId], loads: Sequence[SiteLoad], turns: Mapping[LoadId, Turn]
) -> dict[LoadId, tuple[int, int]]:
    """Return for each that waits its place in the queue, from 1, and how many wait."""
    queue = [load for load in loads if load.id in waiting]
    if turns:
        queue.sort(key=lambda load: turns[load.id].since)
    return {load.id: (place, len(queue)) for place, load in enumerate(queue, 1)}


def _reason(
    load: SiteLoad,
    charger: Charger,
    held: Bottleneck | None,
    company: Mapping[NodeId, int],
    place: tuple[int, int] | None,
) -> str:
    """Return why a load does not get more.

    Args:
        load: Whose share it is.
        charger: Where it charges.
        held: What keeps it from its maximum.
        company: How many loads each node feeds: alone under a limit it is the limit, together it
            is a share of it.
        place: In the queue of those that wait, and its length.
    """
    if held is None:
        own = load.vehicle_max_w is not None and load.vehicle_max_w <= charger.max_w
        return "vehicle maximum" if own else "charger limit"
    name = f"the {held.node} limit"
    if held.phase is not None:
        name += f" on {phase_names(1 << held.phase - 1)}"
    if place is not None:
        return (
            f"waiting: the least useful power does not fit under {name}"
            f" (place {place[0]} of {place[1]})"
        )
    if company[held.node] > 1:
        return f"fair share of {name}"
    return "charger limit" if held.node == charger_node(charger.id) else name.removeprefix("the ")
