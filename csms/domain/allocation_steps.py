"""From levels to currents that chargers can be told, step by step: the poorest first.

The rule: whoever is the poorest and has room for his next step on every link takes it, again and
again; at equal levels first who takes fewer phases, then by place in the queue. There is exactly
one result. In it no step fits any more, and none can be moved from one load to another that would
stay poorer; on links of a tree with equal steps it is lexicographically the best.

Nobody counts from zero for that. Levels say about where each load ends, so that it starts a little
below, and only the last steps are handed out: whole blocks of loads that are alike, one by one
where a link runs full. That is the rule's own result if every refusal would have been one without
the steps given in advance that were not due yet. Where it cannot be sure of that, it starts lower.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from math import inf
from typing import NamedTuple

from csms.domain.phase_filling import Filling
from csms.domain.phase_network import Network, PhaseLoad


class _Block(NamedTuple):
    """Loads of a group that are alike: the same current, price and steps."""

    group: int
    current: int
    step: int
    price: int
    members: list[int]


def currents_in_steps(
    network: Network, present: Sequence[Sequence[int]], filling: Filling
) -> list[int]:
    """Return the current of each load in dA; loads that are not present get 0.

    Args:
        network: Loads and links.
        present: For each group its loads that take part.
        filling: Their levels.

    Raises:
        ValueError: Their minimums do not fit beside each other.
    """
    starts = _starts(network, present, filling)
    while True:
        currents = [0] * len(network.loads)
        free = list(network.rooms)
        tops = [0] * len(free)  # above the value of all steps given in advance
        blocks: list[_Block] = []
        for number, members in enumerate(present):
            if not members:
                continue
            total, top = _begin(network, number, members, starts[number], currents, blocks)
            _, links, takes = network.groups[number]
            for link, take in zip(links, takes, strict=True):
                free[link] -= take * total
                if top > tops[link]:
                    tops[link] = top
        doubtful = {link: tops[link] * 15 // 16 for link, left in enumerate(free) if left < 0}
        if any(not tops[link] for link in doubtful):
            msg = "the minimums of those present do not fit"
            raise ValueError(msg)
        if not doubtful:
            doubtful = _HandOut(network, currents, free, tops).run(blocks)
        if not doubtful:
            return currents
        for number, group in enumerate(network.groups):
            for link in group.links:
                if link in doubtful:
                    starts[number] = min(starts[number], doubtful[link])


def _starts(network: Network, present: Sequence[Sequence[int]], filling: Filling) -> list[int]:
    """Return for each group a value under which its steps can be given in advance.

    So far below its level that on every link there is room for one step more of every load that
    would rise there; counted as if nobody reached his minimum or maximum in between.
    """
    low, high, price, loads = network.low, network.high, network.price, network.loads
    starts: list[float] = []
    slopes: list[float] = []
    need: list[float] = [-room for room in network.rooms]
    parts: list[list[tuple[int, int]]] = [[] for _ in need]
    for number, (members, level) in enumerate(zip(present, filling.levels, strict=True)):
        slope, rest, step, top = 0.0, 0, 0, 0
        for member in members:
            cost, most = price[member], high[member]
            end = most * cost
            if end > top:
                top = end
            if level >= end:
                rest += most
            elif level <= low[member] * cost:
                rest += low[member]
            else:
                slope += 1 / cost
                step += 1 if loads[member].steps == 1 else _widest(loads[member])
        starts.append(top if level > top else level)
        slopes.append(slope)
        if not members:
            continue
        amount = rest + step + (slope * level if slope else 0)
        _, links, takes = network.groups[number]
        for link, take in zip(links, takes, strict=True):
            need[link] += take * amount
            if slope:
                parts[link].append((number, take))
    for link in sorted(range(len(need)), key=_level_of_links(filling, len(need)).__getitem__):
        missing = need[link]
        if missing <= 0:
            continue
        lower = _lowered([(starts[n], take * slopes[n]) for n, take in parts[link]], missing)
        for number, _ in parts[link]:
            if (down := starts[number] - lower) > 0:
                starts[number] = lower
                less = down * slopes[number]
                _, links, takes = network.groups[number]
                for other, take in zip(links, takes, strict=True):
                    need[other] -= take * less
    return [max(0, int(start)) for start in starts]


def _level_of_links(filling: Filling, links: int) -> list[float]:
    levels = [inf] * links
    for level, link in zip(filling.levels, filling.held_by, strict=True):
        if link >= 0:
            levels[link] = level
    return levels


def _lowered(parts: list[tuple[float, float]], missing: float) -> float:
    """Return the value to which the highest of these must come down to give so much.

    Args:
        parts: Value and slope of each.
        missing: What is to be given, above 0.
    """
    parts.sort(reverse=True)
    at, slope = inf, 0.0
    for value, more in parts:
        if slope and (at - value) * slope >= missing:
            break
        if slope:
            missing -= (at - value) * slope
        at = value
        slope += more
    return at - missing / slope if slope else at


def _begin(
    network: Network,
    number: int,
    members: Sequence[int],
    start: int,
    currents: list[int],
    blocks: list[_Block],
) -> tuple[int, int]:
    """Give the loads of a group all steps below a value; add those that can have more as blocks.

    Returns:
        The sum of their currents, and a value above all of their steps.
    """
    low, high, price, loads = network.low, network.high, network.price, network.loads
    total = top = 0
    alike: dict[tuple[int, int, int | tuple[int, ...]], list[int]] = {}
    for member in members:
        cost, most = price[member], high[member]
        current = -(-start // cost)
        load = loads[member]
        if load.steps != 1 and current < most:
            current = _rounded_up(load, current)
        if current >= most:
            current = most
        least = low[member]
        if current <= least:
            current = least
        elif (current - 1) * cost >= top:
            top = (current - 1) * cost + 1
        if current < most:
            key = (current, cost, load.steps)
            if key in alike:
                alike[key].append(member)
            else:
                alike[key] = [member]
        currents[member] = current
        total += current
    for (current, cost, _), some in alike.items():
        step = _step(loads[some[0]], current)
        blocks.append(_Block(number, current, step, cost, some))
    return total, min(top, start)


class _HandOut:
    """Hands out steps, lowest value first, until nobody's next step fits.

    Attributes:
        doubtful: Links that were too full for a step because of steps given in advance that were
            not due before it, as far as anybody knows; and the value of that step.
    """

    def __init__(
        self, network: Network, currents: list[int], free: list[int], tops: Sequence[int]
    ) -> None:
        """Begin with what has been given.

        Args:
            network: Loads and links.
            currents: Of the loads; changed.
            free: What is left of each link; changed.
            tops: Values above those of all steps given in advance, by link.
        """
        self._network, self._currents, self._free, self._tops = network, currents, free, tops
        self._at: dict[int, list[_Block]] = {}
        self._values: list[int] = []
        self.doubtful: dict[int, int] = {}

    def run(self, blocks: Iterable[_Block]) -> dict[int, int]:
        """Hand out to these; return what is doubtful."""
        for block in blocks:
            self._line_up(block)
        groups, free = self._network.groups, self._free
        while self._values:
            value = heappop(self._values)
            asked: dict[int, int] = {}  # of the links, by all who are at this value
            some = []
            for block in self._at.pop(value):
                _, links, takes = groups[block.group]
                if self._is_refused(block, links, takes, value):
                    continue
                some.append(block)
                amount = block.step * len(block.members)
                for link, take in zip(links, takes, strict=True):
                    asked[link] = asked.get(link, 0) + take * amount
            short = {link for link, amount in asked.items() if amount > free[link]}
            scarce = []
            for block in some:
                if short and not short.isdisjoint(groups[block.group].links):
                    scarce.append(block)
                else:
                    self._give(block)
            if scarce:
                self._give_singly(scarce, value)
        return self.doubtful

    def _line_up(self, block: _Block) -> None:
        value = block.current * block.price
        if value in self._at:
            self._at[value].append(block)
        else:
            self._at[value] = [block]
            heappush(self._values, value)

    def _is_refused(
        self, block: _Block, links: Sequence[int], takes: Sequence[int], value: int
    ) -> bool:
        """Return whether a link is too full for one step; if that may be wrong, note the link."""
        step, free, full = block.step, self._free, -1
        for link, take in zip(links, takes, strict=True):
            if free[link] < take * step:
                if self._tops[link] <= value:
                    return True
                full = link
        if full < 0:
            return False
        self.doubtful.setdefault(full, value)
        return True

    def _give_singly(self, blocks: Sequence[_Block], value: int) -> None:
        """Give the loads of these blocks their step one by one, as far as there is room."""
        groups, loads = self._network.groups, self._network.loads
        single = [
            (loads[block.members[0]].phases.bit_count(), member, number)
            for number, block in enumerate(blocks)
            for member in block.members
        ]
        single.sort()
        lucky: list[list[int]] = [[] for _ in blocks]
        free = self._free
        for _, member, number in single:
            block = blocks[number]
            _, links, takes = groups[block.group]
            if not self._is_refused(block, links, takes, value):
                lucky[number].append(member)
                for link, take in zip(links, takes, strict=True):
                    free[link] -= take * block.step
        for block, members in zip(blocks, lucky, strict=True):
            self._rise(block, members)

    def _give(self, block: _Block) -> None:
        """Give all loads of a block their step."""
        free, amount = self._free, block.step * len(block.members)
        _, links, takes = self._network.groups[block.group]
        for link, take in zip(links, takes, strict=True):
            free[link] -= take * amount
        self._rise(block, block.members)

    def _rise(self, block: _Block, members: Sequence[int]) -> None:
        """Note the new current of loads, and line up those that can have more."""
        current, network, currents = block.current + block.step, self._network, self._currents
        high = network.high
        still = []
        for member in members:
            currents[member] = current
            if high[member] > current:
                still.append(member)
        if still:
            step = _step(network.loads[still[0]], current)
            self._line_up(_Block(block.group, current, step, block.price, still))


def _step(load: PhaseLoad, current: int) -> int:
    """Return the width of the next step from a current below the maximum."""
    return 1 if load.steps == 1 else (load.step_up(current) or current) - current


def _rounded_up(load: PhaseLoad, current: int) -> int:
    """Return the lowest current that a load can be told, from this one on; above all its last."""
    steps = load.steps
    if isinstance(steps, int):
        return -(-current // steps) * steps
    return min((s for s in steps if s >= current), default=load.most_da) if current else 0


def _widest(load: PhaseLoad) -> int:
    """Return the widest step between two currents that a load can be told, in 0.1 A."""
    steps = load.steps
    if isinstance(steps, int):
        return steps
    told = sorted(steps)
    return max(after - before for before, after in zip((0, *told), told, strict=False))
