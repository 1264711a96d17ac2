from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.allocation_incremental import LiveAllocation
from csms.domain.allocation_phases import allocate_phases
from csms.domain.phase_check import phase_violations
from tests.domain.phase_trees import MASKS, phase_load, phase_tree, random_case
from tests.domain.poorest_first import poorest_first
from tests.many import many


def _another(chance, load):
    """Return a load with something else about it."""
    return replace(
        load,
        **chance.choice(
            [
                {"max_da": chance.choice([0, 60, 100, 160, 320, chance.randint(0, 400)])},
                {"max_da": chance.randint(0, 400)},
                {"weight": chance.choice([1, 2, 3, 5])},
                {"steps": chance.choice([1, 10, (60, 100, 160, 320)])},
                {"min_da": chance.choice([0, 60, 80])},
                {"order": chance.randint(0, 4)},
                {"phases": 1, "volts": 230},
            ]
        ),
    )


def _play(seed: int, changes: int = 12):
    """Yield tree, loads and allocation after each change of a random site."""
    of, loads = random_case(seed, loads=14)
    chance = random.Random(seed)
    live = LiveAllocation(of, loads)
    there, away = {load.id: load for load in loads}, {}
    for turn in range(changes):
        what = chance.random()
        before = dict(live.current_da)
        if what < 0.3 and there:
            name = chance.choice(sorted(there))
            away[name] = there.pop(name)
            changed = live.remove(name)
        elif what < 0.5 and away:
            name = chance.choice(sorted(away))
            there[name] = away.pop(name)
            changed = live.put(there[name])
        elif what < 0.65:
            new = phase_load(
                f"new{turn}",
                chance.choice(of.nodes).id,
                chance.choice(MASKS),
                chance.choice([60, 160, 320]),
                min_da=chance.choice([0, 60]),
                order=chance.randint(0, 4),
            )
            there[new.id] = new
            changed = live.put(new)
        elif there:
            name = chance.choice(sorted(there))
            there[name] = _another(chance, there[name])
            changed = live.put(there[name])
        else:
            continue
        assert live.current_da == {k: v for k, v in (before | changed).items() if k in there}
        yield of, list(there.values()), live


@pytest.mark.slow
@pytest.mark.timeout(600)
@many(2_000)
@given(st.integers(0, 2**40))
def test_after_every_change_it_is_what_the_whole_solution_would_be(seed):
    for of, loads, live in _play(seed):
        outside = set(live.waiting)
        inside = [load for load in loads if load.id not in outside]
        anew = dict.fromkeys(outside, 0) | dict(allocate_phases(of, inside).current_da)
        assert live.current_da == anew == poorest_first(of, loads, outside)
        assert phase_violations(of, loads, live.current_da) == []


@many(100)
@given(st.integers(0, 2**40))
def test_after_every_change_each_step_is_with_the_poorest(seed):
    for of, loads, live in _play(seed):
        assert live.current_da == poorest_first(of, loads, live.waiting)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("grid_da", [None, 40_000])
def test_on_a_large_site_too(grid_da):
    """1,200 cars in 12 circuits; with 40,000 the connection is what holds everybody back."""
    chance = random.Random(7)
    circuits = [f"c{n}" for n in range(12)]
    of = phase_tree(
        ("grid", None, None, grid_da),
        *((name, "grid", None, int(6000 * chance.uniform(0.8, 1.6))) for name in circuits),
    )
    there = {
        load.id: load
        for load in (
            phase_load(
                f"l{n}",
                circuits[n % 12],
                chance.choice(MASKS),
                chance.choice([160, 200, 320]),
                min_da=60,
                weight=chance.choice([1, 1, 2]),
                order=n,
            )
            for n in range(1200)
        )
    }
    live = LiveAllocation(of, there.values())
    rebuilds = live.rebuilds
    for turn in range(120):
        name = chance.choice(sorted(there))
        if turn % 3 == 0:
            del there[name]
            live.remove(name)
        elif turn % 3 == 1:
            there[name] = replace(there[name], max_da=chance.randint(60, 320))
            live.put(there[name])
        else:
            new = phase_load(f"n{turn}", chance.choice(circuits), order=2000 + turn, min_da=60)
            there[new.id] = new
            live.put(new)
        outside = set(live.waiting)
        inside = [load for load in there.values() if load.id not in outside]
        assert allocate_phases(of, inside).current_da == {
            name: current for name, current in live.current_da.items() if name not in outside
        }
    assert live.rebuilds == rebuilds


