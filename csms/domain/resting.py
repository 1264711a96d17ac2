"""Cars that take nothing give their power to those who would charge, and get some back in time.

A car that is full stays connected for hours. Who has not charged yet is not meant: it may wait for
its hour, and could sleep through it. While there is room it keeps 6 A, so that it can begin
again by itself; where others want that power it is told 0 A after a while, has 6 A again after
three hours if there is room, and after eight hours in any case for a try. Where each connector's
fallback share is kept anyhow, and where 0 would end a session, nobody rests.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from csms.domain.limit_rows import LimitRow

FULL_AFTER_WH = 500
"""Who has taken less may not have begun: many cars draw a little before they wait."""

RESTS_AFTER = timedelta(minutes=5)
"""How long a car that takes nothing has had its limit: it may only be slow, or its driver is."""

WAKES_AFTER = timedelta(hours=8)
"""Each try costs four messages, two of them to those that make room for it."""

RETURNS_AFTER = timedelta(hours=3)
"""How long it has had 0 A before it is told again that there is room: it does not come and go."""

WANTED = "takes nothing: others want its power, it is tried again in time"
SPARED = "takes nothing: it keeps what nobody else wants"


def rests(row: LimitRow, charged_wh: int | None, now: datetime) -> bool:
    """Return whether a car that takes nothing has a claim to nothing now.

    Args:
        row: Its own limit.
        charged_wh: What it has taken since it came, as far as its meter tells.
        now: Of the step.
    """
    if charged_wh is None or charged_wh < FULL_AFTER_WH:
        return False
    if row.acknowledged_w is None or row.desired_w is None or row.desired_at is None:
        return False
    since = now - row.desired_at
    return since >= RESTS_AFTER if row.desired_w else since < WAKES_AFTER


def may_return(row: LimitRow, now: datetime) -> bool:
    """Return whether a car that rests may be told of room that nobody else wants."""
    return row.desired_at is None or now - row.desired_at >= RETURNS_AFTER
