from __future__ import annotations

import pytest

from csms.domain.power_tree import Node, NodeId, power_tree, tree_problems
from tests.domain.trees import tree


def _node(name, parent=None, limit=10, reserved=0):
    return Node(
        id=NodeId(name),
        parent=None if parent is None else NodeId(parent),
        limit_w=limit,
        reserved_w=reserved,
    )


def test_parents_stand_before_children_whatever_the_order():
    of = power_tree([_node("c", "b"), _node("b", "a"), _node("a")])
    assert [n.id for n in of.nodes] == ["a", "b", "c"]
    assert of.path(NodeId("c")) == ("c", "b", "a")


def test_reserves_add_up_and_never_leave_less_than_nothing():
    of = tree(
        ("a", None, 100), ("b", "a", 30), ("c", "b", None), reserved={"a": 5, "b": 20, "c": 15}
    )
    assert of.reserved_w == (40, 35, 15)
    assert of.available_w == (60, 0, None)


def test_every_problem_is_told():
    nodes = [
        _node("a", limit=-1),
        _node("a", reserved=-2),
        _node("b", "attic"),
        _node("x", "y"),
        _node("y", "x"),
        _node("z", "z"),
        _node("w", "x"),  # hangs on a circle, is not part of it
    ]
    assert sorted(tree_problems(nodes)) == [
        "a has a negative limit (-1 W)",
        "a has a negative reserve (-2 W)",
        "a is there twice",
        "b is fed by attic, which is not there",
        "x and y feed each other in a circle",
        "z feeds itself",
    ]
    with pytest.raises(ValueError, match=r"attic.*x and y"):
        power_tree(nodes)
