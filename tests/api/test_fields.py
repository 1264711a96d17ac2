"""Fields, cursors and CSV cells. Pure."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from csms.api import pages
from csms.api.csv_export import cell
from csms.api.fields import When, amperes, kilo, whole
from csms.errors import Invalid

# hypothesis takes naive bounds and adds the zone
times = st.datetimes(timezones=st.just(UTC)).filter(lambda at: 1970 < at.year < 9000)


@given(st.integers(0, 10**9))
def test_watts_survive_the_way_out_and_in(watts):
    assert whole(kilo(watts)) == watts


@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(50, 1000))
def test_limits_are_floored_to_a_tenth(power, phases, voltage):
    limit = amperes(power, current_type="AC", phases=phases, voltage_v=voltage)
    tenths = round(limit * 10)
    assert tenths / 10 == limit
    assert tenths * phases * voltage <= power * 10 < (tenths + 1) * phases * voltage
    assert amperes(power, current_type="DC", phases=phases, voltage_v=voltage) is None


@given(times, st.integers(0, 2**62), st.text(st.characters(exclude_characters="\x00"), max_size=9))
def test_cursors_carry_their_position(at, number, text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert pages.decode(pages.encode(at, number, text), datetime, int, str) == (at, number, text)


@given(st.text(max_size=60))
def test_other_texts_are_no_cursors(text):
    with pytest.raises(Invalid):
        pages.decode(text, datetime, int, str, int, str)


@pytest.mark.parametrize("position", [(True,), (-1,), (1.5,), (None,), ([1],), (2**63,), (1, 2)])
def test_cursors_of_another_kind(position):
    with pytest.raises(Invalid):
        pages.decode(pages.encode(*position), int)


@given(times)
def test_times_are_read_in_any_spelling(at):
    read = TypeAdapter(When).validate_python
    assert read(at.isoformat()) == at
    assert read(at.isoformat().replace("+00:00", "z").replace("T", "t")) == at
    assert read(at.replace(tzinfo=None).isoformat()) == at


@pytest.mark.parametrize(
    "text",
    ["", "now", "1700000000", "2026-02-30", "2026-01-01T25:00:00Z", "0001-01-01", "9999-12-31"],
)
def test_other_texts_are_no_times(text):
    with pytest.raises(ValidationError):
        TypeAdapter(When).validate_python(text)


@given(st.text(max_size=20))
def test_no_cell_begins_like_a_formula(text):
    written = cell(text)
    assert not written.lstrip().startswith(("=", "+", "-", "@"))
    assert written in (text, f"'{text}")
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([written, "end"])
    if "\x00" not in text:
        [row] = csv.reader(io.StringIO(out.getvalue(), newline=""))
        assert row == [written, "end"]
