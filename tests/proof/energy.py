"""What safety costs: energy of a site that waits for proof, against one where nothing has to wait.

The same cars on the same chargers for the same hours, twice: once with a wire and chargers that
take their time and the ledger as it is; once where every limit works at once and raises are never
kept apart. `python -m tests.proof.energy` prints both.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from datetime import timedelta
from unittest import mock

from csms.domain import obedience, site_wishes
from csms.domain.site_rules import SiteRules
from tests.proof.world import Odds, World

REAL = Odds(
    rejected=0.002,
    unanswered=0.001,
    not_installed=0,
    latency_s=(0.05, 1.0),
    follows_s=(0.5, 7.0),
    cut_every_s=1e9,
    crash=0,
    car_every_s=3 * 3600,
    change_every_s=3600,
    limit_every_s=1e9,
    swap=0,
    late_stop=0,
    clock_every_s=0,
)
IDEAL = Odds(
    rejected=0,
    unanswered=0,
    not_installed=0,
    latency_s=(0.001, 0.002),
    follows_s=(0.001, 0.002),
    cut_every_s=1e9,
    crash=0,
    car_every_s=REAL.car_every_s,
    change_every_s=REAL.change_every_s,
    limit_every_s=1e9,
    swap=0,
    late_stop=0,
    clock_every_s=0,
)
HOURS = 8.0
RULES = SiteRules()


def delivered(seed: int, odds: Odds, hours: float) -> tuple[float, int]:
    """Return the energy in Wh and the limits sent of one site in so many hours."""
    result = World(seed, odds=odds, rules=RULES, max_transitions=10**9, hours=hours).run()
    assert result.violations == []
    return result.energy_wh, result.transitions


def compare(seed: int, hours: float = HOURS) -> tuple[float, float, int]:
    """Return the energy with the ledger, without any waiting, and the limits sent by the first."""
    real, sent = delivered(seed, REAL, hours)
    with ExitStack() as patches:
        for module, name, value in (
            (obedience, "FOLLOWS_WITHIN_S", 0.01),
            (site_wishes, "RAISES_APART", timedelta(0)),
            (site_wishes, "CALM", timedelta(0)),
        ):
            patches.enter_context(mock.patch.object(module, name, value))
        ideal, _ = delivered(seed, IDEAL, hours)
    return real, ideal, sent


def main() -> None:
    total, best = 0.0, 0.0
    for seed in range(10):
        real, ideal, sent = compare(seed)
        total, best = total + real, best + ideal
        sys.stdout.write(
            f"site {seed}: {real / 1000:.1f} of {ideal / 1000:.1f} kWh in {HOURS:g} h, "
            f"{sent} limits\n"
        )
    sys.stdout.write(f"lost to waiting: {100 * (1 - total / best):.2f} % of the energy\n")


if __name__ == "__main__":
    main()
