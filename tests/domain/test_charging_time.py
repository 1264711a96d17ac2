"""When a vehicle will be full."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.charging_time import Progress, estimate


def progress(**values):
    known = {
        "first_permille": 200,
        "first_wh": 0,
        "now_permille": 300,
        "now_wh": 6_000,
        "power_w": 7_200,
    }
    return Progress(**{**known, **values})


def test_an_ac_session_to_the_full():
    found = estimate(progress(), dc=False)
    # 60 kWh: 39 kWh up to 95 %, then 3 kWh at half of the power
    assert found.target_percent == 100
    assert found.remaining == timedelta(hours=(39 + 6) / 7.2)


def test_a_dc_session_to_80_percent_then_to_the_full():
    fast = progress(power_w=60_000)
    found = estimate(fast, dc=True)
    assert (found.target_percent, found.remaining) == (80, timedelta(minutes=30))
    late = estimate(progress(now_permille=850, now_wh=39_000, power_w=30_000), dc=True)
    assert (late.target_percent, late.remaining) == (100, timedelta(minutes=36))


@pytest.mark.parametrize(
    "values",
    [
        {"now_permille": 220},  # too little told
        {"power_w": 0},
        {"power_w": 99},
        {"now_wh": 0},
        {"now_permille": 150},  # it falls
        {"now_permille": 1000},  # it is full
        {"now_wh": 10},  # a battery of 100 Wh
        {"power_w": 200},  # longer than two days
    ],
)
def test_no_estimate_is_better_than_a_wrong_one(values):
    assert estimate(progress(**values), dc=False) is None


@given(
    first=st.integers(0, 1000),
    rise=st.integers(-1000, 1000),
    taken=st.integers(-1000, 200_000),
    power=st.integers(-1000, 400_000),
    dc=st.booleans(),
)
def test_an_estimate_is_ahead_and_bounded(first, rise, taken, power, dc):
    known = progress(first_permille=first, now_permille=first + rise, now_wh=taken, power_w=power)
    found = estimate(known, dc=dc)
    if found is not None:
        assert timedelta(0) <= found.remaining <= timedelta(days=2)
        assert found.target_percent * 10 > known.now_permille
        more = progress(
            first_permille=first, now_permille=first + rise, now_wh=taken, power_w=power * 2
        )
        assert estimate(more, dc=dc).remaining <= found.remaining
