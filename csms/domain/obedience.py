"""Whether a charger follows what it has accepted: judged by its meter, and by its own word.

The room that a decrease makes is given away only once there is reason to believe in it:

* the meter shows that the draw has gone down to the new limit; or
* no more was drawn anyway, and the charger has had the time that it is known to take.

Where it can be asked (`reads_back`), it must also have said itself that the new limit is the one
that holds. Where it cannot, these two have to do. A car that takes little anyway proves nothing by
it before the charger has had its time: it may still take more for as long.

A charger whose meter shows more than its limit in two readings in a row does not follow: its
accepted limit counts as refused, and it is told again, then left alone as unmanaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from csms.domain.limit_rows import LimitRow, ignored, proven

FOLLOWS_WITHIN_S = 15.0
"""How long a charger of which nothing is known may take to follow."""

QUICKEST_S = 5.0
"""What IEC 61851 gives a car to follow; no charger is believed to be quicker."""

SLOWEST_S = 90.0
READINGS_OVER = 2
WAIT_FOR_METER = timedelta(seconds=90)
"""How long a charger that has a meter is given to show its draw before its word has to do."""

METER_FRESH = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a load drew, and when we heard of it."""

    power_w: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a look at a row has shown.

    Attributes:
        row: As it is now.
        follow_s: What was learned of how long the charger takes; None: nothing new.
        ask_back: The charger should be asked which limit holds.
    """

    row: LimitRow
    follow_s: float | None = None
    ask_back: bool = False


def tolerance_w(limit_w: int, ampere_w: int) -> int:
    """Return by how much a draw may be above a limit: 1 A or 5 %.

    Args:
        limit_w: The limit.
        ampere_w: What 1 A on all phases is.
    """
    return max(ampere_w, limit_w // 20)


def judged(
    row: LimitRow,
    reading: Reading | None,
    now: datetime,
    *,
    ampere_w: int,
    follow_s: float | None,
    reads_back: bool,
    draws: bool = True,
) -> Judgement:
    """Hold the newest reading against the acknowledged limit.

    Args:
        row: Of a running transaction, or of the floor.
        reading: None: its meter has told no power yet.
        now: Of the step.
        ampere_w: What 1 A on all phases is.
        follow_s: How long this charger takes to follow, when that was learned.
        reads_back: It can be asked which limit holds, and must be.
        draws: False for a floor: no meter can tell of it.
    """
    told_at, limit = row.acknowledged_at, row.acknowledged_w
    if limit is None or told_at is None or row.in_flight_w is not None or row.doubtful:
        return Judgement(row=row)
    if row.may_be_unlimited:
        return Judgement(row=row)
    takes_s = FOLLOWS_WITHIN_S if follow_s is None else follow_s
    most = limit + tolerance_w(limit, ampere_w)
    is_new = reading is not None and reading.at > told_at
    if is_new and reading is not None and reading.power_w > most:
        return _over(row, reading, told_at, now, takes_s, ampere_w)
    if is_new and reading is not None and row.over_readings:
        row = row._replace(over_readings=0, judged_at=reading.at)
    if not row.is_lingering:
        return Judgement(row=row)
    if reads_back and row.read_back_at is None:
        return Judgement(row=row, ask_back=True)
    fell = is_new and row.drew_w is not None and row.drew_w > most
    # another draw than the limit may be the car's own wish just now: it proves nothing
    near_w = max(ampere_w // 10, limit // 50)
    if fell and reading is not None and limit and abs(reading.power_w - limit) <= near_w:
        took_s = (reading.at - told_at).total_seconds()
        return Judgement(row=proven(row), follow_s=_quicker(follow_s, took_s))
    had_time = (now - told_at).total_seconds() >= takes_s
    has_meter = draws and reading is not None and now - reading.at < METER_FRESH
    unseen = has_meter and not is_new and now - told_at < WAIT_FOR_METER
    return Judgement(row=proven(row) if had_time and not unseen else row)


def read_back(row: LimitRow, limit_w: int | None, now: datetime, *, ampere_w: int) -> LimitRow:
    """Return the row after the charger has said which limit holds.

    Args:
        row: Acknowledged.
        limit_w: What it said, over all phases; None: none at all.
        now: When it said so.
        ampere_w: What 1 A on all phases is. The wire has steps of 0.1 A: half of one is rounding, a
            whole one is another limit.
    """
    if row.acknowledged_w is None or row.in_flight_w is not None or row.doubtful:
        return row
    if limit_w is not None and limit_w <= row.acknowledged_w + ampere_w // 20:
        return row._replace(read_back_at=now)
    beyond = limit_w is None or limit_w > max(row.possible_w())
    return ignored(row, now, beyond=beyond)


def _over(
    row: LimitRow,
    reading: Reading,
    told_at: datetime,
    now: datetime,
    takes_s: float,
    ampere_w: int,
) -> Judgement:
    if row.judged_at is not None and reading.at <= row.judged_at:
        return Judgement(row=row)
    count = row.over_readings + 1
    row = row._replace(over_readings=count, judged_at=reading.at)
    late_s = (reading.at - told_at).total_seconds()
    # either it takes longer than was known, or it does not follow at all
    slower = min(SLOWEST_S, late_s * 1.5) if row.is_lingering else 0.0
    learned = slower if slower > takes_s else None
    if count < READINGS_OVER or late_s <= takes_s:
        return Judgement(row=row, follow_s=learned)
    known = max(row.possible_w())
    beyond = reading.power_w > known + tolerance_w(known, ampere_w)
    return Judgement(row=ignored(row, now, beyond=beyond), follow_s=learned)


def _quicker(known_s: float | None, took_s: float) -> float | None:
    """Return how long a charger takes after it had followed within so long; None: nothing new.

    The meter says no more than "within": a longer time may be the meter's. A slower charger shows
    by a reading that is still over its limit.

    >>> _quicker(None, 2.0), _quicker(6.0, 1.0), _quicker(6.0, 30.0)
    (10.0, 5.5, None)
    """
    seen = max(QUICKEST_S, took_s * 1.5)
    before = FOLLOWS_WITHIN_S if known_s is None else known_s
    return before - (before - seen) / 2 if seen < before else None
