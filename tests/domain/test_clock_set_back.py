"""Our own clock is set back by an hour: nothing waits for that hour, nothing goes unseen in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from csms.domain.limit_rows import IGNORED, RETRY_UNMANAGED_AFTER, as_of
from csms.domain.possible_limits import worst_case_w
from csms.domain.reclaim import Appetite
from csms.domain.rotation import Turn
from csms.domain.site_control import control
from csms.domain.site_entries import entries
from csms.domain.site_rules import heard
from tests.domain.test_site_control import MAX, NOW, charger, session, snapshot

BACK = NOW - timedelta(hours=1)
AFTER = timedelta(seconds=30)


def followed(snap, now):
    """Return a step that only looks, and the snapshot once its rows are stored."""
    step = control(snap, now, sends=False)
    return step, snap.with_rows(step.rows)


def one(**row):
    known = {"acknowledged_w": 6000, "acknowledged_version": 1, "acknowledged_at": NOW}
    known |= {"desired_w": 6000, "desired_version": 1, "desired_at": NOW}
    return snapshot(MAX, [charger(), charger("B")], [session(1, **(known | row))])


def metered(snap, power_w, at):
    (only,) = snap.sessions
    return replace(snap, sessions=(replace(only, measured_w=power_w, measured_at=at),))


def test_a_charger_that_does_not_follow_is_noticed():
    snap, now = one(), BACK
    for number in range(4):
        now = BACK + number * AFTER
        _, snap = followed(metered(snap, 20_000, now), now)
    (only,) = snap.sessions
    assert only.own_limit.refused_status == IGNORED or only.own_limit.may_be_unlimited
    assert max(worst_case_w(entry) for entry in entries(snap, now)) >= 20_000


def test_a_decrease_is_believed_in_its_usual_time():
    snap = one(earlier_w=frozenset({20_000}))
    step, snap = followed(snap, BACK)
    assert step.is_waiting  # it was told just now, as far as anybody can know
    step, snap = followed(metered(snap, 1000, BACK + AFTER), BACK + AFTER)
    assert not step.is_waiting


def test_a_refused_limit_is_tried_again_in_its_usual_time():
    refused = {"refused_w": 6000, "refused_status": "Rejected", "refused_at": NOW, "refusals": 3}
    snap = one(acknowledged_w=20_000, doubtful=True, **refused)
    _, snap = followed(snap, BACK)
    step = control(snap, BACK + RETRY_UNMANAGED_AFTER)
    assert [each.target.connector_id for each in step.sendings if each.target.connector_id] == [1]


def test_what_a_car_takes_is_looked_at():
    snap = one(acknowledged_w=20_000, desired_w=20_000)
    capped = Appetite(cap_w=4000, under=1, last_w=3300, weighed_at=NOW)
    snap = replace(snap, sessions=(replace(snap.sessions[0], appetite=capped),))
    _, snap = followed(snap, BACK)
    step, _ = followed(metered(snap, 4000, BACK + AFTER), BACK + AFTER)
    (appetite,) = step.appetites.values()
    assert appetite.cap_w is None


def test_a_turn_has_begun_by_now():
    snap = replace(one(), turns={"1": Turn(inside=True, since=NOW)})
    assert control(snap, BACK).decision.turns["1"].since == BACK


def test_the_building_falls_in_its_usual_time():
    high = heard(None, 20_000, 0, NOW)
    assert heard(high, 5000, 0, BACK).building_w == 5000


def test_ends_and_what_is_past_stay():
    row = one(ends_at=NOW, raised_at=BACK - AFTER).sessions[0].limit
    back = as_of(row, BACK)
    assert (back.ends_at, back.raised_at, back.acknowledged_at) == (NOW, BACK - AFTER, BACK)
    assert as_of(back, NOW) is back
