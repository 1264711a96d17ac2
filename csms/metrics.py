"""What this process counts: plain numbers that anybody adds to and `csms.api.metrics` shows.

One object a process. No library, no locks, no labels built on the way: the paths that count pay
an addition. Keys of the dictionaries come from small fixed sets, never from what a peer sends.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_FACTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class Histogram:
    """Counts observations by size.

    Attributes:
        bounds: Upper bounds, each included.
        counts: Of each bound, and last of what is above all.
        total: Sum of all observations.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one observation.

        >>> h = Histogram((1, 2)); [h.observe(v) for v in (1, 1.5, 9)] and h.counts
        [1, 1, 1]
        """
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


def _seconds() -> Histogram:
    return Histogram(_SECONDS)


@dataclass(slots=True, eq=False)
class Metrics:
    """All counts of a process, from its start.

    Attributes:
        frames_in: By the frame's message type 2, 3, 4; 0 counts all else.
        frames_out: As `frames_in`.
        handshakes_refused: By reason.
        repairs: By the name of the repair.
        connections_opened: Charge points that were let in.
        batch_facts: Facts a commit.
        commit_seconds: From the start of a batch to its commit.
        facts_waiting: Facts that no commit holds yet, at the last commit.
        facts_refused: Facts that the database did not take.
        messages_quarantined: Messages that were refused and kept.
        log_frames_lost: Frames that the message log has given up.
        calls: Calls to charge points by outcome.
        call_seconds: From sending to the answer.
        allocator_steps: Decisions about a site.
        allocator_seconds: Of each step, with its reads and writes.
        limits_in_flight: Limits that were sent and are not settled.
        limits: Limits sent, by the status that came back.
        database_up: Whether it answered the last time it was asked.
        database_away_seconds: For which it did not.
        loop_lag_seconds: How much later than asked the event loop has woken a sleeper.
    """

    frames_in: list[int] = field(default_factory=lambda: [0] * 5)
    frames_out: list[int] = field(default_factory=lambda: [0] * 5)
    handshakes_refused: Counter[str] = field(default_factory=Counter)
    repairs: Counter[str] = field(default_factory=Counter)
    connections_opened: int = 0
    batch_facts: Histogram = field(default_factory=lambda: Histogram(_FACTS))
    commit_seconds: Histogram = field(default_factory=_seconds)
    facts_waiting: int = 0
    facts_refused: int = 0
    messages_quarantined: int = 0
    log_frames_lost: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    call_seconds: Histogram = field(default_factory=_seconds)
    allocator_steps: int = 0
    allocator_seconds: Histogram = field(default_factory=_seconds)
    limits_in_flight: int = 0
    limits: Counter[str] = field(default_factory=Counter)
    database_up: bool = True
    database_away_seconds: float = 0.0
    loop_lag_seconds: Histogram = field(default_factory=_seconds)


METRICS = Metrics()
"""The counts of this process."""
