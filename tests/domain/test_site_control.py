from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from csms.domain.battery import Battery, BatteryId
from csms.domain.charging_profiles import ProfilePurpose
from csms.domain.ids import ChargePointKey, SiteId, TransactionId
from csms.domain.limit_dialect import LimitDialect
from csms.domain.limit_rows import RETRY_REFUSED_AFTER, RETRY_UNMANAGED_AFTER, LimitRow
from csms.domain.site_control import control
from csms.domain.site_entries import managed_load, session_load
from csms.domain.site_observation import SendingEnd
from csms.domain.site_report import site_status
from csms.domain.site_rules import SiteRules
from csms.domain.site_snapshot import (
    BatteryRow,
    ChargerState,
    ManagedLoadState,
    Request,
    SessionState,
    SiteSnapshot,
)
from csms.domain.sites import Charger, ChargerId, Site
from tests.domain.control_world import NOW, World
from tests.many import many

MAX = 22_000
TOLD = 21_942  # what a charger told 31.8 A draws
ZERO = LimitRow(desired_w=0, desired_version=1, acknowledged_w=0)


def charger(name="A", *, max_w=MAX, floor=ZERO, **more):
    fields = {k: more.pop(k) for k in ("connectors", "controlled_elsewhere") if k in more}
    return ChargerState(
        charger=Charger(id=ChargerId(name), max_w=max_w, **fields),
        key=None if fields.get("controlled_elsewhere") else ChargePointKey(ord(name[0])),
        floor=floor,
        **more,
    )


def session(number, name="A", limit=None, *, connector=1, **row):
    if limit is not None or row:
        row = {
            "transaction_id": number,
            "desired_w": limit,
            "desired_version": 1,
            "acknowledged_w": limit,
        } | row
    return SessionState(
        transaction_id=TransactionId(number),
        charger_id=ChargerId(name),
        connector_id=connector,
        measured_w=None,
        limit=LimitRow(**row),
    )


def snapshot(limit_w, chargers, sessions=(), **more):
    site = Site(
        id=SiteId("s"), name="s", grid_limit_w=limit_w, batteries=more.pop("site_batteries", ())
    )
    return SiteSnapshot(site=site, chargers=tuple(chargers), sessions=tuple(sessions), **more)


def told(step):
    """Return what is sent now: (charge point, connector, W), floors as connector 0."""
    return [(chr(s.target.key), s.target.connector_id, s.limit_w) for s in step.sendings]


def shares(step):
    return {share.load_id: share.power_w for share in step.decision.shares}


def refused(status="Rejected", times=3, ago=1, **more):
    return {
        "doubtful": True,
        "refused_status": status,
        "refused_at": NOW - timedelta(seconds=ago),
        "refusals": times,
    } | more


# Floors


def test_the_floor_is_the_maximum_where_all_maxima_fit():
    chargers = [charger(n, floor=LimitRow()) for n in "AB"]
    assert told(control(snapshot(2 * MAX, chargers), NOW)) == [("A", 0, TOLD), ("B", 0, TOLD)]


def test_the_floor_is_nothing_where_the_maxima_do_not_fit():
    chargers = [charger(n, floor=LimitRow()) for n in "AB"]
    assert told(control(snapshot(2 * MAX - 1, chargers), NOW)) == [("A", 0, 0), ("B", 0, 0)]


def test_a_charger_that_was_never_there_counts_for_floors_and_for_nothing_else():
    plan = charger("B", known=False, reachable=False, floor=LimitRow())
    step = control(snapshot(MAX, [charger("A"), plan], [session(1)]), NOW)
    assert told(step) == [("A", 1, TOLD)]
    assert step.unmanaged_w == {}


def test_a_floor_is_told_while_its_connectors_are_busy_and_counts_for_the_next_car():
    unknown = charger("A", floor=LimitRow())
    other = charger("B")
    step = control(
        snapshot(30_000, [unknown, other], [session(1, "A", 10_000), session(2, "B")]), NOW
    )
    assert ("A", 0, 0) in told(step)
    assert ("A", 1, 14_973) in told(step)
    # the next car at A would be under no limit yet
    assert ("B", 1, 14_973) not in told(step)
    step = control(
        snapshot(30_000, [charger("A"), other], [session(1, "A", 10_000), session(2, "B")]), NOW
    )
    assert ("B", 1, 14_973) in told(step)


