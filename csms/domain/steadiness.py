"""Keeps limits where they are while they are near the fair share: fewer changes, the same energy.

On all sites who takes less than his limit keeps it where nobody else wants the power.

The rest is for sites whose rules say `steady`; elsewhere everybody has exactly his fair share.

A fair share moves whenever anybody comes, leaves or is full, for everybody by a little; telling
each a new limit every time wears out the memory of chargers. So a limit that is near its fair share
stays, and what has to move is moved for few, by much:

* whoever has less than two thirds of his fair share is raised, whoever waits or has just come
  gets his share;
* the power for that is taken from those who have the most of their fair share, each down to three
  quarters of it at the lowest, and from cars that leave a third of what they have;
* what becomes free is given to those who have the least of theirs, up to one and a half of it, by
  at least three amperes.

Fair shares fit every limit of the site, so that going back to them always helps: what comes out
fits too. Nothing here delays anything: who may be told what and when stays with `site_wishes` and
`reconciliation`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from csms.domain.pieces import AT_ONCE, Pieces, collected
from csms.domain.power_tree import LoadId, PowerTree
from csms.domain.resting import SPARED, WANTED
from csms.domain.site_sharing import LoadShare, Sharing
from csms.domain.sites import (
    Charger,
    ChargerId,
    CurrentType,
    SiteLoad,
    charger_node,
    limit_power_w,
    rate_limit,
)

RAISED_BELOW = Fraction(2, 3)
"""Nobody is left with less of his fair share."""

LOWERED_TO = Fraction(3, 4)
RAISED_TO = Fraction(3, 2)
EXACT_UP_TO = 4
"""So few are always told exactly their fair share: people look at them side by side."""

UNUSED_FROM = Fraction(1, 3)
"""Who leaves less of his limit keeps it: a battery that is nearly full takes less every minute."""

STEP_A = 3
"""Less than that is not worth telling anybody."""


_Links = tuple[tuple[int, int, int], ...]
"""Places of links, and what a limit takes of each: so many units for so many W."""

_POWER = 3
_KINDS = 4


class _Near(NamedTuple):
    """A load whose limit may be another than its fair share.

    Attributes:
        has_w: What it was told last; 0: it waited, or has just come.
        fair_w: Its fair share; 0 for one that rests.
        most_w: Of use to it; more than that is others' as soon as somebody wants it.
        ampere_w: What 1 A on all phases of its charger is.
    """

    share: LoadShare
    load: SiteLoad
    charger: Charger
    links: _Links
    has_w: int
    fair_w: int
    most_w: int
    ampere_w: int

    @property
    def top_w(self) -> int:
        """How high it may be raised."""
        return min(self.most_w, int(self.fair_w * RAISED_TO))

    @property
    def least_w(self) -> int:
        """The least that is of use to it."""
        least_w = self.load.least_w
        if self.charger.has_least_current:
            least_w = max(least_w, int(self.charger.least_a * self.ampere_w))
        return min(self.charger.max_w, least_w)

    @property
    def lowest_w(self) -> int:
        """How low it may be left, as a limit that its charger takes."""
        least_w = self.least_w
        low_w = _told_w(self.charger, max(least_w, int(self.fair_w * LOWERED_TO)))
        is_near = low_w >= least_w and low_w >= self.fair_w * RAISED_BELOW
        return min(self.fair_w, low_w) if is_near else self.fair_w


class _Rooms:
    """What each limit on the way up to the root has left; below 0 where too much is taken."""

    def __init__(self, tree: PowerTree, shares: Iterable[LoadShare]) -> None:
        self._tree = tree
        self._left: dict[int, int] = {}
        self._kinds = (_POWER,) if not tree.available_da else (*range(_POWER), _POWER)
        # a charger with one load cannot be told more than it can do
        loads = Counter(share.at.charger_id for share in shares)
        self._alone = {charger_node(charger) for charger, count in loads.items() if count == 1}
        self._known: dict[tuple[ChargerId, int | None, int | None], _Links] = {}
        self._over: set[int] = set()

    @property
    def are_over(self) -> bool:
        """Whether a limit is exceeded."""
        return bool(self._over)

    def links(self, share: LoadShare, charger: Charger) -> _Links:
        """Return the limits that a load takes part in."""
        key = share.at.charger_id, share.phases, share.volts
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = tuple(self._found(share, charger))
        return found

    def _found(self, share: LoadShare, charger: Charger) -> Iterator[tuple[int, int, int]]:
        tree, volts = self._tree, max(1, charger.volts)
        for node in tree.path(charger_node(charger.id)):
            if node in self._alone:
                continue
            place = tree.place(node)
            for kind in self._kinds:
                if kind == _POWER:
                    room, takes = tree.available_w[place], (share.volts or volts, volts)
                elif share.phases is None or share.phases >> kind & 1:
                    room, takes = tree.available_da[_POWER * place + kind], (10, volts)
                else:
                    continue
                if room is not None:
                    link = _KINDS * place + kind
                    self._left.setdefault(link, room)
                    yield (link, *takes)

    def move(self, links: _Links, from_w: int, to_w: int) -> None:
        """Let a load have another limit."""
        for link, units, per_w in links:
            left = self._left[link] - to_w * units // per_w + from_w * units // per_w
            self._left[link] = left
            if left < 0:
                self._over.add(link)
            else:
                self._over.discard(link)

    def over_w(self, links: _Links) -> int:
        """Return by how much a load would have to be lowered so that its limits are kept."""
        return max(
            (
                -(self._left[link] * per_w // units)
                for link, units, per_w in links
                if link in self._over
            ),
            default=0,
        )

    def free_w(self, links: _Links) -> int:
        """Return by how much a load may be raised; 0 where nothing is left."""
        free = min(
            (self._left[link] * per_w // units for link, units, per_w in links), default=_ENDLESS
        )
        return max(0, free)


_ENDLESS = 2**60


def steadied(
    sharing: Sharing,
    tree: PowerTree,
    loads: Iterable[SiteLoad],
    chargers: Mapping[ChargerId, Charger],
    has_w: Mapping[LoadId, int],
    *,
    exact: bool = False,
) -> Pieces[Sharing]:
    """Return the sharing with limits left where they are as far as they are near the fair ones.

    In pieces.

    Deterministic, and settled: with what comes out as `has_w` the same comes out again.

    Args:
        sharing: The fair one.
        tree: The limits that it keeps.
        loads: Its loads.
        chargers: Of the loads.
        has_w: What those that have a limit were told last.
        exact: Only those who rest have another limit than their fair share.
    """
    loads = tuple(loads)
    if not has_w or (exact and not any(load.vehicle_max_w is not None for load in loads)):
        return sharing
    rooms = _Rooms(tree, sharing.shares)
    by_id = {load.id: load for load in loads}
    near: list[_Near] = []
    resting: list[_Near] = []
    for number, share in enumerate(sharing.shares):
        if not number % AT_ONCE:
            yield
        load, charger = by_id[share.load_id], chargers[share.at.charger_id]
        links = rooms.links(share, charger)
        one = _near(share, load, charger, links, has_w.get(load.id, 0))
        if share.limit is not None and share.limit_w:
            near.append(one)
        elif share.limit is not None and load.rests:
            resting.append(one)
        else:
            rooms.move(links, 0, share.limit_w)
    if not exact and len(near) > EXACT_UP_TO:
        now_w = yield from _moved(near, rooms)
    else:
        now_w = [one.fair_w for one in near]
        for number, one in enumerate(near):
            if not number % AT_ONCE:
                yield
            rooms.move(one.links, 0, one.fair_w)
        yield from _left_alone(near, now_w, rooms, _newcomer_w(loads, chargers))
    changed = {
        one.share.load_id: _told(one, limit_w)
        for one, limit_w in zip(near, now_w, strict=True)
        if limit_w != one.fair_w
    }
    for number, one in enumerate(sorted(resting, key=lambda one: -one.has_w)):
        if not number % AT_ONCE:
            yield
        limit_w = _spared(one, rooms)
        rooms.move(one.links, 0, limit_w)
        reason = SPARED if limit_w else WANTED
        changed[one.share.load_id] = replace(_told(one, limit_w), reason=reason)
    return _with_shares(sharing, tree, chargers, changed) if changed else sharing


def _near(share: LoadShare, load: SiteLoad, charger: Charger, links: _Links, has_w: int) -> _Near:
    most_w = charger.max_w
    if load.vehicle_max_w is not None:
        most_w = min(most_w, load.vehicle_max_w)
    return _Near(
        share=share,
        load=load,
        charger=charger,
        links=links,
        has_w=min(has_w, charger.max_w),
        fair_w=share.limit_w,
        most_w=max(share.limit_w, _told_w(charger, most_w)),
        ampere_w=max(1, charger.volts),
    )


def _spared(one: _Near, rooms: _Rooms) -> int:
    """Return what is left for a load that takes nothing: what it has, the least of use, or 0."""
    free_w, least_w = rooms.free_w(one.links), one.least_w
    if one.has_w >= least_w and one.has_w <= free_w:
        return one.has_w
    if not one.has_w and not one.load.returns:
        return 0
    return least_w if 0 < least_w <= free_w else 0


def _moved(near: Sequence[_Near], rooms: _Rooms) -> Pieces[list[int]]:
    """Return the limit of each; `rooms` has what all others take."""
    now_w = yield from collected(_kept(one) for one in near)
    for number, (one, limit_w) in enumerate(zip(near, now_w, strict=True)):
        if not number % AT_ONCE:
            yield
        rooms.move(one.links, 0, limit_w)
    if rooms.are_over:
        yield from _lower(near, now_w, rooms)
    # who is told another limit anyhow may as well have all of his share
    moving = [n for n, one in enumerate(near) if one.has_w < now_w[n] < one.fair_w]
    for turn, n in enumerate(sorted(moving, key=lambda n: now_w[n] / near[n].fair_w)):
        if not turn % AT_ONCE:
            yield
        _raise(near, n, now_w, rooms, to_w=near[n].fair_w, least_w=1)
    wanting = yield from collected(n for n, one in enumerate(near) if now_w[n] < one.top_w)
    if not wanting:
        return now_w
    yield from _take_unused(near, now_w, rooms, wanting)
    for turn, n in enumerate(sorted(wanting, key=lambda n: now_w[n] / near[n].fair_w)):
        if not turn % AT_ONCE:
            yield
        one = near[n]
        step = STEP_A * one.ampere_w
        if one.top_w == one.most_w:
            step = min(step, one.top_w - now_w[n])
        _raise(near, n, now_w, rooms, to_w=one.top_w, least_w=step)
    return now_w


def _kept(one: _Near) -> int:
    """Return what a load has, or what it must have at the least."""
    if one.has_w >= one.fair_w * RAISED_BELOW:
        return one.has_w
    return max(one.has_w, one.lowest_w)


def _lower(near: Sequence[_Near], now_w: list[int], rooms: _Rooms) -> Pieces[None]:
    """Lower limits until all fit: first those far above the fair share, then the highest ones."""
    order = sorted(range(len(near)), key=lambda n: -now_w[n] / near[n].fair_w)
    for n in order:
        one = near[n]
        if now_w[n] < one.fair_w * RAISED_TO:
            break
        if rooms.over_w(one.links):
            _set(near, n, now_w, rooms, one.fair_w)
    order.sort(key=lambda n: -now_w[n] / near[n].fair_w)
    for turn, n in enumerate(order):
        if not turn % AT_ONCE:
            yield
        one = near[n]
        over_w, lowest_w = rooms.over_w(one.links), one.lowest_w
        if over_w and now_w[n] > lowest_w:
            less_w = max(over_w, STEP_A * one.ampere_w)
            limit_w = _told_w(one.charger, max(lowest_w, now_w[n] - less_w))
            _set(near, n, now_w, rooms, max(limit_w, lowest_w))
    if rooms.are_over:  # fair shares fit for certain
        for n, one in enumerate(near):
            _set(near, n, now_w, rooms, one.fair_w)


def _newcomer_w(loads: Iterable[SiteLoad], chargers: Mapping[ChargerId, Charger]) -> int:
    """Return what is kept free for the next car: it should not wait until others are lowered."""
    busy = Counter(load.at.charger_id for load in loads)
    return max((c.max_w for c in chargers.values() if busy[c.id] < c.connectors), default=0)


def _left_alone(
    near: Sequence[_Near], now_w: list[int], rooms: _Rooms, reserve_w: int
) -> Pieces[None]:
    """Leave those their limits who take less, where all others have their shares all the same."""
    unused = [n for n, one in enumerate(near) if one.most_w <= one.fair_w < one.has_w]
    for turn, n in enumerate(sorted(unused, key=lambda n: near[n].has_w - near[n].fair_w)):
        if not turn % AT_ONCE:
            yield
        one = near[n]
        if one.has_w - one.fair_w <= rooms.free_w(one.links) - reserve_w:
            _set(near, n, now_w, rooms, one.has_w)


def _take_unused(
    near: Sequence[_Near], now_w: list[int], rooms: _Rooms, wanting: Iterable[int]
) -> Pieces[None]:
    """Lower those that have more than they take, where somebody else wants it."""
    short = {
        link
        for n in wanting
        if rooms.free_w(near[n].links) < near[n].top_w - now_w[n]
        for link, *_ in near[n].links
    }
    yield
    for n, one in enumerate(near):
        if not n % AT_ONCE:
            yield
        enough_w = max(STEP_A * one.ampere_w, int(now_w[n] * UNUSED_FROM))
        if now_w[n] - one.most_w >= enough_w and any(link in short for link, *_ in one.links):
            _set(near, n, now_w, rooms, one.fair_w)


def _raise(
    near: Sequence[_Near], n: int, now_w: list[int], rooms: _Rooms, *, to_w: int, least_w: int
) -> None:
    """Raise a limit as far as there is room, if it is worth it."""
    one = near[n]
    limit_w = now_w[n] + min(to_w - now_w[n], rooms.free_w(one.links))
    if limit_w != one.fair_w:
        limit_w = _told_w(one.charger, limit_w)
    if limit_w >= now_w[n] + least_w:
        _set(near, n, now_w, rooms, limit_w)


def _set(near: Sequence[_Near], n: int, now_w: list[int], rooms: _Rooms, limit_w: int) -> None:
    rooms.move(near[n].links, now_w[n], limit_w)
    now_w[n] = limit_w


def _told_w(charger: Charger, power_w: int) -> int:
    """Return what a limit for so much really is, as the charger takes it."""
    if charger.current_type is CurrentType.DC:
        return min(charger.max_w, power_w)
    if charger.allowed_a or charger.rate_unit is not None:
        return limit_power_w(charger, rate_limit(charger, power_w))
    volts = max(1, charger.volts)
    return min(charger.max_w, -(-(power_w * 10 // volts) * volts // 10))


def _told(one: _Near, limit_w: int) -> LoadShare:
    share, drawn_w = one.share, limit_w
    if share.volts is not None:  # of a car on fewer phases than its charger has
        drawn_w = limit_w * share.volts // one.ampere_w
    reason = share.reason
    if reason.startswith("fair share"):
        reason = f"near the {reason}"
    elif limit_w < one.fair_w:
        reason = "near its fair share"
    return replace(
        share,
        power_w=min(drawn_w, one.most_w),
        limit=rate_limit(one.charger, limit_w),
        limit_w=limit_w,
        reason=reason,
    )


def _with_shares(
    sharing: Sharing,
    tree: PowerTree,
    chargers: Mapping[ChargerId, Charger],
    changed: Mapping[LoadId, LoadShare],
) -> Sharing:
    """Return the sharing with other shares, and what they carry."""
    watts = dict(sharing.carried_w)
    currents = {node: list(each) for node, each in sharing.carried_da.items()}
    for old in sharing.shares:
        new = changed.get(old.load_id)
        if new is None:
            continue
        volts = max(1, chargers[old.at.charger_id].volts)
        more_w = (new.limit_w - old.limit_w) * (old.volts or volts) // volts
        more_da = (new.limit_w - old.limit_w) * 10 // volts
        for node in tree.path(charger_node(old.at.charger_id)):
            watts[node] += more_w
            if old.phases is not None and node in currents:
                for phase in range(3):
                    currents[node][phase] += more_da * (old.phases >> phase & 1)
    return replace(
        sharing,
        shares=tuple(changed.get(share.load_id, share) for share in sharing.shares),
        carried_w=watts,
        carried_da={node: (a, b, c) for node, (a, b, c) in currents.items()},
    )
