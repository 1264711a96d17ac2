from __future__ import annotations

import doctest
import importlib
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.units import (
    amperes,
    floor_amperes,
    power_of,
    thousandth,
    watt_hours,
    watts,
    wire_number,
)


@pytest.mark.parametrize("module", ["units", "sites", "possible_limits"])
def test_examples_in_docstrings(module):
    result = doctest.testmod(importlib.import_module(f"csms.domain.{module}"))
    assert result.attempted > 0
    assert result.failed == 0


def test_kilowatts_are_read_as_written_and_cut_down():
    assert watts(0.29) == 290  # 0.29 * 1000 is 289.99999999999994
    assert watts(1e-7) == 0
    assert watts(Decimal("21.9999")) == 21_999
    assert watt_hours(0.57) == 570
    assert thousandth(watts(7.4)) == Decimal("7.4")
    with pytest.raises(ValueError, match="finite"):
        watts(float("nan"))
    with pytest.raises(ValueError, match="finite"):
        watts(float("inf"))


@given(st.integers(0, 400_000), st.integers(1, 3), st.sampled_from([120, 208, 230, 240, 277]))
def test_amperes_never_draw_more_and_lose_less_than_a_step(power, phases, volts):
    current = amperes(power, phases=phases, voltage_v=volts)
    step = Decimal("0.1") * phases * volts
    assert current == floor_amperes(current)
    assert power_of(current, phases=phases, voltage_v=volts) <= power
    assert power - current * phases * volts < step


@given(st.integers(0, 10_000))
def test_a_limit_on_the_wire_has_one_decimal(tenths):
    text = json.dumps(wire_number(Decimal(tenths).scaleb(-1)))
    assert text == f"{tenths // 10}.{tenths % 10}"


def test_a_limit_on_the_wire_is_cut_down_never_up():
    assert wire_number(Decimal("15.999")) == 15.9
    assert wire_number(Decimal("0.09")) == 0.0
