"""What a terminal of each size shows of a picture."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from csms.demo.view import addresses_in_words, render, summary
from tests.demo.pictures import EMPTY, PICTURE, SIGN_IN, message, session

SIZES = [(80, 24), (100, 30), (120, 40), (200, 50)]


def drawn(picture, width: int, height: int) -> list[str]:
    console = Console(file=StringIO(), width=width, height=height, color_system=None)
    console.print(render(picture, width, height))
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_all_that_matters_is_there(width, height):
    lines = drawn(PICTURE, width, height)
    text = "\n".join(lines)
    assert len(lines) == height
    assert "ws://127.0.0.1:9000/ocpp/IDENTITY" in text
    assert "Cockpit http://127.0.0.1:8080/ " in text
    assert "http://127.0.0.1:8080/api/docs" in text
    assert SIGN_IN in text, "the link must stand in one piece"
    assert "up 01:02:03" in lines[0]
    for name in ("Delivery depot", "Riverside garage", "Fast charging park"):
        assert name in text
    for station in ("DEPOT-01", "GARAGE-01", "PARK-01"):
        assert any(line.startswith(station) for line in lines), "each site has sessions to see"
    assert "250.0 / 250 kW" in text
    assert "197.7" in text
    assert "gives 100" in text
    assert "10.8 A" in text
    assert "7.5 kW" in text
    assert "SetChargingProfile #1 19.5 A -> Accepted" in text
    assert "MeterValues #1 7.4 kW 1.23 kWh" in text
    assert "24/24" in lines[-2]
    assert "123.4 kWh today" in lines[-2]
    assert "1312" in lines[-2]
    assert "Ctrl-C unplugs the cars and stops" in lines[-1]
    assert not any(line.rstrip().endswith("…") for line in (lines[-2], *lines[:5]))


@given(st.integers(20, 260), st.integers(5, 80), st.sampled_from([PICTURE, EMPTY]))
def test_never_larger_than_the_terminal(width, height, picture):
    lines = drawn(picture, width, height)
    least = 6 + len(SIGN_IN) // width + 1  # addresses and totals stay, whatever happens
    assert len(lines) <= max(height, least)
    assert all(cell_len(line) <= width for line in lines)


def test_a_tall_terminal_shows_circuits_and_a_short_one_does_not():
    assert any(
        "circuit west" in line and "43.5 / 43.47 kW" in line for line in drawn(PICTURE, 120, 40)
    )
    assert not any("circuit west" in line for line in drawn(PICTURE, 120, 30))


def test_hidden_sessions_are_counted():
    lines = drawn(PICTURE, 80, 24)
    shown = sum(line.startswith(("DEPOT", "GARAGE", "PARK")) for line in lines)
    assert any(f"({27 - shown} more sessions)" in line for line in lines)
    assert not any("more sessions" in line for line in drawn(PICTURE, 200, 50))


def test_meter_values_do_not_push_all_else_away():
    lines = [line for line in drawn(PICTURE, 80, 24) if "MeterValues" in line]
    limits = [line for line in drawn(PICTURE, 80, 24) if "SetChargingProfile" in line]
    assert len(lines) >= 2
    assert len(limits) >= len(lines)


def test_what_is_over_a_limit_or_refused_is_told_in_words_too():
    refused = replace(
        message(60, "SetChargingProfile", "#1 6 A", to_station=True), answer="Rejected"
    )
    text = "\n".join(drawn(replace(PICTURE, messages=(refused,)), 80, 24))
    assert "SetChargingProfile #1 6 A -> Rejected" in text


def test_notices_stand_below_the_addresses():
    lines = drawn(replace(PICTURE, notices=("The simulator has ended.",)), 80, 24)
    assert lines[4] == "The simulator has ended."
    assert len(lines) == 24


def test_a_session_without_reading_or_limit_has_empty_cells():
    bare = replace(session("garage", 1), power_w=None, limit_a=None, limit_w=None, reason="")
    line = next(
        line
        for line in drawn(replace(PICTURE, sessions=(bare,)), 80, 24)
        if line.startswith("GARAGE-01")
    )
    assert line.split() == ["GARAGE-01", "1", "Charging", "1.23", "kWh"]


def test_the_plain_line_and_addresses_say_the_same():
    line = summary(replace(PICTURE, notices=("The simulator has ended.",)))
    assert line == (
        "62:03 24/24 stations online, 27 sessions (412 finished today), 479.2 kW, "
        "123.4 kWh today, 10.8 messages/s, 1312 limits accepted - The simulator has ended."
    )
    assert addresses_in_words(PICTURE.addresses)[-1] == f"sign in  {SIGN_IN}"
