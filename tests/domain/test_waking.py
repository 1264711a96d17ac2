"""Cars that sleep through the end of their pause."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from csms.domain.reclaim import Appetite
from csms.domain.rotation import WAKES_WITHIN
from csms.domain.site_control import control
from csms.domain.site_rules import SiteRules
from csms.domain.site_snapshot import Waking
from csms.domain.waking import CYCLED, RAISED
from tests.domain.control_world import NOW
from tests.domain.test_next_car import charger, known, session, shares, snapshot

SECOND = timedelta(seconds=1)
LATER = NOW + WAKES_WITHIN + SECOND
ASLEEP = Appetite(cap_w=690, under=1, last_w=0)


def step(limit_w, *, at=LATER, drew_w=None, drawn_w=0, waking=None, told_at=NOW, rules=None):
    """Return the step of a site with a car that was told a limit and draws so much."""
    row = known(limit_w, transaction_id=1, acknowledged_at=told_at, drew_w=drew_w)
    car = replace(
        session(1, "A", 0),
        limit=row,
        measured_w=drawn_w,
        measured_at=at - SECOND,
        waking=waking,
        appetite=ASLEEP,
    )
    snap = snapshot(22_080, [charger("A", floor=known(0))], [car])
    return control(replace(snap, rules=rules or SiteRules()), at)


def test_who_charged_when_it_was_paused_is_watched():
    assert step(0, drew_w=11_000).waking == {1: Waking(paused=True, since=NOW)}
    assert step(0, drew_w=600).waking == {}
    assert step(0, drew_w=None).waking == {}


def test_who_takes_what_it_is_given_again_needs_nothing():
    paused = Waking(paused=True, since=NOW - WAKES_WITHIN)
    called = step(4140, waking=paused).waking[1]
    assert called == Waking(paused=False, since=NOW)
    found = step(4140, waking=called, drawn_w=4000)
    assert (found.waking, found.cycles) == ({}, ())


def test_who_sleeps_gets_its_full_share_and_then_a_new_transaction_once():
    called = Waking(paused=False, since=NOW)
    early = step(4140, waking=called, at=NOW + 60 * SECOND)
    assert (early.waking[1], shares(early)["1"] < 22_080) == (called, True)
    raised = step(4140, waking=called)
    assert raised.waking[1] == Waking(paused=False, since=LATER, tried=RAISED)
    assert shares(raised)["1"] == 22_080
    assert raised.cycles == ()
    after = LATER + WAKES_WITHIN
    cycled = step(22_080, waking=raised.waking[1], at=after)
    assert cycled.waking[1] == Waking(paused=False, since=after, tried=CYCLED)
    assert cycled.cycles == (1,)
    again = step(22_080, waking=cycled.waking[1], at=after + 2 * WAKES_WITHIN)
    assert again.cycles == ()


def test_who_woke_by_a_higher_limit_is_not_tried_twice():
    raised = Waking(paused=False, since=NOW, tried=RAISED)
    awake = step(22_080, waking=raised, drawn_w=9000).waking[1]
    assert awake == Waking(paused=False, since=None, tried=RAISED)
    assert step(22_080, waking=awake).cycles == ()


def test_without_a_reading_or_the_rule_nothing_is_tried():
    called = Waking(paused=False, since=NOW)
    silent = step(4140, waking=called, at=NOW + SECOND)
    assert silent.waking[1] == called
    assert step(4140, waking=called, rules=SiteRules(wake_up=False)).waking == {}
