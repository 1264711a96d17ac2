"""Fallback shares: what each charger may draw when nobody tells it otherwise.

They stand in the charger itself, as a TxDefaultProfile without an end: for a transaction before it
has a limit of its own, for cars that come while it is offline, and for what follows when the lease
of a limit ends. So their sum must fit every limit at any time, whatever else happens.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from csms.domain.power_tree import NodeId
from csms.domain.sites import (
    GRID,
    Charger,
    ChargerId,
    CurrentType,
    Site,
    charger_node,
    circuit_node,
    limit_power_w,
    rate_limit,
    site_tree,
)
from csms.domain.units import power_of

_USUAL_V = 230


def fallback_shares(
    site: Site,
    chargers: Sequence[Charger],
    fallback_a: Decimal | None,
    *,
    reserved_w: int = 0,
    never_zero: Collection[ChargerId] = (),
) -> Mapping[ChargerId, int]:
    """Return what each connector of a charger falls back to, in W as the wire will say it.

    Args:
        site: With the limits that hold now.
        chargers: All of the site; another system's count at their maximum.
        fallback_a: Current a phase; None: the maximum where all maxima fit.
        reserved_w: Kept free for the building.
        never_zero: Chargers that end a transaction at 0: no car could start there.

    Returns:
        One share a charger. Where they do not fit together 0 for all, but the least current for
        those that cannot have 0, if at least that fits.
    """
    shares = _shares_w(chargers, fallback_a)
    draws = {each.id: each.max_w for each in chargers} if fallback_a is None else shares
    if overloaded(site, chargers, draws, reserved_w) is None:
        return shares
    nothing = dict.fromkeys(shares, 0)
    if not never_zero:
        return nothing
    least = nothing | {
        each.id: _share_w(each, each.least_a) for each in chargers if each.id in never_zero
    }
    return least if overloaded(site, chargers, least, reserved_w) is None else nothing


def overloaded(
    site: Site, chargers: Sequence[Charger], shares: Mapping[ChargerId, int], reserved_w: int = 0
) -> tuple[NodeId, int, int] | None:
    """Return the first limit that shares do not fit: its node, what they come to, and it."""
    limits = {GRID: site.grid_limit_w - reserved_w}
    limits |= {circuit_node(circuit.id): circuit.limit_w for circuit in site.circuits}
    parents = _parents(site)
    through = dict.fromkeys(limits, 0)
    for each in chargers:
        draw = each.max_w
        if not each.controlled_elsewhere:
            draw = min(draw, shares[each.id] * each.connectors)
        for node in _above(each, parents):
            through[node] += draw
    for node, limit in limits.items():
        if through[node] > limit:
            return node, through[node], limit
    if site.shares_phases:
        return _overloaded_phase(site, chargers, shares, reserved_w)
    return None


def _parents(site: Site) -> dict[NodeId, NodeId]:
    """Return the node above each circuit."""
    return {
        circuit_node(each.id): GRID if each.parent_id is None else circuit_node(each.parent_id)
        for each in site.circuits
    }


def _above(charger: Charger, parents: Mapping[NodeId, NodeId]) -> Iterator[NodeId]:
    """Yield the circuits that a charger is behind, and the connection."""
    at = None if charger.circuit_id is None else circuit_node(charger.circuit_id)
    while at is not None and at != GRID:
        yield at
        at = parents.get(at)
    yield GRID


def _overloaded_phase(
    site: Site, chargers: Sequence[Charger], shares: Mapping[ChargerId, int], reserved_w: int
) -> tuple[NodeId, int, int] | None:
    """Return the first node with a phase that shares do not fit; in W as if all carried that."""
    limit_of: dict[NodeId, int | None] = {GRID: site.grid_phase_limit_da}
    limit_of |= {circuit_node(each.id): each.phase_limit_da for each in site.circuits}
    tree = site_tree(site, chargers, reserved_w={GRID: reserved_w})
    currents = {node: [0, 0, 0] for node in limit_of}
    currents[GRID] = list(tree.nodes[0].reserved_da)
    for each in chargers:
        told = each.max_w
        if not each.controlled_elsewhere:
            told = min(told, shares[each.id] * each.connectors)
        own = tree.nodes[tree.place(charger_node(each.id))]
        for node in tree.path(own.id)[1:]:
            for phase in range(3):
                currents[node][phase] += -(-told * 10 // own.volts) * (own.phases >> phase & 1)
    for node, limit in limit_of.items():
        if limit is not None and max(currents[node]) > limit:
            watts = 3 * _USUAL_V
            return node, max(currents[node]) * watts // 10, limit * watts // 10
    return None


def building_problem(site: Site, building_w: int) -> str | None:
    """Return why a building cannot be behind a connection; None when it fits."""
    if building_w <= site.grid_limit_w:
        return None
    return (
        f"the building may draw {building_w / 1000:g} kW where the connection has "
        f"{site.grid_limit_w / 1000:g} kW: even without chargers it would be exceeded"
    )


def fallback_problem(
    site: Site, chargers: Sequence[Charger], fallback_a: Decimal | None, *, reserved_w: int = 0
) -> str | None:
    """Return why fallback shares that an operator asks for cannot be; None when they fit.

    Args:
        site: As it was built, without limits that come and go.
        chargers: All of the site.
        fallback_a: None asks for nothing that could fail.
        reserved_w: The building's maximum.
    """
    if fallback_a is None:
        return None
    ours = [each for each in chargers if not each.controlled_elsewhere]
    shares = {each.id: _share_w(each, fallback_a) for each in chargers}
    found = overloaded(site, chargers, shares, reserved_w)
    if found is None:
        return None
    node, through, limit = found
    parents = _parents(site)
    connectors = sum(each.connectors for each in ours if node in _above(each, parents))
    many = "the one connector" if connectors == 1 else f"all {connectors} connectors"
    where = "of the site" if node == GRID else "behind it"
    beside = (
        f" beside the building's {reserved_w / 1000:g} kW" if reserved_w and node == GRID else ""
    )
    return (
        f"the fallback share of {float(fallback_a):g} A does not fit the {node} limit: if "
        f"{many} {where} fell back at once, {through / 1000:g} kW would flow "
        f"where {limit / 1000:g} kW may{beside}"
    )


def _shares_w(chargers: Iterable[Charger], fallback_a: Decimal | None) -> dict[ChargerId, int]:
    """Return the share of each; of many chargers that are alike it is found once."""
    found: dict[ChargerId, int] = {}
    known: dict[tuple[object, ...], int] = {}
    for each in chargers:
        alike = each.told_by
        share = known.get(alike)
        if share is None:
            share = known[alike] = _share_w(each, fallback_a)
        found[each.id] = share
    return found


def _share_w(charger: Charger, fallback_a: Decimal | None) -> int:
    power = charger.max_w
    if fallback_a is not None:
        phases = charger.phases if charger.current_type is CurrentType.AC else 3
        power = min(power, power_of(fallback_a, phases=phases, voltage_v=charger.voltage_v))
    return limit_power_w(charger, rate_limit(charger, power))
