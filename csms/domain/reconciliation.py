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
* Unknown (never acknowledged, reconnected, rebooted): the hardware's maximum.
* Unmanaged (offline, silent, disobedient): what it may draw; nothing is sent.

The caller stores the entries and calls `plan_changes` after each acknowledgement and each change of
a wish. No clock, no network. All power in W.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from csms.domain.power_tree import LoadId, NodeId, PowerTree


@dataclass(frozen=True, slots=True, kw_only=True)
class PossibleLimits:
    """The limits that one load (a connector, a transaction) may be under at this instant.

    Attributes:
        node: Where it draws.
        hardware_max_w: Most that it can draw at all.
        acknowledged_w: Last accepted limit; None when nothing is known.
        in_flight_w: Sent and not answered yet; None when no request is open.
        lingering_w: Highest earlier limit that may still hold, besides those two: after a refusal
            or a time-out, or until a decrease has had time to work.
        refused_w: Limit that was refused or not answered last; not sent again by itself.
        doubtful: A request was refused or not answered since the last acceptance, so the charger
            has to be told again even when the wish is what it acknowledged last.
        unmanaged_w: None while it obeys; else what it may draw (measured, static cap or hardware).
        order: Place in the queue among increases that start from the same power, lower first.
    """

    id: LoadId
    node: NodeId
    hardware_max_w: int
    acknowledged_w: int | None = None
    in_flight_w: int | None = None
    lingering_w: int | None = None
    refused_w: int | None = None
    doubtful: bool = False
    unmanaged_w: int | None = None
    order: int = 0


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
        worst_before_w: What the load counted for until now; above `limit_w` it is a decrease.
    """

    load_id: LoadId
    limit_w: int
    worst_before_w: int

    @property
    def is_increase(self) -> bool:
        """Whether the load counts for more from the moment of sending."""
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


def worst_case_w(entry: PossibleLimits) -> int:
    """Return the most that a load may draw now.

    >>> worst_case_w(PossibleLimits(id=LoadId("1"), node=NodeId("grid"), hardware_max_w=22000,
    ...                             acknowledged_w=11000, in_flight_w=6000))
    11000
    """
    if entry.acknowledged_w is None:
        return entry.hardware_max_w
    possible = (entry.acknowledged_w, entry.in_flight_w, entry.lingering_w, entry.unmanaged_w)
    return min(entry.hardware_max_w, max(limit for limit in possible if limit is not None))


def worst_node_loads(tree: PowerTree, entries: Iterable[PossibleLimits]) -> dict[NodeId, int]:
    """Return the most that may flow through each node now, its reserves included.

    A self-limiting node passes on no more than its limit. Loads that are entries must not be
    reserved in the tree too.
    """
    return _Ledger(tree, tuple(entries)).by_node()


def unmanaged_reserves(entries: Iterable[PossibleLimits]) -> dict[NodeId, int]:
    """Return the power to reserve for unmanaged loads by node: `reserved_w` of `decide_site`."""
    reserves: dict[NodeId, int] = {}
    for entry in entries:
        if entry.unmanaged_w is not None:
            reserves[entry.node] = reserves.get(entry.node, 0) + worst_case_w(entry)
    return reserves


def plan_changes(
    tree: PowerTree,
    entries: Iterable[PossibleLimits],
    desired_w: Mapping[LoadId, int],
    *,
    smallest_raise_w: int | None = None,
) -> Plan:
    """Return which limits to send now and which must wait, and for what.

    Everything that does not raise the worst case goes at once. Increases follow, those from the
    least power first, each counted before the next is looked at.

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
    queue = sorted(entries, key=lambda e: (worst_case_w(e), e.order, e.id))
    ledger = _Ledger(tree, queue)
    decreases: list[Step] = []
    raises: list[tuple[PossibleLimits, int]] = []
    waits: list[Wait] = []
    for entry in queue:
        wish = desired_w.get(entry.id)
        if wish is None or _is_settled_at(entry, wish):
            continue
        if obstacle := _obstacle(entry, wish):
            waits.append(Wait(load_id=entry.id, limit_w=wish, obstacle=obstacle))
        elif wish <= worst_case_w(entry):
            decreases.append(_step(entry, wish))
        else:
            raises.append((entry, wish))
    increases: list[Step] = []
    pending = _pending(tree, queue, desired_w) if raises else {}
    for entry, wish in raises:
        limit = ledger.raise_to(entry, wish, smallest_raise_w)
        if limit is not None:
            increases.append(_step(entry, limit))
        if limit != wish:
            node = ledger.full_node(entry, wish)
            waits.append(
                Wait(
                    load_id=entry.id,
                    limit_w=wish,
                    obstacle=Obstacle.ROOM if limit is None else Obstacle.ANSWER,
                    node=node,
                    waits_for=tuple(i for i in pending.get(node, ()) if i != entry.id),
                )
            )
    return Plan(steps=(*decreases, *increases), waits=tuple(waits))


