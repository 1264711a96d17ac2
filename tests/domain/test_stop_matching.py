"""Stops that name no transaction: whose they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.authorization import AuthorizationStatus
from csms.domain.ids import ChargePointKey, TransactionId
from csms.domain.metering import Reading
from csms.domain.stop_matching import last_known_wh, meant, repeated, with_meter_that_can_be
from csms.domain.transactions import OpenTransaction, StopFact

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HERE, THERE = ChargePointKey(1), ChargePointKey(2)


def opened(number=1, **changes) -> OpenTransaction:
    given = {
        "id": TransactionId(number),
        "charge_point": HERE,
        "connector_id": number,
        "id_tag": "TAG",
        "id_tag_status": AuthorizationStatus.ACCEPTED,
        "meter_start_wh": 1000,
        "started_at": NOW,
    }
    return OpenTransaction(**{**given, **changes})


def stop(**changes) -> StopFact:
    given = {
        "charge_point": HERE,
        "received_at": NOW + HOUR,
        "transaction_id": -1,
        "meter_stop_wh": 8000,
        "stopped_at": NOW + HOUR,
    }
    return StopFact(**{**given, **changes})


def test_the_only_one_is_meant_even_by_a_foreign_tag_or_a_register_that_was_reset():
    only = opened()
    assert meant(stop(), [only]) == only
    assert meant(stop(id_tag="OTHER"), [only]) == only
    assert meant(stop(meter_stop_wh=10), [only]) == only


@pytest.mark.parametrize(
    "changes",
    [
        {"id_tag": "OTHER", "meter_stop_wh": 10},  # tag and meter are another session's
        {"stopped_at": NOW - HOUR},  # it had not begun
    ],
)
def test_the_only_one_is_not_meant_when_it_cannot_be(changes):
    assert meant(stop(**changes), [opened()]) is None


def test_a_clock_that_was_not_set_is_no_evidence():
    assert meant(stop(stopped_at=datetime(1970, 1, 1, 1, tzinfo=UTC)), [opened()]) == opened()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id_tag": "b"}, 2),
        ({"meter_stop_wh": 501_000}, 2),  # the first would have taken 500 kWh since its reading
        ({"meter_stop_wh": 9_000}, 1),  # the second begins above that
        (
            {
                "meter_stop_wh": 501_000,
                "readings": (
                    Reading(measured_at=NOW, context="Transaction.Begin", energy_wh=500_000),
                ),
            },
            2,
        ),
    ],
)
def test_of_several_the_one_that_tag_or_meter_fit(changes, expected):
    first = opened(1, id_tag="A", register_wh=5_000)
    second = opened(2, id_tag="B", meter_start_wh=500_000, register_wh=500_500)
    found = meant(stop(**changes), [first, second])
    assert found is not None
    assert found.id == expected


def test_where_nothing_decides_none_is_meant():
    assert meant(stop(), [opened(1), opened(2)]) is None
    assert meant(stop(id_tag="tag"), [opened(1), opened(2)]) is None
    assert meant(stop(), []) is None


def test_another_station_is_never_touched():
    assert meant(stop(), [opened(charge_point=THERE)]) is None
    ended = opened(charge_point=THERE, meter_stop_wh=8000, stopped_at=NOW + HOUR)
    assert repeated(stop(), [ended]) is None


def test_an_equal_stop_is_a_repetition():
    ended = opened(meter_stop_wh=8000, stopped_at=NOW + HOUR)
    assert repeated(stop(transaction_id=0), [opened(2, meter_stop_wh=1), ended]) == ended
    assert repeated(stop(meter_stop_wh=8001), [ended]) is None
    assert repeated(stop(stopped_at=NOW), [ended]) is None


@given(
    st.lists(
        st.builds(
            opened,
            st.integers(1, 3),
            charge_point=st.sampled_from([HERE, THERE]),
            id_tag=st.sampled_from(["A", "B"]),
            meter_start_wh=st.integers(-10, 10_000),
            register_wh=st.none() | st.integers(0, 20_000),
        ),
        max_size=4,
    ),
    st.sampled_from([None, "A", "C"]),
    st.integers(-10, 100_000),
)
def test_what_is_meant_is_one_of_the_stations_own(active, id_tag, meter):
    found = meant(stop(id_tag=id_tag, meter_stop_wh=meter), active)
    assert found is None or (found in active and found.charge_point == HERE)


@pytest.mark.parametrize(
    ("readings", "register", "expected"),
    [
        ((), None, 1000),
        ((), 4000, 4000),
        ((Reading(measured_at=NOW, energy_wh=5000),), 4000, 5000),
        ((Reading(measured_at=NOW),), 4000, 4000),
        ((), 10, 1000),
    ],
)
def test_a_stop_without_a_meter_ends_where_the_register_was_seen_last(readings, register, expected):
    fact = stop(readings=readings, meter_stop_wh=-1)
    assert last_known_wh(fact, opened(register_wh=register)) == expected


def at_end(energy_wh, context, second=0):
    at = NOW.replace(second=second)
    return Reading(measured_at=at, energy_wh=energy_wh, context=context)


@pytest.mark.parametrize(
    "readings",
    [
        (at_end(1000, "Transaction.Begin"), at_end(6000, "Transaction.End")),
        (at_end(6000, "Transaction.End"), at_end(1000, "Transaction.Begin")),
        (at_end(6000, None, second=9), at_end(4000, None)),
    ],
)
def test_a_stop_without_a_meter_goes_by_the_reading_of_its_end(readings):
    assert last_known_wh(stop(readings=readings, meter_stop_wh=-1), opened()) == 6000


@pytest.mark.parametrize(
    ("start", "register", "told", "meant_wh"),
    [
        (1000, 5000, 6000, None),
        (1000, 5000, 999, None),
        (0, None, 0, None),
        (0, 50, 0, None),
        (1000, 5000, 0, 5000),
        (1000, None, 0, None),  # nothing to go by
        (1000, 5000, -1, 5000),  # it does not know, see lorenzodonini/ocpp-go 114
        (1_000_000, 4000, 5000, 1_005_000),  # both of the session alone
        (1_000_000, 1_004_000, 5000, None),
        (1_000_000, None, 5000, None),
        (0, 12_300, 12, 12_000),  # kWh
        (1000, 1_012_300, 1012, 13_000),
        (0, 500, 1, None),
        (1000, 9000, 1000, 9000),
        (1000, 1050, 1000, None),
    ],
)
def test_a_meter_at_the_end_that_cannot_be_is_put_right_and_stays_in_doubt(
    start, register, told, meant_wh
):
    fact = stop(meter_stop_wh=told)
    row = opened(meter_start_wh=start, register_wh=register)
    found = with_meter_that_can_be(fact, row)
    assert found.meter_stop_wh == (told if meant_wh is None else meant_wh)
    assert found.doubts == (() if meant_wh is None else ("meterSuspect",))


def test_the_same_stop_again_is_recognised_though_its_meter_was_put_right():
    fact = stop(meter_stop_wh=0)
    ended = opened(register_wh=5000, meter_stop_wh=5000, stopped_at=fact.stopped_at, active=False)
    assert repeated(fact, [ended]) is ended
    assert repeated(stop(meter_stop_wh=7), [ended]) is None
