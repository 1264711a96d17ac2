"""Random changes on small sites, each limit checked after each by sums that share no line.

Cars come, go, turn out to use one phase, and wait; limits fall and rise; what nobody controls comes
and goes; time passes and turns with it. After every change each phase of each node, its power, its
neutral and every minimum and step are checked; the whole oracle looks at one change in fifty.
"""

from __future__ import annotations

import cmath
import math
import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from csms.domain.allocation_phases import allocate_network
from csms.domain.phase_check import phase_violations
from csms.domain.phase_network import PhaseLoad, phase_network
from csms.domain.power_tree import LoadId, Node, NodeId, PowerTree, power_tree
from csms.domain.rotation import next_turns, precedence

START = datetime(2026, 3, 1, tzinfo=UTC)
ANGLES = [cmath.exp(-2j * math.pi * phase / 3) for phase in range(3)]
ORACLE_EVERY = 50
CHANGES_A_SITE = 500


class Site:
    """A small site that changes at random."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.nodes = [
            Node(
                id=NodeId(f"n{place}"),
                parent=NodeId(f"n{chance.randrange(place)}") if place else None,
                limit_w=chance.choice([None, chance.randint(0, 60_000)]),
                phase_limit_da=chance.randint(50, 900) if place % 3 == 0 else None,
            )
            for place in range(chance.randint(1, 5))
        ]
        self.tree: PowerTree = power_tree(self.nodes)
        self.loads: dict[LoadId, PhaseLoad] = {}
        self.turns = {}
        self.now = START
        self.count = 0

    def change(self) -> None:
        chance = self.chance
        self.now += timedelta(seconds=chance.choice([1, 5, 60, 300, 900]))
        what = chance.random()
        if what < 0.35 and len(self.loads) < 10:
            self.count += 1
            phases = chance.choice([1, 2, 4, 3, 5, 6, 7, 7])
            load = PhaseLoad(
                id=LoadId(f"l{self.count}"),
                node=chance.choice(self.nodes).id,
                phases=phases,
                volts=230 * phases.bit_count(),
                max_da=chance.choice([60, 100, 160, 320, chance.randint(0, 400)]),
                min_da=chance.choice([0, 60, 60, 60]),
                steps=chance.choice([1, 1, 1, 10, (60, 100, 160, 320)]),
                weight=chance.choice([1, 1, 2, 5]),
                order=self.count,
            )
            self.loads[load.id] = load
        elif what < 0.6 and self.loads:
            self.loads.pop(chance.choice(sorted(self.loads)))
        elif what < 0.8 and self.loads:
            name = chance.choice(sorted(self.loads))
            load = self.loads[name]
            self.loads[name] = chance.choice(
                [replace(load, phases=1, volts=230), replace(load, max_da=chance.randint(0, 400))]
            )
        else:
            place = chance.randrange(len(self.nodes))
            node = self.nodes[place]
            self.nodes[place] = chance.choice(
                [
                    replace(node, phase_limit_da=chance.randint(0, 900)),
                    replace(node, limit_w=chance.choice([None, chance.randint(0, 60_000)])),
                    replace(node, reserved_da=(chance.randint(0, 200), 0, chance.randint(0, 99))),
                    replace(node, reserved_w=chance.randint(0, 9000)),
                ]
            )
            self.tree = power_tree(self.nodes)

    def decide(self) -> dict[LoadId, int]:
        network = phase_network(self.tree, self.loads.values())
        order = precedence(network, self.turns, self.now)
        got = allocate_network(network, order.claims, order.first)
        present = [load.id for load in self.loads.values() if load.least_da]
        self.turns = next_turns(self.turns, present, got.waiting, self.now)
        return dict(got.current_da)

    def faults(self, currents: dict[LoadId, int]) -> list[str]:
        """Return every limit that is exceeded, every minimum and step that is broken."""
        found: list[str] = []
        parent = {node.id: node.parent for node in self.nodes}
        power = {node.id: 10 * node.reserved_w for node in self.nodes}
        phase = {node.id: list(node.reserved_da) for node in self.nodes}
        mine = {node.id: [0, 0, 0] for node in self.nodes}
        for node in self.nodes:
            at = parent[node.id]
            while at is not None:
                power[at] += 10 * node.reserved_w
                for p in range(3):
                    phase[at][p] += node.reserved_da[p]
                at = parent[at]
        held = {name: list(values) for name, values in phase.items()}
        held_power = dict(power)
        for load in self.loads.values():
            current = currents[load.id]
            if current and (current < min(load.min_da, load.max_da) and current != load.most_da):
                found.append(f"{load.id}: {current} under its minimum")
            steps = load.steps
            whole = current % steps == 0 if isinstance(steps, int) else current in (0, *steps)
            if current < 0 or current > load.max_da or not whole:
                found.append(f"{load.id}: {current}")
            at = load.node
            while at is not None:
                power[at] += current * load.volts
                for p in range(3):
                    phase[at][p] += current * (load.phases >> p & 1)
                    mine[at][p] += current * (load.phases >> p & 1)
                at = parent[at]
        for node in self.nodes:
            name = node.id
            if node.limit_w is not None and power[name] > max(10 * node.limit_w, held_power[name]):
                found.append(f"{name}: {power[name]} of {10 * node.limit_w}")
            if node.phase_limit_da is not None:
                found += _phases(name, node.phase_limit_da, phase[name], held[name], mine[name])
        return found


def _phases(
    name: str, limit: int, through: list[int], held: list[int], mine: list[int]
) -> list[str]:
    """Return what is wrong with the currents of a node's phases, and with its neutral."""
    found = [
        f"{name} L{p + 1}: {through[p]} of {limit}"
        for p in range(3)
        if through[p] > max(limit, held[p])
    ]
    neutral = abs(sum(i * a for i, a in zip(mine, ANGLES, strict=True)))
    return found + ([f"{name} N: {neutral} of {limit}"] if neutral > limit + 1e-6 else [])


def run(steps: int, seed: int) -> int:
    """Play so many changes; returns the number of faults, which is the exit code too."""
    chance = random.Random(seed)
    faults = judged = waiting = 0
    began = time.process_time()
    site = Site(chance)
    for step in range(1, steps + 1):
        if step % CHANGES_A_SITE == 0:
            site = Site(chance)
        site.change()
        currents = site.decide()
        waiting += any(not turn.inside for turn in site.turns.values())
        wrong = site.faults(currents)
        if step % ORACLE_EVERY == 0:
            judged += 1
            wrong += [v.text for v in phase_violations(site.tree, site.loads.values(), currents)]
        if wrong:
            faults += 1
            print(f"step {step}: {wrong}", flush=True)
    print(
        f"{steps:,} changes, seed {seed}: {faults} with a fault; {waiting:,} with somebody waiting;"
        f" {judged:,} judged by the whole oracle; {time.process_time() - began:.0f} s of CPU"
    )
    return min(faults, 1)
