"""The limits that a charger may be enforcing at this instant, and what each event makes of them.

Sent is not obeyed, and unanswered is not undone: until an acknowledgement says otherwise, the old
and the new limit are both possible. The caller stores an entry before its message is sent, so that
a crash at any instant leaves nothing out. `reconciliation` decides by these entries what to send.
"""

from __future__ import annotations

from typing import NamedTuple

from csms.domain.power_tree import LoadId, NodeId


class PossibleLimits(NamedTuple):
    """The limits that one load (a connector, a transaction) may be under at this instant.

    A named tuple, because thousands are made and compared in each step of a large site.

    Attributes:
        node: Where it draws.
        hardware_max_w: Most that it can draw at all.
        acknowledged_w: Last accepted limit; None when none ever was, so that there is no limit.
        in_flight_w: Sent and not answered yet; None when no request is open.
        earlier_w: Other limits that may still hold: after a refusal or a time-out, or until a
            decrease has had time to work.
        refused_w: Limit that was refused or not answered last; not sent again by itself.
        is_doubtful: A request was refused or not answered, or the charger was away, since the last
            acceptance: it has to be told again even what it acknowledged last.
        may_be_unlimited: It may have dropped its limits: reconnected, rebooted.
        unmanaged_w: None while it obeys; else what it may draw (measured, static cap or hardware).
        order: Place in the queue among increases that start from the same power, lower first.
        phases: The grid's phases that it is known to draw on, as bits; None: all of its node's.
        volts: The power of 1 A of its limit as it is known to draw it, in W; None: its node's.
        connectors: How many connectors are under this limit, each of them by itself; 0: nothing is
            drawn under it now.
        next_w: What the next car may start with at its connector, before we hear of it, on all of
            its node's phases. It counts as all of the others do, and says nothing of what is drawn
            now.
    """

    id: LoadId
    node: NodeId
    hardware_max_w: int
    acknowledged_w: int | None = None
    in_flight_w: int | None = None
    earlier_w: frozenset[int] = frozenset()
    refused_w: int | None = None
    is_doubtful: bool = False
    may_be_unlimited: bool = False
    unmanaged_w: int | None = None
    order: int = 0
    phases: int | None = None
    volts: int | None = None
    connectors: int = 1
    next_w: int = 0


def worst_case_w(entry: PossibleLimits) -> int:
    """Return the most that a load, or who takes its place, may draw now, on one connector.

    >>> worst_case_w(PossibleLimits(id=LoadId("1"), node=NodeId("grid"), hardware_max_w=22000,
    ...                             acknowledged_w=11000, in_flight_w=6000))
    11000
    """
    worst = worst_own_w(entry)
    return worst if entry.next_w <= worst else min(entry.hardware_max_w, entry.next_w)


def worst_own_w(entry: PossibleLimits) -> int:
    """Return the most that a load may draw itself, on one connector."""
    most_w, worst = entry.hardware_max_w, entry.acknowledged_w
    if worst is None or entry.may_be_unlimited:
        return most_w
    if entry.in_flight_w is not None and entry.in_flight_w > worst:
        worst = entry.in_flight_w
    if entry.unmanaged_w is not None and entry.unmanaged_w > worst:
        worst = entry.unmanaged_w
    for earlier in entry.earlier_w:
        if earlier > worst:
            worst = earlier
    return worst if worst < most_w else most_w


def lowest_case_w(entry: PossibleLimits) -> int:
    """Return the lowest limit that a load may be under now."""
    return min(entry.hardware_max_w, *_possible_w(entry))


def is_settled_at(entry: PossibleLimits, wish: int) -> bool:
    """Return whether the wish is acknowledged and nothing could have replaced it.

    A limit that lingers after a decrease is not sent again; it only needs time.
    """
    known = entry.in_flight_w is None and not entry.is_doubtful
    return known and entry.acknowledged_w == wish


def sent(entry: PossibleLimits, limit_w: int) -> PossibleLimits:
    """Return the entry with a request on its way; store it before the message leaves.

    Raises:
        ValueError: A request is open already; its answer must come or be given up first.
    """
    if entry.in_flight_w is not None:
        msg = f"{entry.id}: a request for {entry.in_flight_w} W is still open"
        raise ValueError(msg)
    return entry._replace(in_flight_w=limit_w)


def accepted(entry: PossibleLimits, *, settled: bool = True) -> PossibleLimits:
    """Return the entry after the charger has accepted the open request.

    Args:
        entry: With an open request; without one nothing changes (a late answer).
        settled: False keeps the earlier limits counted until `settled_now` says that the new one
            has had time to work or that the draw is under it.
    """
    if entry.in_flight_w is None:
        return entry
    before = worst_own_w(entry._replace(in_flight_w=None, unmanaged_w=None))
    lingers = not settled and before > entry.in_flight_w
    return entry._replace(
        acknowledged_w=entry.in_flight_w,
        in_flight_w=None,
        earlier_w=frozenset({before}) if lingers else frozenset(),
        refused_w=None,
        is_doubtful=False,
        may_be_unlimited=False,
    )


def settled_now(entry: PossibleLimits) -> PossibleLimits:
    """Return the entry when the acknowledged limit is known to work: earlier ones are gone.

    While it is doubtful what the charger was told last, nothing changes.
    """
    return entry if entry.is_doubtful else entry._replace(earlier_w=frozenset())


def refused(entry: PossibleLimits) -> PossibleLimits:
    """Return the entry after a rejection, an error or no answer: old and new both stay possible."""
    if entry.in_flight_w is None:
        return entry
    return _in_doubt(entry)._replace(refused_w=entry.in_flight_w)


def retry(entry: PossibleLimits) -> PossibleLimits:
    """Return the entry with its last refused limit free to be sent again."""
    return entry._replace(refused_w=None)


def forgotten(entry: PossibleLimits) -> PossibleLimits:
    """Return the entry after the charger was away: it may have kept or dropped every limit."""
    return _in_doubt(entry)._replace(refused_w=None, may_be_unlimited=True)


def _in_doubt(entry: PossibleLimits) -> PossibleLimits:
    """Return the entry without an open request, whose limit is now one that may hold.

    Of many such limits only the lowest and the highest matter.
    """
    earlier = set(entry.earlier_w)
    if entry.in_flight_w is not None:
        earlier.add(entry.in_flight_w)
    kept = frozenset({min(earlier), max(earlier)} if earlier else ())
    return entry._replace(in_flight_w=None, earlier_w=kept, is_doubtful=True)


def _possible_w(entry: PossibleLimits) -> list[int]:
    """Return the limits that the charger may be enforcing, at least one."""
    possible = list(entry.earlier_w)
    possible += [w for w in (entry.acknowledged_w, entry.in_flight_w) if w is not None]
    if entry.acknowledged_w is None or entry.may_be_unlimited:
        possible.append(entry.hardware_max_w)
    return possible
