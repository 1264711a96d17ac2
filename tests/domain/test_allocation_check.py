"""The oracle must catch what a broken allocator would do."""

from __future__ import annotations

import itertools

from hypothesis import given

from csms.domain.allocation import Policy, allocate
from csms.domain.allocation_check import Fault, violations
from tests.domain.trees import cases, load, tree
from tests.many import many

SITE = tree(("grid", None, 100), ("garage", "grid", 40), reserved={"garage": 10})
LOADS = [
    load("a", "garage", 50),
    load("b", "garage", 50),
    load("c", "grid", 20),
    load("d", "grid", 90, min_w=6),
]
RIGHT = {"a": 15, "b": 15, "c": 20, "d": 40}


def _faults(allocation, loads=LOADS, of=SITE, policy=Policy.FAIR):
    return {(v.fault, v.where) for v in violations(of, loads, allocation, policy)}


def test_the_right_one_passes():
    assert _faults(RIGHT) == set()
    assert allocate(SITE, LOADS).power_w == RIGHT


def test_a_limit_exceeded_by_one_watt():
    assert _faults(RIGHT | {"a": 16}) >= {(Fault.LIMIT_EXCEEDED, "garage")}


def test_a_reserve_forgotten():
    of = tree(("grid", None, 100), ("garage", "grid", 40))
    assert _faults(allocate(of, LOADS).power_w) >= {(Fault.LIMIT_EXCEEDED, "garage")}


def test_only_the_lowest_limit_looked_at():
    assert _faults(RIGHT | {"d": 90}) >= {(Fault.LIMIT_EXCEEDED, "grid")}


def test_power_left_lying():
    assert _faults(RIGHT | {"d": 39}) == {(Fault.UNUSED, "d")}


def test_one_gets_more_than_another():
    assert _faults(RIGHT | {"a": 14, "b": 16}) == {(Fault.UNFAIR, "a")}


def test_an_even_split_that_is_not_divided_again():
    """25 each, as a naive division by four does: what c and the garage leave is lost for d."""
    naive = dict.fromkeys("abcd", 25) | {"a": 15, "b": 15, "c": 20}
    assert _faults(naive) == {(Fault.UNUSED, "d")}


def test_above_its_maximum_negative_and_under_its_minimum():
    assert _faults(RIGHT | {"c": 21}) >= {(Fault.ABOVE_MAXIMUM, "c")}
    assert _faults(RIGHT | {"c": -1}) >= {(Fault.NEGATIVE, "c")}
    assert _faults(RIGHT | {"d": 5}) >= {(Fault.BELOW_MINIMUM, "d")}


def test_one_kept_out_although_its_minimum_fits():
    assert _faults(RIGHT | {"d": 0}) == {(Fault.NOT_LET_IN, "d")}


def test_forgotten_and_invented_loads():
    assert _faults({k: v for k, v in RIGHT.items() if k != "c"}) >= {(Fault.MISSING, "c")}
    assert _faults(RIGHT | {"x": 0}) == {(Fault.MISSING, "x")}


def test_parts_of_a_kilowatt():
    of, loads = tree(("grid", None, 5000)), [load("a", "grid", 9000), load("b", "grid", 9000)]
    kw = Policy.EQUAL_KW
    assert _faults({"a": 3000, "b": 2000}, loads, of, kw) == set()
    assert _faults({"a": 2500, "b": 2500}, loads, of, kw) >= {(Fault.NOT_WHOLE, "a")}
    assert _faults({"a": 4000, "b": 1000}, loads, of, kw) == {(Fault.UNFAIR, "b")}
    assert _faults({"a": 2000, "b": 2000}, loads, of, kw) >= {(Fault.UNUSED, "b")}


def test_weights_mistaken_for_equal_shares():
    loads = [load("a", "grid", 90, weight=3), load("b", "grid", 90)]
    of = tree(("grid", None, 80))
    assert _faults({"a": 60, "b": 20}, loads, of) == set()
    assert _faults({"a": 40, "b": 40}, loads, of) == {(Fault.UNFAIR, "a")}


@many(300)
@given(cases())
def test_one_watt_more_is_always_caught(case):
    of, loads = case
    got = allocate(of, loads).power_w
    for one in loads:
        assert violations(of, loads, {**got, one.id: got[one.id] + 1})


@many(300)
@given(cases(minimums=False, weights=False))
def test_two_watts_moved_are_always_caught(case):
    of, loads = case
    got = allocate(of, loads).power_w
    for one, other in itertools.permutations(loads, 2):
        if got[other.id] >= 2:
            moved = {**got, one.id: got[one.id] + 2, other.id: got[other.id] - 2}
            assert violations(of, loads, moved)
