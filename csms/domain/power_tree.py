"""The tree of limits of a site, and the loads that hang on it.

A limit counts for everything below it: grid connection, circuits, chargers, and whatever
hierarchy a site really has. This file owns the shape; sharing the power is `allocation`, the order
of changes `reconciliation`. All power in W.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NewType

from csms.domain.pieces import Pieces, collected, in_one_go

NodeId = NewType("NodeId", str)
LoadId = NewType("LoadId", str)

_ROOT = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A place in the site's wiring with a limit.

    Attributes:
        parent: What it is fed by; None for the grid connection.
        limit_w: Most that may flow through it; None means that it limits nothing.
        reserved_w: Part of the flow that is not ours to give: a building, an offline or
            disobedient charger. It passes through every ancestor too.
        self_limiting: The hardware itself never draws more than `limit_w` (a charger), so no more
            than that can reach the parent, whatever its connectors were told.
        phase_limit_da: Most current on each of its three phases, in 0.1 A; None without such a
            limit. It counts beside `limit_w`, for whoever shares per phase.
        reserved_da: Current on L1, L2, L3 that is not ours to give, in 0.1 A; it passes through
            every ancestor too.
        phases: The grid's phases that its own loads are on, as bits from L1 (a charger).
        volts: The power that 1 A of a limit told to its own loads is taken for, in W (a charger).
    """

    id: NodeId
    parent: NodeId | None
    limit_w: int | None
    reserved_w: int = 0
    self_limiting: bool = False
    phase_limit_da: int | None = None
    reserved_da: tuple[int, int, int] = (0, 0, 0)
    phases: int = 0b111
    volts: int = 690


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the allocator gives power to.

    Attributes:
        node: Where it draws.
        max_w: Most that it can take.
        min_w: Least that is of use to it: it gets 0 or at least this (6 A on its phases). A
            minimum over `max_w` counts as `max_w`: all or nothing.
        weight: Share of power relative to others, a whole number from 1.
        order: Place in the queue, lower first; equal places are settled by `id`. Who gets the
            odd unit, and who gets a minimum that not all can have, is decided by this alone and
            never by the order in which loads are listed.
    """

    id: LoadId
    node: NodeId
    max_w: int
    min_w: int = 0
    weight: int = 1
    order: int = 0

    def __post_init__(self) -> None:
        if self.max_w < 0 or self.min_w < 0 or self.weight < 1:
            msg = f"load {self.id}: power must be 0 or more and the weight 1 or more"
            raise ValueError(msg)

    @property
    def least_w(self) -> int:
        """The minimum that holds: `min_w`, but never over `max_w`."""
        return min(self.min_w, self.max_w)


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerTree:
    """Nodes, parents before children. Build it with `power_tree`.

    Attributes:
        nodes: Every parent stands before its children.
        index: Node id -> place in `nodes`.
        parents: Place of the parent of each node, -1 for a root.
        reserved_w: Power reserved at each node or below it.
        available_w: What is left of each limit to be given to loads, never below 0; None without
            a limit.
        available_da: The same of the current of L1, L2 and L3, three entries a node, in 0.1 A;
            empty when no node limits the current of its phases.
    """

    nodes: tuple[Node, ...]
    index: Mapping[NodeId, int] = field(repr=False)
    parents: tuple[int, ...] = field(repr=False)
    reserved_w: tuple[int, ...] = field(repr=False)
    available_w: tuple[int | None, ...] = field(repr=False)
    available_da: tuple[int | None, ...] = field(repr=False, default=())

    def path(self, node: NodeId) -> tuple[NodeId, ...]:
        """Return the node and its ancestors, the node first, the root last."""
        ids = []
        at = self.place(node)
        while at != _ROOT:
            ids.append(self.nodes[at].id)
            at = self.parents[at]
        return tuple(ids)

    def place(self, node: NodeId) -> int:
        """Return the place of a node in `nodes`.

        Raises:
            ValueError: There is no such node.
        """
        try:
            return self.index[node]
        except KeyError:
            msg = f"no node {node} in this tree"
            raise ValueError(msg) from None


def tree_problems(nodes: Iterable[Node]) -> list[str]:
    """Return every reason why these nodes are no tree of limits; [] when they are one."""
    nodes = tuple(nodes)
    parent = {node.id: node.parent for node in nodes}
    problems = []
    seen: set[NodeId] = set()
    for node in nodes:
        if node.id in seen:
            problems.append(f"{node.id} is there twice")
        seen.add(node.id)
        if node.limit_w is not None and node.limit_w < 0:
            problems.append(f"{node.id} has a negative limit ({node.limit_w} W)")
        if node.reserved_w < 0 or min(node.reserved_da) < 0:
            problems.append(f"{node.id} has a negative reserve ({node.reserved_w} W)")
        if node.phase_limit_da is not None and node.phase_limit_da < 0:
            problems.append(f"{node.id} has a negative limit ({node.phase_limit_da / 10} A)")
        if node.parent is not None and node.parent not in parent:
            problems.append(f"{node.id} is fed by {node.parent}, which is not there")
    for circle in sorted({_circle(start, parent) for start in _without_a_root(parent)}):
        if len(circle) == 1:
            problems.append(f"{circle[0]} feeds itself")
        elif circle:
            problems.append(f"{' and '.join(circle)} feed each other in a circle")
    return problems


def tree_built(nodes: Iterable[Node]) -> Pieces[PowerTree]:
    """Return the tree of these nodes, given in any order.

    Raises:
        ValueError: They are no tree; the text names every problem.
    """
    given = yield from collected(nodes)
    if problems := tree_problems(given):
        raise ValueError("; ".join(problems))
    yield
    children: dict[NodeId | None, list[Node]] = {}
    for node in given:
        children.setdefault(node.parent, []).append(node)
    ordered = list(children.get(None, ()))
    for node in ordered:  # grows while it is walked: breadth first
        ordered += children.get(node.id, ())
    yield
    index = {node.id: place for place, node in enumerate(ordered)}
    parents = tuple(_ROOT if n.parent is None else index[n.parent] for n in ordered)
    reserved = [node.reserved_w for node in ordered]
    for place in range(len(ordered) - 1, -1, -1):
        if parents[place] != _ROOT:
            reserved[parents[place]] += reserved[place]
    yield
    return PowerTree(
        nodes=tuple(ordered),
        index=index,
        parents=parents,
        reserved_w=tuple(reserved),
        available_w=tuple(
            None if node.limit_w is None else max(0, node.limit_w - held)
            for node, held in zip(ordered, reserved, strict=True)
        ),
        available_da=_available_da(ordered, parents),
    )


power_tree = in_one_go(tree_built)


def _available_da(nodes: Sequence[Node], parents: Sequence[int]) -> tuple[int | None, ...]:
    if all(node.phase_limit_da is None for node in nodes):
        return ()
    held = [current for node in nodes for current in node.reserved_da]
    for place in range(len(nodes) - 1, -1, -1):
        if parents[place] != _ROOT:
            for phase in range(3):
                held[3 * parents[place] + phase] += held[3 * place + phase]
    limits = [node.phase_limit_da for node in nodes for _ in range(3)]
    return tuple(
        None if limit is None else max(0, limit - taken)
        for limit, taken in zip(limits, held, strict=True)
    )


def _without_a_root(parent: Mapping[NodeId, NodeId | None]) -> list[NodeId]:
    """Return the nodes whose way up does not end: those on circles and below them."""
    ends: set[NodeId | None] = {None}
    for start in parent:
        walked: dict[NodeId, None] = {}
        at: NodeId | None = start
        while at is not None and at not in ends and at not in walked:
            walked[at] = None
            at = parent.get(at)
        if at in ends:
            ends.update(walked)  # not `|=`: with keys of a dict that copies the set
    return [node for node in parent if node not in ends]


def _circle(start: NodeId, parent: Mapping[NodeId, NodeId | None]) -> tuple[NodeId, ...]:
    """Return the nodes of the circle that `start` is part of, sorted; () when it is on none."""
    walked = []
    at: NodeId | None = start
    while at is not None and at not in walked:
        walked.append(at)
        at = parent.get(at)
    return tuple(sorted(walked)) if at == start else ()
