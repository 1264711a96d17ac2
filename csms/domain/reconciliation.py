"""The order of limit changes: decreases first, increases only into room that is proven.

Sent is not obeyed, and unanswered is not undone. For each load this file keeps the set of limits
that its charger may be enforcing, counts it at the highest of them, and lets an increase go only
when every node on its way still keeps its limit with that increase counted. So the sum of what
chargers may draw is within the limits at every instant, whatever order answers come in, and also
after a crash at any instant, when the entries are stored before the message is sent.

* An increase counts from the moment it is sent; a decrease frees room only once acknowledged (and,
  if the caller says so, once it has had time to work).
* Rejected or unanswered: the old and the new limit both stay possible. The same limit is not sent
  again until the wish changes or `retry` says so.
* Nothing known (never told, reconnected, rebooted): the hardware's maximum.
* What counts for less may still be more than before: a charger counted at its maximum may really be
  at 6 A, and telling it 10 A is an increase. So a limit above the lowest possible one goes only
  while the limits on the way are kept; else the lowest one is told first.
* Unmanaged (offline, silent, disobedient): what it may draw; nothing is sent.

The caller stores the entries and calls `plan_changes` after each acknowledgement and each change of
a wish. No clock, no network. All power in W.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from csms.domain.pieces import AT_ONCE, Pieces, collected, in_one_go, whole
from csms.domain.possible_limits import (
    PossibleLimits,
    is_settled_at,
    lowest_case_w,
    worst_case_w,
    worst_own_w,
)
from csms.domain.power_tree import LoadId, Node, NodeId, PowerTree


class Obstacle(StrEnum):
    """Why a change cannot be sent now."""

    ANSWER = "its own open request"
    ROOM = "room"
    REFUSED = "refused before"
    UNMANAGED = "unmanaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A limit to send now.

    Attributes:
        worst_before_w: The most that the load itself may have drawn until now; above `limit_w` it
            is a decrease.
    """

    load_id: LoadId
    limit_w: int
    worst_before_w: int

    @property
    def is_increase(self) -> bool:
        """Whether the load may draw more from the moment of sending."""
        return self.limit_w > self.worst_before_w


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A change that must wait.

    Attributes:
        node: For ROOM the first node on the way up that has none.
        waits_for: For ROOM the loads below that node whose decrease is not through yet; empty when
            nothing that is under way will make room (the wishes do not fit, or an unmanaged load
            is in the way).
    """

    load_id: LoadId
    limit_w: int
    obstacle: Obstacle
    node: NodeId | None = None
    waits_for: tuple[LoadId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send now, decreases first, and what waits. Nothing of both: all is as wished."""

    steps: tuple[Step, ...]
    waits: tuple[Wait, ...]


def worst_node_loads(tree: PowerTree, entries: Iterable[PossibleLimits]) -> dict[NodeId, int]:
    """Return the most that may flow through each node now, its reserves included.

    A self-limiting node passes on no more than its limit. Loads that are entries must not be
    reserved in the tree too.
    """
    given = tuple(entries)
    _check(tree, given)
    ledger = _Ledger(tree)
    whole(ledger.counting(given))
    return ledger.by_node()


def unmanaged_reserves(entries: Iterable[PossibleLimits]) -> dict[NodeId, int]:
    """Return the power to reserve for unmanaged loads by node: `unmanaged_w` of `decide_site`."""
    reserves: dict[NodeId, int] = {}
    for entry in entries:
        if entry.unmanaged_w is not None:
            most = worst_case_w(entry) * entry.connectors
            reserves[entry.node] = reserves.get(entry.node, 0) + most
    return reserves


def fitting(tree: PowerTree, entries: Iterable[PossibleLimits]) -> set[LoadId]:
    """Return which loads fit beside what is reserved, each at its worst, the first ones first."""
    ledger = _Ledger(tree)
    whole(ledger.counting(()))
    found = set()
    for entry in entries:
        idle = entry._replace(acknowledged_w=0)
        worst = worst_case_w(entry)
        if ledger.full_node(idle, worst) is None:
            ledger.count(idle, worst)
            found.add(entry.id)
    return found


