"""The oracle must catch what a broken allocator on three phases would do."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain import allocation_phases, allocation_steps, phase_network
from csms.domain.allocation_check import Fault
from csms.domain.allocation_phases import allocate_phases, exact_currents
from csms.domain.phase_check import continuous_violations, phase_violations
from tests.domain.phase_trees import phase_load, phase_tree, random_case
from tests.many import many

SITE = phase_tree(("grid", None, None, 400), ("garage", "grid", 9200, 320))
LOADS = [
    phase_load("one", "garage", 0b001, min_da=60),
    phase_load("other", "garage", 0b001),
    phase_load("two", "grid", 0b011, max_da=160, min_da=60, steps=10),
]
RIGHT = {"one": 160, "other": 160, "two": 80}


def _faults(currents, loads=LOADS, of=SITE):
    return {(v.fault, v.where) for v in phase_violations(of, loads, currents)}


def test_the_right_one_passes():
    assert allocate_phases(SITE, LOADS).current_da == RIGHT
    assert _faults(RIGHT) == set()


def test_a_phase_exceeded_by_a_step():
    assert (Fault.LIMIT_EXCEEDED, "grid") in _faults(RIGHT | {"two": 90})
    assert (Fault.LIMIT_EXCEEDED, "garage") in _faults(RIGHT | {"one": 161})


def test_power_exceeded_while_every_phase_has_room():
    of = phase_tree(("grid", None, 7000, 320))
    loads = [phase_load("a", "grid")]
    assert _faults({"a": 101}, loads, of) == set()
    assert _faults({"a": 102}, loads, of) == {(Fault.LIMIT_EXCEEDED, "grid")}


def test_something_left_lying_and_something_unfair():
    assert _faults(RIGHT | {"two": 70}) == {(Fault.UNUSED, "two")}
    assert _faults(RIGHT | {"one": 158, "other": 162}) == {(Fault.UNFAIR, "one")}


def test_steps_minimums_and_maximums():
    assert (Fault.NOT_WHOLE, "two") in _faults(RIGHT | {"two": 75})
    assert (Fault.BELOW_MINIMUM, "one") in _faults(RIGHT | {"one": 59})
    assert (Fault.ABOVE_MAXIMUM, "two") in _faults(RIGHT | {"two": 170})
    assert (Fault.NEGATIVE, "two") in _faults(RIGHT | {"two": -10})


def test_one_kept_out_although_its_minimum_fits():
    assert _faults(RIGHT | {"two": 0}) == {(Fault.NOT_LET_IN, "two")}


def test_forgotten_and_invented_loads():
    assert (Fault.MISSING, "two") in _faults({"one": 160, "other": 160})
    assert _faults(RIGHT | {"x": 0}) == {(Fault.MISSING, "x")}


def test_levels_without_steps_are_judged_without_slack():
    of = phase_tree(("grid", None, None, 100))
    loads = [phase_load(name, "grid", 1) for name in "abc"]
    right = exact_currents(of, loads)
    assert set(right.values()) == {Fraction(100, 3)}
    assert continuous_violations(of, loads, right) == []
    tiny = Fraction(1, 10**12)
    less = right | {"a": right["a"] - tiny}
    moved = less | {"b": right["b"] + tiny}
    assert {v.fault for v in continuous_violations(of, loads, less)} == {Fault.UNUSED}
    assert {v.fault for v in continuous_violations(of, loads, moved)} == {Fault.UNFAIR}


@many(300)
@given(st.integers(0, 2**40))
def test_one_step_more_is_always_caught(seed):
    of, loads = random_case(seed)
    got = allocate_phases(of, loads).current_da
    for one in loads:
        more = one.step_up(got[one.id]) or got[one.id] + 1
        assert phase_violations(of, loads, {**got, one.id: more})


def _only_first_phase(tree, loads):
    return REAL_NETWORK(tree, [replace(one, phases=1) for one in loads])


def _without_weights(tree, loads):
    return REAL_NETWORK(tree, [replace(one, weight=1) for one in loads])


def _without_power(tree, loads):
    network = REAL_NETWORK(tree, loads)
    rooms = [
        room * 100 if kind == phase_network.POWER else room
        for room, (_, kind) in zip(network.rooms, network.places, strict=True)
    ]
    return network._replace(rooms=rooms)


def _nobody_waits(network, claims, first):
    return [group.members for group in network.groups], {}


def _keeps_the_rest(hand_out, blocks):
    return {}


def _never_doubts(hand_out, blocks):
    REAL_RUN(hand_out, blocks)
    return {}


def _amperes_for_power(tree, loads):
    network = REAL_NETWORK(tree, loads)
    return network._replace(price=[1] * len(network.price))


REAL_NETWORK = allocation_phases.phase_network
REAL_RUN = allocation_steps._HandOut.run


@pytest.mark.parametrize(
    ("where", "what", "broken"),
    [
        (allocation_phases, "phase_network", _only_first_phase),
        (allocation_phases, "phase_network", _without_weights),
        (allocation_phases, "phase_network", _without_power),
        (allocation_phases, "admit", _nobody_waits),
        (allocation_phases, "phase_network", _amperes_for_power),
        (allocation_steps._HandOut, "run", _keeps_the_rest),
        (allocation_steps._HandOut, "run", _never_doubts),
    ],
)
def test_a_broken_allocator_is_caught(monkeypatch, where, what, broken):
    monkeypatch.setattr(where, what, broken)

    def caught(seed: int) -> bool:
        of, loads = random_case(seed)
        try:
            return bool(phase_violations(of, loads, allocate_phases(of, loads).current_da))
        except (ArithmeticError, IndexError, ValueError):
            return True  # it does not even get through

    assert any(caught(seed) for seed in range(600))
