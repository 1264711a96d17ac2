from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from csms.domain.limit_rows import IGNORED, LimitRow, accepted, sent
from csms.domain.obedience import FOLLOWS_WITHIN_S, Reading, judged, read_back

TOLD = datetime(2026, 3, 1, 12, tzinfo=UTC)
AMPERE = 690
W, L = 22_000, 11_000


def at(seconds):
    return TOLD + timedelta(seconds=seconds)


def lowered(drew_w=W, **more):
    """A row whose decrease from 22 to 11 kW was accepted at TOLD."""
    row = LimitRow(acknowledged_w=W, desired_w=L, desired_version=1, **more)
    row = sent(row, L, before_w=W, drew_w=drew_w, ends_at=None, now=TOLD)
    return accepted(row, TOLD, proven=False, ends_at=None)


def look(row, reading, seconds, *, follow_s=None, reads_back=False):
    seen = None if reading is None else Reading(power_w=reading[0], at=at(reading[1]))
    return judged(row, seen, at(seconds), ampere_w=AMPERE, follow_s=follow_s, reads_back=reads_back)


def test_an_accepted_decrease_goes_on_counting():
    row = lowered()
    assert (row.acknowledged_w, row.possible_w()) == (L, {W, L})
    assert look(row, (W, -5), 5).row == row  # that reading is older than the limit


def test_a_draw_that_falls_to_the_limit_proves_it_at_once():
    seen = look(lowered(), (L, 2), 3)
    assert seen.row.possible_w() == {L}
    assert seen.follow_s == 10  # half of the way from 15 s to 5 s


@pytest.mark.parametrize(("beside_w", "proves"), [(200, True), (-200, True), (300, False)])
def test_only_a_draw_that_is_the_limit_itself_proves_it_at_once(beside_w, proves):
    """A car that wants half an ampere less just now may still take more."""
    assert look(lowered(), (L - beside_w, 2), 3).row.is_lingering is not proves


def asked(row):
    """The row after the charger has said itself that the new limit holds."""
    return read_back(row, L, at(1), ampere_w=AMPERE)


def test_a_draw_that_falls_far_below_proves_nothing_before_its_time():
    """The car may pause just now, under whatever limit; where the charger can be asked, wait."""
    row = asked(lowered())
    assert look(row, (0, 2), 3, reads_back=True).row.is_lingering
    assert not look(row, (0, 2), FOLLOWS_WITHIN_S, reads_back=True).row.is_lingering


def test_who_draws_less_anyway_is_believed_after_its_time():
    row = asked(lowered(drew_w=3000))
    assert look(row, (3000, 5), 14, reads_back=True).row.is_lingering
    assert not look(row, (3000, 5), 15, reads_back=True).row.is_lingering
    assert look(row, (3000, 5), 15, reads_back=True, follow_s=40).row.is_lingering
    assert not look(row, (3000, 2), 4, reads_back=True, follow_s=3).row.is_lingering


def test_where_it_cannot_be_asked_its_time_and_a_reading_under_the_limit_have_to_do():
    # its car takes little, but may still take more for as long as the charger needs to follow
    assert look(lowered(drew_w=3000), (3000, 2), 5).row.is_lingering
    assert look(lowered(drew_w=3000), (3000, -1), 16).row.is_lingering
    assert not look(lowered(drew_w=3000), (3000, 2), 16).row.is_lingering


def test_a_meter_that_should_speak_is_waited_for():
    row = lowered(drew_w=3000)
    assert look(row, (3000, -5), 60).row.is_lingering
    assert not look(row, (3000, -5), 90).row.is_lingering
    assert not look(row, None, 15).row.is_lingering  # no meter at all: its word has to do


def test_where_it_can_be_asked_its_word_is_needed_too():
    row = lowered()
    assert look(row, (L, 2), 3, reads_back=True).ask_back
    assert look(row, (L, 2), 3, reads_back=True).row.is_lingering
    told = read_back(row, L, at(3), ampere_w=AMPERE)
    assert not look(told, (L, 2), 3, reads_back=True).row.is_lingering


def test_a_word_that_is_rounded_is_the_same():
    assert read_back(lowered(), L + AMPERE // 20, at(3), ampere_w=AMPERE).read_back_at == at(3)


@pytest.mark.parametrize(
    ("said", "beyond"), [(L + AMPERE // 10, False), (W, False), (W + 1, True), (None, True)]
)
def test_a_word_that_is_another_counts_as_refused(said, beyond):
    row = read_back(lowered(), said, at(3), ampere_w=AMPERE)
    assert (row.refused_status, row.refusals, row.doubtful) == (IGNORED, 1, True)
    assert (row.possible_w(), row.may_be_unlimited) == ({W, L}, beyond)


def test_two_readings_over_the_limit_after_its_time_are_disobedience():
    row = look(lowered(), (W, 16), 16).row
    assert (row.over_readings, row.doubtful) == (1, False)
    assert look(row, (W, 16), 20).row == row  # the same reading again
    row = look(row, (W, 26), 26).row
    assert (row.refused_status, row.doubtful, row.may_be_unlimited) == (IGNORED, True, False)
    assert row.possible_w() == {W, L}


def test_more_than_ever_allowed_may_be_unlimited():
    settled = lowered()._replace(earlier_w=frozenset())
    row = look(look(settled, (W, 16), 16).row, (W, 26), 26).row
    assert row.may_be_unlimited


def test_a_little_over_is_no_disobedience():
    row = lowered()
    for number in range(1, 9):
        row = look(row, (L + AMPERE, 16 * number), 16 * number).row
    assert (row.doubtful, row.is_lingering) == (False, False)


def test_a_slow_charger_is_learned_and_not_accused():
    seen = look(lowered(), (W, 12), 12)
    assert seen.follow_s == 18
    assert not seen.row.doubtful
    row = look(seen.row, (W, 14), 14, follow_s=18).row
    assert not row.doubtful
    assert not look(row, (L, 17), 17, follow_s=18).row.is_lingering


def test_who_was_told_and_ignored_it_is_given_up_after_three_times():
    row = lowered()
    for refusals in (1, 2, 3):
        row = look(look(row, (W, 16), 16).row, (W, 26), 26).row
        assert row.refusals == refusals
        if refusals < 3:
            row = sent(row, L, before_w=W, drew_w=W, ends_at=None, now=TOLD)
            row = accepted(row, TOLD, proven=False, ends_at=None)
    assert row.gives_up(at(30))
