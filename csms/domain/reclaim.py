"""What a car really takes of its limit: the rest is given to others, and comes back at once.

A car that takes more than 1 A less than it may is given what it takes and 1 A on top; as soon as a
reading shows that it takes all of that, it may have its full share again. A draw that is still
rising is no unused limit, and neither is the first one under a new limit: cars take half a minute
to ramp up. So one reading starts it and the next one proves it: two meter intervals.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from csms.domain.obedience import Reading

READINGS_UNDER = 1
RAMP = timedelta(seconds=30)
IDLE_W = 100
"""Below it a car is done, or waits for something of its own."""


class Appetite(NamedTuple):
    """What is known of how much of its limit a load takes.

    Attributes:
        cap_w: It is given no more than this; None: its full share.
        under: Readings in a row that left more than 1 A unused, as far as they count.
        last_w: The newest reading that was looked at.
        weighed_at: When that came.
    """

    cap_w: int | None = None
    under: int = 0
    last_w: int | None = None
    weighed_at: datetime | None = None

    @property
    def is_idle(self) -> bool:
        """Whether the car takes nothing at all."""
        return self.cap_w is not None and self.last_w is not None and self.last_w < IDLE_W


HUNGRY = Appetite()


def weighed(
    appetite: Appetite,
    reading: Reading | None,
    *,
    limit_w: int | None,
    told_at: datetime | None,
    ampere_w: int,
) -> Appetite:
    """Return the appetite after the newest reading.

    Args:
        appetite: Before it.
        reading: None: the meter has told no power yet.
        limit_w: What the load may draw; None (not known) or 0: nothing can be said.
        told_at: Since when; earlier readings say nothing about it.
        ampere_w: What 1 A on all phases is.
    """
    if reading is None or not limit_w or told_at is None or reading.at <= told_at:
        return appetite
    if appetite.weighed_at is not None and reading.at <= appetite.weighed_at:
        return appetite
    drew = reading.power_w
    rising = appetite.last_w is not None and drew > appetite.last_w + ampere_w
    before = appetite.cap_w
    if before is not None and drew >= min(limit_w, before) - ampere_w // 2:
        return Appetite(cap_w=None, under=0, last_w=drew, weighed_at=reading.at)
    ramps = appetite.last_w is None or (reading.at - told_at < RAMP and before is None)
    if limit_w - drew <= ampere_w or rising or ramps:
        return Appetite(cap_w=before, under=0, last_w=drew, weighed_at=reading.at)
    under = min(appetite.under + 1, READINGS_UNDER)
    wanted = drew + ampere_w
    is_new = before is None or wanted < before - ampere_w // 2
    cap = wanted if under >= READINGS_UNDER and is_new else before
    return Appetite(cap_w=cap, under=under, last_w=drew, weighed_at=reading.at)
