"""Loads on the three phases of a tree of limits, as flat arrays that the allocator can walk fast.

A node limits up to four things: the current on L1, L2 and L3, and the power through it. Each of
these is a *link*, and a load takes part in every link between its place and the root that carries
one of its phases. Loads that take part in the same links are one *group*: they get the same level,
whatever else happens. Links that can never be full are left out, so a charger that is not shared
costs nothing.

Currents are whole tenths of an ampere (dA), a link of power counts tenths of a W: dA x V.
Per-phase sums are arithmetic, which is never less than what phasors would say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import lcm
from operator import attrgetter
from typing import Any, NamedTuple

from csms.domain.power_tree import LoadId, NodeId, PowerTree

POWER = 3
"""The kind of a link that limits power; 0, 1, 2 are the phases."""

KINDS = 4
ALL_PHASES = 0b111
_KINDS = range(KINDS)
_ROOT = -1
_BITS = tuple(tuple(p for p in range(3) if mask >> p & 1) for mask in range(8))


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseLoad:
    """A load that draws the same current on each of its phases.

    Attributes:
        node: Where it draws.
        phases: The phases of the grid that it counts on: bit 0 is L1, bit 1 L2, bit 2 L3.
        volts: The power of 1 A of its current: voltage times phases that draw. Apart from
            `phases`, because a load whose phase nobody knows counts on all of them.
        max_da: Most that it can take, in 0.1 A.
        min_da: It gets 0 or at least this. Over the maximum it counts as the maximum.
        steps: Currents are multiples of this, or one of these values in dA (0 is always one).
        weight: Share of power relative to others, a whole number from 1.
        order: Place in the queue, lower first; equal places are settled by `id`.
    """

    id: LoadId
    node: NodeId
    phases: int
    volts: int
    max_da: int
    min_da: int = 0
    steps: int | tuple[int, ...] = 1
    weight: int = 1
    order: int = 0

    def __post_init__(self) -> None:
        if self.max_da < 0 or self.min_da < 0 or self.weight < 1:
            msg = f"load {self.id}: current must be 0 or more and the weight 1 or more"
            raise ValueError(msg)
        if not 1 <= self.phases <= ALL_PHASES or self.volts < 1:
            msg = f"load {self.id}: it needs a phase and a voltage"
            raise ValueError(msg)
        few = self.steps < 1 if isinstance(self.steps, int) else min(self.steps, default=0) < 1
        if few:
            msg = f"load {self.id}: steps of current are 0.1 A or more"
            raise ValueError(msg)

    @property
    def most_da(self) -> int:
        """The highest current that it can be told."""
        return self.step_down(self.max_da)

    @property
    def least_da(self) -> int:
        """The lowest current above 0 that it makes use of; 0 when every current does."""
        most = self.most_da
        low = self.min_da
        if low == 0:
            return 0
        steps = self.steps
        if isinstance(steps, int):
            low = -(-low // steps) * steps
        else:
            low = min((s for s in steps if s >= low), default=most)
        return min(low, most)

    def step_down(self, current: int) -> int:
        """Return the highest current that it can be told, at most this one."""
        steps = self.steps
        if isinstance(steps, int):
            return current if steps == 1 else current // steps * steps
        return max((s for s in steps if s <= current), default=0)

    def step_up(self, current: int) -> int | None:
        """Return the next current that it can be told above this one; None above the highest."""
        steps = self.steps
        if isinstance(steps, int):
            return current // steps * steps + steps
        return min((s for s in steps if s > current), default=None)


class Group(NamedTuple):
    """Loads that take part in the same links.

    Attributes:
        members: Places of the loads in the network.
        links: Places of the links.
        takes: What a dA of a member takes of each link.
    """

    members: list[int]
    links: tuple[int, ...]
    takes: tuple[int, ...]


class Network(NamedTuple):
    """Loads in the order of the queue, and the links that can be full.

    Attributes:
        low: The least current of each load that is of use to it.
        high: The most.
        price: The level that 1 dA stands for, a whole number: the lower a load's current times its
            price, the poorer it is. Level is power for its weight.
        rooms: What each link has to give, whole numbers (when a part is looked at alone, any).
        places: Node and kind of each link.
        groups: Every load with `high` above 0 is in exactly one.
    """

    tree: PowerTree
    loads: list[PhaseLoad]
    low: list[int]
    high: list[int]
    price: list[int]
    rooms: list[Any]
    places: list[tuple[int, int]]
    groups: list[Group]


def phase_network(tree: PowerTree, loads: Iterable[PhaseLoad]) -> Network:
    """Return the loads and the links that matter to them.

    Raises:
        ValueError: A load hangs on an unknown node, or an id is there twice.
    """
    ordered = sorted(loads, key=attrgetter("order", "id"))
    if len({load.id for load in ordered}) != len(ordered):
        msg = "a load is there twice"
        raise ValueError(msg)
    scale = lcm(*{load.weight for load in ordered})
    index = tree.index
    low, high, price = [], [], []
    kinds: dict[tuple[int, int, int], list[int]] = {}
    most: dict[tuple[int, int, int], int] = {}
    for number, load in enumerate(ordered):
        node, volts, steps = load.node, load.volts, load.steps
        place = index[node] if node in index else tree.place(node)
        if steps == 1:  # what most loads are
            top, least = load.max_da, load.min_da
        elif isinstance(steps, int):
            top, least = load.max_da // steps * steps, -(-load.min_da // steps) * steps
        else:
            top, least = load.most_da, load.least_da
        low.append(least if least < top else top)
        high.append(top)
        price.append(volts * (scale // load.weight))
        if top:
            key = (place, load.phases, volts)
            if key in kinds:
                kinds[key].append(number)
                most[key] += top
            else:
                kinds[key] = [number]
                most[key] = top
    rooms = rooms_of(tree)
    full = _can_be_full(tree, rooms, most)
    groups, numbers = _groups(tree, full, kinds)
    return Network(
        tree=tree,
        loads=ordered,
        low=low,
        high=high,
        price=price,
        rooms=[rooms[link] or 0 for link in numbers],
        places=[divmod(link, KINDS) for link in numbers],
        groups=groups,
    )


def rooms_of(tree: PowerTree) -> list[int | None]:
    """Return what each node has to give of each kind, four entries a node."""
    power = [None if free is None else 10 * free for free in tree.available_w]
    rooms: list[int | None] = [None] * (KINDS * len(power))
    rooms[POWER::KINDS] = power
    if tree.available_da:
        for phase in range(3):
            rooms[phase::KINDS] = tree.available_da[phase::3]
    return rooms


def _can_be_full(
    tree: PowerTree, rooms: Sequence[int | None], most: dict[tuple[int, int, int], int]
) -> list[int]:
    """Return for each node the kinds (as bits) of its links that its loads could fill."""
    size = len(tree.nodes)
    peaks = [0] * (KINDS * size)
    for (place, phases, volts), top in most.items():
        base = KINDS * place
        for phase in _BITS[phases]:
            peaks[base + phase] += top
        peaks[base + POWER] += top * volts
    full = [0] * size
    parents = tree.parents
    for place in range(size - 1, -1, -1):
        base = KINDS * place
        if not peaks[base + POWER]:
            continue
        parent = parents[place]
        above = KINDS * parent
        for kind in _KINDS:
            peak = peaks[base + kind]
            if not peak:
                continue
            room = rooms[base + kind]
            if room is not None and peak > room:
                full[place] |= 1 << kind
                peak = room
            if parent != _ROOT:
                peaks[above + kind] += peak
    return full


def _groups(
    tree: PowerTree, full: Sequence[int], kinds: dict[tuple[int, int, int], list[int]]
) -> tuple[list[Group], list[int]]:
    """Return the groups, and the links that they name, as places in four entries a node."""
    parents = tree.parents
    nearest = list(range(len(full)))  # the next node on the way up that can be full
    for place, bits in enumerate(full):
        if not bits:
            parent = parents[place]
            nearest[place] = parent if parent == _ROOT else nearest[parent]
    merged: dict[tuple[int, int, int], list[int]] = {}
    for (place, phases, volts), members in kinds.items():
        key = (nearest[place], phases, volts)
        if key in merged:
            merged[key] += members
        else:
            merged[key] = list(members)
    place_of: dict[int, int] = {}
    groups = []
    for (place, phases, volts), members in merged.items():
        links, takes = [], []
        wanted = phases | 1 << POWER
        at = place
        while at != _ROOT:
            bits = full[at] & wanted
            for kind in range(KINDS):
                if bits >> kind & 1:
                    links.append(place_of.setdefault(KINDS * at + kind, len(place_of)))
                    takes.append(volts if kind == POWER else 1)
            parent = parents[at]
            at = parent if parent == _ROOT else nearest[parent]
        groups.append(Group(members, tuple(links), tuple(takes)))
    return groups, list(place_of)
