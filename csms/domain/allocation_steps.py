"""From levels to currents that chargers can be told: cut down, then handed out step by step.

What cutting down leaves over goes to the load with the lowest level that has room for its next
step, again and again; at equal levels to the one that takes fewer phases, then by place in the
queue. On links of a tree with equal steps that is lexicographically the best whole allocation. On
three phases a step may be stuck behind another load that is better off: such steps are moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from math import inf

from csms.domain.phase_filling import Filling
from csms.domain.phase_network import Network

_ROUNDING = 1e-9
"""Relative: a level that misses a whole step by less than this has reached it."""


def currents_in_steps(
    network: Network, present: Sequence[Sequence[int]], filling: Filling
) -> list[int]:
    """Return the current of each load in dA; loads that are not present get 0.

    Args:
        network: Loads and links.
        present: For each group its loads that take part.
        filling: Their levels.
    """
    currents = [0] * len(network.loads)
    free = list(network.rooms)
    low, high, price = network.low, network.high, network.price
    loads = network.loads
    hungry: list[list[int]] = []
    for group, members, level in zip(network.groups, present, filling.levels, strict=True):
        below: list[int] = []
        total = 0
        if level == inf:
            for member in members:
                currents[member] = top = high[member]
                total += top
        else:
            reached = level * (1 + _ROUNDING)
            for member in members:
                current = int(reached // price[member])
                if current >= high[member]:
                    current = high[member]
                else:
                    below.append(member)
                    if loads[member].steps != 1:
                        current = loads[member].step_down(current)
                    current = max(current, low[member])
                currents[member] = current
                total += current
        hungry.append(below)
        for link, take in zip(group.links, group.takes, strict=True):
            free[link] -= take * total
    if min(free, default=0) < 0:
        _take_back(network, present, currents, free)
    _hand_out(network, hungry, currents, free)
    while _move_steps(network, present, currents, free):
        _hand_out(network, present, currents, free)
    return currents


def _take_back(
    network: Network, present: Sequence[Sequence[int]], currents: list[int], free: list[int]
) -> None:
    """Give back steps where rounding of levels went too far: from the highest level first."""
    for number, members in enumerate(present):
        group = network.groups[number]
        for member in sorted(members, key=lambda m: -currents[m] * network.price[m]):
            over = [
                -(free[link] // take)
                for link, take in zip(group.links, group.takes, strict=True)
                if free[link] < 0
            ]
            if not over:
                break
            lower = network.loads[member].step_down(max(0, currents[member] - max(over)))
            _set(network, number, member, max(lower, network.low[member]), currents, free)


def _set(
    network: Network, number: int, member: int, current: int, currents: list[int], free: list[int]
) -> None:
    change = current - currents[member]
    currents[member] = current
    group = network.groups[number]
    for link, take in zip(group.links, group.takes, strict=True):
        free[link] -= take * change


def _hand_out(
    network: Network, hungry: Sequence[Sequence[int]], currents: list[int], free: list[int]
) -> None:
    """Hand out steps, lowest level first, until nobody's next step fits."""
    price, high, loads = network.price, network.high, network.loads
    queue = []
    closed = [False] * len(hungry)  # not even the smallest step of all fits any more
    for number, members in enumerate(hungry):
        if not members:
            continue
        _, links, takes = network.groups[number]
        for link, take in zip(links, takes, strict=True):
            if free[link] < take:
                closed[number] = True
                break
        else:
            phases = loads[members[0]].phases.bit_count()  # the same for all of a group
            queue += [(currents[m] * price[m], phases, m, number) for m in members]
    queue.sort()
    queue.reverse()  # the next one is the last
    again: list[tuple[int, int, int, int]] = []  # a heap of those who have had a step: few
    while queue or again:
        if again and (not queue or again[0] < queue[-1]):
            _, phases, member, number = heappop(again)
        else:
            _, phases, member, number = queue.pop()
        if closed[number]:
            continue
        current = currents[member]
        load = loads[member]
        after = current + 1 if load.steps == 1 else load.step_up(current)
        if after is None or after > high[member]:
            continue
        step = after - current
        _, links, takes = network.groups[number]
        for link, take in zip(links, takes, strict=True):
            if free[link] < take * step:
                closed[number] = free[link] < take
                break
        else:
            for link, take in zip(links, takes, strict=True):
                free[link] -= take * step
            currents[member] = after
            if after < high[member]:
                heappush(again, (after * price[member], phases, member, number))


