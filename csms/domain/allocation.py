"""Shares the power of a tree of limits among loads: fairly, exactly, in whole units.

Fair means weighted max-min: nobody can get more without taking from somebody who has less for his
weight. On a tree of limits that is also the most that can be handed out at all.

How: each node v has a level L_v, at which it would be full if every load below it rose with the
same level (a load follows the level times its weight, from its minimum to its maximum, and the
children that are full already stay where they are). Levels are found bottom-up by one walk over
the points where the sum of the loads changes its slope; a load then gets what the lowest level on
its way up gives it. All of it is integer arithmetic, so nothing is lost or made by rounding: the
levels are cut down to whole units, and the few units that this leaves over are handed out one by
one, lowest level first, then by `Load.order`.

O(n log n) a level of the tree. The file knows no phases, batteries or time; `allocation_check`
judges its results without sharing a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import lcm
from operator import attrgetter

from csms.domain.pieces import Pieces, in_one_go
from csms.domain.power_tree import Load, LoadId, NodeId, PowerTree


class Policy(StrEnum):
    """The sharing rule of a site.

    FAIR shares single watts, weighted, with minimums. EQUAL_KW shares whole kW: limits and maximums
    are cut down to whole kW, weights and minimums are ignored, and nobody differs from another by
    more than 1 kW unless a limit of his own asks for it.
    """

    FAIR = "fair"
    EQUAL_KW = "equal-kw"

    @property
    def unit_w(self) -> int:
        """The unit that is handed out, in W."""
        return 1000 if self is Policy.EQUAL_KW else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Who gets what.

    Attributes:
        power_w: For every load.
        bottlenecks: The node that keeps a load from its maximum; loads at their maximum are not
            in it.
        waiting: Loads with 0 W because their minimum did not fit beside those before them.
    """

    power_w: Mapping[LoadId, int]
    bottlenecks: Mapping[LoadId, NodeId]
    waiting: frozenset[LoadId]


_Share = tuple[LoadId, int, int, int, int]
"""A load in units of the policy: id, place of its node in the tree, minimum, maximum, weight."""

_Event = tuple[int, int]
"""A level and by how much the slope of a node's sum changes there."""

_ROOT = -1


