"""Progressive filling: the level at which each group of loads is held back by a full link.

All loads rise with one level (from their minimum, to their maximum) until a link is full; its
groups stay where they are, the others rise on. With sums that only grow that is exactly weighted
max-min, on however many links a load takes part in.

A link's level is looked for only when it may be the next: what is known of it before is a lower
bound, because groups that stay behind leave more to the others. Arithmetic is that of the number
made by `ratio`: floats for operation, fractions for proofs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heapreplace
from math import inf
from operator import truediv
from typing import Any, NamedTuple, TypeAlias

from csms.domain.phase_network import Network

Number: TypeAlias = Any
"""A float, or a Fraction where everything is exact."""

_NEVER = -1
_PATIENCE = 20
"""Steps of Newton's before halving the bracket, which ends in any case."""


class Curve(NamedTuple):
    """What a group draws at a level; in piece j, from `points[j - 1]` on, bases + slopes x level.

    Attributes:
        points: Levels at which a load begins to rise or is at its maximum, sorted.
    """

    points: list[int]
    bases: list[int]
    slopes: list[Number]


class Filling(NamedTuple):
    """Levels of the groups.

    Attributes:
        levels: Where each group stays; infinite when nothing holds it back.
        held_by: The link that is full there; -1 for none.
    """

    levels: list[Number]
    held_by: list[int]


def fill(
    network: Network,
    present: Sequence[Sequence[int]],
    ratio: Callable[[int, int], Number] = truediv,
    curves: Sequence[Curve] | None = None,
) -> Filling:
    """Return the level of each group; the minimums of those present must fit.

    Args:
        network: Loads and links.
        present: For each group its loads that take part; a load that waits takes nothing.
        ratio: Makes a number of a fraction.
        curves: Of the groups, where they are known already.
    """
    groups = network.groups
    if curves is None:
        curves = [curve_of(network, members, ratio) for members in present]
    parts: list[list[tuple[int, int]]] = [[] for _ in network.rooms]
    rooms: list[Number] = list(network.rooms)
    starts = list(network.rooms)
    steepest: list[Number] = [0] * len(rooms)
    for number, group in enumerate(groups):
        if not present[number]:
            continue
        least, slope = curves[number].bases[0], max(curves[number].slopes)
        for link, take in zip(group.links, group.takes, strict=True):
            parts[link].append((number, take))
            starts[link] -= take * least
            steepest[link] += take * slope
    levels: list[Number] = [inf] * len(groups)
    held_by = [_NEVER] * len(groups)
    open_groups = [True] * len(groups)
    changes = [1] * len(rooms)  # how often something was fixed in a link
    known = [0] * len(rooms)  # for which of these its level is right
    heap = [
        (starts[link] / steepest[link], link)
        for link in range(len(rooms))
        if parts[link] and steepest[link]
    ]
    heapify(heap)
    while heap:
        level, link = heap[0]
        if known[link] != changes[link]:
            parts[link] = active = [part for part in parts[link] if open_groups[part[0]]]
            found = _crossing([(take, *curves[n]) for n, take in active], level, rooms[link])
            if found is inf:
                heappop(heap)
            else:
                known[link] = changes[link]
                heapreplace(heap, (found, link))
            continue
        heappop(heap)
        for number, _ in parts[link]:
            open_groups[number] = False
            levels[number] = level
            held_by[number] = link
            amount = amount_at(curves[number], level)
            group = groups[number]
            for other, take in zip(group.links, group.takes, strict=True):
                rooms[other] -= take * amount
                changes[other] += 1
    return Filling(levels, held_by)


def curve_of(
    network: Network,
    members: Sequence[int],
    ratio: Callable[[int, int], Number] = truediv,
) -> Curve:
    """Return what these loads of a group draw together at each level."""
    low, high, price = network.low, network.high, network.price
    alike: dict[tuple[int, int, int], int] = {}
    for member in members:
        kind = (low[member], high[member], price[member])
        alike[kind] = alike.get(kind, 0) + 1
    base = 0
    events = []
    for (least, most, cost), count in alike.items():
        base += least * count
        slope = ratio(count, cost)
        events.append((least * cost, -least * count, slope))
        events.append((most * cost, most * count, -slope))
    events.sort()
    points, bases, slopes = [], [base], [0 * ratio(1, 1)]
    for point, rise, bend in events:
        points.append(point)
        bases.append(bases[-1] + rise)
        slopes.append(slopes[-1] + bend)
    slopes[-1] = slopes[0]  # all are at their maximum: no rounding may be left over
    return Curve(points, bases, slopes)


def amount_at(curve: Curve, level: Number) -> Number:
    """Return what a group draws at a level, in dA of each of its phases."""
    if level == inf:
        return curve.bases[-1]
    piece = bisect_right(curve.points, level)
    return curve.bases[piece] + curve.slopes[piece] * level


def _crossing(
    curves: Sequence[tuple[int, list[int], list[int], list[Number]]], start: Number, room: Number
) -> Number:
    """Return the level at which these curves together reach `room`; infinite when they never do.

    Newton's steps within a bracket: from below a step may go to the next corner at least, and a
    step that lands in the piece it started from is exact.

    Args:
        curves: What counts for how much, and the curve.
        start: At which they are below `room`.
        room: Anything from their sum at `start`.
    """
    at = start
    below, above = start, inf
    tries = 0
    while True:
        total: Number = 0
        slope: Number = 0
        corner: Number = inf
        for take, points, bases, slopes in curves:
            piece = bisect_right(points, at)
            total += take * (bases[piece] + slopes[piece] * at)
            slope += take * slopes[piece]
            if piece < len(points) and points[piece] < corner:
                corner = points[piece]
        missing = room - total
        tries += 1
        goal = at + missing / slope if slope else inf
        if missing >= 0:
            if goal <= corner:
                return goal
            below = corner
            if goal is inf:
                goal = corner
        else:
            above = at
            if goal is inf or goal == at:
                goal = below
        if below >= above:
            return above  # only by rounding: the corner is the level
        if not below <= goal < above or tries > _PATIENCE:
            goal = (below + above) / 2 if above is not inf else max(below, goal)
            if not below < goal < above:
                goal = below
        at = goal
