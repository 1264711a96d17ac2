"""What is kept free for the building: up at once, down only to what was needed of late."""

from __future__ import annotations

from datetime import timedelta

from csms.domain.site_rules import (
    BUILDING_FALLS_AFTER,
    CHARGER_METER_FRESH,
    METER_LOST_AFTER,
    heard,
)
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


def test_what_cars_were_just_told_is_no_building():
    first = heard(None, 20_000, 0, NOW)
    # 80 kW were told since their meters' last word: the connection shows them first
    word = heard(first, 100_000, 0, NOW + EVERY, may_draw_w=80_000)
    assert word.building_w == 20_000
    # it does not fall by a word that says so little
    assert word.building_at == NOW + EVERY
    # what they cannot draw is the building's, at once
    assert heard(first, 110_000, 0, NOW + EVERY, may_draw_w=80_000).building_w == 30_000
    # once their meters have told, all is known
    assert heard(first, 110_000, 80_000, NOW + EVERY, may_draw_w=80_000).building_w == 30_000
    assert heard(first, 100_000, 0, NOW + EVERY).building_w == 100_000


def test_after_a_silence_what_cars_may_draw_is_taken_for_the_building():
    first = heard(None, 20_000, 0, NOW)
    late = NOW + METER_LOST_AFTER + timedelta(seconds=1)
    assert heard(first, 100_000, 0, late, may_draw_w=80_000).building_w == 100_000


def test_cars_are_not_stopped_by_their_own_start():
    """Twenty cars meter once a minute; the connection shows them at once, beside 20 kW."""
    reading, limit_kw, told_at, draws, known = None, 100, NOW, 0, 0
    starts = 0
    for number in range(360):
        now = NOW + number * EVERY
        if now - told_at >= timedelta(seconds=60):
            known = draws
        may = max(known, draws) if now - told_at < timedelta(seconds=90) else known
        reading = heard(reading, 20_000 + draws, known, now, may_draw_w=may)
        room = limit_kw * 1000 - reading.building_w
        if room != draws:
            starts += room > draws
            draws, told_at = room, now
    assert starts == 1
    assert draws == 80_000