def test_a_session_without_own_limit_counts_at_whatever_its_floor_may_be():
    for floor in (
        LimitRow(desired_version=1, acknowledged_w=0, in_flight_w=TOLD, in_flight_version=1),
        LimitRow(acknowledged_w=0, earlier_w=frozenset({TOLD}), doubtful=True),
        LimitRow(acknowledged_w=0, may_be_unlimited=True, doubtful=True),
        LimitRow(),
    ):
        step = control(
            snapshot(
                30_000,
                [charger("A", floor=floor), charger("B")],
                [session(1), session(2, "B", 0)],
            ),
            NOW,
        )
        assert ("B", 1, 14_973) not in told(step), floor


@pytest.mark.parametrize("connectors", [1, 2, 3])
def test_each_idle_connector_may_draw_what_the_floor_allows(connectors):
    floor = ZERO._replace(acknowledged_w=10_000, desired_w=0)
    wide = charger("A", connectors=connectors, floor=floor, reachable=False)
    step = control(snapshot(30_000, [wide, charger("B")], [session(1, "B")]), NOW)
    assert shares(step) == {"1": 30_000 - min(MAX, connectors * 10_000)}


# Who counts for what


@pytest.mark.parametrize(
    "row",
    [
        {"in_flight_w": 20_000, "in_flight_version": 2},
        {"earlier_w": frozenset({20_000}), "doubtful": True},
        {"may_be_unlimited": True, "doubtful": True},
        {"acknowledged_w": None},
    ],
)
def test_whatever_may_hold_keeps_its_room(row):
    """The neighbour would fit beside what is acknowledged, but not beside what may hold."""
    floor = ZERO._replace(acknowledged_w=20_000)
    snap = snapshot(
        20_000,
        [charger("A", floor=floor), charger("B")],
        [session(1, "A", 9936, **row), session(2, "B", 0)],
    )
    assert [t for t in told(control(snap, NOW)) if t[:2] == ("B", 1)] == []
    settled = snapshot(
        20_000, [charger(), charger("B")], [session(1, "A", 9936), session(2, "B", 0)]
    )
    assert told(control(settled, NOW)) == [("B", 1, 9936)]


@pytest.mark.parametrize(
    "fault",
    [
        {"reachable": False},
        {"row": refused()},
        {"row": refused("NotSupported", 1)},
        {"row": refused("callError", 1)},
        {"connector": 0},
    ],
)
def test_what_cannot_be_told_is_counted_and_told_nothing(fault):
    row = fault.pop("row", {})
    connector = fault.pop("connector", 1)
    floor = ZERO._replace(acknowledged_w=20_000) if connector == 0 else ZERO
    snap = snapshot(
        30_000,
        [charger("A", floor=floor, **fault), charger("B")],
        [session(1, "A", 20_000, connector=connector, **row), session(2, "B")],
    )
    step = control(snap, NOW)
    assert step.unmanaged_w == {session_load(TransactionId(1)): 20_000} | (
        {} if fault.get("reachable", True) else {"floor A": 0}
    )
    assert shares(step) == {"2": 10_000}
    assert [t for t in told(step) if t[1]] == [("B", 1, 9936)]
    status = site_status(snap, step, NOW)
    assert {load.id: load.allocated_w for load in status.loads} == {"1": 20_000, "2": 10_000}


@pytest.mark.parametrize("status", ["Rejected", "call_timeout"])
def test_one_or_two_refusals_are_no_reason_to_give_up(status):
    for times in (1, 2):
        row = refused(status, times, ago=100)
        step = control(snapshot(MAX, [charger()], [session(1, "A", 20_000, **row)]), NOW)
        assert step.unmanaged_w == {}


def test_a_refused_limit_waits_longer_each_time():
    for times in (1, 2):
        for early in (True, False):
            wait = (RETRY_REFUSED_AFTER * times).total_seconds() - early
            row = refused("Rejected", times, ago=wait, refused_w=TOLD)
            row |= {"desired_w": TOLD, "acknowledged_w": 0}
            step = control(snapshot(MAX, [charger(), charger("B")], [session(1, **row)]), NOW)
            assert told(step) == ([] if early else [("A", 1, TOLD)])


