"""Whose turn it is when not every minimum fits: weighted waiting time, dwell, pauses, a last word.

Who is let in stays for a dwell at least, and nobody is paused more than twice an hour. After its
dwell a load keeps its place only against those with less claim: claims grow with weight and waiting
time, and the claim to stay falls with the time inside. Weights alone could leave somebody outside
for ever, so there is a last word: with n loads for k places nobody waits longer than ceil(n / k)
dwells. It is given by counting back from those deadlines when the oldest have to start.

Pure: turns go in and come out, the caller keeps them and brings the time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heapify, heapreplace

from csms.domain.phase_network import Network
from csms.domain.power_tree import LoadId

DWELL = timedelta(minutes=15)
MOST_PAUSES = 2
PAUSES_WITHIN = timedelta(hours=1)
WAKES_WITHIN = timedelta(minutes=3)
"""A car that has just been let in and takes nothing may only be slow."""

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Where a load stands in the rotation.

    Attributes:
        inside: Let in, or waiting.
        since: For how long it has been so.
        pauses: When it was paused, as far as that still counts.
    """

    inside: bool
    since: datetime
    pauses: tuple[datetime, ...] = ()

    def stays_until(self, start: datetime) -> datetime:
        """Return when it may be paused at the earliest if it is inside from `start` on."""
        end = start + DWELL
        if len(self.pauses) >= MOST_PAUSES:
            end = max(end, self.pauses[-MOST_PAUSES] + PAUSES_WITHIN)
        return end


def as_of_now(turn: Turn, now: datetime) -> Turn:
    """Return a turn as it is to a clock that was set back: it has begun by now."""
    if turn.since <= now:
        return turn
    return Turn(
        inside=turn.inside, since=now, pauses=tuple(min(pause, now) for pause in turn.pauses)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedence:
    """Who comes before whom: the arguments of `admission.admit`."""

    claims: Mapping[LoadId, int]
    first: tuple[LoadId, ...]


def precedence(
    network: Network,
    turns: Mapping[LoadId, Turn],
    now: datetime,
    idle: Collection[LoadId] = (),
) -> Precedence:
    """Return whose turn it is; a load without a turn has just come.

    Args:
        network: All loads.
        turns: Where they stand.
        now: Of the decision.
        idle: Loads that take nothing of what they have: they keep their place only if nobody else
            wants it, once they have had time to show that they do want it.
    """
    claims: dict[LoadId, int] = {}
    standing: dict[int, Turn] = {}
    for number, load in enumerate(network.loads):
        if not network.low[number]:
            continue
        turn = turns.get(load.id) or Turn(inside=False, since=now)
        standing[number] = turn
        passed = max(0, (now - turn.since) // _SECOND)
        if turn.inside and load.id in idle:
            claims[load.id] = 1
        elif turn.inside:
            dwell = DWELL // _SECOND
            # as much as a waiting one has after a dwell, and falling: who came last stays longest
            claims[load.id] = max(1, load.weight * dwell * dwell // max(dwell, passed) - 1)
        else:
            # who could not be paused again soon gets a place only when nobody else can use it
            brief = turn.stays_until(now) <= now + DWELL
            claims[load.id] = max(1, load.weight * passed) if brief else 1
    stay = sorted(
        (turn.since, n)
        for n, turn in standing.items()
        if turn.inside
        and (
            turn.since + WAKES_WITHIN
            if network.loads[n].id in idle
            else turn.stays_until(turn.since)
        )
        > now
    )
    due = _due(network, standing, now)
    return Precedence(
        claims=claims,
        first=tuple(network.loads[n].id for n in (*(n for _, n in stay), *due)),
    )


def next_turns(
    turns: Mapping[LoadId, Turn],
    present: Collection[LoadId],
    waiting: Collection[LoadId],
    now: datetime,
) -> dict[LoadId, Turn]:
    """Return where the loads stand after a decision; those that are not present are forgotten.

    Args:
        turns: Before it.
        present: Loads of the decision that have a minimum.
        waiting: Those of them that were not let in.
        now: When it was decided.
    """
    out = {}
    outside = frozenset(waiting)
    for load_id in present:
        inside = load_id not in outside
        turn = turns.get(load_id)
        if turn is None:
            turn = Turn(inside=inside, since=now)
        elif turn.inside != inside:
            pauses = tuple(pause for pause in turn.pauses if now - pause < PAUSES_WITHIN)
            turn = Turn(inside=inside, since=now, pauses=pauses if inside else (*pauses, now))
        out[load_id] = turn
    return out


def places(network: Network) -> dict[int, tuple[int, int]]:
    """Return for each link that is short how many loads want a place there, and how many fit.

    Counted with the largest minimum of the link, so that so many fit for certain.
    """
    wanted: dict[int, list[int]] = {}
    for group in network.groups:
        lows = [network.low[member] for member in group.members if network.low[member]]
        for link, take in zip(group.links, group.takes, strict=True):
            wanted.setdefault(link, []).extend(take * low for low in lows)
    return {
        link: (len(takes), network.rooms[link] // max(takes))
        for link, takes in wanted.items()
        if sum(takes) > network.rooms[link]
    }


def _due(network: Network, standing: Mapping[int, Turn], now: datetime) -> list[int]:
    """Return the waiting loads that must start now if all are to start in time, the oldest first.

    On each link that is short the waiting ones take places in the order of their deadlines, as
    dwells end. As many places as leave that possible are given away by claims; the others are due.
    """
    short = places(network)
    members: dict[int, list[int]] = {link: [] for link in short}
    deadlines: dict[int, datetime] = {}
    for group in network.groups:
        links = [link for link in group.links if link in short]
        for member in group.members:
            turn = standing.get(member)
            if turn is None or not links:
                continue
            dwells = max(-(-short[link][0] // max(1, short[link][1])) for link in links)
            deadlines[member] = turn.since + dwells * DWELL
            for link in links:
                members[link].append(member)
    due: set[int] = set()
    for link, loads in members.items():
        count = max(1, short[link][1])
        inside = [standing[n] for n in loads if standing[n].inside]
        ends = sorted(max(now, turn.stays_until(turn.since)) for turn in inside)
        ends = ([now] * (count - len(ends)) + ends)[:count]
        waiting = sorted((deadlines[n], n) for n in loads if not standing[n].inside)
        spare = _to_give_away(ends, [(deadline, standing[n]) for deadline, n in waiting], now)
        due.update(n for _, n in waiting[: bisect_right(ends, now) - spare])
    return sorted(due, key=lambda n: (deadlines[n], n))


def _to_give_away(
    ends: Sequence[datetime], waiting: Sequence[tuple[datetime, Turn]], now: datetime
) -> int:
    """Return how many of the places free now may be taken for a dwell by anybody.

    Args:
        ends: When each place is free, sorted, none before `now`.
        waiting: Until when those who wait have to start, sorted.
        now: Places that are free now are in question.
    """
    low, high = 0, bisect_right(ends, now)
    while low < high:
        given = (low + high + 1) // 2
        if _all_in_time([*ends[given:], *[now + DWELL] * given], waiting):
            low = given
        else:
            high = given - 1
    return low


def _all_in_time(ends: list[datetime], waiting: Sequence[tuple[datetime, Turn]]) -> bool:
    """Return whether all can start in time when the earliest place goes to the next deadline."""
    heapify(ends)
    for deadline, turn in waiting:
        if ends[0] > deadline:
            return False
        heapreplace(ends, turn.stays_until(ends[0]))
    return True
