"""Shares a site's current among loads on one, two or three phases: fairly, in steps, with minimums.

Fair is what `allocation` means by it, over every limit at once: nobody can get more without taking
from somebody who has less power for his weight. A limit is the current of one phase of a node, or
the power through it. Who gets his minimum when not all can is `admission`; then `phase_filling`
finds the levels and `allocation_steps` the currents that can be told. `phase_check` judges the
results without sharing a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from csms.domain.admission import admit
from csms.domain.allocation_steps import currents_in_steps
from csms.domain.phase_filling import fill
from csms.domain.phase_network import POWER, Network, PhaseLoad, phase_network
from csms.domain.power_tree import LoadId, NodeId, PowerTree


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottleneck:
    """What keeps a load from more: a node, and its phase 1 to 3 or None for its power."""

    node: NodeId
    phase: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseAllocation:
    """Who gets what.

    Attributes:
        current_da: For every load, on each of its phases, in 0.1 A.
        bottlenecks: What keeps a load from its maximum; loads at their maximum are not in it.
        waiting: Loads with 0 A because their minimum did not fit beside those let in, in the order
            in which they stand in the queue.
    """

    current_da: Mapping[LoadId, int]
    bottlenecks: Mapping[LoadId, Bottleneck]
    waiting: tuple[LoadId, ...]


def allocate_phases(
    tree: PowerTree,
    loads: Iterable[PhaseLoad],
    claims: Mapping[LoadId, int] | None = None,
    first: Iterable[LoadId] = (),
) -> PhaseAllocation:
    """Return the fair currents of these loads; the order in which they are listed plays no part.

    Args:
        tree: Limits of power and of phases.
        loads: Each with its own steps.
        claims: What it is worth to let a load in, where not all minimums fit: the sum is made as
            large as can be. Without it the queue's order decides alone.
        first: Let in before all others, in this order, as far as they fit.

    Raises:
        ValueError: A load hangs on an unknown node, or an id is there twice.
    """
    return allocate_network(phase_network(tree, loads), claims, first)


def allocate_network(
    network: Network,
    claims: Mapping[LoadId, int] | None = None,
    first: Iterable[LoadId] = (),
) -> PhaseAllocation:
    """Return the fair currents of a network's loads; see `allocate_phases`."""
    let_in, waiting = admit(network, claims, first)
    filling = fill(network, let_in)
    currents = currents_in_steps(network, let_in, filling)
    names, high = network.loads, network.high
    links = [_bottleneck(network, link) for link in range(len(network.rooms))]
    bottlenecks: dict[LoadId, Bottleneck] = {}
    for members, link in zip(let_in, filling.held_by, strict=True):
        if link >= 0:
            held = links[link]
            for member in members:
                if currents[member] < high[member]:
                    bottlenecks[names[member].id] = held
    for member, link in waiting.items():
        bottlenecks[names[member].id] = links[link]
    return PhaseAllocation(
        current_da={load.id: current for load, current in zip(names, currents, strict=True)},
        bottlenecks=bottlenecks,
        waiting=tuple(names[member].id for member in sorted(waiting)),
    )


def exact_currents(tree: PowerTree, loads: Iterable[PhaseLoad]) -> dict[LoadId, Fraction]:
    """Return the fair currents without steps, as fractions of 0.1 A: the proof of the method.

    Minimums must fit beside each other.
    """
    network = phase_network(tree, loads)
    present = [group.members for group in network.groups]
    filling = fill(network, present, Fraction)
    currents = {load.id: Fraction(0) for load in network.loads}
    for members, level in zip(present, filling.levels, strict=True):
        for member in members:
            low, high = network.low[member], network.high[member]
            free = isinstance(level, float)  # only infinity is one
            current = Fraction(high) if free else level / network.price[member]
            currents[network.loads[member].id] = min(Fraction(high), max(Fraction(low), current))
    return currents


def _bottleneck(network: Network, link: int) -> Bottleneck:
    place, kind = network.places[link]
    return Bottleneck(node=network.tree.nodes[place].id, phase=None if kind == POWER else kind + 1)