def sent(entry: PossibleLimits, limit_w: int) -> PossibleLimits:
    """Return the entry with a request on its way; store it before the message leaves.

    Raises:
        ValueError: A request is open already; its answer must come or be given up first.
    """
    if entry.in_flight_w is not None:
        msg = f"{entry.id}: a request for {entry.in_flight_w} W is still open"
        raise ValueError(msg)
    return replace(entry, in_flight_w=limit_w)


def accepted(entry: PossibleLimits, *, settled: bool = True) -> PossibleLimits:
    """Return the entry after the charger has accepted the open request.

    Args:
        entry: With an open request; without one nothing changes (a late answer).
        settled: False keeps the earlier limits counted until `settled_now` says that the new one
            has had time to work or that the draw is under it.
    """
    if entry.in_flight_w is None:
        return entry
    earlier = None if settled else worst_case_w(replace(entry, in_flight_w=None, unmanaged_w=None))
    lingers = earlier is not None and earlier > entry.in_flight_w
    return replace(
        entry,
        acknowledged_w=entry.in_flight_w,
        in_flight_w=None,
        lingering_w=earlier if lingers else None,
        refused_w=None,
        doubtful=False,
    )


def settled_now(entry: PossibleLimits) -> PossibleLimits:
    """Return the entry when the acknowledged limit is known to work: earlier ones are gone.

    After a refusal nothing is known, and nothing changes.
    """
    return entry if entry.doubtful else replace(entry, lingering_w=None)


def refused(entry: PossibleLimits) -> PossibleLimits:
    """Return the entry after a rejection, an error or no answer: old and new both stay possible."""
    if entry.in_flight_w is None:
        return entry
    lingering = max(entry.in_flight_w, entry.lingering_w or 0)
    return replace(
        entry, in_flight_w=None, refused_w=entry.in_flight_w, lingering_w=lingering, doubtful=True
    )


def retry(entry: PossibleLimits) -> PossibleLimits:
    """Return the entry with its last refused limit free to be sent again."""
    return replace(entry, refused_w=None)


def forgotten(entry: PossibleLimits) -> PossibleLimits:
    """Return the entry when the charger may be under any limit: reconnected, rebooted."""
    return replace(
        entry,
        acknowledged_w=None,
        in_flight_w=None,
        lingering_w=None,
        refused_w=None,
        doubtful=False,
    )


def _is_settled_at(entry: PossibleLimits, wish: int) -> bool:
    """Return whether the wish is acknowledged and no later request could have replaced it.

    A limit that lingers after a decrease is not sent again; it only needs time.
    """
    return entry.acknowledged_w == wish and entry.in_flight_w is None and not entry.doubtful


def _obstacle(entry: PossibleLimits, wish: int) -> Obstacle | None:
    if entry.unmanaged_w is not None:
        return Obstacle.UNMANAGED
    if entry.in_flight_w is not None:
        return Obstacle.ANSWER
    if entry.refused_w == wish:
        return Obstacle.REFUSED
    return None


