from __future__ import annotations

from datetime import UTC, datetime, timedelta

from csms.domain.obedience import Reading
from csms.domain.reclaim import HUNGRY, weighed

TOLD = datetime(2026, 3, 1, 12, tzinfo=UTC)
AMPERE = 690
LIMIT = 22_000


def after(readings, *, limit_w=LIMIT, appetite=HUNGRY, every_s=10):
    """Return the appetite after readings, in W, one each interval."""
    for number, power in enumerate(readings, 1):
        reading = Reading(power_w=power, at=TOLD + timedelta(seconds=20 + every_s * number))
        appetite = weighed(appetite, reading, limit_w=limit_w, told_at=TOLD, ampere_w=AMPERE)
    return appetite


def test_what_a_reading_leaves_is_given_away_but_for_an_ampere():
    assert after([LIMIT]).cap_w is None
    assert after([LIMIT, 10_000]).cap_w == 10_690


def test_the_first_readings_under_a_limit_may_be_a_car_that_has_not_begun():
    assert after([10_000]).cap_w is None  # nothing to compare it with
    quick = after([LIMIT, 10_000], every_s=4)
    assert (quick.cap_w, quick.last_w) == (None, 10_000)


def test_a_car_that_takes_nearly_all_keeps_it():
    assert after([LIMIT - AMPERE] * 5).cap_w is None


def test_a_car_that_still_ramps_up_keeps_it():
    assert after([0, 4000, 8000, 12_000, 16_000]).cap_w is None


def test_it_is_back_with_the_first_reading_that_takes_all_of_it():
    capped = after([10_000, 10_000])
    later = Reading(power_w=10_600, at=TOLD + timedelta(seconds=60))
    back = weighed(capped, later, limit_w=10_690, told_at=TOLD, ampere_w=AMPERE)
    assert (back.cap_w, back.under) == (None, 0)
    same = Reading(power_w=10_000, at=TOLD + timedelta(seconds=60))
    assert weighed(capped, same, limit_w=10_690, told_at=TOLD, ampere_w=AMPERE).cap_w == 10_690


def test_a_draw_that_sinks_further_is_followed():
    assert after([10_000, 10_000, 5000, 5000], limit_w=LIMIT).cap_w == 5690


def test_a_car_that_takes_nothing_is_idle():
    done = after([0, 0])
    assert (done.is_idle, done.cap_w) == (True, AMPERE)
    assert not after([10_000, 10_000]).is_idle


def test_old_readings_and_repeated_ones_say_nothing():
    early = Reading(power_w=0, at=TOLD)
    assert weighed(HUNGRY, early, limit_w=LIMIT, told_at=TOLD, ampere_w=AMPERE) == HUNGRY
    once = after([10_000])
    again = Reading(power_w=10_000, at=TOLD + timedelta(seconds=30))
    assert weighed(once, again, limit_w=LIMIT, told_at=TOLD, ampere_w=AMPERE) == once
    assert weighed(HUNGRY, None, limit_w=LIMIT, told_at=TOLD, ampere_w=AMPERE) == HUNGRY
