"""The comparison fails on whatever may go wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from tests.chaos.comparison import differences, stored_transactions

AT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def entry(number=1, **changed):
    """A transaction as the ledger writes it."""
    return {
        "transactionId": number,
        "chargePoint": "CP1",
        "connectorId": 1,
        "idTag": "TAG",
        "startTimestamp": "2026-03-01T12:00:00.250Z",
        "meterStart": 100 * number,
        "stopTimestamp": "2026-03-01T12:10:00.250Z",
        "meterStop": 100 * number + 50,
        "reason": "Local",
        **changed,
    }


def row(number=1, **changed):
    """The same transaction as the database has it."""
    times = {"startTimestamp": AT, "stopTimestamp": AT + timedelta(minutes=10)}
    return entry(number, **times) | {"active": False, "findings": []} | changed


def test_equal_is_equal():
    assert differences([entry(1), entry(2)], [row(2), row(1)]) == []


def test_a_running_one_is_equal_to_a_running_one():
    running = {"stopTimestamp": None, "meterStop": None, "reason": None}
    assert differences([entry(**running)], [row(**running, active=True)]) == []


def test_a_number_that_the_charge_point_never_learned_is_no_difference():
    assert differences([entry(transactionId=None)], [row()]) == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"meterStop": 151}, "meterStop is 150 in the ledger, 151"),
        ({"meterStop": None}, "meterStop is 150 in the ledger, None"),
        ({"stopTimestamp": AT + timedelta(minutes=11)}, "stopTimestamp is"),
        ({"stopTimestamp": None, "active": True}, "stopTimestamp is"),
        ({"reason": "Remote"}, "reason is Local in the ledger, Remote"),
        ({"transactionId": 7}, "1 there, 7 here"),
        ({"active": True}, "still active"),
        ({"findings": ["stopMissing"]}, "finds stopMissing"),
    ],
)
def test_a_different_one_is_told(changed, told):
    lines = differences([entry()], [row(**changed)])
    assert any(told in line for line in lines), lines


@pytest.mark.parametrize(
    "changed",
    [
        {"meterStart": 101},
        {"connectorId": 2},
        {"idTag": "OTHER"},
        {"chargePoint": "CP2"},
        {"startTimestamp": AT + timedelta(milliseconds=1)},
    ],
)
def test_a_different_start_is_one_missing_and_one_unknown(changed):
    lines = differences([entry()], [row(**changed)])
    assert len(lines) == 2
    assert "not in the database" in lines[0]
    assert "not in the ledger" in lines[1]


def test_a_missing_one_is_told():
    (line,) = differences([entry(1), entry(2)], [row(2)])
    assert line == "CP1/1 by TAG at 12:00:00 from 100 Wh is not in the database"


def test_an_unknown_one_is_told():
    (line,) = differences([entry(1)], [row(1), row(2)])
    assert line == "CP1/1 by TAG at 12:00:00 from 200 Wh is not in the ledger"


def test_a_doubled_one_is_told():
    line, *_ = differences([entry(1)], [row(1), row(1, transactionId=2)])
    assert line == "CP1/1 by TAG at 12:00:00 from 100 Wh is 2 times in the database"


def test_a_number_given_twice_is_told():
    lines = differences([entry(1), entry(2, transactionId=1)], [row(1), row(2)])
    assert "transaction 1 is 2 times in the ledger" in lines


async def test_rows_come_in_the_words_of_the_ledger(database_url):
    sql = await asyncpg.connect(database_url)
    try:
        await sql.execute("INSERT INTO charge_points (identity, name) VALUES ('CP1', 'x')")
        await sql.execute(
            "INSERT INTO transactions (id, charge_point_id, connector_id, id_tag, id_tag_key,"
            " id_tag_status, meter_start_wh, started_at, start_received_at, price_per_kwh,"
            " currency, active, meter_stop_wh, stopped_at, stop_reason)"
            " VALUES (1, 1, 1, 'TAG', 'TAG', 'Accepted', 100, $1, $1, 0, 'EUR', false, 150, $2,"
            " 'Local')",
            AT,
            AT + timedelta(minutes=10),
        )
        stored = await stored_transactions(sql)
    finally:
        await sql.close()
    assert stored == [row()]
    assert differences([entry()], stored) == []
