"""One load as `allocation_ladder` sees it: its current, the step below that and the step above.

The *rank* of a step is the level from which it starts, then the number of phases of its load, then
the place in the queue, in one whole number: the lower, the sooner it is taken.
"""

from __future__ import annotations

from csms.domain.phase_network import PhaseLoad

PLACE_BITS = 48
"""Of a rank, for the place in the queue; under it two bits for the phases, then the level."""

LEVEL_FROM = PLACE_BITS + 2
"""The first bit of the level in a rank."""

NOBODY = -1
"""No rank, and no link."""

Path = tuple[tuple[int, int], ...]
"""Links, and what 0.1 A takes of each."""


class Climber:
    """A load that takes part.

    Attributes:
        place: In the queue; no two have the same.
        path: The links on its way up that can be full.
        current: In dA.
        last: Rank of the last step taken, -1 while it has only its minimum.
        next: Rank of the step that would follow, -1 at its maximum.
        step: Its width.
        waits_at: The link that refuses it, -1 for none.
    """

    __slots__ = (
        "_load",
        "_tie",
        "current",
        "high",
        "last",
        "low",
        "next",
        "path",
        "place",
        "price",
        "route",
        "step",
        "waits_at",
    )

    def __init__(self, load: PhaseLoad, place: int, price: int, route: Path, current: int) -> None:
        """Begin at a current that it can be told, its minimum at least."""
        self._load = load
        self._tie = load.phases.bit_count() << PLACE_BITS | place
        self.place, self.price, self.route = place, price, route
        self.low, self.high = load.least_da, load.most_da
        self.path: Path = ()
        self.waits_at = NOBODY
        self.stand_at(current)

    def stand_at(self, current: int) -> None:
        """Note a current, and the steps below and above it."""
        self.current = current
        if current > self.low:
            self.last = self.rank_from(self.below(current))
        else:
            self.last = NOBODY
        if current < self.high:
            load = self._load
            self.step = 1 if load.steps == 1 else (load.step_up(current) or current) - current
            self.next = self.rank_from(current)
        else:
            self.next = NOBODY

    def rank_from(self, current: int) -> int:
        """Return the rank of the step that starts at a current."""
        return current * self.price << LEVEL_FROM | self._tie

    def below(self, current: int) -> int:
        """Return the current one step down; the minimum at least."""
        load = self._load
        return current - 1 if load.steps == 1 else max(load.step_down(current - 1), self.low)

    def near(self, current: int) -> int:
        """Return a current that it can be told, about this one."""
        return max(self.low, min(self.high, self._load.step_down(current)))
