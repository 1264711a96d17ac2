"""A site made by chance: chargers, wiring, limits; and what can go wrong with it, how often."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from csms.domain.ids import SiteId
from csms.domain.phases import PhaseRotation
from csms.domain.site_rules import SiteRules
from csms.domain.sites import Charger, ChargerId, Circuit, CircuitId, Site
from tests.proof.truth import VOLT, Connector, TrueCharger


@dataclass(frozen=True)
class Odds:
    """How often what goes wrong."""

    rejected: float = 0.05
    unanswered: float = 0.01
    not_installed: float = 0.01  # accepted all the same
    latency_s: tuple[float, float] = (0.05, 60.0)
    follows_s: tuple[float, float] = (0.05, 14.9)
    cut_every_s: float = 900.0  # each charger
    reboot: float = 0.3  # of cuts
    crash: float = 0.01  # of messages
    car_every_s: float = 600.0  # each connector
    change_every_s: float = 120.0  # each car's appetite
    limit_every_s: float = 900.0  # the site's limit


@dataclass
class Result:
    transitions: int = 0
    events: int = 0
    crashes: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    energy_wh: float = 0.0


class Made:
    """Chargers as they really are, and the site as the server knows it."""

    def __init__(self, seed: int, odds: Odds, rules: SiteRules | None, *, reads_back: bool) -> None:
        self.chance = random.Random(seed)
        self.seed, self.odds, self.reads_back = seed, odds, reads_back
        self._build(rules)

    def _build(self, rules: SiteRules | None) -> None:
        chance = self.chance
        self.chargers = []
        for number in range(1, chance.randint(3, 7)):
            phases = chance.choice([3, 3, 3, 1])
            max_w = chance.choice([16, 32]) * phases * VOLT
            self.chargers.append(
                TrueCharger(
                    number=number,
                    max_w=max_w,
                    phases=phases,
                    connectors={n: Connector() for n in range(1, chance.choice([1, 1, 2]) + 1)},
                    follows_s=self._log(*self.odds.follows_s),
                    clock_off=timedelta(seconds=chance.uniform(-55, 55)),
                    reads_back=self.reads_back,
                )
            )
        most = sum(true.max_w for true in self.chargers)
        self.built_w = int(most * chance.uniform(0.3, 0.9))
        self.limit_w = self.built_w
        below = {true.number for true in self.chargers if chance.random() < 0.5}
        part = sum(true.max_w for true in self.chargers if true.number in below)
        self.circuit_w = int(part * chance.uniform(0.4, 1.1))
        self.below = below
        circuits = (Circuit(id=CircuitId("c"), limit_w=self.circuit_w),) if below else ()
        # every other site limits the current of each phase, too
        wiring = random.Random(f"{self.seed} phases")
        self.phase_limit_da: int | None = None
        if wiring.random() < 0.5:
            self.phase_limit_da = int(self.built_w / (3 * VOLT) * 10 * wiring.uniform(0.6, 1.2))
        rotations = [wiring.choice(["RST", "STR", "TRS", "Unknown"]) for _ in self.chargers]
        self.first_phase = {
            true.number: wiring.randrange(3) if rotation == "Unknown" else "RST".index(rotation[0])
            for true, rotation in zip(self.chargers, rotations, strict=True)
        }
        self.site = Site(
            id=SiteId("s"),
            name="s",
            grid_limit_w=self.limit_w,
            grid_phase_limit_da=self.phase_limit_da,
            circuits=circuits,
        )
        self.rules = rules or SiteRules(lease_s=chance.choice([0, 300, 900]))
        self.assets = {
            true.number: Charger(
                id=ChargerId(f"CP{true.number}"),
                max_w=true.max_w,
                circuit_id=CircuitId("c") if true.number in below else None,
                connectors=len(true.connectors),
                phases=true.phases,
                voltage_v=VOLT,
                rotation=PhaseRotation(rotations[true.number - 1]),
            )
            for true in self.chargers
        }

    def _log(self, low: float, high: float) -> float:
        return math.exp(self.chance.uniform(math.log(low), math.log(high)))
