"""What flows counts, whatever was told: other phases, other maxima, no obedience, coarse steps."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from csms.domain import limit_rows
from csms.domain.charging_profiles import CLOCK_SKEW
from csms.domain.limit_rows import IGNORED, LimitRow
from csms.domain.phases import PhaseRotation
from csms.domain.possible_limits import PossibleLimits, lowest_case_w, worst_case_w
from csms.domain.power_tree import LoadId
from csms.domain.reclaim import Appetite
from csms.domain.reconciliation import plan_changes
from csms.domain.site_control import control
from csms.domain.site_entries import entries
from csms.domain.site_report import site_status
from csms.domain.site_rules import SiteRules
from csms.domain.sites import charger_node, site_tree
from tests.domain.control_world import NOW
from tests.domain.test_next_car import charger, known, session, shares, snapshot

AMPERE_W = 690


def sharing_phases(snap, amperes):
    return replace(snap, site=replace(snap.site, grid_phase_limit_da=amperes * 10))


def on_l1_and_l2(floor_a):
    """A car seen on L1 at a charger of three phases, and a charger that has L2 alone."""
    floor_w = floor_a * AMPERE_W
    second = {"phases": 1, "max_w": 7360, "rotation": PhaseRotation.STR}
    snap = snapshot(
        100_000,
        [
            charger("A", floor=known(floor_w)),
            charger("B", floor=known(floor_a * 230), **second),
        ],
        [
            session(1, "A", 6900, drawn=0b001),
            session(2, "B", 1380, drawn=0b001),
        ],
    )
    rules = SiteRules(fallback_a=Decimal(floor_a))
    return sharing_phases(replace(snap, rules=rules), 16)


@pytest.mark.parametrize(("floor_a", "left_a"), [(6, 10), (0, 16)])
def test_the_next_car_may_use_the_phases_that_this_one_leaves_alone(floor_a, left_a):
    step = control(on_l1_and_l2(floor_a), NOW)
    assert shares(step)["2"] == left_a * 230
    assert any(each.limit_w == left_a * 230 for each in step.sendings)


def test_the_ledger_counts_the_next_car_on_all_phases():
    snap = on_l1_and_l2(6)
    chargers = [state.charger for state in snap.chargers]
    tree = site_tree(snap.site, chargers)
    first = PossibleLimits(
        id=LoadId("1"),
        node=charger_node(chargers[0].id),
        hardware_max_w=22_080,
        acknowledged_w=6900,
        phases=0b001,
        volts=230,
        next_w=6 * AMPERE_W,
    )
    second = PossibleLimits(
        id=LoadId("2"),
        node=charger_node(chargers[1].id),
        hardware_max_w=7360,
        acknowledged_w=1380,
    )
    entries = [first, second]
    assert plan_changes(tree, entries, {LoadId("2"): 10 * 230}).steps
    assert not plan_changes(tree, entries, {LoadId("2"): 11 * 230}).steps
    alone = [first._replace(next_w=0), second]
    assert plan_changes(tree, alone, {LoadId("2"): 11 * 230}).steps


def test_who_draws_more_than_his_maximum_counts_for_that():
    refusing = LimitRow(
        transaction_id=1,
        desired_w=0,
        refused_w=0,
        refused_status="NotSupported",
        refused_at=NOW,
        refusals=3,
    )

    def others_share(measured_w):
        snap = snapshot(
            33_120,
            [charger("A", max_w=11_040, floor=known(0)), charger("B", floor=known(0))],
            [
                replace(session(1, "A", 0), limit=refusing, measured_w=measured_w, measured_at=NOW),
                session(2, "B", 22_080),
            ],
        )
        step = control(replace(snap, rules=SiteRules()), NOW)
        return shares(step)["2"], site_status(snap, step, NOW).warnings

    share_w, warnings = others_share(11_040)
    assert share_w == 22_080
    assert not any("more than its maximum" in each for each in warnings)
    share_w, warnings = others_share(16_560)
    assert share_w == 33_120 - 16_560
    assert any("it counts for what it draws" in each for each in warnings)


@pytest.mark.parametrize(
    ("unlimited", "refusals", "is_room_made"),
    [(True, 1, True), (False, 2, True), (False, 1, False)],
)
def test_others_make_room_for_who_draws_more_than_it_was_told(unlimited, refusals, is_room_made):
    disobeyed = known(
        6 * AMPERE_W,
        transaction_id=1,
        doubtful=True,
        may_be_unlimited=unlimited,
        earlier_w=frozenset() if unlimited else frozenset({22_080}),
        refused_status=IGNORED,
        refused_at=NOW,
        refusals=refusals,
    )
    snap = snapshot(
        27_600,
        [charger("A", floor=known(0)), charger("B", floor=known(0))],
        [replace(session(1, "A", 0), limit=disobeyed), session(2, "B", 20 * AMPERE_W)],
    )
    step = control(replace(snap, rules=SiteRules()), NOW)
    # it is told a share all the same, as if it would follow
    assert shares(step)["1"] == 20 * AMPERE_W
    assert shares(step)["2"] == (8 if is_room_made else 20) * AMPERE_W


STEPS = tuple(map(Decimal, (8, 16, 32)))


def with_steps(more=()):
    snap = snapshot(
        40 * AMPERE_W,
        [
            charger("A", allowed_a=STEPS, floor=known(0)),
            charger("B", floor=known(0), **dict(more)),
        ],
        [session(1, "A", 8 * AMPERE_W), session(2, "B", 6 * AMPERE_W)],
    )
    return replace(snap, rules=SiteRules())


def test_what_a_step_leaves_is_anothers():
    assert shares(control(with_steps(), NOW)) == {"1": 16 * AMPERE_W, "2": 24 * AMPERE_W}


def test_chargers_with_steps_alone_take_the_next_step_where_it_fits():
    found = shares(control(with_steps({"allowed_a": STEPS}), NOW))
    assert sorted(found.values()) == [16 * AMPERE_W, 16 * AMPERE_W]
    wide = with_steps({"allowed_a": STEPS})
    wide = replace(wide, site=replace(wide.site, grid_limit_w=48 * AMPERE_W))
    found = shares(control(wide, NOW))
    assert sorted(found.values()) == [16 * AMPERE_W, 32 * AMPERE_W]


def test_a_car_between_two_steps_keeps_the_upper_one():
    snap = with_steps()
    between = Appetite(cap_w=int(10.5 * AMPERE_W), under=1, last_w=int(9.5 * AMPERE_W))
    first = replace(snap.sessions[0], appetite=between)
    snap = replace(snap, sessions=(first, snap.sessions[1]))
    assert shares(control(snap, NOW))["1"] == 16 * AMPERE_W


def test_a_limit_without_an_end_that_may_never_have_arrived_does_not_hide_the_end_before_it():
    now = NOW.replace(hour=13)
    told = limit_rows.sent(
        known(2024, transaction_id=1, ends_at=NOW, may_end_at=NOW),
        2024,
        before_w=2024,
        drew_w=None,
        ends_at=None,
        now=NOW,
    )
    lost = limit_rows.in_doubt(told)
    assert (lost.ends_at, lost.first_end) == (None, NOW)
    snap = snapshot(
        100_000, [charger("A", floor=known(0))], [replace(session(1, "A", 0), limit=lost)]
    )
    (entry, _) = entries(snap, now)
    assert (lowest_case_w(entry), worst_case_w(entry)) == (0, 2024)
    (entry, _) = entries(snap, NOW - 2 * CLOCK_SKEW)
    assert lowest_case_w(entry) == 2024
