"""Random and hand-made trees of limits for the tests of allocation and reconciliation."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import strategies as st

from csms.domain.power_tree import Load, LoadId, Node, NodeId, PowerTree, power_tree


def tree(*nodes: tuple[str, str | None, int | None], reserved: dict[str, int] | None = None):
    """Return a tree of (id, parent, limit in W)."""
    held = reserved or {}
    return power_tree(
        Node(
            id=NodeId(name),
            parent=None if parent is None else NodeId(parent),
            limit_w=limit,
            reserved_w=held.get(name, 0),
        )
        for name, parent, limit in nodes
    )


def load(name: str, node: str, max_w: int, **more: int) -> Load:
    return Load(id=LoadId(name), node=NodeId(node), max_w=max_w, **more)


def with_limit(of: PowerTree, node: NodeId, limit_w: int | None) -> PowerTree:
    return power_tree(replace(n, limit_w=limit_w) if n.id == node else n for n in of.nodes)


@st.composite
def trees(draw, unit: int = 1, reserves: bool = True) -> PowerTree:
    """Small limits, so that loads collide, in a tree of up to 7 nodes in any shape."""
    size = draw(st.integers(1, 7))
    limits = st.none() | st.integers(0, 40 * unit) | st.integers(0, 100_000 * unit)
    nodes = []
    for place in range(size):
        parent = None if place == 0 else NodeId(f"n{draw(st.integers(0, place - 1))}")
        reserve = draw(st.sampled_from([0, 0, 0, 3, unit + 1])) if reserves else 0
        nodes.append(
            Node(
                id=NodeId(f"n{place}"),
                parent=parent,
                limit_w=draw(limits) if place else draw(st.integers(0, 60 * unit)),
                reserved_w=reserve,
            )
        )
    return power_tree(draw(st.permutations(nodes)))


@st.composite
def cases(
    draw, unit: int = 1, minimums: bool = True, weights: bool = True
) -> tuple[PowerTree, list[Load]]:
    """A tree and up to 14 loads on any of its nodes."""
    of = draw(trees(unit=unit))
    loads = [
        Load(
            id=LoadId(f"l{number}"),
            node=draw(st.sampled_from(of.nodes)).id,
            max_w=draw(st.integers(0, 20 * unit) | st.integers(0, 50_000 * unit)),
            min_w=draw(st.sampled_from([0, 0, 4, 6, 13])) * unit if minimums else 0,
            weight=draw(st.sampled_from([1, 1, 2, 3, 5])) if weights else 1,
            order=draw(st.integers(0, 3)),
        )
        for number in range(draw(st.integers(0, 14)))
    ]
    return of, loads


def random_case(seed: int, unit: int = 1) -> tuple[PowerTree, list[Load]]:
    """As `cases`, made from a seed: tens of thousands are cheap."""
    chance = random.Random(seed)
    nodes = [
        Node(
            id=NodeId(f"n{place}"),
            parent=NodeId(f"n{chance.randrange(place)}") if place else None,
            limit_w=chance.choice([None, chance.randint(0, 40), chance.randint(0, 1000)]),
            reserved_w=chance.choice([0, 0, 0, 3, unit + 1]),
        )
        for place in range(chance.randint(1, 9))
    ]
    nodes = [n if n.limit_w is None else replace(n, limit_w=n.limit_w * unit) for n in nodes]
    loads = [
        Load(
            id=LoadId(f"l{number}"),
            node=chance.choice(nodes).id,
            max_w=chance.choice([chance.randint(0, 20), chance.randint(0, 500)]) * unit,
            min_w=chance.choice([0, 0, 4, 6, 13]) * unit,
            weight=chance.choice([1, 1, 2, 3, 5]),
            order=chance.randint(0, 3),
        )
        for number in range(chance.randint(0, 25))
    ]
    return power_tree(nodes), loads
