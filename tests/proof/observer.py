"""The observer: adds up what charge points may be drawing, and knows nothing of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from csms.domain.site_rules import SiteRules
from tests.proof.made import Made, Node, Odds, Place, Result
from tests.proof.truth import VOLT, TrueCharger

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
_TOLD = 5
_ROUNDING_W = 0.01


class Observed(Made):
    """A site that is watched; `coming` tells what is on its way to charge points."""

    def __init__(self, seed: int, odds: Odds, rules: SiteRules | None, *, reads_back: bool) -> None:
        super().__init__(seed, odds, rules, reads_back=reads_back)
        self.now = START
        self.result = Result()
        # what charge points have accepted and do not enforce: so much was theirs all the same
        self.pretended: dict[Place, int] = {}

    def coming(self) -> Iterable[tuple[Place, int]]:
        """Yield connectors (0: the charge point) and limits that may still arrive."""
        raise NotImplementedError

    def observe(self, what: str) -> None:
        most = {true.number: true.most_w(self.now) for true in self.chargers}
        currents = self.currents_a({true.number: true.most_a(self.now) for true in self.chargers})
        for node in self.nodes:
            flow = sum(w for number, w in most.items() if number in node.below)
            most_w = max(node.limit_w, self._ceiling_w(node))
            if flow > most_w + _ROUNDING_W:
                self._violation(f"{what}: {node.name} {flow:.0f} > {most_w}: {most}")
            if node.phase_limit_da is None:
                continue
            through = self._through(node, currents)
            if max(through) * 10 > node.phase_limit_da + 1e-6:
                told = ", ".join(f"{each:.1f}" for each in through)
                limit_a = node.phase_limit_da / 10
                self._violation(f"{what}: {node.name} {told} A > {limit_a}: {most}")

    def currents_a(self, own: dict[int, list[float]]) -> dict[int, list[float]]:
        """What chargers take from L1, L2 and L3 when they draw so much on their own phases."""
        found = {}
        for true in self.chargers:
            on = [0.0, 0.0, 0.0]
            for phase, current in enumerate(own[true.number]):
                on[(self.first_phase[true.number] + phase) % 3] += current
            found[true.number] = on
        return found

    def _through(self, node: Node, currents: dict[int, list[float]]) -> list[float]:
        below = [each for number, each in currents.items() if number in node.below]
        return [sum(each[phase] for each in below) for phase in range(3)]

    def limit_fell(self, node: Node) -> None:
        """A limit has dropped without notice: what could flow before it may for a while."""
        could = self._could_at()
        node.ceiling_w = max(self._below_w(node, could), node.ceiling_w or 0)
        node.next_w = self._next_at()
        node.seen = self._seen(could)

    def _ceiling_w(self, node: Node) -> int:
        """After a drop of the limit no more may flow than could before it, ever less.

        What a car that has left could draw is gone; the one after it starts with the fallback
        share for as long as the charger could not be told another one since the drop.
        """
        if node.ceiling_w is None:
            return 0
        could, after = self._could_at(), self._next_at()
        node.next_w = {place: min(w, after[place]) for place, w in node.next_w.items()}
        seen = self._seen(could)
        for place, (car, now_w) in seen.items():
            car_before, before_w = node.seen[place]
            if car != car_before and place[0] in node.below:
                node.ceiling_w += max(0, min(now_w, node.next_w[place]) - before_w)
        node.seen = seen
        node.ceiling_w = ceiling_w = min(node.ceiling_w, self._below_w(node, could))
        most = {place: max(w, node.next_w[place]) for place, w in could.items()}
        if self._below_w(node, most) <= node.limit_w:
            node.ceiling_w = None
        return ceiling_w

    def _seen(self, could: Mapping[Place, int]) -> dict[Place, tuple[int | None, int]]:
        return {
            (true.number, number): (connector.transaction, could[true.number, number])
            for true in self.chargers
            for number, connector in true.connectors.items()
        }

    def _below_w(self, node: Node, at: Mapping[Place, int]) -> int:
        return sum(w for number, w in self._of_chargers(at).items() if number in node.below)

    def _of_chargers(self, at: Mapping[Place, int]) -> dict[int, int]:
        return {
            true.number: min(true.max_w, sum(at[true.number, n] for n in true.connectors))
            for true in self.chargers
        }

    def _could_at(self) -> dict[Place, int]:
        """What a car of any size at each connector could draw, with all that is on its way."""
        return self._with_coming(lambda true, number: true.in_force_w(number, self.now))

    def _next_at(self) -> dict[Place, int]:
        """What the car after it could, before anybody hears of it."""
        return self._with_coming(lambda true, number: true.next_w(number, self.now))

    def _with_coming(self, now_w: Callable[[TrueCharger, int], int]) -> dict[Place, int]:
        coming = dict(self.pretended)
        for place, limit in self.coming():
            coming[place] = max(coming.get(place, 0), limit)
        return {
            (true.number, number): max(
                now_w(true, number),
                coming.get((true.number, number), 0),
                coming.get((true.number, 0), 0),
            )
            for true in self.chargers
            for number in true.connectors
        }

    def is_crowded(self) -> bool:
        """Whether cars of any size at each connector would be more than some limit allows."""
        could = self._of_chargers(self._could_at())
        own = {
            true.number: [could[true.number] / true.phases / VOLT] * true.phases
            for true in self.chargers
        }
        currents = self.currents_a(own)
        for node in self.nodes:
            if sum(w for number, w in could.items() if number in node.below) > node.limit_w:
                return True
            most_da = node.phase_limit_da
            if most_da is not None and max(self._through(node, currents)) * 10 > most_da:
                return True
        return False

    def _violation(self, text: str) -> None:
        if len(self.result.violations) < _TOLD:
            self.result.violations.append(f"seed {self.seed} at {self.now - START}: {text}")
        self.result.counts["violations"] += 1
