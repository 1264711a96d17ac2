from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.allocation import Policy, allocate
from csms.domain.allocation_check import violations
from tests.domain.trees import cases, load, random_case, tree, with_limit
from tests.many import many

FAIR, EQUAL_KW = Policy.FAIR, Policy.EQUAL_KW


@many(600)
@given(cases())
def test_fair_allocation_is_exact(case):
    of, loads = case
    assert violations(of, loads, allocate(of, loads).power_w) == []


@many(400)
@given(cases(unit=1000, weights=False))
def test_whole_kilowatts_are_exact(case):
    of, loads = case
    got = allocate(of, loads, EQUAL_KW).power_w
    assert violations(of, loads, got, EQUAL_KW) == []
    assert all(power % 1000 == 0 for power in got.values())


@pytest.mark.slow
@pytest.mark.timeout(600)
@many(20_000)
@given(st.integers(0, 2**40))
def test_many_random_trees_are_exact(seed):
    of, loads = random_case(seed)
    assert violations(of, loads, allocate(of, loads).power_w) == []
    of, loads = random_case(seed, unit=1000)
    assert violations(of, loads, allocate(of, loads, EQUAL_KW).power_w, EQUAL_KW) == []


@many(200)
@given(cases(), st.randoms(use_true_random=False), st.sampled_from(Policy))
def test_the_order_of_listing_plays_no_part(case, random, policy):
    of, loads = case
    shuffled = list(loads)
    random.shuffle(shuffled)
    assert allocate(of, loads, policy) == allocate(of, shuffled, policy)


@many(300)
@given(cases(minimums=False), st.integers(1, 50), st.data())
def test_a_higher_limit_never_hands_out_less(case, more, data):
    of, loads = case
    node = data.draw(st.sampled_from([n for n in of.nodes if n.limit_w is not None]))
    raised = with_limit(of, node.id, node.limit_w + more)
    before = sum(allocate(of, loads).power_w.values())
    assert before <= sum(allocate(raised, loads).power_w.values()) <= before + more


@many(150)
@given(cases(minimums=False, weights=False))
def test_as_good_as_trying_everything(case):
    """Lexicographic max-min by brute force: no other whole allocation is better for the poorest."""
    of, loads = case
    loads = [replace(one, max_w=min(one.max_w, 4)) for one in loads[:4]]
    assert sorted(allocate(of, loads).power_w.values()) == _best(of, loads)


@pytest.mark.slow
@pytest.mark.timeout(600)
@many(5_000)
@given(st.integers(0, 2**40))
def test_many_tiny_trees_are_as_good_as_trying_everything(seed):
    of, loads = random_case(seed)
    loads = [replace(one, max_w=min(one.max_w, 4), min_w=0, weight=1) for one in loads[:4]]
    for node in of.nodes:
        if node.limit_w is not None:
            of = with_limit(of, node.id, node.limit_w % 13)
    assert sorted(allocate(of, loads).power_w.values()) == _best(of, loads)


def _best(of, loads):
    return max(
        sorted(powers)
        for powers in itertools.product(*(range(one.max_w + 1) for one in loads))
        if _fits(of, loads, powers)
    )


def _fits(of, loads, powers):
    for node, free in zip(of.nodes, of.available_w, strict=True):
        inside = sum(
            p for one, p in zip(loads, powers, strict=True) if node.id in of.path(one.node)
        )
        if free is not None and inside > free:
            return False
    return True


def _powers(of, loads, policy=FAIR):
    return list(allocate(of, loads, policy).power_w.values())


def test_a_child_that_is_full_leaves_the_rest_to_the_others():
    of = tree(("grid", None, 100), ("garage", "grid", 20))
    loads = [load("a", "garage", 99), load("b", "garage", 99), load("c", "grid", 99)]
    got = allocate(of, loads)
    assert got.power_w == {"a": 10, "b": 10, "c": 80}
    assert got.bottlenecks == {"a": "garage", "b": "garage", "c": "grid"}


def test_weights_share_in_proportion():
    of = tree(("grid", None, 1000))
    loads = [load("a", "grid", 999, weight=3), load("b", "grid", 999, weight=1)]
    assert _powers(of, loads) == [750, 250]


