"""Sites of any size for the benchmark of the allocator, and the same as problems for HiGHS."""

from __future__ import annotations

import random

import highspy
import numpy as np

from csms.domain.phase_network import PhaseLoad, phase_network
from csms.domain.power_tree import Load, LoadId, Node, NodeId, PowerTree, power_tree

MASKS = (0b001, 0b010, 0b100, 0b001, 0b010, 0b100, 0b011, 0b101, 0b111, 0b111, 0b111, 0b111)


def power_site(number: int, seed: int = 1) -> tuple[PowerTree, list[Load]]:
    """Four levels: connection, circuits of 100 cars, rows of 20, chargers with two connectors."""
    chance = random.Random(seed)
    nodes = [Node(id=NodeId("grid"), parent=None, limit_w=number * 3000)]
    circuits, rows = max(1, number // 100), max(1, number // 20)
    nodes += [
        Node(
            id=NodeId(f"c{n}"),
            parent=NodeId("grid"),
            limit_w=int(100 * chance.uniform(1500, 6000)),
        )
        for n in range(circuits)
    ]
    nodes += [
        Node(
            id=NodeId(f"r{n}"),
            parent=NodeId(f"c{n % circuits}"),
            limit_w=int(20 * chance.uniform(1500, 8000)),
        )
        for n in range(rows)
    ]
    nodes += [
        Node(id=NodeId(f"h{n}"), parent=NodeId(f"r{n % rows}"), limit_w=22_080, self_limiting=True)
        for n in range(number // 2)
    ]
    loads = [
        Load(
            id=LoadId(f"l{n:06}"),
            node=NodeId(f"h{n // 2}"),
            max_w=chance.choice([3680, 7360, 11_040, 22_080]),
            weight=chance.choice([1, 1, 1, 2]),
            order=n,
        )
        for n in range(number)
    ]
    return power_tree(nodes), loads


def phase_site(
    number: int, *, scarce: float, steps: int = 1, grid: bool = True, seed: int = 1
) -> tuple[PowerTree, list[PhaseLoad]]:
    """Four levels with phases: connection, circuits of 250 cars, rows of 50, chargers.

    Args:
        number: Cars.
        scarce: 1 has room for about every car's 6 A and little more; below it some wait.
        steps: Of the currents, in 0.1 A.
        grid: Whether the connection is as scarce as the circuits.
        seed: Of the limits.
    """
    chance = random.Random(seed)

    def room(cars: int) -> int:
        return int(cars * 60 * 0.7 * scarce * chance.uniform(0.6, 1.8)) + 60

    nodes = [
        Node(
            id=NodeId("grid"),
            parent=None,
            limit_w=number * (3700 if grid else 22_080),
            phase_limit_da=int(number * 60 * (0.7 * scarce if grid else 4)),
        )
    ]
    circuits, rows = max(1, number // 250), max(1, number // 50)
    nodes += [
        Node(id=NodeId(f"c{n}"), parent=NodeId("grid"), limit_w=None, phase_limit_da=room(250))
        for n in range(circuits)
    ]
    nodes += [
        Node(
            id=NodeId(f"r{n}"),
            parent=NodeId(f"c{n % circuits}"),
            limit_w=None,
            phase_limit_da=room(50),
        )
        for n in range(rows)
    ]
    loads = []
    for n in range(number):
        nodes.append(
            Node(
                id=NodeId(f"h{n}"),
                parent=NodeId(f"r{n % rows}"),
                limit_w=22_080,
                phase_limit_da=320,
                self_limiting=True,
            )
        )
        phases = chance.choice(MASKS)
        loads.append(
            PhaseLoad(
                id=LoadId(f"l{n:06}"),
                node=NodeId(f"h{n}"),
                phases=phases,
                volts=230 * phases.bit_count(),
                max_da=chance.choice([160, 200, 320]),
                min_da=60,
                steps=steps,
                weight=chance.choice([1, 1, 1, 2]),
                order=n,
            )
        )
    return power_tree(nodes), loads


def claims_of(loads: list[PhaseLoad], seed: int = 5) -> dict[LoadId, int]:
    """Waiting times in minutes times weight, as the rotation makes them."""
    chance = random.Random(seed)
    return {load.id: load.weight * chance.randint(1, 90) for load in loads}


def _solver(columns, rows, upper, cost, *, whole=False):
    """Return a HiGHS model: columns from 0 to `upper`; rows as (places, values, room)."""
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = columns, len(rows)
    lp.col_cost_ = np.asarray(cost, dtype=float)
    lp.col_lower_, lp.col_upper_ = np.zeros(columns), np.asarray(upper, dtype=float)
    lp.row_lower_ = np.full(len(rows), -highspy.kHighsInf)
    lp.row_upper_ = np.asarray([room for _, _, room in rows], dtype=float)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.cumsum([0, *(len(places) for places, _, _ in rows)])
    lp.a_matrix_.index_ = np.asarray([p for places, _, _ in rows for p in places])
    lp.a_matrix_.value_ = np.asarray([v for _, values, _ in rows for v in values], dtype=float)
    if whole:
        lp.integrality_ = [highspy.HighsVarType.kInteger] * columns
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.passModel(lp)
    return solver


def power_lp(tree: PowerTree, loads: list[Load]):
    """Return the LP of the most power: one solve, and it is not even fair."""
    rows: dict[NodeId, list[int]] = {}
    for place, load in enumerate(loads):
        for node in tree.path(load.node):
            rows.setdefault(node, []).append(place)
    limited = [
        (places, [1.0] * len(places), tree.available_w[tree.index[node]])
        for node, places in rows.items()
        if tree.available_w[tree.index[node]] is not None
    ]
    return _solver(len(loads), limited, [load.max_w for load in loads], [-1.0] * len(loads))


def phase_lp(tree: PowerTree, loads: list[PhaseLoad]):
    """Return the LP of the most power over phases, without the 6 A."""
    network = phase_network(tree, loads)
    rows: dict[int, tuple[list[int], list[float]]] = {}
    for group in network.groups:
        for link, take in zip(group.links, group.takes, strict=True):
            places, values = rows.setdefault(link, ([], []))
            places += group.members
            values += [take] * len(group.members)
    limited = [(places, values, network.rooms[link]) for link, (places, values) in rows.items()]
    cost = [-float(load.volts) for load in network.loads]
    return _solver(len(loads), limited, network.high, cost)


def admission_milp(tree: PowerTree, loads: list[PhaseLoad], claims: dict[LoadId, int]):
    """Return the MILP of the most claims."""
    network = phase_network(tree, loads)
    rows: dict[int, tuple[list[int], list[float]]] = {}
    for group in network.groups:
        for link, take in zip(group.links, group.takes, strict=True):
            places, values = rows.setdefault(link, ([], []))
            places += group.members
            values += [take * network.low[member] for member in group.members]
    limited = [(places, values, network.rooms[link]) for link, (places, values) in rows.items()]
    cost = [-float(claims[load.id]) for load in network.loads]
    return _solver(len(loads), limited, [1.0] * len(loads), cost, whole=True)
