"""How long a connector has been what: sums over the changes of its status."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

UNKNOWN = "Unknown"
"""Before the first report that is known."""

_DOWN = frozenset({"Faulted", "Unavailable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """Of one connector in a span of time.

    Attributes:
        seconds: By status, `UNKNOWN` for the time of which nothing is known; whole seconds.
        changes: How often the status was another than before.
    """

    seconds: Mapping[str, int]
    changes: int

    @property
    def up_percent(self) -> float | None:
        """Share of the known time in which a driver could charge, to 0.01; None: none is known.

        >>> Availability(seconds={"Charging": 300, "Faulted": 100}, changes=1).up_percent
        75.0
        """
        known = sum(s for status, s in self.seconds.items() if status != UNKNOWN)
        down = sum(self.seconds.get(status, 0) for status in _DOWN)
        return None if known == 0 else round(100 * (known - down) / known, 2)


def availability(
    before: str | None, changes: Iterable[tuple[datetime, str]], *, start: datetime, end: datetime
) -> Availability:
    """Return how long a connector has been what.

    Args:
        before: Its status at the start; None: not known.
        changes: When it became what, the oldest first; those outside of the span count as at its
            ends.
        start: Of the span.
        end: Of the span, not before its start.
    """
    totals: dict[str, float] = defaultdict(float)
    status, since, count = before or UNKNOWN, start, 0
    for at, now in changes:
        moment = min(max(at, since), end)
        totals[status] += (moment - since).total_seconds()
        count += now != status
        status, since = now, moment
    totals[status] += (end - since).total_seconds()
    return Availability(
        seconds={name: round(s) for name, s in sorted(totals.items()) if round(s) > 0},
        changes=count,
    )
