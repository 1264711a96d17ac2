from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from csms.domain.authorization import AuthorizationStatus
from csms.domain.ids import ChargePointKey, TransactionId
from csms.domain.transactions import (
    OpenTransaction,
    StartFact,
    StopFact,
    cost,
    start_findings,
    stop_findings,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CP = ChargePointKey(1)


def start(**changes):
    values = {
        "charge_point": CP,
        "received_at": NOW,
        "connector_id": 1,
        "id_tag": "TAG",
        "meter_start_wh": 0,
        "started_at": NOW,
    }
    return StartFact(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"started_at": NOW - timedelta(hours=3)}, ["offline"]),
        ({"started_at": NOW + timedelta(minutes=4)}, []),
        ({"started_at": NOW + timedelta(minutes=7)}, ["timeSuspect"]),
        ({"started_at": NOW + timedelta(hours=1)}, ["timeSuspect", "localTime"]),
        ({"started_at": datetime(1970, 1, 1, tzinfo=UTC)}, ["timeSuspect"]),
        ({"connector_id": 0}, ["connectorSuspect"]),
        ({"connector_id": -1}, ["connectorSuspect"]),
        ({"meter_start_wh": -5}, ["meterSuspect"]),
    ],
)
def test_m34_m37_odd_starts_are_stored_with_findings(changes, expected):
    assert start_findings(start(**changes), AuthorizationStatus.ACCEPTED) == expected


def test_m38_a_start_that_is_not_accepted_is_unauthorised():
    assert start_findings(start(), AuthorizationStatus.BLOCKED) == ["unauthorised"]


def test_the_content_of_a_start_ignores_message_receipt_and_the_case_of_the_tag():
    later = start(received_at=NOW + timedelta(hours=1), id_tag="tag")
    assert later.content == start().content
    assert start(meter_start_wh=1).content != start().content


@pytest.mark.parametrize(
    ("changes", "same_group", "expected"),
    [
        ({}, False, []),
        ({"id_tag": "tag"}, False, []),
        ({"id_tag": "OTHER"}, False, ["foreignTagStop"]),
        ({"id_tag": "OTHER"}, True, []),
        ({"id_tag": ""}, False, []),
        ({"stopped_at": NOW - timedelta(hours=1)}, False, ["timeSuspect"]),
        ({"meter_stop_wh": 99}, False, ["meterSuspect"]),
        ({"meter_stop_wh": 100}, False, []),
        ({"meter_stop_wh": 10**10}, False, ["meterSuspect"]),
    ],
)
def test_m42_m47_odd_stops_are_findings_never_refusals(changes, same_group, expected):
    opened = OpenTransaction(
        id=TransactionId(7),
        charge_point=CP,
        connector_id=1,
        id_tag="TAG",
        id_tag_status=AuthorizationStatus.ACCEPTED,
        meter_start_wh=100,
        started_at=NOW,
    )
    values = {
        "charge_point": CP,
        "received_at": NOW + timedelta(hours=1),
        "transaction_id": 7,
        "meter_stop_wh": 5100,
        "stopped_at": NOW + timedelta(hours=1),
    }
    fact = StopFact(**{**values, **changes})
    assert stop_findings(fact, opened, same_group=same_group) == expected


@pytest.mark.parametrize(
    ("energy", "findings", "expected"),
    [
        (0, [], "0.00"),
        (1, [], "0.00"),
        (33_333, [], "10.00"),
        (10_000, ["offline", "foreignTagStop"], "3.00"),
        (10_000, ["stopMissing"], None),
        (10_000, ["connectorSuspect"], None),
    ],
)
def test_the_price_is_rounded_once_and_spoilt_energy_is_not_billed(energy, findings, expected):
    billed = cost(energy, Decimal("0.30"), findings)
    assert billed == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("register", "expected"),
    [
        (None, []),
        (1_003_000, []),
        (999_990, []),  # read a moment before the start
        (1_007_900, []),  # and a moment after the stop
        (7_000, ["registerSuspect"]),  # of the session alone (Grizzl-E)
        (1_007, ["registerSuspect"]),  # kWh that call themselves Wh (OpenEVSE)
        (2**32 + 1_003_000, ["registerSuspect"]),  # Zaptec
    ],
)
def test_readings_outside_of_start_and_stop_are_a_finding(register, expected):
    opened = OpenTransaction(
        id=TransactionId(7),
        charge_point=CP,
        connector_id=1,
        id_tag="TAG",
        id_tag_status=AuthorizationStatus.ACCEPTED,
        meter_start_wh=1_000_000,
        started_at=NOW,
        register_wh=register,
    )
    stop = StopFact(
        charge_point=CP,
        received_at=NOW + timedelta(hours=1),
        transaction_id=7,
        meter_stop_wh=1_007_000,
        stopped_at=NOW + timedelta(hours=1),
    )
    assert stop_findings(stop, opened, same_group=True) == expected
