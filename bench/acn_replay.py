"""Real days of two garages, shared period by period, checked against the garages' own constraints.

The garages are fed by delta-wye transformers and their cars hang between two lines, so each is a
load on two phases; panels and pods are nodes. What the allocator takes for granted (arithmetic sums
a phase) is checked with phasors of the published constraints: line currents of the secondary, of
every panel, and of the primary.
"""

from __future__ import annotations

import cmath
import csv
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from csms.domain.allocation_phases import allocate_network
from csms.domain.phase_check import phase_violations
from csms.domain.phase_network import PhaseLoad, phase_network
from csms.domain.power_tree import LoadId, Node, NodeId, PowerTree, power_tree
from csms.domain.rotation import Turn, next_turns, precedence

PERIOD = timedelta(minutes=5)
PHASES = {30.0: 0b011, -90.0: 0b110, 150.0: 0b101}
"""The lines that a car of this phase angle hangs between: A and B, B and C, C and A."""

WHOLE_AMPERES = 10
MINIMUM_DA = 60


def run(folder: Path) -> int:
    """Replay every day of the folder; returns 1 when a limit was exceeded."""
    faults = 0
    print("| garage | day | kW | sessions | served % | waits | periods | faults |")
    print("|---|---|---|---|---|---|---|---|")
    for path in sorted(folder.glob("sessions-*.csv")):
        _, garage, day = path.stem.split("-", 2)
        network = json.loads((folder / f"network-{garage}.json").read_text())
        with path.open() as file:
            sessions = list(csv.DictReader(file))
        for capacity, limits in network["limitsByCapacityKw"].items():
            replay = Replay(network, limits, sessions, day)
            wrong = replay.play()
            faults += len(wrong)
            for text in wrong[:5]:
                print(f"  {text}")
            print(
                f"| {garage} | {day} | {capacity} | {len(sessions)} | {replay.served():.1f} | "
                f"{replay.waits} | {replay.periods} | {len(wrong)} |",
                flush=True,
            )
    return min(faults, 1)


class Replay:
    """One day with one capacity of the transformer."""

    def __init__(
        self,
        network: dict[str, Any],
        limits: list[float],
        sessions: list[dict[str, str]],
        day: str,
    ) -> None:
        self.volts = network["voltageV"]
        self.angle = dict(zip(network["stations"], network["phaseAngleDeg"], strict=True))
        self.most = dict(zip(network["stations"], network["maxA"], strict=True))
        self.constraints = [
            (each["name"], limit, each["coefficients"])
            for each, limit in zip(network["constraints"], limits, strict=True)
        ]
        self.tree, self.node_of = _tree(self.constraints, network["stations"])
        self.sessions = sessions
        self.needs = {s["session"]: float(s["energy_kwh"]) * 1000 for s in sessions}
        self.left = dict(self.needs)
        self.midnight = datetime.fromisoformat(day).replace(tzinfo=UTC)
        self.waits = 0
        self.periods = 0

    def play(self) -> list[str]:
        """Share every period; returns what was wrong."""
        wrong: list[str] = []
        turns: dict[LoadId, Turn] = {}
        last = max(int(s["departure_period"]) for s in self.sessions)
        for period in range(last):
            loads = list(self._loads(period))
            if not loads:
                continue
            self.periods += 1
            now = self.midnight + period * PERIOD
            problem = phase_network(self.tree, loads)
            order = precedence(problem, turns, now)
            got = allocate_network(problem, order.claims, order.first)
            turns = next_turns(turns, [load.id for load in loads], got.waiting, now)
            self.waits += len(got.waiting)
            wrong += [f"{period}: {v.text}" for v in self._judged(loads, got.current_da)]
            stations = {s["session"]: s["station"] for s in self.sessions}
            amperes: dict[str, float] = {}
            for load_id, current in got.current_da.items():
                station = stations[load_id]
                amperes[station] = amperes.get(station, 0.0) + current / 10
                energy = current / 10 * self.volts * (PERIOD / timedelta(hours=1))
                self.left[load_id] = max(0.0, self.left[load_id] - energy)
            wrong += [f"{period}: {text}" for text in self._exceeded(amperes)]
        return wrong

    def served(self) -> float:
        """Return how much of what was asked for was delivered, in percent."""
        return 100 * (1 - sum(self.left.values()) / sum(self.needs.values()))

    def _judged(self, loads: list[PhaseLoad], currents: Any) -> list[Any]:
        return phase_violations(self.tree, loads, currents)

    def _loads(self, period: int) -> Iterator[PhaseLoad]:
        for session in self.sessions:
            name = session["session"]
            inside = int(session["arrival_period"]) <= period < int(session["departure_period"])
            if not inside or self.left[name] < 1:
                continue
            station = session["station"]
            needs_da = self.left[name] / (PERIOD / timedelta(hours=1)) / self.volts * 10
            yield PhaseLoad(
                id=LoadId(name),
                node=self.node_of[station],
                phases=PHASES[self.angle[station]],
                volts=self.volts,
                max_da=int(min(self.most[station] * 10, max(MINIMUM_DA, math.ceil(needs_da)))),
                min_da=MINIMUM_DA,
                steps=WHOLE_AMPERES,
                order=int(session["arrival_period"]),
            )

    def _exceeded(self, amperes: dict[str, float]) -> Iterator[str]:
        for name, limit, coefficients in self.constraints:
            current = abs(
                sum(
                    factor * amperes.get(s, 0.0) * cmath.exp(1j * math.radians(self.angle[s]))
                    for s, factor in coefficients.items()
                )
            )
            if current > limit + 1e-9:
                yield f"{name}: {current:.2f} of {limit:.2f} A"


def _tree(
    constraints: list[tuple[str, float, dict[str, float]]], stations: list[str]
) -> tuple[PowerTree, dict[str, NodeId]]:
    """Return a tree of the places that the constraints name, and where each station hangs.

    A place is what its constraints on lines A, B, C have in common. A primary line carries a
    quarter of two secondary lines' arithmetic sums, so that a secondary limit of twice the
    primary's keeps it for certain.
    """
    places: dict[str, tuple[float, set[str]]] = {}
    for name, limit, coefficients in constraints:
        words = name.split()
        is_primary = "Primary" in words
        place = " ".join(w for w in words if w not in {"A", "B", "C", "I_a", "I_b", "I_c"})
        place = place.replace("Primary", "Secondary")
        lowest, inside = places.get(place, (math.inf, set()))
        most = 2 * limit if is_primary else limit
        places[place] = (min(lowest, most), inside | set(coefficients))
    order = sorted(places, key=lambda place: -len(places[place][1]))
    nodes = [Node(id=NodeId("site"), parent=None, limit_w=None)]
    node_of = dict.fromkeys(stations, NodeId("site"))
    for place in order:
        limit, inside = places[place]
        parents = {node_of[station] for station in inside}
        if len(parents) != 1:
            msg = f"{place} lies across {parents}"
            raise ValueError(msg)
        nodes.append(
            Node(
                id=NodeId(place),
                parent=parents.pop(),
                limit_w=None,
                phase_limit_da=int(limit * 10),
            )
        )
        for station in inside:
            node_of[station] = NodeId(place)
    return power_tree(nodes), node_of
