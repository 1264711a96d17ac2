"""How long a connector was what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from csms.domain.availability import UNKNOWN, Availability, availability

START = datetime(2026, 11, 1, tzinfo=UTC)
END = START + timedelta(hours=10)


def after(hours):
    return START + timedelta(hours=hours)


def test_nothing_is_known():
    found = availability(None, [], start=START, end=END)
    assert found == Availability(seconds={UNKNOWN: 36_000}, changes=0)
    assert found.up_percent is None


def test_each_status_counts_until_the_next():
    changes = [(after(2), "Faulted"), (after(3), "Available"), (after(9), "Unavailable")]
    found = availability("Charging", changes, start=START, end=END)
    assert found.seconds == {
        "Available": 6 * 3600,
        "Charging": 2 * 3600,
        "Faulted": 3600,
        "Unavailable": 3600,
    }
    assert (found.changes, found.up_percent) == (3, 80.0)


def test_the_time_before_the_first_report_counts_for_nothing():
    found = availability(None, [(after(5), "Faulted"), (after(6), "Faulted")], start=START, end=END)
    assert found.seconds == {UNKNOWN: 5 * 3600, "Faulted": 5 * 3600}
    assert (found.changes, found.up_percent) == (1, 0.0)


_STATUSES = st.sampled_from(["Available", "Charging", "Faulted", "Unavailable"])


@given(
    before=st.none() | _STATUSES,
    changes=st.lists(st.tuples(st.integers(-3600, 40_000), _STATUSES), max_size=20),
)
def test_the_parts_make_the_whole(before, changes):
    told = sorted((START + timedelta(seconds=s), status) for s, status in changes)
    found = availability(before, told, start=START, end=END)
    assert sum(found.seconds.values()) == 36_000
    assert all(seconds > 0 for seconds in found.seconds.values())
    assert found.up_percent is None or 0 <= found.up_percent <= 100
    assert found.changes <= len(told)
