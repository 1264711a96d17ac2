"""Random trees with three phases: made from a seed, so that tens of thousands are cheap."""

from __future__ import annotations

import random

from csms.domain.phase_network import PhaseLoad
from csms.domain.power_tree import LoadId, Node, NodeId, PowerTree, power_tree

MASKS = (0b001, 0b010, 0b100, 0b011, 0b101, 0b110, 0b111, 0b111, 0b111)


def phase_tree(*nodes: tuple[str, str | None, int | None, int | None]) -> PowerTree:
    """Return a tree of (id, parent, limit in W, limit of a phase in 0.1 A)."""
    return power_tree(
        Node(
            id=NodeId(name),
            parent=None if parent is None else NodeId(parent),
            limit_w=limit_w,
            phase_limit_da=limit_da,
        )
        for name, parent, limit_w, limit_da in nodes
    )


def phase_load(name: str, node: str, phases: int = 0b111, max_da: int = 320, **more) -> PhaseLoad:
    return PhaseLoad(
        id=LoadId(name),
        node=NodeId(node),
        phases=phases,
        volts=more.pop("volts", 230 * phases.bit_count()),
        max_da=max_da,
        **more,
    )


def random_case(
    seed: int, *, minimums: bool = True, steps: bool = True, loads: int = 12
) -> tuple[PowerTree, list[PhaseLoad]]:
    """Up to 6 nodes in any shape with limits that collide, and up to 12 loads on any of them."""
    chance = random.Random(seed)
    nodes = [
        Node(
            id=NodeId(f"n{place}"),
            parent=NodeId(f"n{chance.randrange(place)}") if place else None,
            limit_w=chance.choice([None, chance.randint(0, 60_000), chance.randint(0, 9_000)]),
            phase_limit_da=chance.choice([None, chance.randint(0, 400), chance.randint(0, 1500)]),
            reserved_w=chance.choice([0, 0, 0, 500]),
            reserved_da=chance.choice([(0, 0, 0), (0, 0, 0), (10, 0, 3)]),
        )
        for place in range(chance.randint(1, 6))
    ]
    tree = power_tree(nodes)
    some = []
    for number in range(chance.randint(0, loads)):
        phases = chance.choice(MASKS)
        some.append(
            PhaseLoad(
                id=LoadId(f"l{number}"),
                node=chance.choice(nodes).id,
                phases=phases,
                volts=chance.choice([230, 230, 120]) * phases.bit_count(),
                max_da=chance.choice([0, 60, 100, 160, 320, chance.randint(0, 400)]),
                min_da=chance.choice([0, 60, 60]) if minimums else 0,
                steps=chance.choice([1, 1, 10, (60, 100, 160, 320)]) if steps else 1,
                weight=chance.choice([1, 1, 2, 3]),
                order=chance.randint(0, 3),
            )
        )
    return tree, some
