"""Charging profiles: which one holds when (OCPP 1.6 3.13, 5.16, 7.8)."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.profiles import ProfileStore, Running
from simulator.schedule import ProfileError
from simulator.supply import Supply
from tests.simulator.physics import NOW, later, profile

AC3 = Supply(max_w=22_080)
AC1 = Supply(phases=1, max_w=7_360)
DC = Supply(current_type="DC", phases=1, voltage_v=400, max_w=150_000)
RUNNING = Running(transaction_id=7, since=NOW)
DAY = 86_400


def store_of(*placed, connectors: int = 2, running: Running | None = RUNNING) -> ProfileStore:
    store = ProfileStore(connectors=connectors)
    for connector_id, item in placed:
        store.install(connector_id, item, NOW, running)
    return store


def limit(store, seconds=0.0, *, connector=1, supply=AC3, running=RUNNING, **options):
    found = store.limit_at(connector, later(seconds), supply, running, **options)
    return None if found is None else found.value


def test_without_profiles_there_is_no_limit():
    assert limit(store_of()) is None


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-1, None), (0, 16), (59, 16), (60, 10), (89, 10), (90, None)]
)
def test_absolute_schedule_with_duration(seconds, expected):
    store = store_of((1, profile((0, 16), (60, 10), duration=90)))
    assert limit(store, seconds) == expected


def test_ended_schedule_falls_back_to_the_lower_stack_level():
    store = store_of(
        (1, profile((0, 20), profile_id=1, level=0)),
        (1, profile((0, 8), profile_id=2, level=5, duration=60)),
    )
    assert [limit(store, at) for at in (0, 59, 60)] == [8, 8, 20]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, 10),  # noon: the 12 h mark of a schedule that begins at midnight
        (6 * 3600, 20),
        (12 * 3600 - 1, 20),
        (12 * 3600, 6),  # next midnight
        (DAY, 10),
        (6 * DAY, 10),
    ],
)
def test_daily_recurrence(seconds, expected):
    daily = profile(
        (0, 6),
        (12 * 3600, 10),
        (18 * 3600, 20),
        kind="Recurring",
        recurrency_kind="Daily",
        start=NOW.replace(hour=0),
    )
    assert limit(store_of((0, daily)), seconds) == expected


def test_weekly_recurrence_says_nothing_after_its_duration():
    weekly = profile((0, 6), kind="Recurring", recurrency_kind="Weekly", duration=DAY)
    store = store_of((0, weekly))
    expected = [6, None, None, 6, None]
    assert [limit(store, at) for at in (0, DAY, 7 * DAY - 1, 7 * DAY, 8 * DAY)] == expected


def test_relative_schedule_counts_from_the_transaction():
    store = store_of((1, profile((0, 16), (60, 6), kind="Relative")))
    started = Running(transaction_id=7, since=later(1000))
    assert [limit(store, at, running=started) for at in (1000, 1059, 1060)] == [16, 16, 6]
    assert limit(store, 5000, running=None) == 16


def test_validity_bounds_the_profile():
    store = store_of((1, profile((0, 9), valid_from=later(10), valid_to=later(20))))
    assert [limit(store, at) for at in (9, 10, 19, 20)] == [None, 9, 9, None]


def test_default_on_a_connector_replaces_the_one_on_zero():
    store = store_of(
        (0, profile((0, 10), profile_id=1, level=9)), (1, profile((0, 20), profile_id=2, level=0))
    )
    assert limit(store, connector=1) == 20
    assert limit(store, connector=2) == 10


def test_tx_profile_wins_over_the_default_and_the_station_bounds_both():
    store = store_of(
        (0, profile((0, 32), profile_id=1, purpose="ChargePointMaxProfile")),
        (0, profile((0, 10), profile_id=2)),
        (1, profile((0, 24), profile_id=3, purpose="TxProfile", transaction_id=7)),
    )
    assert limit(store) == 24
    assert limit(store, connector=2) == 10
    assert limit(store, connector=0) == 32
    store.end_transaction(1)
    assert limit(store) == 10


def test_a_station_s_limit_may_be_left_aside():
    store = store_of(
        (0, profile((0, 16), profile_id=1, purpose="ChargePointMaxProfile")),
        (1, profile((0, 20), profile_id=2)),
    )
    assert limit(store) == 16
    assert limit(store, with_station=False) == 20


def test_tx_profile_needs_its_transaction():
    tx = profile((0, 6), purpose="TxProfile", transaction_id=7)
    for place, running in ((1, None), (0, RUNNING), (1, Running(transaction_id=8, since=NOW))):
        with pytest.raises(ProfileError):
            store_of((place, tx), running=running)
    nameless = profile((0, 6), purpose="TxProfile")
    assert limit(store_of((1, nameless))) == 6


@pytest.mark.parametrize(
    ("connector", "item"),
    [
        (1, profile((0, 6), purpose="ChargePointMaxProfile")),
        (3, profile((0, 6))),
        (1, profile((0, 6), level=11)),
        (1, profile(*[(second, 6) for second in range(25)])),
    ],
)
def test_misplaced_or_oversized_profiles_are_refused(connector, item):
    store = store_of()
    with pytest.raises(ProfileError):
        store.install(connector, item, NOW, RUNNING)
    assert len(store) == 0


@pytest.mark.parametrize(
    "fault",
    [
        {"periods": ()},
        {"periods": ((1, 6),)},
        {"periods": ((0, 6), (0, 7))},
        {"periods": ((0, -1),)},
        {"kind": "Recurring"},
        {"purpose": "Whatever"},
        {"unit": "kW"},
        {"transaction_id": 3},
        {"valid_to": "tomorrow"},
    ],
)
def test_contradictory_profiles_are_refused(fault):
    periods = fault.pop("periods", ((0, 6),))
    with pytest.raises(ProfileError):
        profile(*periods, **fault)


def test_same_level_or_same_id_replaces_even_when_full():
    store = ProfileStore(connectors=1, max_profiles=2)
    for profile_id, level, amps in ((1, 0, 6), (2, 1, 7)):
        store.install(1, profile((0, amps), profile_id=profile_id, level=level), NOW, None)
    store.install(1, profile((0, 8), profile_id=3, level=1), NOW, None)
    store.install(1, profile((0, 9), profile_id=3, level=1), NOW, None)
    assert (len(store), limit(store)) == (2, 9)
    with pytest.raises(ProfileError, match="installed already"):
        store.install(1, profile((0, 10), profile_id=4, level=2), NOW, None)
    assert limit(store) == 9


def test_clearing_by_id_ignores_other_criteria_and_else_all_must_match():
    def fresh() -> ProfileStore:
        return store_of(
            (0, profile((0, 1), profile_id=1, level=1)),
            (1, profile((0, 1), profile_id=2, level=1)),
            (1, profile((0, 1), profile_id=3, level=2)),
        )

    assert fresh().clear(profile_id=2, connector_id=0, stack_level=7) == 1
    assert fresh().clear(connector_id=1, stack_level=1) == 1
    assert fresh().clear(purpose="TxDefaultProfile") == 3
    assert fresh().clear(purpose="TxProfile") == 0
    assert fresh().clear() == 3


@pytest.mark.parametrize(
    ("supply", "item", "unit", "expected"),
    [
        (AC3, profile((0, 11_040), unit="W"), "A", 16.0),
        (AC3, profile((0, 11_040, 1), unit="W"), "A", 48.0),
        (AC1, profile((0, 3_680), unit="W"), "A", 16.0),
        (AC3, profile((0, 10)), "W", 6_900.0),
        (AC3, profile((0, 10, 1)), "W", 2_300.0),
        (DC, profile((0, 100)), "W", 40_000.0),
        (DC, profile((0, 50_000), unit="W"), "W", 50_000.0),
        (AC3, profile((0, 10_000), unit="W"), "A", 14.4),
    ],
)
def test_units_convert_by_voltage_and_phases(supply, item, unit, expected):
    assert limit(store_of((1, item)), supply=supply, unit=unit) == expected


def test_composite_schedule_shows_changes_and_the_rating():
    store = store_of(
        (0, profile((0, 25), profile_id=1, purpose="ChargePointMaxProfile")),
        (1, profile((0, 16), (60, 30), (120, 10), profile_id=2, duration=180)),
    )
    periods = store.composite(1, NOW, 300, AC3, RUNNING, "A")
    assert [(one.start_s, one.limit) for one in periods] == [
        (0, 16),
        (60, 25),
        (120, 10),
        (180, 25),
    ]
    bare = store_of().composite(1, NOW, 300, AC3, None, "W")
    assert [(one.start_s, one.limit) for one in bare] == [(0, 22_080)]


schedules = st.builds(
    lambda steps, level, ident, unit, duration, kind, offset: profile(
        *sorted({0: 16.0, **dict(steps)}.items()),
        profile_id=ident,
        level=level,
        unit=unit,
        kind=kind,
        start=later(offset),
        **({"duration": duration} if duration else {}),
        **({"recurrency_kind": "Daily"} if kind == "Recurring" else {}),
    ),
    st.lists(st.tuples(st.integers(1, 5_000), st.integers(0, 32)), max_size=4),
    st.integers(0, 3),
    st.integers(1, 6),
    st.sampled_from("AW"),
    st.one_of(st.none(), st.integers(1, 6_000)),
    st.sampled_from(["Absolute", "Relative", "Recurring"]),
    st.integers(-200_000, 3_000),
)


@given(st.lists(st.tuples(st.integers(0, 1), schedules), max_size=6), st.integers(0, 3_999))
def test_composite_schedule_agrees_with_the_limit_at_every_second(placed, second):
    store = store_of(*placed)
    periods = store.composite(1, NOW, 4_000, AC3, RUNNING, "A")
    held = [period for period in periods if period.start_s <= second][-1]
    now = limit(store, second)
    assert held.limit == min(AC3.max_a, AC3.max_a if now is None else now)


@given(st.lists(st.tuples(st.integers(0, 1), schedules), max_size=6), st.integers(0, 3_999))
def test_no_limit_changes_before_the_next_announced_change(placed, second):
    store = store_of(*placed)
    at = later(second)
    change = store.next_change(at, at + timedelta(hours=1), RUNNING) or at + timedelta(hours=1)
    until = (change - NOW).total_seconds()
    assert limit(store, second) == limit(store, until - 0.001)


@given(st.lists(st.tuples(st.integers(0, 2), schedules), max_size=6), st.integers(0, 3_999))
def test_the_whole_may_take_what_its_connectors_may_under_its_own_limit(placed, second):
    store = store_of(*placed)
    bound = profile((0, 40), (1_000, 20), purpose="ChargePointMaxProfile", profile_id=99)
    store.install(0, bound, NOW, None)
    running = {1: RUNNING, 2: None}
    periods = store.whole_composite(NOW, 4_000, AC3, running, "A")
    held = [period for period in periods if period.start_s <= second][-1]
    each = [
        min(AC3.max_a, limit(store, second, connector=one, running=of))
        for one, of in running.items()
    ]
    assert held.limit == pytest.approx(min(sum(each), 40 if second < 1_000 else 20), abs=0.1)
    assert all(one.limit != other.limit for one, other in itertools.pairwise(periods))
