"""Leases, fallback shares, the pace of raises, dialects: what a step sends and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from csms.domain.charging_profiles import ProfileKind, ProfilePurpose, RateUnit
from csms.domain.ids import ChargePointKey, SiteId, TransactionId
from csms.domain.limit_dialect import LimitDialect, spoken_to
from csms.domain.limit_messages import limit_payload
from csms.domain.limit_routes import routed
from csms.domain.limit_rows import LEASE_GRACE, LimitRow
from csms.domain.possible_limits import worst_case_w
from csms.domain.site_control import control
from csms.domain.site_entries import entries
from csms.domain.site_observation import SendingEnd
from csms.domain.site_report import site_status
from csms.domain.site_rules import SiteRules
from csms.domain.site_snapshot import ChargerState, SessionState, SiteSnapshot
from csms.domain.sites import Charger, ChargerId, Site
from tests.domain.control_world import NOW

MAX = 22_000
TOLD = 21_942
HALF = 10_971
ZERO = LimitRow(desired_w=0, desired_version=1, acknowledged_w=0)
LEASE = timedelta(minutes=15)


def charger(name="A", *, floor=ZERO, max_w=MAX, **more):
    return ChargerState(
        charger=Charger(id=ChargerId(name), max_w=max_w),
        key=ChargePointKey(ord(name)),
        floor=floor,
        **more,
    )


def session(number, name="A", *, clock_off_s=None, **row):
    if row:
        row = {"transaction_id": number, "desired_version": 1, **row}
        row.setdefault("desired_w", row.get("acknowledged_w"))
        row.setdefault("acknowledged_at", NOW - timedelta(hours=1))
    return SessionState(
        transaction_id=TransactionId(number),
        charger_id=ChargerId(name),
        connector_id=1,
        measured_w=None,
        limit=LimitRow(**row),
        clock_off_s=clock_off_s,
    )


def step(*sessions, limit_w=MAX, chargers=None, rules=None, now=NOW):
    return control(
        SiteSnapshot(
            site=Site(id=SiteId("s"), name="s", grid_limit_w=limit_w),
            chargers=tuple(chargers or (charger(), charger("B"))),
            sessions=sessions,
            rules=rules or SiteRules(),
        ),
        now,
    )


def told(decided):
    return [
        (chr(s.target.key), s.target.connector_id, s.limit_w, s.ends_at) for s in decided.sendings
    ]


# Leases


def test_a_limit_above_the_fallback_share_is_a_lease():
    decided = step(session(1))
    assert told(decided) == [("A", 1, TOLD, NOW + LEASE)]
    schedule = limit_payload(decided.sendings[0], NOW)["csChargingProfiles"]["chargingSchedule"]
    assert schedule["duration"] == 15 * 60 + 60  # it starts a minute in the past
    (row,) = decided.rows.values()
    assert row.ends_at == NOW + LEASE


@pytest.mark.parametrize(
    ("chargers", "rules"),
    [
        (None, SiteRules(lease_s=0)),
        ([charger(floor=ZERO._replace(doubtful=True)), charger("B")], None),
        ([charger(dialect=LimitDialect(kind=ProfileKind.RELATIVE)), charger("B")], None),
    ],
)
def test_without_a_sure_fallback_or_against_the_rule_there_is_no_lease(chargers, rules):
    decided = step(session(1), chargers=chargers, rules=rules)
    assert [s.ends_at for s in decided.sendings if s.target.transaction_id] == [None]


def test_a_limit_below_the_fallback_share_is_no_lease():
    floor = LimitRow(desired_w=TOLD, desired_version=1, acknowledged_w=TOLD)
    both = [charger(floor=floor), charger("B", floor=floor)]
    assert told(step(session(1), chargers=both, limit_w=2 * MAX)) == [("A", 1, TOLD, None)]


def test_a_lease_is_renewed_at_half_its_time_and_not_before():
    live = {"acknowledged_w": TOLD, "desired_w": TOLD}
    early = session(1, **live, ends_at=NOW + LEASE / 2)
    assert step(early).sendings == ()
    due = session(1, **live, ends_at=NOW + LEASE / 2 - timedelta(seconds=1))
    assert told(step(due)) == [("A", 1, TOLD, NOW + LEASE)]
    without = session(1, **live, ends_at=None)
    assert told(step(without)) == [("A", 1, TOLD, NOW + LEASE)]


def test_when_its_lease_has_ended_an_offline_charger_counts_at_its_fallback_share():
    offline = [charger(reachable=False), charger("B")]
    for passed, share in (
        (LEASE_GRACE - timedelta(seconds=1), []),
        (LEASE_GRACE, [("B", 1, TOLD)]),
    ):
        away = session(1, acknowledged_w=TOLD, ends_at=NOW - passed)
        decided = step(away, session(2, "B", acknowledged_w=0), chargers=offline)
        assert [each[:3] for each in told(decided)] == share


def test_a_lease_ends_at_no_known_time_where_a_clock_is_wrong():
    offline = [charger(reachable=False), charger("B")]
    for off_s, counts in ((0.0, 0), (-600.0, TOLD)):
        away = session(1, acknowledged_w=TOLD, ends_at=NOW - LEASE_GRACE, clock_off_s=off_s)
        assert step(away, chargers=offline).unmanaged_w["1"] == counts


def test_what_follows_a_lease_counts_where_it_is_more():
    floors = LimitRow(desired_w=HALF, desired_version=1, acknowledged_w=HALF)
    zero = session(1, acknowledged_w=0, ends_at=NOW + LEASE)
    decided = step(
        zero,
        session(2, "B", acknowledged_w=0),
        chargers=[charger(floor=floors, reachable=False), charger("B")],
    )
    assert decided.unmanaged_w["1"] == HALF


# Fallback shares


def test_a_fallback_share_is_told_and_kept_free_for_idle_connectors():
    six = LimitRow(desired_w=4140, desired_version=1, acknowledged_w=4140)
    both = [charger(floor=six), charger("B", floor=six)]
    rules = SiteRules(fallback_a=Decimal(6))
    decided = step(session(1), chargers=both, rules=rules, limit_w=20_000)
    assert [each[:3] for each in told(decided)] == [("A", 1, 15_801)]
    assert [s.limit_w for s in step(chargers=[charger(), charger("B")], rules=rules).sendings] == [
        4140,
        4140,
    ]


def test_fallback_shares_that_do_not_fit_now_are_nothing_and_it_is_said():
    rules = SiteRules(fallback_a=Decimal(6))
    snapshot = SiteSnapshot(
        site=Site(id=SiteId("s"), name="s", grid_limit_w=8000),
        chargers=(charger(floor=LimitRow()), charger("B", floor=LimitRow())),
        sessions=(),
        rules=rules,
    )
    decided = control(snapshot, NOW)
    assert [s.limit_w for s in decided.sendings] == [0, 0]
    assert "6 A does not fit" in site_status(snapshot, decided, NOW).warnings[0]


# The pace of raises


def test_raises_are_apart_and_the_first_limit_of_a_session_is_not_counted():
    live = {"acknowledged_w": HALF, "ends_at": NOW + LEASE}
    raised = session(1, **live, raised_at=NOW - timedelta(seconds=29))
    assert step(raised).sendings == ()
    assert told(step(session(1, **live, raised_at=NOW - timedelta(seconds=30)))) != []
    first = session(1, acknowledged_w=None, raised_at=NOW)
    assert [each[2] for each in told(step(first))] == [TOLD]
    lower = session(1, **live, raised_at=NOW)
    assert [each[2] for each in told(step(lower, limit_w=8000))] == [7935]


def test_a_small_raise_waits_until_the_site_is_calm():
    def raised(wished_ago_s, other_ago_s):
        live = {"acknowledged_w": TOLD - 600, "ends_at": NOW + LEASE, "acknowledged_at": NOW}
        one = session(1, **live, desired_at=NOW - timedelta(seconds=wished_ago_s))
        other = session(
            2,
            "B",
            desired_w=TOLD,
            acknowledged_w=TOLD,
            ends_at=NOW + LEASE,
            desired_at=NOW - timedelta(seconds=other_ago_s),
        )
        return [each[:3] for each in told(step(one, other, limit_w=2 * MAX)) if each[1]]

    assert raised(300, 179) == []  # the other one's has just changed
    assert raised(179, 300) == []
    assert raised(180, 180) == [("A", 1, TOLD)]
    assert raised(899, 10) == []
    assert raised(900, 10) == [("A", 1, TOLD)]  # a site that is never calm


def test_who_was_told_too_often_today_is_raised_tomorrow():
    rules = SiteRules(daily_writes=10)
    spent = session(1, acknowledged_w=HALF, ends_at=NOW + LEASE, writes=10, written_on=NOW.date())
    assert step(spent, rules=rules).sendings == ()
    assert [each[2] for each in told(step(spent, rules=rules, limit_w=8000))] == [7935]
    waits = session(1, acknowledged_w=0, writes=10, written_on=NOW.date())
    assert [each[2] for each in told(step(waits, rules=rules))] == [TOLD]
    tomorrow = NOW + timedelta(days=1)
    later = replace(spent, limit=spent.limit._replace(ends_at=tomorrow + LEASE))
    assert [each[2] for each in told(step(later, rules=rules, now=tomorrow))] == [TOLD]


def test_all_that_a_charger_is_told_counts_against_its_day():
    """Its fallback share, its connectors: they wear out one memory."""
    rules, today = SiteRules(daily_writes=10), {"written_on": NOW.date()}
    spent = charger(floor=ZERO._replace(writes=6, **today))
    one = session(1, acknowledged_w=HALF, ends_at=NOW + LEASE, writes=3, **today)
    assert step(one, rules=rules, chargers=[spent, charger("B")]).sendings != ()
    one = replace(one, limit=one.limit._replace(writes=4))
    assert step(one, rules=rules, chargers=[spent, charger("B")]).sendings == ()


@pytest.mark.parametrize(
    ("row", "goes"),
    [
        ({}, True),
        ({"raised_at": NOW - timedelta(seconds=29)}, False),
        ({"raised_at": NOW - timedelta(seconds=30)}, True),
        ({"writes": 1000, "written_on": NOW.date()}, False),
        ({"writes": 1000, "written_on": NOW.date(), "doubtful": True}, True),
    ],
)
def test_fallback_shares_are_raised_no_faster_than_limits(row, goes):
    rules = SiteRules(fallback_a=Decimal(6))
    both = [charger(floor=ZERO._replace(**row)), charger("B", reachable=False)]
    raised = [each for each in told(step(chargers=both, rules=rules)) if each[:2] == ("A", 0)]
    assert [each[2] for each in raised] == ([4140] if goes else [])


def test_fallback_shares_are_lowered_at_once():
    high = LimitRow(desired_w=TOLD, desired_version=1, acknowledged_w=TOLD, raised_at=NOW)
    spent = high._replace(writes=9999, written_on=NOW.date())
    decided = step(chargers=[charger(floor=spent), charger("B")])
    assert [each[:3] for each in told(decided)] == [("A", 0, 0)]


# Sessions that are told by their connector's TxDefaultProfile


NO_TX = LimitDialect(purposes=frozenset({ProfilePurpose.TX_DEFAULT}))
REFUSED = {"earlier_w": frozenset({HALF}), "doubtful": True, "refusals": 2}


def by_default(*, row=None, **more):
    defaults = {} if row is None else {1: LimitRow(desired_version=1, **row)}
    return charger(dialect=NO_TX, defaults=defaults, **more)


def test_who_takes_no_session_limits_is_told_its_connectors_default():
    decided = step(session(1, **REFUSED), chargers=[by_default(), charger("B")])
    (sending,) = decided.sendings
    assert (sending.target.purpose, sending.ends_at) == (ProfilePurpose.TX_DEFAULT, None)
    payload = limit_payload(sending, NOW)
    assert payload["connectorId"] == 1
    assert payload["csChargingProfiles"]["chargingProfileId"] != 1  # the floor stays beside it
    assert "transactionId" not in payload["csChargingProfiles"]


def test_a_session_limit_that_was_taken_goes_before_all_others():
    taken = session(1, acknowledged_w=HALF, ends_at=NOW + LEASE)
    decided = step(taken, chargers=[by_default(), charger("B")], limit_w=8000)
    assert [sending.target.purpose for sending in decided.sendings] == [ProfilePurpose.TX]


def test_what_was_refused_counts_until_another_limit_was_seen_at_work():
    known = {"acknowledged_w": 4140, "desired_w": 4140}
    both = [by_default(row=known), charger("B")]
    sessions = session(1, **REFUSED), session(2, "B", acknowledged_w=0)
    decided = step(*sessions, chargers=both, limit_w=15_000)
    assert ("B", 1, 7245) not in [each[:3] for each in told(decided)]
    (sending,) = decided.sendings
    end = SendingEnd(
        request=sending.request, limit_w=sending.limit_w, status="Accepted", at=NOW, ends_at=None
    )
    row = decided.rows[sending.target.row]
    after = control(
        SiteSnapshot(
            site=Site(id=SiteId("s"), name="s", grid_limit_w=15_000),
            chargers=(replace(both[0], defaults={1: row}), both[1]),
            sessions=sessions,
        ),
        NOW,
        ends=[end],
    )
    beside = after.rows[sending.target.row._replace(purpose=ProfilePurpose.TX)]
    assert beside.possible_w() == set()
    assert HALF in after.rows[sending.target.row].possible_w()  # it goes on counting there


@pytest.mark.parametrize("connected", [True, False])
def test_a_default_outlives_its_session_and_counts_until_it_is_taken_back(connected):
    left = by_default(row={"acknowledged_w": HALF, "desired_w": HALF}, reachable=connected)
    decided = step(session(2, "B", acknowledged_w=0), chargers=[left, charger("B")])
    assert [each[:3] for each in told(decided) if each[0] == "A"] == (
        [("A", 1, 0)] if connected else []
    )
    raised = [each[2] for each in told(decided) if each[0] == "B"]
    assert raised == ([] if connected else [10_971])


# What was seen of a car


def one_phase(row, **more):
    """A session whose car was seen on one phase, on a site that shares phases."""
    return replace(session(1, **row), drawn=0b001, **more)


@pytest.mark.parametrize(
    ("floor_w", "dialect", "reachable", "counts_w"),
    [
        (0, LimitDialect(), False, 3680),  # whoever comes next starts with nothing
        (4140, LimitDialect(), False, 11_040),  # another car may have come, on all phases
        (4140, LimitDialect(), True, 3680),
        (0, NO_TX, True, 11_040),  # the next car is under the same limit at once
        (0, NO_TX, False, 11_040),
    ],
)
def test_what_was_seen_of_a_car_counts_while_it_is_certainly_there(
    floor_w, dialect, reachable, counts_w
):
    row = {"desired_version": 1, "acknowledged_w": 11_040, "desired_w": 11_040}
    state = charger(
        floor=LimitRow(desired_version=1, acknowledged_w=floor_w),
        dialect=dialect,
        reachable=reachable,
        defaults={1: LimitRow(**row)} if dialect is NO_TX else {},
    )
    car = one_phase({} if dialect is NO_TX else row)
    snapshot = routed(
        SiteSnapshot(
            site=Site(id=SiteId("s"), name="s", grid_limit_w=MAX, grid_phase_limit_da=320),
            chargers=(state,),
            sessions=(car,),
        )
    )
    (entry, *_) = entries(snapshot, NOW)
    assert worst_case_w(entry) == 11_040
    assert worst_case_w(entry) * (entry.volts or 690) // 690 == counts_w


# Dialects and clocks


def test_a_charger_whose_clock_is_wrong_gets_no_times():
    decided = step(session(1, clock_off_s=-3600.0))
    payload = limit_payload(decided.sendings[0], NOW)["csChargingProfiles"]
    assert payload["chargingProfileKind"] == "Relative"
    assert not {"startSchedule", "duration"} & payload["chargingSchedule"].keys()


def test_a_static_cap_is_told_to_those_that_name_it():
    named = LimitDialect(purposes=frozenset(ProfilePurpose))
    decided = step(chargers=[charger(dialect=named), charger("B")])
    (cap,) = decided.sendings
    payload = limit_payload(cap, NOW)
    assert (payload["connectorId"], cap.limit_w) == (0, TOLD)
    profile = payload["csChargingProfiles"]
    assert profile["chargingProfilePurpose"] == "ChargePointMaxProfile"
    assert "duration" not in profile["chargingSchedule"]


STOPS = LimitDialect(zero_means_stop=True)


@pytest.mark.parametrize(
    ("limit_w", "share_w"),
    [(7000, 4140), (4140, 4140), (3000, 0)],  # limits come first: then it is told 0, and ends
)
def test_where_zero_ends_the_session_the_least_current_is_kept_for_it(limit_w, share_w):
    both = [charger(), charger("B", dialect=STOPS)]
    told_both = session(1, acknowledged_w=HALF), session(2, "B", acknowledged_w=HALF)
    decided = step(*told_both, chargers=both, limit_w=limit_w)
    assert {each[0]: each[2] for each in told(decided)} == {"A": 0, "B": share_w}
    assert sum(each.limit_w for each in decided.decision.shares) <= limit_w
    (grid, *_) = decided.decision.nodes
    assert grid.load_w == share_w


def test_what_is_kept_for_it_is_not_shared_with_others():
    both = [charger(), charger("B", dialect=STOPS)]
    sessions = session(1, acknowledged_w=4140), session(2, "B", acknowledged_w=4140)
    decided = step(*sessions, chargers=both, limit_w=8000)
    # one of them waits, and it is not the one that cannot
    assert {each[0]: each[2] for each in told(decided)} == {"A": 0, "B": 4140}
    reasons = {each.load_id: each.reason for each in decided.decision.shares}
    assert "0 would end its session" in reasons["2"]


def test_currents_and_units_that_a_charger_takes():
    steps = LimitDialect(allowed_a=(Decimal(6), Decimal(13), Decimal(16)))
    both = [
        charger(dialect=steps),
        charger("B"),
    ]
    both[0] = replace(both[0], charger=spoken_to(both[0].charger, steps))
    decided = step(session(1), chargers=both, limit_w=10_000)
    assert [each[2] for each in told(decided)] == [13 * 690]
    watts = LimitDialect(rate_unit=RateUnit.WATTS)
    both[0] = replace(both[0], charger=spoken_to(charger().charger, watts))
    schedule = limit_payload(step(session(1), chargers=both).sendings[0], NOW)[
        "csChargingProfiles"
    ]["chargingSchedule"]
    assert schedule["chargingRateUnit"] == "W"


def test_silence_proves_nothing():
    """An accepted decrease of a charger that has gone since counts as what it was."""
    lowered = {
        "acknowledged_w": HALF,
        "earlier_w": frozenset({TOLD}),
        "acknowledged_at": NOW - timedelta(minutes=2),
        "before_w": TOLD,
    }
    for reachable, counts in ((False, TOLD), (True, None)):
        both = [charger(reachable=reachable), charger("B")]
        decided = step(session(1, **lowered), chargers=both, rules=SiteRules(lease_s=0))
        assert decided.unmanaged_w.get("1") == counts
