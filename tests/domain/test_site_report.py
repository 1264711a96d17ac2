"""What a site's status says of what is not as it should be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from csms.domain.limit_dialect import LimitDialect
from csms.domain.limit_rows import LimitRow
from csms.domain.phases import PhaseRotation
from csms.domain.site_control import control
from csms.domain.site_report import site_status
from csms.domain.site_rules import MeterReading, SiteRules
from tests.domain.control_world import NOW
from tests.domain.test_site_control import MAX, TOLD, charger, session, snapshot

NEVER_TOLD = LimitRow(
    desired_w=0,
    desired_version=1,
    doubtful=True,
    refusals=3,
    refused_status="Rejected",
    refused_at=NOW - timedelta(seconds=10),
)


def warnings(snap):
    return list(site_status(snap, control(snap, NOW), NOW).warnings)


def test_a_site_in_order_warns_of_nothing():
    assert warnings(snapshot(30_000, [charger("A"), charger("B")], [session(1, "A", 9_936)])) == []


def test_chargers_that_take_no_limits_are_named_and_so_is_what_may_flow():
    found = warnings(snapshot(MAX, [charger(name, floor=NEVER_TOLD) for name in "ABC"]))
    assert found == [
        "up to 66 kW may flow through the grid where 22 kW may: what cannot be controlled counts "
        "in full",
        "charger A does not take limits (Rejected): it counts for 22 kW",
        "charger B does not take limits (Rejected): it counts for 22 kW",
        "charger C does not take limits (Rejected): it counts for 22 kW",
    ]


@pytest.mark.parametrize(
    ("floor", "said"),
    [
        (LimitRow(desired_version=1, acknowledged_w=0), []),  # it falls back to nothing by itself
        (
            LimitRow(desired_version=1, acknowledged_w=TOLD),
            [
                "A cannot be told limits (offline, or not accepted) and counts for 21.942 kW: what "
                "it had last, or its maximum"
            ],
        ),
    ],
)
def test_who_is_away_with_more_than_its_share_is_named(floor, said):
    away = charger("A", reachable=False, floor=floor)
    assert warnings(snapshot(30_000, [away, charger("B")])) == said


def test_many_who_are_away_are_one_sentence():
    away = [charger(name, reachable=False, floor=LimitRow()) for name in "ABCDEFG"]
    (_, said) = warnings(snapshot(30_000, away))
    assert said.startswith("A, B, C, D, E and 2 more cannot be told limits")
    assert "count for 154 kW" in said


def test_phases_that_hold_too_much_are_told():
    snap = snapshot(100_000, [charger(floor=NEVER_TOLD), charger("B", floor=NEVER_TOLD)])
    snap = replace(snap, site=replace(snap.site, grid_phase_limit_da=500))
    assert "up to 63.8 A may flow through a phase of the grid where 50 A may" in warnings(snap)[0]


def test_a_wiring_that_is_told_otherwise_is_a_finding():
    odd = charger("A", told_rotation=PhaseRotation.STR)
    odd = replace(odd, charger=replace(odd.charger, rotation=PhaseRotation.RST))
    (said,) = warnings(snapshot(30_000, [odd, charger("B")]))
    assert "wired STR, but RST is set: RST counts" in said


def test_a_charger_that_nobody_can_start_on_is_named():
    stops = charger("A", dialect=LimitDialect(zero_means_stop=True))
    assert warnings(snapshot(30_000, [stops, charger("B")])) == []
    (said,) = warnings(snapshot(4000, [stops, charger("B")]))
    assert said.startswith("charger A ends its sessions at 0 A")


def test_a_meter_that_is_lost_or_whose_clock_is_wrong_counts_in_full():
    rules = SiteRules(building_max_w=5000, fallback_a=Decimal(6))
    for at, why in ((NOW - timedelta(seconds=61), "silent"), (NOW + timedelta(hours=1), "ahead")):
        meter = MeterReading(power_w=900, building_w=1000, building_at=at, at=at)
        snap = replace(snapshot(30_000, [charger("A")]), rules=rules, meter=meter)
        (said,) = warnings(snap)
        assert why in said
        assert "the building counts for 5 kW" in said


@pytest.mark.parametrize(
    ("drawn_w", "ago_s", "said"), [(22_900, 10, 0), (23_200, 10, 1), (23_200, 400, 0)]
)
def test_a_charger_that_draws_more_than_its_maximum_is_named(drawn_w, ago_s, said):
    drawing = replace(
        session(1, "A", TOLD), measured_w=drawn_w, measured_at=NOW - timedelta(seconds=ago_s)
    )
    found = warnings(snapshot(60_000, [charger("A")], [drawing]))
    assert len(found) == said
    assert all("more than its maximum of 22 kW" in each for each in found)
