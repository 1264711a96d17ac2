from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.admission import admit
from csms.domain.allocation_incremental import LiveAllocation
from csms.domain.allocation_phases import allocate_phases
from csms.domain.phase_check import phase_violations
from csms.domain.phase_filling import fill
from csms.domain.phase_network import phase_network
from tests.domain.phase_trees import phase_load, phase_tree, random_case
from tests.many import many


def _continuous(of, loads):
    """What filling everything anew finds for each load before it is cut into steps."""
    network = phase_network(of, loads)
    present, _ = admit(network)
    filling = fill(network, present)
    found = dict.fromkeys((load.id for load in loads), 0)
    for members, level in zip(present, filling.levels, strict=True):
        for m in members:
            current = min(network.high[m], max(network.low[m], level / network.price[m]))
            found[network.loads[m].id] = current
    return found


def _kept(live):
    """The same from what a live allocation keeps."""
    found = dict.fromkeys(live.current_da, 0)
    for members, level in zip(live._present, live._levels, strict=True):
        for m in members:
            current = min(live._net.high[m], max(live._net.low[m], level / live._net.price[m]))
            found[live._net.loads[m].id] = current
    return found


def _play(seed: int, *, minimums: bool):
    """Yield tree, loads and allocation after each of a dozen changes of a random site."""
    of, loads = random_case(seed, minimums=minimums, loads=14)
    chance = random.Random(seed)
    live = LiveAllocation(of, loads)
    there, away = {load.id: load for load in loads}, {}
    for _ in range(12):
        what = chance.random()
        if what < 0.4 and there:
            name = chance.choice(sorted(there))
            away[name] = there.pop(name)
            before = dict(live.current_da)
            changed = live.remove(name)
        elif what < 0.7 and away:
            name = chance.choice(sorted(away))
            there[name] = away.pop(name)
            before = dict(live.current_da)
            changed = live.put(there[name])
        elif there:
            name = chance.choice(sorted(there))
            most = chance.choice([0, 60, 100, 160, 320, chance.randint(0, 400)])
            there[name] = replace(there[name], max_da=most)
            before = dict(live.current_da)
            changed = live.put(there[name])
        else:
            continue
        assert live.current_da == {k: v for k, v in (before | changed).items() if k in there}
        yield of, list(there.values()), live


@pytest.mark.slow
@pytest.mark.timeout(600)
@many(2_000)
@given(st.integers(0, 2**40))
def test_after_every_change_it_is_right(seed):
    for of, loads, live in _play(seed, minimums=True):
        assert phase_violations(of, loads, live.current_da) == []


@many(300)
@given(st.integers(0, 2**40))
def test_levels_are_those_of_filling_everything_anew(seed):
    for of, loads, live in _play(seed, minimums=False):
        assert _kept(live) == pytest.approx(_continuous(of, loads), rel=1e-6, abs=1e-6)
        assert phase_violations(of, loads, live.current_da) == []


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


def test_a_load_that_may_take_more_than_before_is_looked_at_anew():
    of = phase_tree(("grid", None, None, 200))
    loads = [phase_load("a", "grid", 1, 90), phase_load("b", "grid", 1, 100)]
    live = LiveAllocation(of, loads)
    assert live.current_da == {"a": 90, "b": 100}  # nothing can be full
    assert live.put(replace(loads[0], max_da=320)) == {"a": 100}
    assert live.rebuilds == 2
    assert live.put(phase_load("c", "grid", 1)) == {"a": 67, "b": 67, "c": 66}
    with pytest.raises(ValueError, match="no node attic"):
        live.put(phase_load("d", "attic"))
    with pytest.raises(KeyError):
        live.remove("nobody")
