"""What is known of one profile of one charge point, and what each event makes of it.

A `LimitRow` is a row of the database; a step of the control loop reads the rows of a site, lets
these functions turn them, and writes them back in the same transaction, before anything that they
speak of leaves. So the rows are all that a crash leaves, and all that is needed.

Sent is not obeyed, unanswered is not undone, and accepted is not obeyed either: an accepted
decrease goes on counting as what held before, until `csms.domain.obedience` has seen it work.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from csms.domain.ids import TransactionId

REFUSALS_BEFORE_UNMANAGED = 3
RETRY_REFUSED_AFTER = timedelta(seconds=5)
RETRY_UNMANAGED_AFTER = timedelta(minutes=5)
HARD_REFUSALS = frozenset({"NotSupported", "callError"})
"""Answers that will be the same next time; a rejection or a time-out may not be."""

IGNORED = "ignored"
"""Stands in place of an answer when a charger has accepted a limit and does not follow it."""

LEASE_GRACE = timedelta(seconds=120)
"""How much later than told a lease may end: a clock one minute late, a frame one minute on its
way."""


class LimitRow(NamedTuple):
    """What is known of one profile: wished, sent, acknowledged, refused, seen at work.

    A named tuple, because thousands are changed and compared before a limit that drops leaves.

    Attributes:
        transaction_id: Of a TxProfile.
        desired_w: The wish; `reason` says why it is not more.
        acknowledged_w: Accepted last; None when none ever was.
        in_flight_w: Sent and not answered yet.
        before_w: Most that its load counted for when that was sent; above the limit, it was a
            decrease.
        drew_w: What its load drew then, where a meter tells.
        ends_at: When the last of all limits that may hold ends by itself; None: never.
        may_end_at: When the first of them does: from then on less may hold than any of them.
        earlier_w: Other limits that may still hold, the lowest and the highest. With `doubtful`
            because it is not known what the charger was told last, else until the acknowledged
            decrease is seen at work.
        may_be_unlimited: It may have dropped its limits: reconnected, rebooted, disobeyed.
        refusals: Since the last acceptance that was seen to work.
        read_back_at: When the charger last said itself that the acknowledged limit holds.
        judged_at: Time of the last reading that was held against the limit.
        over_readings: How many in a row were over it.
        follow_s: On a floor's row: how long this charger was seen to take to follow.
        raised_at: When more than before was last told.
        writes: Limits sent on the day `written_on`.
    """

    transaction_id: TransactionId | None = None
    desired_w: int | None = None
    desired_version: int = 0
    desired_at: datetime | None = None
    reason: str | None = None
    acknowledged_w: int | None = None
    acknowledged_version: int | None = None
    acknowledged_at: datetime | None = None
    in_flight_w: int | None = None
    in_flight_version: int | None = None
    sent_at: datetime | None = None
    before_w: int | None = None
    drew_w: int | None = None
    ends_at: datetime | None = None
    earlier_w: frozenset[int] = frozenset()
    doubtful: bool = False
    may_be_unlimited: bool = False
    refused_w: int | None = None
    refused_status: str | None = None
    refused_at: datetime | None = None
    refusals: int = 0
    read_back_at: datetime | None = None
    judged_at: datetime | None = None
    over_readings: int = 0
    follow_s: float | None = None
    raised_at: datetime | None = None
    writes: int = 0
    written_on: date | None = None
    may_end_at: datetime | None = None

    @property
    def first_end(self) -> datetime | None:
        """When the first of all limits that may hold ends by itself; None: none of them does."""
        return self.ends_at if self.may_end_at is None else self.may_end_at

    @property
    def is_lingering(self) -> bool:
        """Whether an accepted decrease has still to be seen at work."""
        known = self.in_flight_w is None and not self.doubtful and self.acknowledged_w is not None
        return known and bool(self.earlier_w)

    @property
    def is_firm(self) -> bool:
        """Whether the acknowledged limit is certainly the one that holds."""
        unknown = self.may_be_unlimited or self.doubtful or self.in_flight_w is not None
        return self.acknowledged_w is not None and not unknown and not self.earlier_w

    def gives_up(self, now: datetime) -> bool:
        """Return whether the charge point does not take limits, until it is asked again."""
        enough = self.refused_status in HARD_REFUSALS or self.refusals >= REFUSALS_BEFORE_UNMANAGED
        return bool(self.refusals) and enough and not self._passed(RETRY_UNMANAGED_AFTER, now)

    def pauses(self, now: datetime) -> bool:
        """Return whether a refused limit has to wait before it is tried again."""
        pause = RETRY_REFUSED_AFTER * min(self.refusals, REFUSALS_BEFORE_UNMANAGED)
        return bool(self.refusals) and not self._passed(pause, now)

    def has_lapsed(self, now: datetime) -> bool:
        """Return whether every limit that it may have held has ended by itself."""
        return self.ends_at is not None and now >= self.ends_at + LEASE_GRACE

    def possible_w(self) -> set[int]:
        """Return the limits that may hold, being unlimited not among them."""
        told = (w for w in (self.acknowledged_w, self.in_flight_w) if w is not None)
        return {*self.earlier_w, *told}

    def _passed(self, pause: timedelta, now: datetime) -> bool:
        return self.refused_at is None or now - self.refused_at >= pause


NOTHING_KNOWN = LimitRow()


def as_of(row: LimitRow, now: datetime) -> LimitRow:
    """Return the row as it is to a clock that was set back: nothing has happened later than now.

    Else readings would look older than the limit that they are held against, and pauses would last
    for as long as the clock was set back. What has an end keeps it: that is the charger's.
    """
    late: dict[str, Any] = {
        name: now for name in _PAST if (at := getattr(row, name)) is not None and at > now
    }
    return row._replace(**late) if late else row


def is_ahead(row: LimitRow, now: datetime) -> bool:
    """Return whether something has happened later than now."""
    told, wished_at, refused_at = row.acknowledged_at, row.desired_at, row.refused_at
    return (
        (told is not None and told > now)
        or (wished_at is not None and wished_at > now)
        or (refused_at is not None and refused_at > now)
    )


_PAST = (
    "desired_at",
    "acknowledged_at",
    "sent_at",
    "refused_at",
    "read_back_at",
    "judged_at",
    "raised_at",
)


def wished(
    row: LimitRow, limit_w: int, reason: str, tx: TransactionId | None, now: datetime
) -> LimitRow:
    """Return the row with a wish; the row of a connector forgets its former transaction's limits.

    The version grows with each new value and never falls, whatever transaction it is for.
    """
    is_new = row.desired_w != limit_w
    if row.transaction_id != tx:
        row = LimitRow(
            transaction_id=tx,
            desired_version=row.desired_version,
            writes=row.writes,
            written_on=row.written_on,
        )
    return row._replace(
        desired_w=limit_w,
        desired_version=row.desired_version + is_new,
        desired_at=now,
        reason=reason,
    )


def sent(
    row: LimitRow,
    limit_w: int,
    *,
    before_w: int,
    drew_w: int | None,
    ends_at: datetime | None,
    now: datetime,
) -> LimitRow:
    """Return the row with a request on its way.

    Raises:
        ValueError: A request is open already.
    """
    if row.in_flight_w is not None:
        msg = f"a request for {row.in_flight_w} W is still open"
        raise ValueError(msg)
    nothing_holds = not row.possible_w()
    first_end = ends_at
    if not nothing_holds:
        first_end = min((end for end in (row.first_end, ends_at) if end is not None), default=None)
        ends_at = None if row.ends_at is None or ends_at is None else max(row.ends_at, ends_at)
    told_before = max(row.possible_w(), default=None)
    return row._replace(
        in_flight_w=limit_w,
        in_flight_version=row.desired_version,
        sent_at=now,
        before_w=before_w,
        drew_w=drew_w,
        ends_at=ends_at,
        may_end_at=first_end,
        raised_at=now if told_before is not None and limit_w > told_before else row.raised_at,
        writes=row.writes + 1 if row.written_on == now.date() else 1,
        written_on=now.date(),
    )


def accepted(row: LimitRow, now: datetime, *, proven: bool, ends_at: datetime | None) -> LimitRow:
    """Return the row after the charger has accepted the open request.

    Args:
        row: With an open request; without one nothing changes (a late answer).
        now: When the answer came.
        proven: Nothing has to be seen at work: nobody draws under it, or it is no decrease.
        ends_at: End of the accepted limit.
    """
    if row.in_flight_w is None:
        return row
    lingers = not proven and row.before_w is not None and row.before_w > row.in_flight_w
    ignored = row.refused_status == IGNORED and lingers
    return row._replace(
        acknowledged_w=row.in_flight_w,
        acknowledged_version=row.in_flight_version,
        acknowledged_at=now,
        in_flight_w=None,
        in_flight_version=None,
        earlier_w=frozenset({row.before_w} if lingers and row.before_w is not None else ()),
        ends_at=row.ends_at if lingers else ends_at,
        may_end_at=row.may_end_at if lingers else ends_at,
        doubtful=False,
        may_be_unlimited=False,
        refused_w=None,
        refused_status=IGNORED if ignored else None,
        refused_at=row.refused_at if ignored else None,
        refusals=row.refusals if ignored else 0,
        read_back_at=None,
        judged_at=None,
        over_readings=0,
    )


def refused(row: LimitRow, status: str, now: datetime) -> LimitRow:
    """Return the row after a rejection, an error or no answer: old and new both stay possible."""
    if row.in_flight_w is None:
        return row
    return in_doubt(row)._replace(
        refused_w=row.in_flight_w,
        refused_status=status,
        refused_at=now,
        refusals=row.refusals + 1,
    )


def ignored(row: LimitRow, now: datetime, *, beyond: bool) -> LimitRow:
    """Return the row after an accepted limit was seen not to be followed: it counts as refused.

    Args:
        row: Acknowledged, without an open request.
        now: When it was seen.
        beyond: More was drawn than all that may hold: it may be under no limit at all.
    """
    return row._replace(
        doubtful=True,
        may_be_unlimited=row.may_be_unlimited or beyond,
        refused_w=row.acknowledged_w,
        refused_status=IGNORED,
        refused_at=now,
        refusals=row.refusals + 1,
        read_back_at=None,
        judged_at=None,
        over_readings=0,
    )


def proven(row: LimitRow) -> LimitRow:
    """Return the row when its acknowledged limit was seen at work: what held before is gone."""
    if not row.is_lingering:
        return row
    return row._replace(
        earlier_w=frozenset(),
        refused_status=None,
        refused_at=None,
        refusals=0,
    )


def forgotten(row: LimitRow) -> LimitRow:
    """Return the row after the charger was away: it may have kept or dropped every limit.

    `FORGET` of `csms.store.control_sql` does the same to many rows.
    """
    return in_doubt(row)._replace(
        may_be_unlimited=True,
        refused_w=None,
        refused_status=None,
        refused_at=None,
        refusals=0,
        read_back_at=None,
    )


def lapsed(row: LimitRow) -> LimitRow:
    """Return the row when its lease has ended everywhere: its load is under the floor again."""
    return row._replace(
        acknowledged_w=None,
        acknowledged_at=None,
        earlier_w=frozenset(),
        doubtful=False,
        may_be_unlimited=False,
        ends_at=None,
        may_end_at=None,
        read_back_at=None,
    )


def superseded(row: LimitRow) -> LimitRow:
    """Return the row of a TxProfile once its load has taken a limit in another way.

    What it may hold counts in the new way's row, until that was seen at work.
    """
    return LimitRow(
        transaction_id=row.transaction_id,
        desired_version=row.desired_version,
        writes=row.writes,
        written_on=row.written_on,
    )


def in_doubt(row: LimitRow) -> LimitRow:
    """Return the row without an open request, whose limit is now one that may hold.

    Of many such limits only the lowest and the highest matter.
    """
    earlier = set(row.earlier_w)
    if row.in_flight_w is not None:
        earlier.add(row.in_flight_w)
    kept = frozenset({min(earlier), max(earlier)} if earlier else ())
    return row._replace(in_flight_w=None, in_flight_version=None, earlier_w=kept, doubtful=True)
