"""The next car at a connector starts with the fallback share, before anybody hears of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from csms.domain.ids import ChargePointKey, SiteId, TransactionId
from csms.domain.limit_rows import LimitRow
from csms.domain.possible_limits import worst_case_w, worst_own_w
from csms.domain.reclaim import Appetite
from csms.domain.site_control import control
from csms.domain.site_entries import entries, session_load
from csms.domain.site_rules import SiteRules
from csms.domain.site_snapshot import ChargerState, SessionState, SiteSnapshot
from csms.domain.sites import Charger, ChargerId, CurrentType, Site
from tests.domain.control_world import NOW

SHARE_W = 4140  # 6 A on three phases
RULES = SiteRules(fallback_a=Decimal(6))


def known(limit_w, **more):
    return LimitRow(desired_w=limit_w, desired_version=1, acknowledged_w=limit_w, **more)


def charger(name, *, floor=None, reachable=True, max_w=22_080, **more):
    return ChargerState(
        charger=Charger(id=ChargerId(name), max_w=max_w, **more),
        key=ChargePointKey(ord(name)),
        floor=known(SHARE_W) if floor is None else floor,
        reachable=reachable,
    )


def session(number, name, limit_w, **more):
    return SessionState(
        transaction_id=TransactionId(number),
        charger_id=ChargerId(name),
        connector_id=1,
        measured_w=None,
        limit=known(limit_w, transaction_id=TransactionId(number)),
        **more,
    )


def snapshot(limit_w, chargers, sessions):
    return SiteSnapshot(
        site=Site(id=SiteId("s"), name="s", grid_limit_w=limit_w),
        rules=RULES,
        chargers=tuple(chargers),
        sessions=tuple(sessions),
    )


def shares(step):
    """Return what each session is to be told, in W."""
    return {share.load_id: share.limit_w for share in step.decision.shares}


def told(step, name):
    """Return what the session of a charger is told now, in W."""
    return [
        sending.limit_w
        for sending in step.sendings
        if sending.target.key == ord(name) and sending.target.connector_id
    ]


@pytest.mark.parametrize(
    ("floor", "counts_w"),
    [
        (known(SHARE_W), SHARE_W),
        (known(0), 1286),
        (known(0, earlier_w=frozenset({SHARE_W}), doubtful=True), SHARE_W),
        (known(SHARE_W, in_flight_w=0, in_flight_version=2), SHARE_W),
        (known(1000), 1286),
    ],
)
@pytest.mark.parametrize("reachable", [True, False])
def test_a_limit_below_the_fallback_share_counts_as_the_share(floor, counts_w, reachable):
    snap = snapshot(
        40_000, [charger("A", floor=floor, reachable=reachable)], [session(1, "A", 1286)]
    )
    (entry,) = (each for each in entries(snap, NOW) if each.id == session_load(TransactionId(1)))
    assert worst_case_w(entry) == counts_w
    if reachable:
        assert worst_own_w(entry) == 1286  # what its car may draw is what it was told


def test_beside_an_offline_charger_there_is_room_for_no_more_than_its_next_car_leaves():
    """Its car had 1286 W; it was taken away, another has come, and nobody could tell us."""
    snap = snapshot(
        16_507,
        [charger("A", reachable=False, current_type=CurrentType.DC), charger("B")],
        [session(1, "A", 1286), session(2, "B", 6900)],
    )
    (limit_w,) = told(control(snap, NOW), "B")
    assert 16_507 - SHARE_W - 69 < limit_w <= 16_507 - SHARE_W


@pytest.mark.parametrize("appetite", [Appetite(), Appetite(cap_w=1286, under=1, last_w=596)])
def test_who_charges_is_given_no_less_than_what_is_kept_for_its_connector(appetite):
    small = {"max_w": 7360, "phases": 1, "floor": known(1380)}
    snap = snapshot(
        SHARE_W + 3 * 1380 + 690,
        [
            charger("A", current_type=CurrentType.DC),
            *(charger(name, **small) for name in "BCD"),
        ],
        [
            session(1, "A", 1286, appetite=appetite),
            *(session(number, name, 1380) for number, name in enumerate("BCD", 2)),
        ],
    )
    found = shares(control(snap, NOW))
    assert found["1"] == SHARE_W
    assert [found[each] for each in "234"] == [1610, 1610, 1610]