def changes_planned(
    tree: PowerTree,
    entries: Iterable[PossibleLimits],
    desired_w: Mapping[LoadId, int],
    *,
    smallest_raise_w: int | None = None,
) -> Pieces[Plan]:
    """Return which limits to send now and which must wait, and for what.

    Whatever is certainly no increase goes at once. Increases follow, those from the least power
    first, each counted before the next is looked at.

    Args:
        tree: The limits that must hold at every instant.
        entries: One for each load that may draw, idle connectors included. Order plays no part.
        desired_w: The wish per load, as the wire will really say it (after cutting down to 0.1 A);
            a load without a wish is left alone.
        smallest_raise_w: When an increase does not fit, raise at least this much if there is room
            for it; at least the largest minimum of a load. None: all or nothing.

    Raises:
        ValueError: An unknown node, or a load that is there twice.
    """
    given = tuple(entries)
    _check(tree, given)
    yield
    unsettled = yield from collected(
        entry
        for entry in given
        if (wish := desired_w.get(entry.id)) is not None and not is_settled_at(entry, wish)
    )
    decreases: list[Step] = []
    raises: list[tuple[PossibleLimits, int]] = []
    waits: list[Wait] = []
    for number, entry in enumerate(sorted(unsettled, key=_place)):
        if not number % AT_ONCE:
            yield
        wish = desired_w[entry.id]
        if obstacle := _obstacle(entry, wish):
            waits.append(Wait(load_id=entry.id, limit_w=wish, obstacle=obstacle))
        elif wish <= lowest_case_w(entry):
            decreases.append(_step(entry, wish))
        else:
            raises.append((entry, wish))
    if not raises:  # as when a limit drops: what flows has nothing to say then
        return Plan(steps=tuple(decreases), waits=tuple(waits))
    increases: list[Step] = []
    ledger = _Ledger(tree)
    yield from ledger.counting(given)
    counted = yield from collected(_pending(given, desired_w))
    pending = _by_node(tree, sorted(counted, key=_place))
    are_pending = {entry.id for entry in counted}
    for number, (entry, wish) in enumerate(raises):
        if not number % AT_ONCE:
            yield
        full = ledger.full_node(entry, wish)
        limit = wish if full is None else _instead(ledger, entry, smallest_raise_w)
        if limit is not None:
            ledger.count(entry, limit)
            step = _step(entry, limit)
            (increases if step.is_increase else decreases).append(step)
        if full is not None:
            others = pending.get(full, ())
            if entry.id in are_pending:
                others = tuple(i for i in others if i != entry.id)
            waits.append(
                Wait(
                    load_id=entry.id,
                    limit_w=wish,
                    obstacle=Obstacle.ROOM,
                    node=full,
                    waits_for=others,
                )
            )
    return Plan(steps=(*decreases, *increases), waits=tuple(waits))


plan_changes = in_one_go(changes_planned)


def _place(entry: PossibleLimits) -> tuple[int, int, LoadId]:
    """Return its place in the queue."""
    return worst_case_w(entry), entry.order, entry.id


def _check(tree: PowerTree, entries: Sequence[PossibleLimits]) -> None:
    """Raise ValueError for an unknown node, or a load that is there twice."""
    if len({entry.id for entry in entries}) != len(entries):
        msg = "a load is there twice"
        raise ValueError(msg)
    for node in {entry.node for entry in entries}:
        tree.place(node)


def _instead(ledger: _Ledger, entry: PossibleLimits, smallest_raise_w: int | None) -> int | None:
    """Return what can be told to a load whose wish does not fit now; None when nothing helps."""
    lowest, worst = lowest_case_w(entry), worst_case_w(entry)
    if lowest < worst:  # its worst case is part of the problem: settle it first
        is_told = entry.refused_w == lowest or is_settled_at(entry, lowest)
        return None if is_told else lowest
    if smallest_raise_w is None:
        return None
    part = worst + ledger.room_w(entry)
    fits = part >= worst + smallest_raise_w and ledger.full_node(entry, part) is None
    return part if fits else None


def _obstacle(entry: PossibleLimits, wish: int) -> Obstacle | None:
    if entry.unmanaged_w is not None:
        return Obstacle.UNMANAGED
    if entry.in_flight_w is not None:
        return Obstacle.ANSWER
    if entry.refused_w == wish:
        return Obstacle.REFUSED
    return None


def _step(entry: PossibleLimits, limit_w: int) -> Step:
    return Step(load_id=entry.id, limit_w=limit_w, worst_before_w=worst_own_w(entry))


def _pending(
    entries: Iterable[PossibleLimits], desired_w: Mapping[LoadId, int]
) -> Iterator[PossibleLimits]:
    """Yield the loads that count for more than they should."""
    for entry in entries:
        wish = desired_w.get(entry.id)
        if wish is not None and worst_case_w(entry) > wish and entry.unmanaged_w is None:
            yield entry


def _by_node(
    tree: PowerTree, entries: Iterable[PossibleLimits]
) -> dict[NodeId | None, tuple[LoadId, ...]]:
    """Return the loads below each node."""
    below: dict[NodeId | None, list[LoadId]] = {}
    for entry in entries:
        for node in tree.path(entry.node):
            below.setdefault(node, []).append(entry.id)
    return {node: tuple(loads) for node, loads in below.items()}


_Flow = tuple[int, ...]
"""Power, and where phases are limited the current of L1, L2 and L3 in 0.1 A."""


