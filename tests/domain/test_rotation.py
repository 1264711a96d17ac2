from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.admission import admit
from csms.domain.phase_network import phase_network
from csms.domain.rotation import DWELL, MOST_PAUSES, PAUSES_WITHIN, Turn, next_turns, precedence
from tests.domain.phase_trees import phase_load, phase_tree
from tests.many import many

START = datetime(2026, 3, 1, tzinfo=UTC)


class Garage:
    """Cars on one phase with room for a number of them; remembers what happened to each."""

    def __init__(self, places: int, weights: list[int], arrivals: list[timedelta]) -> None:
        self.tree = phase_tree(("grid", None, None, 60 * places + 7))
        self.cars = [
            (START + arrival, phase_load(f"car {n:02}", "grid", 1, min_da=60, weight=weight))
            for n, (weight, arrival) in enumerate(zip(weights, arrivals, strict=True))
        ]
        self.turns: dict[str, Turn] = {}
        self.longest_wait = timedelta(0)
        self.stays: list[timedelta] = []
        self.pauses: dict[str, list[datetime]] = {}

    def look(self, now: datetime) -> None:
        loads = [load for arrival, load in self.cars if arrival <= now]
        network = phase_network(self.tree, loads)
        order = precedence(network, self.turns, now)
        _, outside = admit(network, order.claims, order.first)
        waiting = {network.loads[member].id for member in outside}
        before = self.turns
        self.turns = next_turns(before, [load.id for load in loads], waiting, now)
        for name, turn in before.items():
            if not turn.inside:
                self.longest_wait = max(self.longest_wait, now - turn.since)
            elif not self.turns[name].inside:
                self.stays.append(now - turn.since)
                self.pauses.setdefault(name, []).append(now)

    def run(self, hours: int, step: timedelta) -> None:
        now = START
        while now < START + timedelta(hours=hours):
            self.look(now)
            now += step


@pytest.mark.slow
@many(300)
@given(
    st.lists(st.sampled_from([1, 1, 2, 5, 100]), min_size=2, max_size=12),
    st.data(),
    st.sampled_from([180, 300, 900]),
    st.booleans(),
)
def test_nobody_waits_longer_than_his_share_of_dwells(weights, data, step_s, together):
    """Whatever the weights: ceil(n / k) dwells, and as much more as the loop looks late."""
    places = data.draw(st.integers(1, len(weights) - 1))
    step = timedelta(seconds=step_s)
    arrivals = [
        timedelta(0) if together else timedelta(seconds=data.draw(st.integers(0, 7200)))
        for _ in weights
    ]
    garage = Garage(places, weights, arrivals)
    garage.run(7, step)
    bound = -(-len(weights) // places) * DWELL
    assert garage.longest_wait <= bound + (timedelta(0) if together else step)
    assert min(garage.stays, default=DWELL) >= DWELL
    for pauses in garage.pauses.values():
        for pause in pauses:
            near = [other for other in pauses if pause - PAUSES_WITHIN < other <= pause]
            assert len(near) <= MOST_PAUSES


def test_the_last_word_of_the_bound_over_the_weights():
    garage = Garage(2, [100, 1, 1, 1, 50], [timedelta(0)] * 5)
    garage.run(8, timedelta(minutes=5))
    assert DWELL < garage.longest_wait <= 3 * DWELL


def test_equal_cars_take_turns_every_dwell():
    garage = Garage(1, [1, 1, 1], [timedelta(0)] * 3)
    inside = []
    for turn in range(6):
        garage.look(START + turn * DWELL)
        inside += [name for name, t in garage.turns.items() if t.inside]
    assert inside == ["car 00", "car 01", "car 02"] * 2


def test_a_heavier_car_waits_less():
    garage = Garage(2, [4, 1, 1, 1, 1, 1], [timedelta(0)] * 6)
    share = dict.fromkeys((load.id for _, load in garage.cars), 0)
    for minute in range(24 * 60):
        garage.look(START + timedelta(minutes=minute))
        for name, turn in garage.turns.items():
            share[name] += turn.inside
    others = [minutes for name, minutes in share.items() if name != "car 00"]
    assert share["car 00"] > 1.4 * max(others)
    assert max(others) < 1.2 * min(others)


def test_where_everybody_fits_nobody_is_paused():
    garage = Garage(3, [1, 5, 9], [timedelta(0)] * 3)
    garage.run(2, timedelta(minutes=1))
    assert garage.pauses == {}
    assert all(turn.inside for turn in garage.turns.values())


def test_a_turn_is_forgotten_with_its_load_and_pauses_with_their_hour():
    turn = Turn(inside=True, since=START, pauses=(START,))
    later = START + timedelta(hours=2)
    assert next_turns({"a": turn}, [], [], later) == {}
    assert next_turns({"a": turn}, ["a"], ["a"], later) == {
        "a": Turn(inside=False, since=later, pauses=(later,))
    }
    assert next_turns({"a": turn}, ["a"], [], later) == {"a": turn}


def test_who_was_paused_twice_in_an_hour_stays_until_that_is_over():
    pauses = (START, START + timedelta(minutes=30))
    turn = Turn(inside=True, since=START, pauses=pauses)
    assert turn.stays_until(START + timedelta(minutes=31)) == START + PAUSES_WITHIN
    assert turn.stays_until(START + PAUSES_WITHIN) == START + PAUSES_WITHIN + DWELL
    assert Turn(inside=True, since=START, pauses=pauses[:1]).stays_until(START) == START + DWELL
