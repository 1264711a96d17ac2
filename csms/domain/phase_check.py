"""Judges currents on three phases without knowing how they were made.

An oracle for tests and for a self-check in operation: its own sums over nodes and phases, exact
fractions, the words of `phase_network` and nothing of its arrays or of the method.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from csms.domain.allocation_check import Fault, Violation
from csms.domain.phase_network import PhaseLoad
from csms.domain.power_tree import LoadId, NodeId, PowerTree

_Link = tuple[NodeId, str]
"""A node and what it limits there: L1, L2, L3 or power."""


def phase_violations(
    tree: PowerTree, loads: Iterable[PhaseLoad], currents: Mapping[LoadId, int]
) -> list[Violation]:
    """Return everything that is wrong with currents in steps (dA); [] when nothing is.

    Within limits, minimums and steps; nothing left that a load could take; and no step that could
    be moved from one load to another so that both are still better off than the poorer one was. A
    load with 0 A is in order when its minimum does not fit beside the minimums of those let in.
    """
    return _Judgement(tree, tuple(loads), currents).in_steps()


def continuous_violations(
    tree: PowerTree, loads: Iterable[PhaseLoad], currents: Mapping[LoadId, Fraction]
) -> list[Violation]:
    """Return what is wrong with currents that know no steps, exactly.

    The bottleneck test of weighted max-min: each load is at its maximum, or takes part in a full
    link in which no load above its own minimum has a higher level.
    """
    return _Judgement(tree, tuple(loads), currents).continuous()


class _Judgement:
    def __init__(
        self,
        tree: PowerTree,
        loads: tuple[PhaseLoad, ...],
        currents: Mapping[LoadId, int] | Mapping[LoadId, Fraction],
    ) -> None:
        self.loads = loads
        self.got = {load.id: Fraction(currents.get(load.id, 0)) for load in loads}
        self.unknown = set(currents) ^ set(self.got)
        up = {node.id: node.parent for node in tree.nodes}
        self.limit: dict[_Link, Fraction] = {}
        for node in tree.nodes:
            if node.limit_w is not None:
                self.limit[node.id, "power"] = Fraction(node.limit_w)
            if node.phase_limit_da is not None:
                for phase in (1, 2, 3):
                    self.limit[node.id, f"L{phase}"] = Fraction(node.phase_limit_da)
        reserve: dict[_Link, Fraction] = {}
        for node in tree.nodes:
            at: NodeId | None = node.id
            while at is not None:
                held = (*node.reserved_da, node.reserved_w)
                for what, amount in zip(("L1", "L2", "L3", "power"), held, strict=True):
                    reserve[at, what] = reserve.get((at, what), Fraction(0)) + amount
                at = up[at]
        self.room = {
            link: max(Fraction(0), limit - reserve[link]) for link, limit in self.limit.items()
        }
        self.takes: dict[LoadId, dict[_Link, Fraction]] = {}
        self.inside: dict[_Link, list[PhaseLoad]] = {link: [] for link in self.limit}
        for load in loads:
            takes: dict[_Link, Fraction] = {}
            at = load.node
            while at is not None:
                takes[at, "power"] = Fraction(load.volts, 10)
                for phase in (1, 2, 3):
                    if load.phases & (1 << (phase - 1)):
                        takes[at, f"L{phase}"] = Fraction(1)
                at = up[at]
            self.takes[load.id] = {link: t for link, t in takes.items() if link in self.limit}
            for link in self.takes[load.id]:
                self.inside[link].append(load)
        self.free = {
            link: room - sum(self.takes[one.id][link] * self.got[one.id] for one in inside)
            for (link, room), inside in zip(self.room.items(), self.inside.values(), strict=True)
        }

    def in_steps(self) -> list[Violation]:
        wrong = self._limits()
        for load in self.loads:
            got = self.got[load.id]
            if got not in (0, load.step_down(int(got))):
                wrong.append(_fault(Fault.NOT_WHOLE, load.id, f"{got} dA, steps {load.steps}"))
            if got == 0 and load.least_da > 0:
                wrong += self._waits(load)
            elif got < load.most_da:
                wrong += self._steps(load)
        return wrong

    def continuous(self) -> list[Violation]:
        wrong = self._limits()
        for load in self.loads:
            if self.got[load.id] >= load.most_da:
                continue
            full = [link for link in self.takes[load.id] if self.free[link] == 0]
            if not full:
                wrong.append(_fault(Fault.UNUSED, load.id, "nothing is full"))
            level = self._level(load, self.got[load.id])
            if full and not any(self._is_top(level, link) for link in full):
                wrong.append(_fault(Fault.UNFAIR, load.id, f"others have more in {full}"))
        return wrong

    def _is_top(self, level: Fraction, link: _Link) -> bool:
        return all(
            self._level(other, self.got[other.id]) <= level or self.got[other.id] <= other.least_da
            for other in self.inside[link]
        )

    def _level(self, load: PhaseLoad, current: Fraction) -> Fraction:
        return current * load.volts / load.weight

    def _limits(self) -> list[Violation]:
        wrong = [
            _fault(Fault.MISSING, name, "no such load or no share") for name in sorted(self.unknown)
        ]
        for (node, what), free in self.free.items():
            if free < 0:
                text = f"{-free} over {self.limit[node, what]} of {what}"
                wrong.append(_fault(Fault.LIMIT_EXCEEDED, node, text))
        for load in self.loads:
            got = self.got[load.id]
            if got < 0:
                wrong.append(_fault(Fault.NEGATIVE, load.id, f"{got} dA"))
            if got > load.max_da:
                wrong.append(_fault(Fault.ABOVE_MAXIMUM, load.id, f"{got} of {load.max_da} dA"))
            if 0 < got < load.least_da:
                wrong.append(_fault(Fault.BELOW_MINIMUM, load.id, f"{got} of {load.least_da} dA"))
        return wrong

    def _steps(self, load: PhaseLoad) -> list[Violation]:
        got = self.got[load.id]
        after = load.step_up(int(got))
        if after is None:
            return []
        missing = {}
        for link, takes in self.takes[load.id].items():
            needed = takes * (after - got)
            if needed > self.free[link]:
                missing[link] = needed - self.free[link]
        if not missing:
            return [_fault(Fault.UNUSED, load.id, f"its next step to {after} dA would fit")]
        level = self._level(load, got)
        for other in self.loads:
            less = self._less(other)
            if other.id == load.id or less is None or self._level(other, less) <= level:
                continue
            given = self.got[other.id] - less
            if all(
                self.takes[other.id].get(link, Fraction(0)) * given >= needed
                for link, needed in missing.items()
            ):
                return [_fault(Fault.UNFAIR, load.id, f"{other.id} could give a step")]
        return []

    def _less(self, load: PhaseLoad) -> Fraction | None:
        got = int(self.got[load.id])
        if got <= load.least_da:
            return None
        return Fraction(max(load.step_down(got - 1), load.least_da))

    def _waits(self, load: PhaseLoad) -> list[Violation]:
        for link, takes in self.takes[load.id].items():
            held = sum(
                self.takes[other.id][link] * other.least_da
                for other in self.inside[link]
                if self.got[other.id] > 0
            )
            if held + takes * load.least_da > self.room[link]:
                return []
        return [_fault(Fault.NOT_LET_IN, load.id, f"its minimum of {load.least_da} dA would fit")]


def _fault(fault: Fault, where: str, text: str) -> Violation:
    return Violation(fault=fault, where=where, text=f"{where}: {fault}: {text}")
