"""Keeps whole steps handed out to the poorest first while loads come, go and change.

`allocation_steps` says which steps are taken, and that there is exactly one result. Every step has
a *rank*: the level from which it starts, then the number of phases, then the place in the queue.
A step is right to be refused if some link has no room for it beside the steps of lower rank alone,
and a step that was taken is right while its links are not over their limit. Where everything is
right, that is the result; so after a change only what is no longer right is put right, the lowest
rank first, and each correction may call only higher ones into question.

A load whose next step is refused waits in a queue of the link that refuses it. As long as the
first of a queue is refused, all are: so of thousands that wait for the connection one is looked at.
Everything is whole numbers; nothing drifts.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from heapq import heapify, heappop, heappush

from csms.domain.allocation_climber import LEVEL_FROM, NOBODY, PLACE_BITS, Climber, Path

_PLACE = (1 << PLACE_BITS) - 1
_STALE = 8
"""So many times more than loads may be noted before what is out of date is thrown away."""


class Ladder:
    """The steps of all loads that take part; right after `settle`, which every change needs.

    Attributes:
        moved: Places of those whose current was touched since this was emptied.
    """

    def __init__(self, rooms: Sequence[int]) -> None:
        """Begin with nobody.

        Args:
            rooms: What each link has to give.
        """
        self._rooms = rooms
        self._free = list(rooms)
        self._at: dict[int, Climber] = {}
        self._inside: list[set[Climber]] = [set() for _ in rooms]
        self._peaks = [0] * len(rooms)
        self._matters = [False] * len(rooms)
        self._tops: list[list[int] | None] = [None] * len(rooms)  # ranks of last steps, negative
        self._queues: list[dict[int, list[int]]] = [{} for _ in rooms]  # by what is missing
        self._called: set[tuple[int, int]] = set()
        self._looks: list[tuple[int, int, int]] = []  # rank, and the queue that it was called from
        self.moved: set[int] = set()

    def __contains__(self, place: int) -> bool:
        return place in self._at

    def current(self, place: int) -> int:
        """Return the current at a place of the queue in dA; 0 where nobody is."""
        climber = self._at.get(place)
        return 0 if climber is None else climber.current

    def fill(self, climbers: Iterable[Climber]) -> None:
        """Begin with all of these at once, at currents that fit."""
        for climber in climbers:
            self._at[climber.place] = climber
            for link, take in climber.route:
                self._inside[link].add(climber)
                self._peaks[link] += take * climber.high
        for link, peak in enumerate(self._peaks):
            self._matters[link] = peak > self._rooms[link]
        paths: dict[Path, Path] = {}
        for climber in self._at.values():
            route = climber.route
            if route not in paths:
                paths[route] = tuple(part for part in route if self._matters[part[0]])
            climber.path = paths[route]
            for link, take in climber.path:
                self._free[link] -= take * climber.current
            if climber.next >= 0:
                self._looks.append((climber.next, NOBODY, 0))
        heapify(self._looks)

    def enter(self, climber: Climber) -> None:
        """Let a load in; its minimum fits beside the others'."""
        for link, take in climber.route:
            self._peaks[link] += take * climber.high
            if self._peaks[link] > self._rooms[link] and not self._matters[link]:
                self._take_notice_of(link)
            self._inside[link].add(climber)
        self._at[climber.place] = climber
        climber.path = tuple(part for part in climber.route if self._matters[part[0]])
        climber.stand_at(self._about(climber))
        for link, take in climber.path:
            self._free[link] -= take * climber.current
        self._stands(climber)
        for link, _ in climber.path:
            self._relieve(link)

    def leave(self, place: int) -> None:
        """Take a load out."""
        climber = self._at.pop(place)
        self.moved.add(place)
        for link, take in climber.route:
            self._inside[link].discard(climber)
            self._peaks[link] -= take * climber.high
        for link, take in climber.path:
            self._free[link] += take * climber.current
        for link, _ in climber.path:
            self._call_all(link, NOBODY)

    def settle(self) -> None:
        """Look at every step in question, the lowest rank first, until all is right."""
        looks, at, called = self._looks, self._at, self._called
        while looks:
            rank, link, missing = heappop(looks)
            if link >= 0:
                called.discard((link, missing))
            climber = at.get(rank & _PLACE)
            if climber is not None and climber.next == rank and climber.waits_at < 0:
                refused_at, need = self._refused(climber)
                if refused_at < 0:
                    self._rise(climber)
                else:
                    queue = self._wait(climber, refused_at, need)
                    if refused_at == link and queue[0] == rank:
                        continue  # nor will the others of that queue get a step
            if link >= 0:
                self._call(link, missing, NOBODY)

    def _take_notice_of(self, link: int) -> None:
        """Begin to count a link that could not be full before."""
        self._matters[link] = True
        for climber in self._inside[link]:
            part = next(part for part in climber.route if part[0] == link)
            climber.path += (part,)
            self._free[link] -= part[1] * climber.current

    def _about(self, climber: Climber) -> int:
        """Return about the current that a load will have: what others in full links have."""
        current = climber.high
        for link, take in climber.path:
            firsts = [queue[0] for queue in self._queues[link].values() if queue]
            if firsts:
                current = min(current, (min(firsts) >> LEVEL_FROM) // climber.price)
            else:
                current = min(current, self._free[link] // take)
        return climber.near(current)

    def _refused(self, climber: Climber) -> tuple[int, int]:
        """Return a link that has no room for the next step of a load beside those of lower rank.

        Returns:
            The link and what the step takes of it; -1 for none.
        """
        step, free = climber.step, self._free
        for link, take in climber.path:
            need = take * step
            missing = need - free[link]
            if missing > 0 and not self._is_above(link, climber.next, missing):
                return link, need
        return NOBODY, 0

    def _is_above(self, link: int, rank: int, missing: int) -> bool:
        """Return whether steps of a higher rank take so much of a link."""
        top = self._top(link)
        if top is None or top.last < rank:
            return False
        if missing == 1:
            return True
        with closing(self._downwards(link)) as steps:
            for above, takes in steps:
                if above < rank:
                    return False
                missing -= takes
                if missing <= 0:
                    return True
        return False

    def _top(self, link: int) -> Climber | None:
        """Return whose last step has the highest rank in a link; None when none was taken."""
        tops, at, inside = self._tops[link], self._at, self._inside[link]
        if tops is None or len(tops) > _STALE * (len(inside) + _STALE):
            tops = [-climber.last for climber in inside if climber.last >= 0]
            heapify(tops)
            self._tops[link] = tops
        while tops:
            climber = at.get(-tops[0] & _PLACE)
            # the place may be another load's by now, which is elsewhere and has the same rank
            if climber is not None and climber.last == -tops[0] and climber in inside:
                return climber
            heappop(tops)
        return None

    def _downwards(self, link: int) -> Generator[tuple[int, int]]:
        """Yield rank and amount of the steps taken of a link, from the highest rank down."""
        at = self._at
        self._top(link)
        tops = self._tops[link] or []
        seen: list[int] = []
        further: list[int] = []  # ranks of the steps below those seen, negative
        standing: dict[int, int] = {}
        try:
            while (top := self._top(link)) is not None or further:
                if top is not None and (not further or top.last > -further[0]):
                    rank = -heappop(tops)
                    if top.place in standing:
                        continue  # noted twice
                    climber, current = top, top.current
                    seen.append(-rank)
                else:
                    rank = -heappop(further)
                    climber = at[rank & _PLACE]
                    current = standing[climber.place]
                below = standing[climber.place] = climber.below(current)
                take = next(take for number, take in climber.path if number == link)
                yield rank, take * (current - below)
                if below > climber.low:
                    heappush(further, -climber.rank_from(climber.below(below)))
        finally:
            for rank in seen:
                heappush(tops, rank)

    def _rise(self, climber: Climber) -> None:
        """Give a load its next step, and take back what is too much then."""
        step = climber.step
        free = self._free
        for link, take in climber.path:
            free[link] -= take * step
        climber.stand_at(climber.current + step)
        self._stands(climber)
        for link, _ in climber.path:
            if free[link] < 0:
                self._relieve(link)

    def _stands(self, climber: Climber) -> None:
        """Note that a load has another current."""
        self.moved.add(climber.place)
        climber.waits_at = NOBODY
        if climber.last >= 0:
            last, tops = -climber.last, self._tops
            for link, _ in climber.path:
                heap = tops[link]
                if heap is not None:
                    heappush(heap, last)
        if climber.next >= 0:
            heappush(self._looks, (climber.next, NOBODY, 0))

    def _relieve(self, link: int) -> None:
        """Take steps back until a link is within its limit, from the highest rank down.

        A narrow step that only had to go for a wider one below it comes back when it is looked at.
        """
        while self._free[link] < 0:
            climber = self._top(link)
            if climber is None:
                msg = "the minimums of those who are in do not fit"
                raise ValueError(msg)
            self._fall(climber)

    def _fall(self, climber: Climber) -> None:
        """Take the last step of a load back."""
        rank, below = climber.last, climber.below(climber.current)
        lost = climber.current - below
        for each, take in climber.path:
            self._free[each] += take * lost
        climber.stand_at(below)
        self._stands(climber)
        for each, _ in climber.path:
            self._call_all(each, rank)

    def _wait(self, climber: Climber, link: int, need: int) -> list[int]:
        climber.waits_at = link
        queue = self._queues[link].setdefault(need, [])
        heappush(queue, climber.next)
        if len(queue) > _STALE * (len(self._inside[link]) + _STALE):
            at = self._at
            queue[:] = sorted({r for r in queue if (c := at.get(r & _PLACE)) and c.next == r})
        return queue

    def _call_all(self, link: int, above: int) -> None:
        """Have the first of each queue of a link looked at, if its rank is above one."""
        for need in self._queues[link]:
            self._call(link, need, above)

    def _call(self, link: int, need: int, above: int) -> None:
        if (link, need) in self._called:
            return
        queue, at = self._queues[link][need], self._at
        while queue:
            rank = queue[0]
            climber = at.get(rank & _PLACE)
            if climber is not None and climber.next == rank and climber.waits_at == link:
                if rank > above:
                    heappop(queue)
                    climber.waits_at = NOBODY
                    self._called.add((link, need))
                    heappush(self._looks, (rank, link, need))
                return
            heappop(queue)
