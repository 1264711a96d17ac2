"""Keeps an allocation on phases up to date while loads come, change and go, one at a time.

A change is solved again only as far as it reaches: the levels of its own group first, beside all
others as they are, then also of those groups whose bottleneck is no longer one. When no group is
left of which that is true, the levels are those that filling everything anew would find, because
there is only one allocation in which every load has a bottleneck. Currents are cut into steps again
where a level has changed and where the odd steps of a full link are shared with such a group.

Nobody who is in is sent out: a load that comes gets in if its minimum fits beside theirs, and when
one goes the first of the queue follow. Whose turn it is after a while, `rotation` decides.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from math import inf

from csms.domain.admission import admit
from csms.domain.allocation_steps import currents_in_steps
from csms.domain.phase_filling import Filling, amount_at, curve_of, fill
from csms.domain.phase_network import POWER, Group, PhaseLoad, phase_network
from csms.domain.power_tree import LoadId, PowerTree

_SLACK = 1e-9
_ROUNDS = 6
"""So often the groups that a change reaches are extended one by one; then by whole links."""

_FRESH = 1000
"""Changes after which everything is built anew, so that no rounding adds up."""


class LiveAllocation:
    """The allocation of a site's loads, kept.

    Attributes:
        current_da: Of every load, in 0.1 A, as `allocate_phases` says it.
        rebuilds: How often everything was solved anew.
    """

    def __init__(self, tree: PowerTree, loads: Iterable[PhaseLoad]) -> None:
        self._tree = tree
        self._loads = {load.id: load for load in loads}
        self.current_da: dict[LoadId, int] = {}
        self.rebuilds = 0
        self._build()

    @property
    def waiting(self) -> tuple[LoadId, ...]:
        """Loads whose minimum does not fit, the first of the queue first."""
        return tuple(self._net.loads[number].id for number in self._outside)

    def put(self, load: PhaseLoad) -> dict[LoadId, int]:
        """Add a load or change it, and return the currents that are others now.

        Raises:
            ValueError: It hangs on an unknown node.
        """
        self._tree.place(load.node)
        self._loads[load.id] = load
        number = self._number_of.get(load.id)
        if number is None or self._moves_in_the_network(number, load):
            return self._again()
        return self._change(number, load, present=True)

    def remove(self, load_id: LoadId) -> dict[LoadId, int]:
        """Take a load out and return the currents that are others now; its own is not in it.

        Its place is kept, so that it may come back as quickly.

        Raises:
            KeyError: It is not there.
        """
        load = self._loads.pop(load_id)
        changed = self._change(self._number_of[load_id], load, present=False)
        self.current_da.pop(load_id, None)
        changed.pop(load_id, None)
        return changed

    def _again(self) -> dict[LoadId, int]:
        before, self.current_da = self.current_da, {}
        self._build()
        return {
            load_id: current
            for load_id, current in self.current_da.items()
            if before.get(load_id) != current
        }

    def _build(self) -> None:
        self.rebuilds += 1
        self._changes = 0
        self._net = phase_network(self._tree, self._loads.values())
        net = self._net
        self._number_of = {load.id: number for number, load in enumerate(net.loads)}
        self._top = list(net.high)  # what the links were chosen for
        self._group_of = [-1] * len(net.loads)
        self._through: list[list[int]] = [[] for _ in net.rooms]
        for place, group in enumerate(net.groups):
            for member in group.members:
                self._group_of[member] = place
            for link in group.links:
                self._through[link].append(place)
        present, outside = admit(net)
        self._present = [list(members) for members in present]
        self._outside = sorted(outside)
        self._curves = [curve_of(net, members) for members in self._present]
        filling = fill(net, self._present, curves=self._curves)
        self._levels, self._held = list(filling.levels), list(filling.held_by)
        self._currents = currents_in_steps(net, self._present, filling)
        self._amounts = [
            amount_at(curve, level) for curve, level in zip(self._curves, self._levels, strict=True)
        ]
        self._sums = [0.0] * len(net.rooms)
        self._least = [0] * len(net.rooms)
        self._free = list(net.rooms)
        self._totals = [0] * len(net.groups)
        self._volts = max((load.volts for load in net.loads), default=1)
        self._coarsest = max((_coarsest(load.steps) for load in net.loads), default=1)
        for place, group in enumerate(net.groups):
            total = self._totals[place] = sum(self._currents[m] for m in self._present[place])
            for link, take in zip(group.links, group.takes, strict=True):
                self._sums[link] += take * self._amounts[place]
                self._least[link] += take * self._curves[place].bases[0]
                self._free[link] -= take * total
        self._note(range(len(net.loads)))

    def _moves_in_the_network(self, number: int, load: PhaseLoad) -> bool:
        """Return whether a load is in other links than before, or might fill one that none could.

        A load that takes less than when everything was built can fill nothing new.
        """
        before = self._net.loads[number]
        return (
            self._group_of[number] < 0
            or load.most_da > self._top[number]
            or replace(before, max_da=load.max_da, min_da=load.min_da) != load
        )

    def _change(self, number: int, load: PhaseLoad, *, present: bool) -> dict[LoadId, int]:
        self._changes += 1
        if self._changes > _FRESH:
            return self._again()
        place = self._group_of[number]
        if place < 0:  # it never took anything
            self.current_da[load.id] = 0
            return {}
        net, members = self._net, self._present[place]
        net.low[number], net.high[number] = load.least_da, load.most_da
        net.loads[number] = load
        if number in members:
            members.remove(number)
            self._currents[number] = 0
        elif number in self._outside:
            self._outside.remove(number)
        touched = {place}
        self._recount(place)
        if present:
            insort(self._outside, number)
        # whoever waits and fits now, the first of the queue first
        for other in list(self._outside):
            there = self._group_of[other]
            group, low = net.groups[there], net.low[other]
            if all(
                self._least[link] + take * low <= net.rooms[link]
                for link, take in zip(group.links, group.takes, strict=True)
            ):
                self._outside.remove(other)
                insort(self._present[there], other)
                self._recount(there)
                touched.add(there)
        reached = self._level(touched)
        stepped = self._step(reached | touched)
        return self._note([number, *(m for g in stepped for m in self._present[g])])

    def _recount(self, place: int) -> None:
        """Note who is present in a group: its curve and the sum of its minimums."""
        group, before = self._net.groups[place], self._curves[place]
        curve = self._curves[place] = curve_of(self._net, self._present[place])
        for link, take in zip(group.links, group.takes, strict=True):
            self._least[link] += take * (curve.bases[0] - before.bases[0])

    def _level(self, touched: set[int]) -> set[int]:
        """Find the levels again from the groups touched on; return all that were looked at."""
        net = self._net
        some = set(touched)
        for turn in range(len(net.groups) + 1):
            order = sorted(some)
            links = {link for place in order for link in net.groups[place].links}
            rooms: list[float] = list(net.rooms)
            for link in links:
                rooms[link] -= self._sums[link]
            for place in order:
                group = net.groups[place]
                for link, take in zip(group.links, group.takes, strict=True):
                    rooms[link] += take * self._amounts[place]
            least = dict.fromkeys(links, 0.0)
            for place in order:
                group = net.groups[place]
                for link, take in zip(group.links, group.takes, strict=True):
                    least[link] += take * self._curves[place].bases[0]
            cramped = {
                link for link in links if least[link] > rooms[link] + _SLACK * net.rooms[link]
            }
            if cramped:
                some |= {place for link in cramped for place in self._through[link]}
                continue
            filling = fill(
                net._replace(groups=[net.groups[place] for place in order], rooms=rooms),
                [self._present[place] for place in order],
                curves=[self._curves[place] for place in order],
            )
            new = dict(zip(order, zip(*filling, strict=True), strict=True))
            more = self._no_longer_right(new, links, rooms)
            if not more:
                self._keep(new)
                return some
            if turn >= _ROUNDS:
                more |= {place for link in links for place in self._through[link]}
            some |= more
        raise AssertionError("groups were added for ever")

    def _no_longer_right(
        self, new: dict[int, tuple[float, int]], links: set[int], rooms: list[float]
    ) -> set[int]:
        """Return the other groups that have lost their bottleneck, or are in the way of a new one.

        Args:
            new: Level and full link of the groups looked at.
            links: All of theirs.
            rooms: What the others leave to them.
        """
        net = self._net
        left = dict.fromkeys(links, 0.0)
        highest = dict.fromkeys(links, 0.0)
        full: dict[int, float] = {}
        for place, (level, held) in new.items():
            group, curve = net.groups[place], self._curves[place]
            amount = amount_at(curve, level)
            rises = amount > curve.bases[0] * (1 + _SLACK)
            own = min(level, curve.points[-1] if curve.points else 0)
            for link, take in zip(group.links, group.takes, strict=True):
                left[link] += take * amount
                if rises and own > highest[link]:
                    highest[link] = own
            if held >= 0:
                full[held] = level
        more = set()
        for link in links:
            is_full = rooms[link] - left[link] <= _SLACK * net.rooms[link]
            at = full.get(link, inf)
            for place in self._through[link]:
                if place in new or not self._present[place]:
                    continue
                level, curve = self._levels[place], self._curves[place]
                own = min(level, curve.points[-1])
                in_the_way = own > at * (1 + _SLACK) and self._amounts[place] > curve.bases[0]
                lost = self._held[place] == link and (
                    not is_full or highest[link] > level * (1 + _SLACK)
                )
                if in_the_way or lost:
                    more.add(place)
        return more

    def _keep(self, new: dict[int, tuple[float, int]]) -> None:
        for place, (level, held) in new.items():
            amount = amount_at(self._curves[place], level)
            change = amount - self._amounts[place]
            self._levels[place], self._held[place], self._amounts[place] = level, held, amount
            group = self._net.groups[place]
            for link, take in zip(group.links, group.takes, strict=True):
                self._sums[link] += take * change

    def _step(self, some: set[int]) -> set[int]:
        """Cut the levels of these groups into steps again, and of those that share odd steps."""
        net = self._net
        some = self._with_those_beside(some, self._free)
        while True:
            order = sorted(some)
            free = list(self._free)
            for place in order:
                self._give(net.groups[place], self._totals[place], free)
            levels = [self._levels[place] for place in order]
            held = [self._held[place] for place in order]
            present = [self._present[place] for place in order]
            part = net._replace(groups=[net.groups[p] for p in order], rooms=free)
            currents = currents_in_steps(part, present, Filling(levels, held))
            after = list(free)
            for group, members in zip(part.groups, present, strict=True):
                self._give(group, -sum(currents[member] for member in members), after)
            more = self._with_those_beside(some, after)
            if len(more) == len(some):
                break
            some = more
        for place, members in zip(order, present, strict=True):
            for member in members:
                self._currents[member] = currents[member]
            self._totals[place] = sum(currents[member] for member in members)
        self._free = after
        return some

    def _with_those_beside(self, some: set[int], free: Sequence[int]) -> set[int]:
        """Return these groups and all those that share a link where a step was kept from somebody.

        Args:
            some: Groups.
            free: What is left of each link.
        """
        found, new = set(some), some
        seen: set[int] = set()
        while new:
            links = {link for place in new for link in self._net.groups[place].links} - seen
            seen |= links
            tight = [link for link in links if free[link] < self._step_takes(link)]
            beside = {place for link in tight for place in self._through[link]}
            new = {place for place in beside - found if self._present[place]}
            found |= new
        return found

    def _step_takes(self, link: int) -> int:
        """Return the most that one step of any load can take of a link."""
        is_power = self._net.places[link][1] == POWER
        return self._coarsest * (self._volts if is_power else 1)

    @staticmethod
    def _give(group: Group, amount: int, free: list[int]) -> None:
        for link, take in zip(group.links, group.takes, strict=True):
            free[link] += take * amount

    def _note(self, numbers: Iterable[int]) -> dict[LoadId, int]:
        """Tell the currents of these loads as they are now; return those that have changed."""
        changed = {}
        for number in numbers:
            load_id, current = self._net.loads[number].id, self._currents[number]
            if self.current_da.get(load_id) != current and load_id in self._loads:
                self.current_da[load_id] = changed[load_id] = current
        return changed


def _coarsest(steps: int | tuple[int, ...]) -> int:
    """Return the widest step between two currents that a load can be told, in 0.1 A."""
    if isinstance(steps, int):
        return steps
    told = (0, *sorted(steps))
    return max(after - before for before, after in pairwise(told))
