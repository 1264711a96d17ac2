from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.allocation_phases import allocate_phases
from csms.domain.phase_check import phase_violations
from tests.domain.phase_trees import phase_load, phase_tree, random_case
from tests.domain.poorest_first import poorest_first
from tests.many import many

SEEDS = st.integers(0, 2**40)


def _right(seed, loads):
    of, some = random_case(seed, loads=loads)
    claims = random.Random(seed).choice([None, {one.id: 1 + len(one.id) for one in some}])
    got = allocate_phases(of, some, claims)
    assert got.current_da == poorest_first(of, some, got.waiting)


@pytest.mark.slow
@pytest.mark.timeout(900)
@many(20_000)
@given(SEEDS)
def test_every_step_goes_to_the_poorest_who_has_room_for_it(seed):
    _right(seed, loads=12)


@many(150)
@given(SEEDS)
def test_so_it_does_where_there_are_few(seed):
    _right(seed, loads=12)


@pytest.mark.slow
@pytest.mark.timeout(600)
@many(500)
@given(SEEDS)
def test_so_it_does_where_there_are_many(seed):
    _right(seed, loads=60)


def test_a_wide_step_of_the_poorer_comes_before_narrow_ones_of_the_better_off():
    """By levels alone the narrow one would have had 24 A before the wide one is asked."""
    of = phase_tree(("grid", None, None, 480))
    loads = [phase_load("narrow", "grid", 1), phase_load("wide", "grid", 1, steps=(60, 320))]
    assert allocate_phases(of, loads).current_da == {"narrow": 160, "wide": 320}


def test_who_is_poorer_by_a_step_gets_it_though_others_could_have_had_more():
    """A step of 0.1 A is a wide one for a load on three phases: its level stays under others'."""
    of = phase_tree(("grid", None, None, 102))
    loads = [phase_load("three", "grid"), phase_load("one", "grid", 1)]
    got = allocate_phases(of, loads).current_da
    assert got == {"three": 26, "one": 76}
    assert got == poorest_first(of, loads)
    assert phase_violations(of, loads, got) == []