def test_a_site_without_cars_is_looked_at_soon_while_a_share_is_refused():
    for floor, soon in ((ZERO, False), (LimitRow(**refused(times=1)), True)):
        assert control(snapshot(MAX, [charger(floor=floor)]), NOW).has_refusals is soon


@pytest.mark.parametrize(("trying", "told_again"), [(True, [("A", 0, 0)]), (False, [])])
def test_who_refuses_is_told_in_other_ways_while_some_are_left_and_counts_in_full(
    trying, told_again
):
    floor = LimitRow(desired_w=0, desired_version=1, **refused(times=3, ago=16))
    snap = snapshot(
        30_000,
        [charger(floor=floor, dialect=LimitDialect(is_trying=trying)), charger("B")],
        [session(1, "B", 0)],
    )
    step = control(snap, NOW)
    assert [each for each in told(step) if each[0] == "A"] == told_again
    assert shares(step) == {"1": 8000}


def test_the_unmanaged_is_asked_again_after_a_while():
    row = refused(ago=RETRY_UNMANAGED_AFTER.total_seconds(), refused_w=TOLD)
    row |= {"acknowledged_w": 0}
    step = control(snapshot(MAX, [charger(), charger("B")], [session(1, **row)]), NOW)
    assert told(step) == [("A", 1, TOLD)]
    assert step.unmanaged_w == {}


def test_a_charger_never_counts_for_more_than_its_maximum():
    offline = charger("A", reachable=False, connectors=3, floor=LimitRow())
    step = control(
        snapshot(30_000, [offline, charger("B")], [session(1, "A"), session(2, "B")]), NOW
    )
    assert shares(step) == {"2": 8000}


def test_a_session_beside_a_connector_that_counts_in_full_may_have_it_all():
    """A floor that is refused must not starve the other connector: the charger counts anyway."""
    floor = LimitRow(desired_w=0, desired_version=1, **refused())
    two = charger("A", connectors=2, floor=floor)
    snap = snapshot(30_000, [two, charger("B")], [session(1, "A", 0), session(2, "B", 0)])
    step = control(snap, NOW)
    assert told(step) == [("A", 1, TOLD), ("B", 1, 7935)]
    status = site_status(snap, step, NOW)
    assert [(load.id, load.allocated_w) for load in status.loads] == [("2", 8000), ("1", TOLD)]


def test_a_newcomer_keeps_its_share_and_is_told_nothing():
    sessions = [session(1, "A", 14_973, may_be_unlimited=True, doubtful=True), session(2, "B")]
    sessions[1] = session(2, "B", 14_973)
    step = control(snapshot(30_000, [charger("A", settling=True), charger("B")], sessions), NOW)
    assert told(step) == []
    assert shares(step) == {"1": 15_000, "2": 15_000}
    step = control(snapshot(30_000, [charger("A"), charger("B")], sessions), NOW)
    assert told(step) == [("A", 1, 14_973)]


def test_a_limit_of_an_earlier_session_of_the_connector_means_nothing():
    old = session(1, "A", TOLD)
    new = replace(old, transaction_id=TransactionId(2))
    step = control(snapshot(MAX, [charger(), charger("B")], [new]), NOW)
    assert [(row.transaction_id, row.desired_w) for row in step.rows.values()] == [(2, TOLD)]
    assert told(step) == [("A", 1, TOLD)]


def test_loads_of_others_get_their_share_and_are_told_nothing():
    external = charger("X", controlled_elsewhere=True)
    load = ManagedLoadState(
        id=7, charger_id=ChargerId("X"), connector_id=1, vehicle_max_w=8000, measured_w=None
    )
    step = control(
        snapshot(MAX, [charger(), external], [session(1)], managed=(load,)),
        NOW,
    )
    assert shares(step) == {"1": 14_000, managed_load(7): 8000}
    assert told(step) == [("A", 1, 13_938)]


# Wishes and versions


