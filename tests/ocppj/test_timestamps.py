from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.clock import wire_time
from csms.ocppj.timestamps import parse

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01t12:00:00z",
        "2026-03-01T12:00:00.000Z",
        "2026-03-01T12:00:00.0000000000000Z",
        "2026-03-01T12:00:00+00:00",
        "2026-03-01T12:00:00-00:00",
        "2026-03-01T13:00:00+01:00",
        "2026-03-01T13:00:00+0100",
        "2026-03-01T13:00:00+01",
        "2026-03-01T06:30:00-05:30",
        "2026-03-02T02:00:00.0+14:00",
    ],
)
def test_r29_any_offset_and_fraction(text):
    assert parse(text) == (NOON, False)


def test_r29_no_zone_is_utc_and_flagged():
    assert parse("2026-03-01T12:00:00") == (NOON, True)
    assert parse("2026-03-01T12:00:00.5")[1]


def test_fractions_beyond_microseconds_are_cut():
    assert parse("2026-03-01T12:00:00.9999999Z")[0].microsecond == 999999


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-03-01",
        "2026-03-01T12:00Z",
        "2026-00-01T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-03-01T25:61:00Z",
        "2026-03-01T12:00:61Z",
        "123456789-03-01T12:00:00Z",
        "0000-03-01T12:00:00Z",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-05:00",
        "2026-03-01T12:00:00+24:00",
        "2026-03-01T12:00:00+01:99",
        "2026-W09-7T12:00:00Z",
        "2026-03-01T12:00:00Zx",
        "2026-03-01T12:00:00Z\n",
        "٢٠٢٦-03-01T12:00:00Z",
        "1772366400",
        "2026-03-01T12:00:00." + "0" * 1000 + "Z",
    ],
)
def test_r29_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError):
        parse(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_we_write_we_read(at):
    assert parse(wire_time(at)) == (at.replace(microsecond=0), False)


@given(st.text(max_size=40))
def test_nothing_but_value_error(text):
    try:
        at, _ = parse(text)
    except ValueError:
        return
    assert at.tzinfo is UTC


def test_early_years_have_four_digits():
    assert wire_time(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00Z"


def test_what_is_wrong_is_said_in_our_words():
    with pytest.raises(ValueError, match=r"^has an offset of a day or more$"):
        parse("2026-03-01T12:00:00-24:00")
