"""Keeps an allocation on phases up to date while loads come, change and go, one at a time.

The currents are those that `allocate_phases` finds for the loads that are in, always and exactly:
`allocation_ladder` puts right what a change makes wrong, and only that.

Nobody who is in is sent out: a load that comes gets in if its minimum fits beside theirs, and when
one goes the first of the queue follow. Whose turn it is after a while, `rotation` decides.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from math import lcm

from csms.domain.admission import admit
from csms.domain.allocation_climber import PLACE_BITS, Climber, Path
from csms.domain.allocation_ladder import Ladder
from csms.domain.allocation_steps import currents_in_steps
from csms.domain.phase_filling import fill
from csms.domain.phase_network import KINDS, POWER, PhaseLoad, phase_network, rooms_of
from csms.domain.power_tree import LoadId, NodeId, PowerTree

_ROOT = -1
_APART = 1 << 24
"""Between two places in the queue, so that others can come in between."""


class LiveAllocation:
    """The allocation of a site's loads, kept.

    Attributes:
        current_da: Of every load, in 0.1 A, as `allocate_phases` says it.
        rebuilds: How often everything was solved anew; only then may somebody be sent out again.
    """

    def __init__(self, tree: PowerTree, loads: Iterable[PhaseLoad]) -> None:
        """Solve it once.

        Raises:
            ValueError: A load hangs on an unknown node, or an id is there twice.
        """
        self._tree = tree
        rooms = rooms_of(tree)
        self._rooms = [room or 0 for room in rooms]
        self._limits = [room is not None for room in rooms]
        self._routes: dict[tuple[NodeId, int, int], Path] = {}
        self.current_da: dict[LoadId, int] = {}
        self.rebuilds = 0
        self._build(loads)

    @property
    def waiting(self) -> tuple[LoadId, ...]:
        """Loads whose minimum does not fit, the first of the queue first."""
        return tuple(self._queue[place].id for place in self._outside)

    def put(self, load: PhaseLoad) -> dict[LoadId, int]:
        """Add a load or change it, and return the currents that are others now.

        Raises:
            ValueError: It hangs on an unknown node.
        """
        self._tree.place(load.node)
        if load.id in self._place_of:
            self._take_out(load.id)
        place = self._place_for(load)
        if place is None or self._scale % load.weight:
            before, self.current_da = self.current_da, {}
            self._build([*self._queue.values(), load])
            return {i: now for i, now in self.current_da.items() if before.get(i) != now}
        insort(self._line, (load.order, load.id, place))
        self._queue[place], self._place_of[load.id] = load, place
        if load.most_da:
            insort(self._outside, place)
        return self._settled(place)

    def remove(self, load_id: LoadId) -> dict[LoadId, int]:
        """Take a load out and return the currents that are others now; its own is not in it.

        Raises:
            KeyError: It is not there.
        """
        self._take_out(load_id)
        del self.current_da[load_id]
        return self._settled()

    def _build(self, loads: Iterable[PhaseLoad]) -> None:
        self.rebuilds += 1
        network = phase_network(self._tree, loads)
        self._scale = lcm(*{load.weight for load in network.loads})
        self._queue = {n * _APART: load for n, load in enumerate(network.loads, 1)}
        self._line = [(load.order, load.id, place) for place, load in self._queue.items()]
        self._place_of = {load.id: place for place, load in self._queue.items()}
        self._needs = [0] * len(self._rooms)  # of the minimums of those who are in
        self._ladder = Ladder(self._rooms)
        present, outside = admit(network)
        self._outside = sorted((number + 1) * _APART for number in outside)
        currents = currents_in_steps(network, present, fill(network, present))
        self._ladder.fill(
            self._climber((number + 1) * _APART, currents[number])
            for members in present
            for number in members
        )
        self.current_da = {
            load.id: current for load, current in zip(network.loads, currents, strict=True)
        }
        self._settled()

    def _take_out(self, load_id: LoadId) -> None:
        place = self._place_of.pop(load_id)
        load = self._queue.pop(place)
        del self._line[bisect_left(self._line, (load.order, load_id, place))]
        if place in self._ladder:
            self._ladder.leave(place)
            low = load.least_da
            for link, take in self._route(load):
                self._needs[link] -= take * low
        elif load.most_da:
            self._outside.remove(place)

    def _place_for(self, load: PhaseLoad) -> int | None:
        """Return a place in the queue that is free; None where there is none left in between."""
        line = self._line
        after = bisect_left(line, (load.order, load.id))
        low = line[after - 1][2] if after else 0
        high = line[after][2] if after < len(line) else low + 2 * _APART
        place = (low + high) // 2
        return place if place > low and place < 1 << PLACE_BITS else None

    def _settled(self, place: int | None = None) -> dict[LoadId, int]:
        """Let in who waits and fits, the first of the queue first; return who has another current.

        Args:
            place: Of a load that is new, or another one.
        """
        ladder, needs, rooms = self._ladder, self._needs, self._rooms
        for other in list(self._outside):
            load = self._queue[other]
            low, route = load.least_da, self._route(load)
            if all(needs[link] + take * low <= rooms[link] for link, take in route):
                self._outside.remove(other)
                ladder.enter(self._climber(other, low))
        ladder.settle()
        if place is not None:
            ladder.moved.add(place)
        changed: dict[LoadId, int] = {}
        for moved in ladder.moved:
            if moved not in self._queue:
                continue
            load_id, current = self._queue[moved].id, ladder.current(moved)
            if self.current_da.get(load_id) != current:
                self.current_da[load_id] = changed[load_id] = current
        ladder.moved.clear()
        return changed

    def _climber(self, place: int, current: int) -> Climber:
        """Return a load that is in from now on."""
        load = self._queue[place]
        route, low = self._route(load), load.least_da
        for link, take in route:
            self._needs[link] += take * low
        return Climber(load, place, load.volts * (self._scale // load.weight), route, current)

    def _route(self, load: PhaseLoad) -> Path:
        """Return the links that a load takes part in, all those on its way up with a limit."""
        key = (load.node, load.phases, load.volts)
        if key not in self._routes:
            self._routes[key] = tuple(self._walk(load))
        return self._routes[key]

    def _walk(self, load: PhaseLoad) -> Iterator[tuple[int, int]]:
        at = self._tree.place(load.node)
        while at != _ROOT:
            for kind in range(KINDS):
                link = KINDS * at + kind
                if self._limits[link]:
                    if kind == POWER:
                        yield link, load.volts
                    elif load.phases >> kind & 1:
                        yield link, 1
            at = self._tree.parents[at]