def test_a_wish_is_stored_only_when_it_changes_and_its_version_grows():
    known = session(1, "A", 14_973, desired_version=4)
    chargers = [charger(), charger("B")]
    step = control(snapshot(15_000, chargers, [known]), NOW)
    assert (step.rows, step.sendings) == ({}, ())
    step = control(snapshot(12_000, chargers, [known]), NOW)
    assert [row.desired_w for row in step.rows.values()] == [11_937]
    assert [(s.limit_w, s.version) for s in step.sendings] == [(11_937, 5)]
    # the same wish, sent again because the answer is missing, keeps its version
    doubtful = session(1, "A", 14_973, desired_version=4, doubtful=True)
    step = control(snapshot(15_000, chargers, [doubtful]), NOW)
    assert [(s.limit_w, s.version) for s in step.sendings] == [(14_973, 4)]
    assert [row.in_flight_version for row in step.rows.values()] == [4]


def test_an_open_request_is_not_doubled():
    row = session(1, "A", TOLD, in_flight_w=10_000, in_flight_version=2)
    snap = snapshot(15_000, [charger(), charger("B")], [row])
    assert list(snap.open_requests()) == [Request(ord("A"), 1, ProfilePurpose.TX, 1, 2)]
    assert told(control(snap, NOW)) == []


# Batteries


def test_batteries_are_integrated_up_to_now_and_help_while_they_last():
    battery = Battery(id=BatteryId("b"), capacity_wh=10_000, power_w=8000)
    for minutes, energy_wh, share in ((0, 5000, 18_000), (30, 1000, 18_000), (60, 0, 10_000)):
        row = BatteryRow(
            energy_mwh=5_000_000, flow_w=8000, updated_at=NOW - timedelta(minutes=minutes)
        )
        snap = snapshot(
            10_000,
            [charger(), charger("B")],
            [session(1)],
            site_batteries=(battery,),
            batteries={battery.id: row},
        )
        step = control(snap, NOW)
        assert step.energies[battery.id].energy_wh == energy_wh
        assert shares(step) == {"1": share}
        assert site_status(snap, step, NOW).battery.power_w == share - 10_000


def test_a_clock_that_went_back_does_not_charge_the_battery():
    battery = Battery(id=BatteryId("b"), capacity_wh=10_000, power_w=8000)
    row = BatteryRow(energy_mwh=5_000_000, flow_w=8000, updated_at=NOW + timedelta(hours=1))
    snap = snapshot(1000, [], site_batteries=(battery,), batteries={battery.id: row})
    assert control(snap, NOW).energies[battery.id].energy_mwh == 5_000_000


# The whole loop against charge points as they really are

EVENTS = (
    "step",
    "step",
    "all well",
    "take",
    "refuse",
    "answer",
    "time out",
    "start",
    "start unreported",
    "report",
    "stop",
    "cut after",
    "cut before",
    "reconnect",
    "crash",
)


def play(world, name, number):
    n = number % len(world.chargers)
    true = world.chargers[n]
    connector = number // len(world.chargers) % len(true.connectors) + 1
    place = true.connectors[connector]
    match name:
        case "step":
            world.step(seconds=number)
        case "all well":
            world.step()
            for m in range(len(world.chargers)):
                world.take(m)
                world.answer(m)
        case "take" | "refuse":
            world.take(n, willing=name == "take")
        case "answer":
            world.answer(n)
        case "time out":
            world.time_out(n)
        case "start" | "start unreported" if place.transaction is None:
            if true.floor_w is not None:  # before that nobody can hold it back
                world.start(n, connector, reported=name == "start" and true.connected)
        case "report" if place.transaction is not None and true.connected:
            place.reported = True
        case "stop" if place.transaction is not None and true.connected:
            world.stop(n, connector)
        case "cut after" | "cut before" if true.connected:
            world.disconnect(n, after_all=name == "cut after")
        case "reconnect" if not true.connected:
            world.reconnect(n)
        case "crash":
            world.crash()