def _move_steps(
    network: Network, present: Sequence[Sequence[int]], currents: list[int], free: list[int]
) -> bool:
    """Move single steps from the better off to the worse off while that makes the two more equal.

    Rarely anything is to be done: it needs three phases whose odd steps lie crosswise, or unequal
    steps. Each move makes the sorted levels lexicographically better, so that it ends.

    Returns:
        Whether anything was moved.
    """
    richest, group_richest, group_poorest = _extremes(network, present, currents)
    high, price, loads = network.high, network.price, network.loads
    through: list[list[int]] = []
    moved = False
    for number, members in enumerate(present):
        group, poorest = network.groups[number], group_poorest[number]
        if not group.links or poorest >= max([richest[link] for link in group.links]):
            continue  # nobody who could give is better off
        hungry = [member for member in members if currents[member] < high[member]]
        narrow = min([_width(loads[member].steps) for member in hungry])
        blocked = [
            richest[link]
            for link, take in zip(group.links, group.takes, strict=True)
            if free[link] < take * narrow
        ]
        # a full link blocks every step, and who could give must be in all full links
        ceiling = min(blocked) if blocked else max([richest[link] for link in group.links])
        if poorest >= ceiling:
            continue
        in_vain = set()
        for poor in hungry:
            current = currents[poor]
            after = loads[poor].step_up(current)
            if current * price[poor] >= ceiling or after is None or after > high[poor]:
                continue
            want = (current * price[poor], after - current)
            if want in in_vain:
                continue
            through = through or _through(network)
            who = (number, poor, after)
            if _helped(network, present, who, group_richest, through, currents, free):
                moved = True
            else:
                in_vain.add(want)
    return moved


def _width(steps: int | tuple[int, ...]) -> int:
    """Return the narrowest step that a load may take."""
    return steps if isinstance(steps, int) else 1


def _through(network: Network) -> list[list[int]]:
    """Return the groups of each link."""
    groups: list[list[int]] = [[] for _ in network.rooms]
    for number, group in enumerate(network.groups):
        for link in group.links:
            groups[link].append(number)
    return groups


def _extremes(
    network: Network, present: Sequence[Sequence[int]], currents: Sequence[int]
) -> tuple[list[int], list[int], list[float]]:
    """Return the highest level that a load has with a step less, and the lowest of one not full.

    Returns:
        The highest of each link, the highest of each group, the lowest of each group (infinite
        where all are at their maximum).
    """
    links = [0] * len(network.rooms)
    tops, bottoms = [], []
    low, high, price, loads = network.low, network.high, network.price, network.loads
    for group, members in zip(network.groups, present, strict=True):
        top, bottom = 0, inf
        for member in members:
            current, cost = currents[member], price[member]
            if current > low[member]:
                less = current - 1 if loads[member].steps == 1 else _less(network, member, current)
                if less * cost > top:
                    top = less * cost
            if current < high[member] and current * cost < bottom:
                bottom = current * cost
        tops.append(top)
        bottoms.append(bottom)
        for link in group.links:
            if links[link] < top:
                links[link] = top
    return links, tops, bottoms


def _less(network: Network, member: int, current: int) -> int:
    """Return the next lower current of a load, at least its minimum (or the minimum itself)."""
    return max(network.loads[member].step_down(current - 1), network.low[member])


def _helped(
    network: Network,
    present: Sequence[Sequence[int]],
    who: tuple[int, int, int],
    group_richest: Sequence[int],
    through: Sequence[Sequence[int]],
    currents: list[int],
    free: list[int],
) -> bool:
    """Move a step to a load from one that stays better off; return whether there was one.

    Args:
        network: Loads and links.
        present: For each group its loads that take part.
        who: Group, load, and the current that it would have.
        group_richest: See `_richest`.
        through: The groups of each link.
        currents: Changed by a move.
        free: Of the links; changed by a move.
    """
    number, poor, after = who
    level = currents[poor] * network.price[poor]
    group = network.groups[number]
    missing = {
        link: take * (after - currents[poor]) - free[link]
        for link, take in zip(group.links, group.takes, strict=True)
        if free[link] < take * (after - currents[poor])
    }
    for other in min((through[link] for link in missing), key=len, default=()):
        if group_richest[other] <= level:
            continue
        takes = dict(zip(network.groups[other].links, network.groups[other].takes, strict=True))
        if not missing.keys() <= takes.keys():
            continue
        for rich in present[other]:
            if rich == poor or currents[rich] <= network.low[rich]:
                continue
            less = _less(network, rich, currents[rich])
            given = currents[rich] - less
            enough = all(takes[link] * given >= needed for link, needed in missing.items())
            if enough and less * network.price[rich] > level:
                _set(network, other, rich, less, currents, free)
                _set(network, number, poor, after, currents, free)
                return True
    return False