def _garage(circuits: int, cars: int, grid_da: int | None = None):
    of = phase_tree(
        ("grid", None, None, grid_da),
        *((f"c{n}", "grid", None, 60 * cars) for n in range(circuits)),
    )
    loads = [
        phase_load(f"l{n}.{m}", f"c{n}", (1, 2, 4, 7)[m % 4], min_da=60)
        for n in range(circuits)
        for m in range(cars)
    ]
    return of, loads


def test_a_change_in_one_circuit_is_felt_there_only():
    of, loads = _garage(6, 8)
    live = LiveAllocation(of, loads)
    assert live.current_da == allocate_phases(of, loads).current_da
    changed = live.remove("l3.0")
    assert changed
    assert all(name.startswith("l3.") for name in changed)
    assert live.put(loads[24]).keys() == changed.keys() | {"l3.0"}
    assert live.current_da == allocate_phases(of, loads).current_da
    assert live.rebuilds == 1


def test_a_change_below_a_full_connection_is_felt_everywhere():
    of, loads = _garage(3, 8, grid_da=900)
    live = LiveAllocation(of, loads)
    assert phase_violations(of, loads, live.current_da) == []
    changed = live.remove("l0.0")
    assert {name[:2] for name in changed} == {"l0", "l1", "l2"}
    assert phase_violations(of, loads[1:], live.current_da) == []


def test_who_waits_gets_in_when_somebody_goes():
    of = phase_tree(("grid", None, None, 130))
    loads = [phase_load(name, "grid", 1, min_da=60) for name in "abc"]
    live = LiveAllocation(of, loads)
    assert (live.current_da, live.waiting) == ({"a": 65, "b": 65, "c": 0}, ("c",))
    assert live.remove("a") == {"c": 65}
    assert live.waiting == ()
    assert live.put(loads[0]) == {"a": 0}
    assert live.waiting == ("a",)


def test_what_could_not_be_full_before_is_counted_once_it_can():
    of = phase_tree(("grid", None, None, 200))
    loads = [phase_load("a", "grid", 1, 90), phase_load("b", "grid", 1, 100)]
    live = LiveAllocation(of, loads)
    assert live.current_da == {"a": 90, "b": 100}  # nothing can be full
    assert live.put(replace(loads[0], max_da=320)) == {"a": 100}
    assert live.put(phase_load("c", "grid", 1)) == {"a": 67, "b": 67, "c": 66}
    assert live.rebuilds == 1
    with pytest.raises(ValueError, match="no node attic"):
        live.put(phase_load("d", "attic"))
    with pytest.raises(KeyError):
        live.remove("nobody")
    assert live.current_da == {"a": 67, "b": 67, "c": 66}


def test_it_is_built_anew_where_the_queue_has_no_place_left_or_weights_do_not_divide():
    of = phase_tree(("grid", None, None, 200))
    live = LiveAllocation(of, [phase_load("a", "grid", 1), phase_load("b", "grid", 1, weight=2)])
    assert live.put(phase_load("c", "grid", 1, weight=3)).keys() == {"a", "b", "c"}
    assert (live.rebuilds, live.current_da) == (2, {"a": 34, "b": 67, "c": 99})
    for number in range(60):
        live.put(phase_load(f"c{number:02}", "grid", 1, 1, order=-number))
    assert live.rebuilds > 2
    assert sum(live.current_da.values()) == 200


def test_much_coming_and_going_leaves_nothing_behind():
    """What is noted of loads that have gone is thrown away in time."""
    of, loads = _garage(2, 6, grid_da=500)
    live = LiveAllocation(of, loads)
    for turn in range(400):
        load = loads[turn % len(loads)]
        live.remove(load.id)
        live.put(load)
    assert live.current_da == poorest_first(of, loads, live.waiting)
    noted = [*live._ladder._tops, *(q for each in live._ladder._queues for q in each.values())]
    assert max(len(heap or ()) for heap in noted) < 400
