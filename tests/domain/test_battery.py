from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.battery import (
    Battery,
    BatteryId,
    BatteryState,
    advance,
    chargeable_w,
    dischargeable_w,
    flows,
    full,
)

BATTERY = Battery(id=BatteryId("b"), capacity_wh=200_000, power_w=100_000)
EMPTY = BatteryState(energy_mwh=0)
SECOND = timedelta(seconds=1)


def test_energy_follows_power_and_time():
    half = advance(BATTERY, full(BATTERY), 100_000, timedelta(hours=1))
    assert half.energy_wh == 100_000
    assert advance(BATTERY, half, -100_000, timedelta(minutes=30)).energy_wh == 150_000


def test_seconds_add_up_to_the_hour():
    state = full(BATTERY)
    for _ in range(3600):
        state = advance(BATTERY, state, 36, SECOND)
    assert state.energy_mwh == full(BATTERY).energy_mwh - 36_000


@given(st.integers(-300_000, 300_000), st.integers(0, 200_000_000), st.integers(0, 10**7))
def test_never_below_zero_nor_above_its_start(power, energy, seconds):
    state = advance(BATTERY, BatteryState(energy_mwh=energy), power, timedelta(seconds=seconds))
    assert 0 <= state.energy_mwh <= 200_000_000


def test_time_does_not_run_backwards():
    with pytest.raises(ValueError, match="back in time"):
        advance(BATTERY, EMPTY, 0, -SECOND)


@given(st.integers(0, 200_000_000), st.integers(1, 600))
def test_what_it_promises_it_can_keep_until_the_horizon(energy, seconds):
    state, horizon = BatteryState(energy_mwh=energy), timedelta(seconds=seconds)
    gives = dischargeable_w(BATTERY, state, horizon)
    assert 0 <= gives <= BATTERY.power_w
    # what is drawn, exactly, in thousandths of a Wh: W x s / 3.6
    assert gives * seconds * 10 <= energy * 36
    takes = chargeable_w(BATTERY, state, horizon)
    assert 0 <= takes <= BATTERY.power_w
    assert takes * seconds * 10 <= (200_000_000 - energy) * 36


def test_a_site_is_never_short_while_the_battery_runs_empty():
    """500 kW are drawn with 400 from the grid, decided each 10 s: the grid is never above 400."""
    small = Battery(id=BatteryId("b"), capacity_wh=1000, power_w=100_000)
    state = full(small)
    for _ in range(60):
        given_w = dischargeable_w(small, state)
        before = state.energy_mwh
        state = advance(small, state, given_w, timedelta(seconds=10))
        assert before * 36 >= given_w * 100
    assert state.energy_mwh * 36 < 100  # under 1 W for 10 s: as good as empty
    assert dischargeable_w(small, state) == 0


def test_discharges_only_what_is_needed_and_charges_only_what_is_spare():
    states = {BATTERY.id: BatteryState(energy_mwh=100_000_000)}
    assert flows([BATTERY], states, shortage_w=30_000) == {"b": 30_000}
    assert flows([BATTERY], states, shortage_w=130_000) == {"b": 100_000}
    assert flows([BATTERY], states, shortage_w=-20_000) == {"b": -20_000}
    assert flows([BATTERY], states, shortage_w=-200_000) == {"b": -100_000}
    assert flows([BATTERY], states, shortage_w=0) == {"b": 0}
    assert flows([BATTERY], {}, shortage_w=-20_000) == {"b": 0}  # full
    assert flows([BATTERY], {BATTERY.id: EMPTY}, shortage_w=20_000) == {"b": 0}


def test_a_second_battery_rests_until_the_first_is_not_enough():
    other = Battery(id=BatteryId("c"), capacity_wh=50_000, power_w=50_000)
    assert flows([BATTERY, other], {}, shortage_w=90_000) == {"b": 90_000, "c": 0}
    assert flows([BATTERY, other], {}, shortage_w=120_000) == {"b": 100_000, "c": 20_000}
