"""Times in odd forms: read where they can mean one thing only."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.ocppj.repairs import times
from csms.ocppj.repairs.switches import Switches

NOW = datetime(2030, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def read(text, switches=None):
    return times.read(text, NOW, switches or Switches())


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01 12:00:00Z",
        "2026-03-01T12:00Z",
        " 2026-03-01T13:00:00 +0100 ",
        "2026-03-01T13:00:00+1",
        "20260301T120000Z",
        "2026/3/1 12:00:00 UTC",
        "2026.03.01, 12:00:00 GMT+0",
        "2026-03-01T12:00:00:000Z",
        "Sun, 01 Mar 2026 12:00:00 GMT",
        "1 March 2026 12:00:00 UTC",
        '"2026-03-01T12:00:00.0 UTC"',
        "1772366400",
        "1772366400000",
        "1772366400.0",
        "2026-03-01T11:59:60Z",
        "2026-3-1T12:0:0Z",
        "2026-03-01T12:00:00.Z",
        "2026-03-01T12:00:00+00:00Z",
        "01.03.2026 13:00:00 +01:00",
        "2026-03-01T12:00:00,0+00",
        "Sun Mar  1 12:00:00 UTC 2026",
        "Mar 1, 2026 12:00:00 GMT",
        "2026-03-01T12:00:00Z[Europe/Paris]",
        "2026-03-01T13:00:00+01:00[Europe/Paris]",
    ],
)
def test_forms(text):
    assert read(text) == (NOON, ("time_form",))


def test_the_end_of_a_day_is_the_next_one():
    assert read("2026-02-28T24:00:00Z") == (NOON.replace(hour=0), ("time_form",))
    assert read("9999-12-31T24:00:00Z") is None


@pytest.mark.parametrize("offset", ["+01:00", "+14:00", "+0100"])
def test_the_first_moment_of_the_calendar_in_local_time(offset):
    first = datetime(1, 1, 1, tzinfo=UTC)
    assert read(f"0001-01-01T00:00:00{offset}") == (first, ("time_form",))


def test_without_zone_it_is_utc_and_both_are_named():
    assert read("2026-03-01 12:00:00") == (NOON, ("time_form", "time_without_zone"))
    assert read("Sun Mar  1 12:00:00 2026") == (NOON, ("time_form", "time_without_zone"))


@pytest.mark.parametrize("text", ["", " ", "null", "None", "N/A"])
def test_no_time_is_the_time_of_arrival(text):
    assert read(text) == (NOW, ("time_missing",))
    assert read(text, Switches(off=["time_missing"])) is None


@pytest.mark.parametrize(
    "text",
    [
        "03/04/2026 12:00:00",  # which is the month?
        "2026-13-01T12:00:00Z",
        "2026-03-01T25:61:00Z",
        "0000-00-00T00:00:00Z",
        "123456789-03-01T12:00:00Z",
        "2026-03-01",
        "12:00:00",
        "yesterday",
        "2026-03-01 12:00:00 CEST",
        "Sun Mar  1 12:00:00 CET 2026",
        "Sun Mar  1 12:00:00",
        "Sun Mar  1 2025 12:00:00 2026",
        "Sun Foo  1 12:00:00 2026",
        "2026-03-01T12:00:00[Europe/Paris]",
        "99999999999999999999",
    ],
)
def test_what_may_mean_several_things_or_none(text):
    assert read(text) is None
    assert read(text, Switches(on=["time_unreadable"])) == (NOW, ("time_unreadable",))


@given(st.text(max_size=80) | st.text("0123456789-:TZ+. ", max_size=30))
def test_any_text_is_read_or_refused(text):
    found = read(text)
    assert found is None or found[0].tzinfo is UTC