def allocated(
    tree: PowerTree, loads: Iterable[Load], policy: Policy = Policy.FAIR
) -> Pieces[Allocation]:
    """Return the fair shares of these loads; the order in which they are listed plays no part.

    Never above the maximum of a load nor above what a node has left after its reserves. Where not
    all minimums fit, loads are let in by `order` as long as the minimum fits, and the rest get 0.

    Raises:
        ValueError: A load hangs on an unknown node, or an id is there twice.
    """
    ordered = sorted(loads, key=attrgetter("order", "id"))
    if len({load.id for load in ordered}) != len(ordered):
        msg = "a load is there twice"
        raise ValueError(msg)
    unit = policy.unit_w
    rooms = [None if free is None else free // unit for free in tree.available_w]
    shares, waiting = _let_in(tree, ordered, rooms, policy)
    yield
    scale = lcm(*{weight for _, _, _, _, weight in shares})
    limits = _lowest_levels(tree, _full_levels(tree, shares, rooms, scale))
    yield
    units = _at_levels(shares, limits, scale)
    yield
    _hand_out_rest(tree, shares, units, limits, rooms, scale)
    yield
    return Allocation(
        power_w={share[0]: got * unit for share, got in zip(shares, units, strict=True)},
        bottlenecks={
            load_id: tree.nodes[limits[place][1]].id
            for (load_id, place, _, high, _), got in zip(shares, units, strict=True)
            if got < high and load_id not in waiting
        }
        | waiting,
        waiting=frozenset(waiting),
    )


allocate = in_one_go(allocated)


def _let_in(
    tree: PowerTree, ordered: Sequence[Load], rooms: Sequence[int | None], policy: Policy
) -> tuple[list[_Share], dict[LoadId, NodeId]]:
    """Return the shares in queue order, and those whose minimum does not fit with the full node.

    Greedy in queue order is exact for equal minimums (the sets that fit are a laminar matroid);
    with different ones it keeps the queue's order before the size of the set.
    """
    free = list(rooms)
    shares = []
    waiting: dict[LoadId, NodeId] = {}
    index, whole_kw = tree.index, policy is Policy.EQUAL_KW
    for load in ordered:
        node = load.node
        place = index[node] if node in index else tree.place(node)
        high, low, weight = load.max_w, load.min_w, load.weight
        if low > high:
            low = high
        if whole_kw:
            high, low, weight = high // policy.unit_w, 0, 1
        if low:
            full = _first_without_room(tree, free, place, low)
            if full is None:
                _take(tree, free, place, low)
            else:
                waiting[load.id] = tree.nodes[full].id
                low = high = 0
        shares.append((load.id, place, low, high, weight))
    return shares, waiting


def _full_levels(
    tree: PowerTree, shares: Sequence[_Share], rooms: Sequence[int | None], scale: int
) -> list[int | None]:
    """Return for each node the whole level at which it is full; None when it never is.

    Power is counted in units / `scale` (the common multiple of the weights), so that a load of
    weight w at level l has w * l of them and every corner of the sum lies on a whole level. A full
    child is told to its parent as: the same sum up to its level, what it had left over within the
    next whole level, and flat from there. That is exact at every whole level.
    """
    size = len(tree.nodes)
    events: list[list[_Event]] = [[] for _ in range(size)]
    starts = [0] * size  # the sum of the minimums
    peaks = [0] * size  # the most that can be asked for
    for _, place, low, high, weight in shares:
        if high:
            step = scale // weight
            events[place] += ((low * step, weight), (high * step, -weight))
            starts[place] += low * scale
            peaks[place] += high * scale
    levels: list[int | None] = [None] * size
    for place in range(size - 1, -1, -1):
        own, room = events[place], rooms[place]
        if room is not None and peaks[place] > room * scale:
            own.sort()
            levels[place] = _cut(own, starts[place], room * scale)
            peaks[place] = room * scale
        parent = tree.parents[place]
        if parent != _ROOT:
            events[parent] += own
            starts[parent] += starts[place]
            peaks[parent] += peaks[place]
            events[place] = []
    return levels


def _cut(events: list[_Event], start: int, room: int) -> int:
    """Return the whole level where the sum meets `room`, and cut the events off there.

    Args:
        events: Sorted; their sum does exceed `room` somewhere.
        start: Sum at level 0, at most `room`.
        room: In units / scale.
    """
    total, slope, at = start, 0, 0
    kept = 0
    for level, change in events:
        ahead = total + slope * (level - at)
        if ahead > room:
            break
        total, at = ahead, level
        slope += change
        kept += 1
    level, left = at + (room - total) // slope, (room - total) % slope
    events[kept:] = [(level, left - slope), (level + 1, -left)]
    return level


def _lowest_levels(tree: PowerTree, levels: Sequence[int | None]) -> list[tuple[int | None, int]]:
    """Return for each node the lowest level on its way up, and the place of the nearest such."""
    lowest: list[tuple[int | None, int]] = []
    for place, own in enumerate(levels):
        parent = tree.parents[place]
        above = (None, place) if parent == _ROOT else lowest[parent]
        holds = own is not None and (above[0] is None or own <= above[0])
        lowest.append((own, place) if holds else above)
    return lowest


def _at_levels(
    shares: Sequence[_Share], limits: Sequence[tuple[int | None, int]], scale: int
) -> list[int]:
    """Return what each load has at the lowest level above it, in whole units, rounded down."""
    units = []
    for _, place, low, high, weight in shares:
        level = limits[place][0]
        if level is None:
            units.append(high)
        else:
            got = weight * level // scale
            units.append(high if got > high else got if got > low else low)
    return units


def _hand_out_rest(
    tree: PowerTree,
    shares: Sequence[_Share],
    units: list[int],
    limits: Sequence[tuple[int | None, int]],
    rooms: Sequence[int | None],
    scale: int,
) -> None:
    """Hand out one by one, into `units`, what cutting down to whole levels has left.

    Only a load that is under the next whole level may take a unit: those before it in the list
    have the lowest level, so what a full node had left over goes to the loads that it holds back.
    """
    free = _left_over(tree, shares, units, rooms)
    eager = []
    for turn, ((_, place, _, high, weight), got) in enumerate(zip(shares, units, strict=True)):
        level = limits[place][0]
        if level is not None and got < high:
            goal = -(-weight * (level + 1) // scale)
            if goal > high:
                goal = high
            if got < goal:
                eager.append((level, turn, place, goal))
    eager.sort()
    parents = tree.parents
    while eager:
        still = []
        for one in eager:
            _, turn, place, goal = one
            at = place
            while at != _ROOT:
                left = free[at]
                if left is not None and left < 1:
                    break
                at = parents[at]
            else:
                _take(tree, free, place, 1)
                units[turn] += 1
                if units[turn] < goal:
                    still.append(one)
        eager = still


def _left_over(
    tree: PowerTree, shares: Sequence[_Share], units: Sequence[int], rooms: Sequence[int | None]
) -> list[int | None]:
    """Return what each node has left beside these units."""
    used = [0] * len(rooms)
    for share, got in zip(shares, units, strict=True):
        used[share[1]] += got
    for place in range(len(rooms) - 1, -1, -1):
        parent = tree.parents[place]
        if parent != _ROOT:
            used[parent] += used[place]
    return [None if room is None else room - taken for room, taken in zip(rooms, used, strict=True)]


def _first_without_room(
    tree: PowerTree, free: Sequence[int | None], place: int, amount: int
) -> int | None:
    """Return the place of the first node on the way up that has less left; None if all have it."""
    while place != _ROOT:
        left = free[place]
        if left is not None and left < amount:
            return place
        place = tree.parents[place]
    return None


def _take(tree: PowerTree, free: list[int | None], place: int, amount: int) -> None:
    """Take an amount out of what is left at a node and all above it."""
    while place != _ROOT:
        left = free[place]
        if left is not None:
            free[place] = left - amount
        place = tree.parents[place]