def test_odd_watts_go_by_place_in_the_queue():
    of = tree(("grid", None, 11))
    loads = [load("a", "grid", 9, order=2), load("b", "grid", 9, order=1), load("c", "grid", 9)]
    assert allocate(of, loads).power_w == {"a": 3, "b": 4, "c": 4}


def test_an_odd_watt_of_a_poor_circuit_is_not_given_to_the_rich():
    of = tree(("grid", None, 10), ("small", "grid", 3))
    loads = [
        load("a", "grid", 99),
        load("b", "small", 99, order=1),
        load("c", "small", 99, order=1),
    ]
    got = allocate(of, loads).power_w
    assert (got["b"], got["c"], got["a"]) == (2, 1, 7)


def test_minimums_let_in_by_queue_and_the_rest_wait():
    of = tree(("grid", None, 10_000))
    loads = [load(i, "grid", 11_000, min_w=4140) for i in "abc"]
    got = allocate(of, loads)
    assert got.power_w == {"a": 5000, "b": 5000, "c": 0}
    assert got.waiting == {"c"}
    assert got.bottlenecks["c"] == "grid"


def test_a_minimum_lifts_a_load_above_the_fair_level():
    of = tree(("grid", None, 10))
    loads = [load("a", "grid", 9, min_w=6), load("b", "grid", 9), load("c", "grid", 9)]
    assert allocate(of, loads).power_w == {"a": 6, "b": 2, "c": 2}


def test_reserves_count_at_the_node_and_above():
    of = tree(("grid", None, 100), ("garage", "grid", 50), reserved={"garage": 30})
    loads = [load("a", "garage", 99), load("b", "grid", 99)]
    assert allocate(of, loads).power_w == {"a": 20, "b": 50}


def test_a_reserve_over_the_limit_leaves_nothing():
    of = tree(("grid", None, 100), ("garage", "grid", 50), reserved={"garage": 120})
    assert _powers(of, [load("a", "garage", 9), load("b", "grid", 9)]) == [0, 0]


def test_whole_kilowatts_ignore_weights_and_minimums():
    of = tree(("grid", None, 10_900))
    loads = [
        load("a", "grid", 9000, weight=5),
        load("b", "grid", 2999, min_w=2500),
        load("c", "grid", 9000, min_w=4140),
    ]
    assert allocate(of, loads, EQUAL_KW).power_w == {"a": 4000, "b": 2000, "c": 4000}


@pytest.mark.parametrize("policy", Policy)
def test_nothing_to_share(policy):
    assert allocate(tree(("grid", None, 0)), [], policy).power_w == {}
    assert _powers(tree(("grid", None, 0)), [load("a", "grid", 5000)], policy) == [0]


def test_mistakes_of_the_caller_are_told():
    of = tree(("grid", None, 10))
    with pytest.raises(ValueError, match="twice"):
        allocate(of, [load("a", "grid", 1), load("a", "grid", 2)])
    with pytest.raises(ValueError, match="no node attic"):
        allocate(of, [load("a", "attic", 1)])
    with pytest.raises(ValueError, match="weight"):
        load("a", "grid", 1, weight=0)


def test_the_work_grows_almost_with_the_number_of_loads():
    """Counted in rooms looked at and taken, not in time: ten times the loads, about ten times."""

    def lookups(number: int) -> int:
        chargers = [(f"ch{i}", f"c{i // 10}", 11_000) for i in range(number // 2)]
        circuits = [(f"c{i}", "grid", 50_000) for i in range(number // 20)]
        of = tree(("grid", None, number * 3000), *circuits, *chargers)
        counting = _Counting(of.parents)
        loads = [load(f"l{i:05}", f"ch{i // 2}", 2000 + i % 97 * 200) for i in range(number)]
        assert violations(of, loads, allocate(of, loads).power_w) == []
        allocate(replace(of, parents=counting), loads)
        return counting.lookups

    assert lookups(2000) <= 13 * lookups(200)


class _Counting:
    def __init__(self, items):
        self.items = items
        self.lookups = 0

    def __getitem__(self, place):
        self.lookups += 1
        return self.items[place]