@given(
    limit_w=st.integers(5000, 40_000),
    chargers=st.lists(
        st.tuples(st.sampled_from([11_000, 22_000, 22_000]), st.integers(1, 2)),
        min_size=2,
        max_size=4,
    ),
    circuit=st.none() | st.tuples(st.integers(5000, 30_000), st.integers(1, 3)),
    events=st.lists(
        st.tuples(st.sampled_from(EVENTS), st.integers(0, 15)), min_size=40, max_size=120
    ),
)
@example(
    limit_w=22_000,
    chargers=[(22_000, 1), (22_000, 1)],
    circuit=None,
    events=[("start", 0), ("step", 1), ("take", 0), ("answer", 0), ("start", 1), ("step", 1)],
)
@many(300)
def test_no_node_may_ever_carry_more_than_its_limit_and_all_settles(
    limit_w, chargers, circuit, events
):
    world = World(limit_w, chargers, circuit=circuit)
    world.settle()
    for name, number in events:
        play(world, name, number)
        assert world.overload() is None, f"after {name} {number}"
    world.settle()
    step = world.step()
    assert step.sendings == ()
    assert step.unmanaged_w == {}
    limits = {share.load_id: share.limit_w for share in step.decision.shares}
    for true in world.chargers:
        for connector in true.connectors.values():
            if connector.transaction is not None:
                number, own = connector.transaction
                limit = limits[session_load(TransactionId(number))]
                assert (true.floor_w if own is None else own) == limit


def test_the_observer_sees_an_overload():
    world = World(20_000, [(22_000, 1), (22_000, 1)], circuit=(11_000, 1))
    world.settle()
    world.start(1, 1)
    world.chargers[1].connectors[1].transaction = (1, 20_001)
    assert world.overload() == "grid: 20001 > 20000"
    world.chargers[1].connectors[1].transaction = (1, 0)
    world.start(0, 1)
    world.chargers[0].floor_w = None
    assert world.overload() == "grid: 22000 > 20000"
    world.chargers[0].floor_w = 11_001
    assert world.overload() == "circuit c: 11001 > 11000"


# A floor reaches more than one


SHARE = SiteRules(fallback_a=Decimal(6))


def test_a_share_is_told_to_a_busy_charger_that_counts_for_more_than_there_is():
    """Its session counts in full until it is told: what is certainly no raise goes at once."""
    unknown = LimitRow(
        desired_w=4140,
        desired_version=1,
        earlier_w=frozenset({4140}),
        **refused(times=1, ago=6),
    )
    snap = snapshot(11_000, [charger("A", floor=unknown)], [session(1, "A")])
    assert ("A", 0, 4140) in told(control(replace(snap, rules=SHARE), NOW))


def test_a_floor_that_rises_needs_room_on_every_idle_connector():
    """Another charger has not come down yet: there is room for one connector's 6 A, not for two."""
    high = {"in_flight_w": 24_000, "in_flight_version": 2}
    for connectors, limit_w, told_first in ((1, 30_000, [4140]), (2, 30_000, [])):
        snap = snapshot(
            limit_w,
            [charger("A", connectors=connectors), charger("B", max_w=24_000)],
            [session(1, "B", 24_000, **high)],
        )
        step = control(replace(snap, rules=SHARE), NOW)
        assert [t[2] for t in told(step) if t[:2] == ("A", 0)] == told_first


@pytest.mark.parametrize("own", [None, 0])
@pytest.mark.parametrize(("limit_w", "goes"), [(28_139, False), (28_140, True)])
def test_a_floor_that_rises_needs_room_for_sessions_that_have_less(own, limit_w, goes):
    """Those without a limit of their own draw it at once, of others the next car may."""
    snap = snapshot(
        limit_w,
        [charger("A"), charger("B", max_w=24_000)],
        [
            session(1, "A", acknowledged_w=own),
            session(2, "B", 24_000, in_flight_w=24_000, in_flight_version=2),
        ],
    )
    step = control(replace(snap, rules=SHARE), NOW)
    assert (("A", 0, 4140) in told(step)) is goes


def test_a_floor_that_falls_is_believed_no_sooner_than_who_draws_under_it():
    floor = LimitRow(
        desired_w=0,
        desired_version=2,
        acknowledged_w=TOLD,
        in_flight_w=0,
        in_flight_version=2,
        before_w=TOLD,
    )
    end = SendingEnd(
        request=Request(ChargePointKey(ord("A")), 0, ProfilePurpose.TX_DEFAULT, None, 2),
        limit_w=0,
        status="Accepted",
        at=NOW,
    )
    for sessions, share_w in (
        ([session(1, "A"), session(2, "B", 0)], None),
        ([session(2, "B", 0)], TOLD),
    ):
        snap = snapshot(MAX, [charger("A", floor=floor), charger("B")], sessions)
        step = control(snap, NOW, ends=[end])
        assert next((t[2] for t in told(step) if t[:2] == ("B", 1)), None) == share_w
