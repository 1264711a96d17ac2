from __future__ import annotations

import pytest

from csms.domain.phases import (
    ALL_PHASES,
    PhaseRotation,
    grid_phases,
    phase_names,
    told_rotation,
)


@pytest.mark.parametrize("rotation", PhaseRotation)
def test_three_phases_are_all_of_them_however_they_are_wired(rotation):
    assert grid_phases(rotation, 0b111) == ALL_PHASES


@pytest.mark.parametrize(
    ("rotation", "first", "second", "third"),
    [("RST", 1, 2, 4), ("RTS", 1, 4, 2), ("SRT", 2, 1, 4), ("STR", 2, 4, 1), ("TRS", 4, 1, 2)],
)
def test_each_conductor_is_on_the_phase_that_its_letter_names(rotation, first, second, third):
    turned = PhaseRotation(rotation)
    assert [grid_phases(turned, 1 << n) for n in range(3)] == [first, second, third]
    assert grid_phases(turned, 0b011) == first | second


def test_a_car_on_one_unknown_phase_counts_on_all():
    assert grid_phases(PhaseRotation.UNKNOWN, 0b001) == ALL_PHASES


def test_names():
    assert [phase_names(phases) for phases in (1, 4, 7)] == ["L1", "L3", "L1 and L2 and L3"]


@pytest.mark.parametrize(
    ("value", "rotation"),
    [
        ("0.RST, 1.RST, 2.RST", PhaseRotation.RST),
        ("1.str", PhaseRotation.STR),
        ("TRS", PhaseRotation.TRS),
        ("0.RST", PhaseRotation.RST),
        ("0.RST,1.STR", PhaseRotation.STR),
        ("1.RST,2.STR", PhaseRotation.UNKNOWN),
        ("1.NotApplicable", None),
        ("1.Unknown", None),
        ("", None),
        (",.,..", None),
    ],
)
def test_what_a_charger_says_of_its_wiring(value, rotation):
    assert told_rotation(value) is rotation
