"""A site made by chance: chargers, wiring, limits; and what can go wrong with it, how often."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from csms.domain.dialects import Traits, read_traits
from csms.domain.ids import SiteId
from csms.domain.phases import PhaseRotation
from csms.domain.site_rules import SiteRules
from csms.domain.sites import Charger, ChargerId, Circuit, CircuitId, CurrentType, Site
from tests.proof.truth import VOLT, Connector, TrueCharger

Place = tuple[int, int]
"""A charge point's number and that of one of its connectors."""


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
    odd_charger: float = 0.3  # of chargers: refuses what others take
    quiet: float = 0.3  # of chargers: is asked nothing
    fallback: float = 0.3  # of sites: a share that every charger may always draw
    few_phases: float = 0.4  # of cars
    foretold: float = 0.5  # of limits: known some minutes before
    down: float = 0.1  # of crashes: the server stays away, for longer than most leases
    down_s: tuple[float, float] = (120.0, 3600.0)
    swap: float = 0.3  # of cars that leave: the next one comes at once
    late_stop: float = 0.2  # of ends of transactions: told half a minute later
    clock_every_s: float = 7200.0  # each charger's clock jumps; 0: never
    circuit: float = 0.4  # of limits: of a circuit
    behind: float = 0.1  # of crashes: the database is an older one, restored from a backup


@dataclass
class Result:
    transitions: int = 0
    events: int = 0
    crashes: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    energy_wh: float = 0.0


@dataclass
class Node:
    """A limit of the site and the chargers below it; `phase_limit_da`: of each of its phases.

    `ceiling_w` holds while what could flow before its limit fell still could; `next_w` is what the
    next car at each connector could start with since then, and `seen` which car was there last and
    what it could draw.
    """

    name: str
    limit_w: int
    below: set[int]
    phase_limit_da: int | None = None
    built_w: int = 0
    ceiling_w: int | None = None
    next_w: dict[Place, int] = field(default_factory=dict)
    seen: dict[Place, tuple[int | None, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.built_w = self.limit_w


class Made:
    """Chargers as they really are, and the site as the server knows it."""

    def __init__(self, seed: int, odds: Odds, rules: SiteRules | None, *, reads_back: bool) -> None:
        self.chance = random.Random(seed)
        self.seed, self.odds, self.reads_back = seed, odds, reads_back
        # what was added later has chances of its own
        self.odd = random.Random(f"{seed} odd")
        self.more = random.Random(f"{seed} more")
        self.manners: dict[int, Traits] = {}
        self.dc: set[int] = set()
        self._build(rules)

    def _build(self, rules: SiteRules | None) -> None:
        chance, odds = self.chance, self.odds
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
                    follows_s=self._log(*odds.follows_s),
                    clock_off=timedelta(seconds=chance.uniform(-55, 55)),
                    reads_back=self.reads_back and self.odd.random() >= odds.quiet,
                )
            )
            if self.odd.random() < odds.odd_charger:
                self._make_odd(self.chargers[-1])
        most = sum(true.max_w for true in self.chargers)
        self.built_w = int(most * chance.uniform(0.3, 0.9))
        below = {true.number for true in self.chargers if chance.random() < 0.5}
        rules = rules or SiteRules(lease_s=chance.choice([0, 300, 900]), steady=bool(self.seed % 2))
        if self.odd.random() < odds.fallback:
            rules = replace(rules, fallback_a=Decimal(6))
        self.rules = rules
        self._wire(below, chance)

    def _wire(self, below: set[int], chance: random.Random) -> None:
        """Hang some chargers on circuits; every other site limits the current of phases, too."""
        wiring = random.Random(f"{self.seed} phases")
        inner = {number for number in below if self.odd.random() < 0.4}
        made = {"c": below} if below else {}
        if inner:
            made["d"] = inner
        self.nodes = [Node("grid", self.built_w, {true.number for true in self.chargers})]
        for name, numbers in made.items():
            part = sum(true.max_w for true in self.chargers if true.number in numbers)
            source = chance if name == "c" else self.odd
            self.nodes.append(Node(name, int(part * source.uniform(0.4, 1.1)), numbers))
        if wiring.random() < 0.5:
            for node in self.nodes:
                if node.name == "grid" or self.odd.random() < 0.7:
                    usual = node.limit_w / (3 * VOLT) * 10
                    node.phase_limit_da = int(usual * wiring.uniform(0.6, 1.2))
        rotations = [wiring.choice(["RST", "STR", "TRS", "Unknown"]) for _ in self.chargers]
        self.first_phase = {
            true.number: wiring.randrange(3) if rotation == "Unknown" else "RST".index(rotation[0])
            for true, rotation in zip(self.chargers, rotations, strict=True)
        }
        self.site = Site(
            id=SiteId("s"),
            name="s",
            grid_limit_w=self.built_w,
            grid_phase_limit_da=self.nodes[0].phase_limit_da,
            circuits=tuple(
                Circuit(
                    id=CircuitId(node.name),
                    limit_w=node.limit_w,
                    parent_id=CircuitId("c") if node.name == "d" else None,
                    phase_limit_da=node.phase_limit_da,
                )
                for node in self.nodes[1:]
            ),
        )
        self.assets = {
            true.number: Charger(
                id=ChargerId(f"CP{true.number}"),
                max_w=true.max_w,
                circuit_id=next(
                    (CircuitId(name) for name in ("d", "c") if true.number in made.get(name, ())),
                    None,
                ),
                connectors=len(true.connectors),
                current_type=CurrentType.DC if true.number in self.dc else CurrentType.AC,
                phases=true.phases,
                voltage_v=VOLT,
                rotation=PhaseRotation(rotations[true.number - 1]),
            )
            for true in self.chargers
        }

    def _make_odd(self, true: TrueCharger) -> None:
        """Let a charger refuse what others take; of some the server is told so beforehand."""
        traits: dict[str, Any]
        kind = self.odd.choice(["default", "default", "watts", "relative", "steps", "zero", "dc"])
        match kind:
            case "default":
                true.refuses = frozenset({"TxProfile"})
                traits = {"profile_purposes": ["TxDefaultProfile"]}
            case "watts":
                true.refuses, traits = frozenset({"A"}), {"rate_units": ["W"]}
            case "relative":
                true.refuses, traits = frozenset({"Absolute"}), {"profile_kinds": ["Relative"]}
            case "dc":
                true.refuses, traits = frozenset({"A"}), {}
                self.dc.add(true.number)
            case "steps":
                true.allowed_a = self.odd.choice([(6, 8, 10, 13, 16), (8, 16, 32)])
                traits = {"allowed_a": list(true.allowed_a)}
            case _:
                true.zero_stops, traits = True, {"zero_means_stop": True}
        if kind in {"steps", "zero"} or self.odd.random() < 0.5:
            self.manners[true.number] = read_traits(traits)

    def _log(self, low: float, high: float) -> float:
        return math.exp(self.chance.uniform(math.log(low), math.log(high)))
