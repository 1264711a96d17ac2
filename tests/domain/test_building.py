"""What is kept free for the building: up at once, down only to what was needed of late."""

from __future__ import annotations

from datetime import timedelta

from csms.domain.site_rules import BUILDING_FALLS_AFTER, CHARGER_METER_FRESH, heard
from tests.domain.control_world import NOW

EVERY = timedelta(seconds=10)


def told(words):
    """Return what is kept free after each word: power through the connection, of the chargers."""
    reading, kept = None, []
    for number, (power_w, chargers_w) in enumerate(words):
        reading = heard(reading, power_w, chargers_w, NOW + number * EVERY)
        kept.append(reading.building_w)
    return kept


def test_a_car_that_has_stopped_is_no_smaller_building():
    # its last reading counts for as long as a reading does: 11 kW that nobody draws any more
    stale = int(CHARGER_METER_FRESH / EVERY)
    words = [(21_000, 11_000)] + [(10_000, 11_000)] * stale + [(10_000, 0)] * 3
    assert set(told(words)) == {10_000}


def test_it_falls_to_the_most_that_was_needed_of_late():
    window = int(BUILDING_FALLS_AFTER / EVERY)
    words = [(10_000, 0)] + [(5000, 0)] * (window - 1) + [(5000, 5000), (5000, 0)]
    kept = told(words)
    assert kept[:window] == [10_000] * window
    assert kept[window:] == [5000, 5000]
    assert told([(5000, 0)] + [(0, 0)] * (window + 1))[-1] == 0


def test_it_rises_at_once_in_steps():
    assert told([(1, 0), (499, 0), (501, 0), (8200, 0)]) == [500, 500, 1000, 8500]
