"""Who takes nothing gives its power to others, keeps what nobody wants, and is tried again."""

from __future__ import annotations

from datetime import timedelta

from csms.domain.ids import SiteId
from csms.domain.limit_rows import LimitRow
from csms.domain.obedience import Reading
from csms.domain.power_tree import LoadId
from csms.domain.reclaim import HUNGRY, weighed
from csms.domain.resting import (
    FULL_AFTER_WH,
    RESTS_AFTER,
    RETURNS_AFTER,
    SPARED,
    WAKES_AFTER,
    WANTED,
    may_return,
    rests,
)
from csms.domain.site_decision import decide_site
from csms.domain.sites import Charger, ChargerId, ConnectorRef, Site, SiteLoad
from tests.domain.control_world import NOW

VOLTS = 690


def told(limit_a, ago):
    return LimitRow(desired_w=limit_a * VOLTS, acknowledged_w=limit_a * VOLTS, desired_at=NOW - ago)


def test_a_car_is_given_time_before_it_rests_and_is_tried_again():
    second = timedelta(seconds=1)
    much = FULL_AFTER_WH
    assert not rests(told(6, RESTS_AFTER - second), much, NOW)
    assert rests(told(6, RESTS_AFTER), much, NOW)
    assert rests(told(0, WAKES_AFTER - second), much, NOW)
    assert not rests(told(0, WAKES_AFTER), much, NOW)
    assert not rests(LimitRow(), much, NOW)


def test_who_has_not_charged_yet_does_not_rest():
    assert not rests(told(6, RESTS_AFTER), FULL_AFTER_WH - 1, NOW)
    assert not rests(told(6, RESTS_AFTER), None, NOW)


def test_at_0_a_nothing_is_learned_of_what_a_car_would_take():
    idle = HUNGRY
    for second in (40, 50):
        reading = Reading(power_w=0, at=NOW + timedelta(seconds=second))
        idle = weighed(idle, reading, limit_w=4140, told_at=NOW, ampere_w=VOLTS)
    assert idle.is_idle
    later = Reading(power_w=0, at=NOW + timedelta(minutes=3))
    assert weighed(idle, later, limit_w=0, told_at=NOW, ampere_w=VOLTS).is_idle


def decided(limit_a, cars, *, returns=True):
    """Return limits in A and reasons; `cars` are limits, and whether each rests."""
    chargers = [Charger(id=ChargerId(str(n)), max_w=32 * VOLTS) for n in range(len(cars))]
    loads = [
        SiteLoad(
            id=LoadId(charger.id),
            at=ConnectorRef(charger_id=charger.id, connector_id=1),
            vehicle_max_w=0 if resting else None,
            idle=resting,
            rests=resting,
            returns=returns,
            order=n,
        )
        for n, (charger, (_, resting)) in enumerate(zip(chargers, cars, strict=True))
    ]
    decision = decide_site(
        site=Site(id=SiteId("s"), name="s", grid_limit_w=limit_a * VOLTS),
        chargers=chargers,
        loads=loads,
        has_w={LoadId(str(n)): has_a * VOLTS for n, (has_a, _) in enumerate(cars)},
        now=NOW,
    )
    return [(share.limit_w / VOLTS, share.reason) for share in decision.shares]


def test_others_have_the_power_of_one_that_rests():
    assert decided(32, [(16, False), (16, True)]) == [(32, "charger limit"), (0, WANTED)]


def test_it_keeps_what_nobody_wants_without_a_message():
    assert decided(64, [(32, False), (16, True)])[1] == (16, SPARED)
    assert decided(38, [(32, False), (16, True)])[1] == (6, SPARED)


def test_it_has_six_amperes_again_when_there_is_room_after_a_while():
    assert decided(40, [(32, False), (0, True)])[1] == (6, SPARED)
    assert decided(37, [(32, False), (0, True)])[1] == (0, WANTED)
    assert decided(40, [(32, False), (0, True)], returns=False)[1] == (0, WANTED)
    assert may_return(told(0, RETURNS_AFTER), NOW)
    assert not may_return(told(0, RETURNS_AFTER / 2), NOW)


def test_what_it_keeps_is_counted():
    limits = [limit for limit, _ in decided(150, [(20, False)] * 7 + [(6, True)] * 3)]
    assert sum(limits) <= 150
    limits = [limit for limit, _ in decided(230, [(32, False)] * 7 + [(6, True)] * 3)]
    assert limits == [32] * 7 + [6, 0, 0]