def _step(entry: PossibleLimits, limit_w: int) -> Step:
    return Step(load_id=entry.id, limit_w=limit_w, worst_before_w=worst_case_w(entry))


def _pending(
    tree: PowerTree, entries: Sequence[PossibleLimits], desired_w: Mapping[LoadId, int]
) -> dict[NodeId | None, list[LoadId]]:
    """Return for each node the loads below it that count for more than they should."""
    pending: dict[NodeId | None, list[LoadId]] = {}
    for entry in entries:
        wish = desired_w.get(entry.id)
        if wish is not None and worst_case_w(entry) > wish and entry.unmanaged_w is None:
            for node in tree.path(entry.node):
                pending.setdefault(node, []).append(entry.id)
    return pending


class _Ledger:
    """Worst-case power through every node, kept up while increases are granted."""

    def __init__(self, tree: PowerTree, entries: Sequence[PossibleLimits]) -> None:
        if len({entry.id for entry in entries}) != len(entries):
            msg = "a load is there twice"
            raise ValueError(msg)
        self._tree = tree
        self._through = [node.reserved_w for node in tree.nodes]
        for entry in entries:
            self._through[tree.place(entry.node)] += worst_case_w(entry)
        for place in range(len(tree.nodes) - 1, -1, -1):
            parent = tree.parents[place]
            if parent >= 0:
                self._through[parent] += self._passed_on(place, self._through[place])

    def by_node(self) -> dict[NodeId, int]:
        """Return the power through each node."""
        return {
            node.id: self._passed_on(place, self._through[place])
            for place, node in enumerate(self._tree.nodes)
        }

    def raise_to(
        self, entry: PossibleLimits, wish: int, smallest_raise_w: int | None
    ) -> int | None:
        """Count an increase and return the limit that fits; None when none does."""
        worst = worst_case_w(entry)
        if self.full_node(entry, wish) is None:
            self._count(entry, wish)
            return wish
        if smallest_raise_w is None:
            return None
        part = worst + self._room(entry)
        if part >= worst + smallest_raise_w and self.full_node(entry, part) is None:
            self._count(entry, part)
            return part
        return None

    def full_node(self, entry: PossibleLimits, limit_w: int) -> NodeId | None:
        """Return the first node on the way up without room for a raise to this limit."""
        for place, rise in self._rises(entry, limit_w):
            node = self._tree.nodes[place]
            full = node.limit_w is not None and self._through[place] + rise > node.limit_w
            if full and not node.self_limiting:
                return node.id
        return None

    def _count(self, entry: PossibleLimits, limit_w: int) -> None:
        for place, rise in list(self._rises(entry, limit_w)):
            self._through[place] += rise

    def _rises(self, entry: PossibleLimits, limit_w: int) -> Iterable[tuple[int, int]]:
        """Yield each place on the way up and by how much more may flow through it."""
        rise = min(limit_w, entry.hardware_max_w) - worst_case_w(entry)
        place = self._tree.place(entry.node)
        while place >= 0 and rise > 0:
            yield place, rise
            before = self._through[place]
            rise = self._passed_on(place, before + rise) - self._passed_on(place, before)
            place = self._tree.parents[place]

    def _room(self, entry: PossibleLimits) -> int:
        """Return by how much a load may rise for certain (a self-limiting node may allow more)."""
        rooms = [
            node.limit_w - self._through[place]
            for place, node in ((p, self._tree.nodes[p]) for p in self._way_up(entry))
            if node.limit_w is not None and not node.self_limiting
        ]
        return min(rooms, default=0)

    def _way_up(self, entry: PossibleLimits) -> Iterable[int]:
        place = self._tree.place(entry.node)
        while place >= 0:
            yield place
            place = self._tree.parents[place]

    def _passed_on(self, place: int, power: int) -> int:
        node = self._tree.nodes[place]
        if node.self_limiting and node.limit_w is not None:
            return min(power, node.limit_w)
        return power
