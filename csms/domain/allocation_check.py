"""Judges an allocation without knowing how it was made.

An oracle for tests and for a self-check in operation: its own sums, exact fractions, nothing of
`allocation` but the words of its policy. It shares the definition (`power_tree`), not the method.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from csms.domain.allocation import Policy
from csms.domain.power_tree import Load, LoadId, NodeId, PowerTree


class Fault(StrEnum):
    """What can be wrong with an allocation."""

    MISSING = "missing"
    NEGATIVE = "negative"
    ABOVE_MAXIMUM = "above maximum"
    BELOW_MINIMUM = "below minimum"
    NOT_WHOLE = "not whole"
    LIMIT_EXCEEDED = "limit exceeded"
    NOT_LET_IN = "not let in"
    UNUSED = "unused"
    UNFAIR = "unfair"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One fault: `where` is the load or the node, `text` says it with its numbers."""

    fault: Fault
    where: str
    text: str


def violations(
    tree: PowerTree,
    loads: Iterable[Load],
    allocation: Mapping[LoadId, int],
    policy: Policy = Policy.FAIR,
) -> list[Violation]:
    """Return everything that is wrong with an allocation in W; [] when it is exact.

    The bottleneck test of weighted max-min: each load is at its maximum, or hangs below a full node
    in which no load above its own minimum has more for its weight (by more than the one unit that
    whole units cannot split). A load with 0 W whose minimum does not fit beside the minimums of
    those that got in is in order.
    """
    return _Judgement(tree, tuple(loads), allocation, policy).all()


class _Judgement:
    """The sums that all tests need, made once."""

    def __init__(
        self,
        tree: PowerTree,
        loads: tuple[Load, ...],
        allocation: Mapping[LoadId, int],
        policy: Policy,
    ) -> None:
        self.policy = policy
        self.unit = 1000 if policy is Policy.EQUAL_KW else 1
        self.loads = loads
        self.got = {load.id: allocation.get(load.id, 0) for load in loads}
        self.unknown = set(allocation) ^ set(self.got)
        self.limit = {n.id: n.limit_w for n in tree.nodes}
        up = {n.id: n.parent for n in tree.nodes}
        self.above: dict[NodeId, list[NodeId]] = {}
        for start in up:
            at: NodeId | None = start
            self.above[start] = []
            while at is not None:
                self.above[start].append(at)
                at = up[at]
        self.below: dict[NodeId, list[Load]] = {node: [] for node in up}
        for load in loads:
            for node in self.above[load.node]:
                self.below[node].append(load)
        self.reserve = dict.fromkeys(up, 0)
        for n in tree.nodes:
            for node in self.above[n.id]:
                self.reserve[node] += n.reserved_w
        self.sum = {
            v: sum(self.got[load.id] for load in inside) for v, inside in self.below.items()
        }

    def all(self) -> list[Violation]:
        """Return the violations: of loads, of limits, of what was left lying, of fairness."""
        wrong = [
            Violation(fault=Fault.MISSING, where=i, text=f"{i}: no such load or no share")
            for i in sorted(self.unknown)
        ]
        for load in self.loads:
            wrong += self._of_load(load)
        for node in self.limit:
            wrong += self._of_limit(node)
        for load in self.loads:
            wrong += self._of_fairness(load)
        return wrong

    def most(self, load: Load) -> int:
        """The most that this load can get, in W, whole units."""
        return load.max_w // self.unit * self.unit

    def least(self, load: Load) -> int:
        """The least that this load can make use of, in W."""
        return 0 if self.policy is Policy.EQUAL_KW else min(load.min_w, load.max_w)

    def room(self, node: NodeId) -> int | None:
        """What is left at a node, in W, negative when it is overloaded; None without a limit."""
        limit = self.limit[node]
        if limit is None:
            return None
        return max(0, limit - self.reserve[node]) - self.sum[node]

    def _of_load(self, load: Load) -> list[Violation]:
        got = self.got[load.id]
        if got < 0:
            return [_fault(Fault.NEGATIVE, load.id, f"{got} W")]
        wrong = []
        if got > load.max_w:
            wrong.append(_fault(Fault.ABOVE_MAXIMUM, load.id, f"{got} W, at most {load.max_w} W"))
        if 0 < got < self.least(load):
            wrong.append(_fault(Fault.BELOW_MINIMUM, load.id, f"{got} W, least {load.min_w} W"))
        if got % self.unit:
            wrong.append(_fault(Fault.NOT_WHOLE, load.id, f"{got} W, units of {self.unit} W"))
        return wrong

    def _of_limit(self, node: NodeId) -> list[Violation]:
        room = self.room(node)
        if room is None or room >= 0:
            return []
        return [_fault(Fault.LIMIT_EXCEEDED, node, f"{-room} W over {self.limit[node]} W")]

    def _of_fairness(self, load: Load) -> list[Violation]:
        got = self.got[load.id]
        if got >= self.most(load):
            return []
        if got == 0 and self.least(load) > 0:
            return self._of_waiting(load)
        full = [v for v in self.above[load.node] if self._is_full(v)]
        if not full:
            return [_fault(Fault.UNUSED, load.id, f"{got} W of {load.max_w} W and nothing is full")]
        if any(not self._favoured(load, node) for node in full):
            return []
        nearest = self._favoured(load, full[0])
        return [_fault(Fault.UNFAIR, load.id, f"{got} W while {nearest[0]} has more in {full[0]}")]

    def _is_full(self, node: NodeId) -> bool:
        room = self.room(node)
        return room is not None and room < self.unit

    def _favoured(self, load: Load, node: NodeId) -> list[LoadId]:
        """Return the loads below the node that should give a unit to this one."""
        return [
            other.id
            for other in self.below[node]
            if self.got[other.id] > self.least(other) and self._has_more(other, load)
        ]

    def _has_more(self, rich: Load, poor: Load) -> bool:
        """Return whether a unit from `rich` to `poor` would make the two more equal."""
        after_rich = self.got[rich.id] - self.unit
        if self.policy is Policy.EQUAL_KW or rich.weight == poor.weight:
            return after_rich > self.got[poor.id]
        after_poor = self.got[poor.id] + self.unit
        return Fraction(after_rich, rich.weight) > Fraction(after_poor, poor.weight)

    def _of_waiting(self, load: Load) -> list[Violation]:
        """A load that waits must not fit beside the minimums of those that did get in."""
        for node in self.above[load.node]:
            limit = self.limit[node]
            if limit is None:
                continue
            held = sum(self.least(other) for other in self.below[node] if self.got[other.id] > 0)
            if held + self.least(load) > limit - self.reserve[node]:
                return []
        return [_fault(Fault.NOT_LET_IN, load.id, f"its minimum of {self.least(load)} W would fit")]


def _fault(fault: Fault, where: str, text: str) -> Violation:
    return Violation(fault=fault, where=where, text=f"{where}: {fault}: {text}")