class _Ledger:
    """Worst-case flow through every node, kept up while increases are granted."""

    def __init__(self, tree: PowerTree) -> None:
        """Start with what is reserved."""
        self._tree = tree
        self._per_phase = bool(tree.available_da)
        self._limits = [self._kinds(node.limit_w, node.phase_limit_da) for node in tree.nodes]
        self._through: list[_Flow] = [
            (node.reserved_w, *node.reserved_da) if self._per_phase else (node.reserved_w,)
            for node in tree.nodes
        ]

    def counting(self, entries: Iterable[PossibleLimits]) -> Pieces[None]:
        """Count these, once, before anything else is asked."""
        tree, through = self._tree, self._through
        for number, entry in enumerate(entries):
            if not number % AT_ONCE:
                yield
            place = tree.place(entry.node)
            through[place] = _sum(through[place], self._flow(entry, worst_own_w(entry)))
        for place in range(len(tree.nodes) - 1, -1, -1):
            if not place % AT_ONCE:
                yield
            parent = tree.parents[place]
            if parent >= 0:
                passed = self._passed_on(place, through[place])
                through[parent] = _sum(through[parent], passed)

    def by_node(self) -> dict[NodeId, int]:
        """Return the power through each node."""
        return {
            node.id: self._passed_on(place, self._through[place])[0]
            for place, node in enumerate(self._tree.nodes)
        }

    def full_node(self, entry: PossibleLimits, limit_w: int) -> NodeId | None:
        """Return the first node on the way up that would not keep its limits; None if all do.

        Every node counts, also one whose worst case would not rise: the real flow may. Of phases
        only those count that the load is on.
        """
        for place, rise in self._rises(entry, limit_w):
            node = self._tree.nodes[place]
            if node.self_limiting:
                continue
            mine = (1, *_on(entry.phases or self._node(entry).phases, 1))
            for limit, through, more, counts in zip(
                self._limits[place], self._through[place], rise, mine, strict=False
            ):
                if counts and limit is not None and through + more > limit:
                    return node.id
        return None

    def count(self, entry: PossibleLimits, limit_w: int) -> None:
        """Count a load at a limit that is about to be sent."""
        for place, rise in list(self._rises(entry, limit_w)):
            self._through[place] = _sum(self._through[place], rise)

    def room_w(self, entry: PossibleLimits) -> int:
        """Return by how much a load may rise for certain (a self-limiting node may allow more)."""
        node = self._node(entry)
        rooms = []
        for place, _ in self._rises(entry, 0):
            if self._tree.nodes[place].self_limiting:
                continue
            kinds = zip(
                self._limits[place],
                self._through[place],
                (1, *_on(entry.phases or node.phases, 1)),
                (10, *[node.volts] * 3),
                strict=False,
            )
            rooms += [
                (limit - through) * volts // 10
                for limit, through, counts, volts in kinds
                if counts and limit is not None
            ]
        return min(rooms, default=0)

    def _rises(self, entry: PossibleLimits, limit_w: int) -> Iterator[tuple[int, _Flow]]:
        """Yield each place on the way up and by how much more may flow through it, 0 or more."""
        now = worst_own_w(entry)
        most = max(now, min(limit_w, entry.hardware_max_w))
        rise = _minus(self._flow(entry, most), self._flow(entry, now))
        place = self._tree.place(entry.node)
        while place >= 0:
            yield place, rise
            before = self._through[place]
            after = self._passed_on(place, _sum(before, rise))
            rise = _minus(after, self._passed_on(place, before))
            place = self._tree.parents[place]

    def _passed_on(self, place: int, flow: _Flow) -> _Flow:
        if not self._tree.nodes[place].self_limiting:
            return flow
        return tuple(
            amount if limit is None else min(amount, limit)
            for amount, limit in zip(flow, self._limits[place], strict=True)
        )

    def _flow(self, entry: PossibleLimits, power_w: int) -> _Flow:
        """Return what a load, or who takes its place, draws under a limit for all of its phases.

        The next car may use other phases than the one that was seen there.
        """
        next_w = min(entry.hardware_max_w, entry.next_w) * entry.connectors
        power_w *= entry.connectors
        if not self._per_phase:
            return (max(power_w, next_w),)
        node = self._node(entry)
        power = power_w if entry.volts is None else -(-power_w * entry.volts // node.volts)
        own = power, *_on(entry.phases or node.phases, -(-power_w * 10 // node.volts))
        if not next_w:
            return own
        following = next_w, *_on(node.phases, -(-next_w * 10 // node.volts))
        return tuple(max(pair) for pair in zip(own, following, strict=True))

    def _node(self, entry: PossibleLimits) -> Node:
        return self._tree.nodes[self._tree.place(entry.node)]

    def _kinds(self, limit_w: int | None, limit_da: int | None) -> tuple[int | None, ...]:
        return (limit_w, *[limit_da] * 3) if self._per_phase else (limit_w,)


def _on(phases: int, current: int) -> _Flow:
    return tuple(current * (phases >> phase & 1) for phase in range(3))


def _sum(some: _Flow, more: _Flow) -> _Flow:
    if len(some) == 1:  # most sites know no phases
        return (some[0] + more[0],)
    return tuple(a + b for a, b in zip(some, more, strict=True))


def _minus(some: _Flow, less: _Flow) -> _Flow:
    if len(some) == 1:
        return (some[0] - less[0],)
    return tuple(a - b for a, b in zip(some, less, strict=True))
