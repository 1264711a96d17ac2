"""Energy out of registers of all kinds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.registers import is_of_session, taken_wh


@pytest.mark.parametrize(
    ("start", "register", "taken"),
    [
        (1_000_000, None, 0),
        (1_000_000, 1_007_000, 7_000),
        (0, 7_000, 7_000),  # a register of the session, at both ends (ABB, Vestel)
        (1_000_000, 999_999, 0),  # rounded down, or read a moment before (Huawei, Wallbox)
        (1_000_000, 990_000, 0),
        (1_000_000, 0, 0),
        (1_000_000, 7_000, 7_000),  # of the session, though the start is not (Grizzl-E)
        (1_000_000, 500_000, 0),  # too much for a session: a register that was reset
        (1_977_000, 4_296_944_685, 2_389 - 2_000),  # 2^32 too high (Zaptec Go 2)
        (2**32 + 5_000, 2**32 + 6_000, 1_000),
    ],
)
def test_what_was_taken(start, register, taken):
    assert taken_wh(start, register) == taken


@given(st.integers(-(2**40), 2**40), st.integers(-(2**40), 2**40))
def test_it_is_never_negative(start, register):
    assert taken_wh(start, register) >= 0


@given(st.integers(0, 10**9), st.integers(0, 300_000))
def test_a_lifetime_register_is_never_taken_for_that_of_a_session(start, more):
    assert not is_of_session(start, start + more)
    assert taken_wh(start, start + more) == more
