"""The observer: adds up what charge points may be drawing, and knows nothing of the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from csms.domain.site_rules import SiteRules
from tests.proof.made import Made, Odds, Result
from tests.proof.truth import VOLT

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
_TOLD = 5


class Observed(Made):
    """A site that is watched; `coming` tells what is on its way to charge points."""

    def __init__(self, seed: int, odds: Odds, rules: SiteRules | None, *, reads_back: bool) -> None:
        super().__init__(seed, odds, rules, reads_back=reads_back)
        self.now = START
        self.result = Result()
        self.ceiling_w: int | None = None
        # what charge points have accepted and do not enforce: so much was theirs all the same
        self.pretended: dict[tuple[int, int], int] = {}

    def coming(self) -> Iterable[tuple[tuple[int, int], int]]:
        """Yield connectors (0: the charge point) and limits that may still arrive."""
        raise NotImplementedError

    def observe(self, what: str) -> None:
        most = {true.number: true.most_w(self.now) for true in self.chargers}
        grid = sum(most.values())
        below = sum(w for number, w in most.items() if number in self.below)
        limit = self.limit_w
        if self.ceiling_w is not None:
            # after a drop of the limit no more may flow than could before it, ever less
            could = self.could_w()
            self.ceiling_w = min(self.ceiling_w, could) if could > limit else None
            limit = limit if self.ceiling_w is None else max(limit, self.ceiling_w)
        if grid > limit:
            self._violation(f"{what}: grid {grid} > {limit} ({self.limit_w}): {most}")
        if self.below and below > self.circuit_w:
            self._violation(f"{what}: circuit {below} > {self.circuit_w}: {most}")
        if self.phase_limit_da is not None:
            currents = self.currents_a(most)
            if max(currents) * 10 > self.phase_limit_da + 1e-6:
                self._violation(f"{what}: {currents} A > {self.phase_limit_da / 10} A: {most}")

    def currents_a(self, most: dict[int, int]) -> list[float]:
        """What flows on L1, L2 and L3 when chargers draw so much."""
        currents = [0.0, 0.0, 0.0]
        for true in self.chargers:
            for phase in range(true.phases):
                on = (self.first_phase[true.number] + phase) % 3
                currents[on] += most[true.number] / true.phases / VOLT
        return currents

    def could_w(self) -> int:
        """What could flow at a car of any size at each connector, with all that is on its way."""
        return sum(self._could_w().values())

    def _could_w(self) -> dict[int, int]:
        coming = dict(self.pretended)
        for place, limit in self.coming():
            coming[place] = max(coming.get(place, 0), limit)
        return {
            true.number: min(
                true.max_w,
                sum(
                    max(
                        true.in_force_w(number, self.now),
                        coming.get((true.number, number), 0),
                        coming.get((true.number, 0), 0),
                    )
                    for number in true.connectors
                ),
            )
            for true in self.chargers
        }

    def _violation(self, text: str) -> None:
        if len(self.result.violations) < _TOLD:
            self.result.violations.append(f"seed {self.seed} at {self.now - START}: {text}")
        self.result.counts["violations"] += 1
