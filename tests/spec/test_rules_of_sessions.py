"""Rules for sessions and their metering that no certification case plays."""

from __future__ import annotations

import pytest
import pytest_asyncio

from tests.spec.playbook import PowerCycles, Says, Sees, Stage
from tests.spec.states import (
    BLOCKED,
    CHILD,
    EXPIRED,
    GROUP,
    UNKNOWN,
    VALID,
    booted,
    charging,
    starts,
    stops,
)
from tests.spec.values import NOW, Has, at, transaction

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SESSIONS = "/api/sessions?stationId={id}"
EVENTS = "/api/stations/{id}/security-events"
HEARTBEAT = Says("Heartbeat", {}, {"currentTime": NOW})


def newest(answer):
    return answer["items"][0] if answer["items"] else None


def session(tx, **more):
    return Sees(SESSIONS, Has(transactionId=tx, **more), newest)


def meter(tx, value="2000", measurand=None, **more):
    sample = {"value": value, **({} if measurand is None else {"measurand": measurand})}
    values = {"timestamp": at(), "sampledValue": [sample]}
    payload = {"connectorId": 1, "transactionId": tx, "meterValue": [values], **more}
    return Says("MeterValues", {k: v for k, v in payload.items() if v is not None}, {})


def refused_start(tx, answer, *, tag, **more):
    step = starts(tx, tag=tag, **more)
    step.confirmation = {"transactionId": tx, "idTagInfo": Has(status=answer)}
    return step


@pytest_asyncio.fixture(loop_scope="module")
async def other(csms, identity):
    """Another station."""
    name = f"other-{identity}"[:60]
    await csms.add(name, connectors=2)
    stage = Stage(csms, name)
    await stage.plug_in()
    yield stage
    await stage.close()


@pytest.mark.parametrize(
    ("tag", "answer"), [(UNKNOWN, "Invalid"), (BLOCKED, "Blocked"), (EXPIRED, "Expired")]
)
async def test_m30_m38_a_start_is_always_a_session(stage, tag, answer):
    tx = transaction()
    await stage.play(
        booted(),
        refused_start(tx, answer, tag=tag),
        Sees(SESSIONS, Has(transactionId=tx, status="active"), newest),
        stops(tx, "DeAuthorized"),
        session(tx, status="completed", stopReason="DeAuthorized"),
    )


async def test_m31_m45_a_stop_of_another_stations_session_changes_nothing(stage, other):
    tx = transaction()
    await other.play(booted(), charging(tx))
    await stage.play(
        booted(),
        stops(tx.value, "Local"),
        meter(tx.value, "9000"),
        Sees(EVENTS, Has(type="ForeignTransactionId", source="server"), newest),
    )
    await other.play(session(tx, status="active", energyKwh=0.0), stops(tx, "Local"))


@pytest.mark.parametrize("odd", ["1970-01-01T00:00:10Z", "2100-01-01T00:00:00Z"])
async def test_m34_odd_clocks_are_stored_and_flagged(stage, odd):
    tx = transaction()
    await stage.play(
        booted(),
        starts(tx, when=odd),
        Sees(SESSIONS, True, lambda answer: bool(newest(answer) and newest(answer)["flags"])),
        session(tx, startedAt=odd),
        stops(tx, "Local", when=odd),
    )


@pytest.mark.parametrize("number", [0, -1, 99])
async def test_m37_odd_connectors_are_sessions_without_a_bill(stage, number):
    tx = transaction()
    await stage.play(booted(), starts(tx, connector=number), stops(tx, "Local"))
    if number <= 0:
        await stage.play(session(tx, connectorId=number, cost=None))


async def test_m41_the_tag_of_a_stop_is_answered_for(stage):
    tx = transaction()
    stop = stops(tx, "Local", tag=UNKNOWN)
    stop.confirmation = {"idTagInfo": Has(status="Invalid")}
    await stage.play(
        booted(), charging(tx), stop, session(tx, status="completed", stopReason="Local")
    )


async def test_m41_the_tag_of_a_group_may_stop(csms, stage):
    tx = transaction()
    await csms.ask("POST", "/api/id-tags", {"idTag": "SIBLING", "parentIdTag": GROUP})
    stop = stops(tx, "Local", tag="SIBLING")
    stop.confirmation = {"idTagInfo": Has(status="Accepted", parentIdTag=GROUP)}
    await stage.play(booted(), charging(tx, tag=CHILD), stop, session(tx, flags=[]))


async def test_m42_another_tags_stop_is_flagged(stage):
    tx = transaction()
    stop = stops(tx, "Local", tag=CHILD)
    await stage.play(
        booted(),
        charging(tx),
        stop,
        session(tx, status="completed"),
        Sees(SESSIONS, True, lambda answer: bool(newest(answer)["flags"])),
    )


async def test_m44_transaction_minus_one_is_answered_as_if_valid(stage):
    await stage.play(
        booted(),
        meter(-1),
        stops(-1),
        stops(-1, "Local", tag=VALID),
        Sees(SESSIONS, [], lambda answer: answer["items"]),
    )


async def test_m47_a_register_that_falls_is_not_billed(stage):
    tx = transaction()
    await stage.play(
        booted(),
        charging(tx),
        stops(tx, "Local", meter=500),
        session(tx, status="completed", meterStopWh=500, cost=None),
        Sees(SESSIONS, True, lambda answer: bool(newest(answer)["flags"])),
    )


async def test_m48_transaction_data_is_kept_with_the_session(stage):
    tx = stage.slot(transaction("transaction"))
    stop = stops(tx, "Local")
    stop.payload["transactionData"] = [
        {
            "timestamp": at(-1),
            "sampledValue": [
                {"value": "1000", "context": "Transaction.Begin"},
                {"value": "6000", "context": "Transaction.End"},
            ],
        }
    ]
    await stage.play(
        booted(),
        charging(tx),
        stop,
        session(tx, energyKwh=5.0),
        Sees("/api/sessions/{transaction}/meter-values", 1, lambda answer: len(answer["items"])),
    )


async def test_m49_a_stop_may_come_hours_later_on_another_connection(stage):
    tx, when = transaction(), at(-7200)
    await stage.play(
        booted(),
        starts(tx, when=at(-10_000)),
        PowerCycles(),
        HEARTBEAT,
        stops(tx, "Local", when=when),
        session(tx, stoppedAt=when, status="completed"),
    )


async def test_m51_values_without_a_session_of_the_station_are_answered(stage):
    tx = transaction()
    await stage.play(
        booted(),
        meter(None),
        meter(0),
        meter(2**31 - 1),
        charging(tx),
        stops(tx, "Local"),
        meter(tx, "5500"),
        session(tx, meterStopWh=6000, energyKwh=5.0),
    )


@pytest.mark.parametrize("value", ["nonsense", "NaN", "1e999", "-5", "", "1,5"])
async def test_m54_values_that_are_no_numbers_are_kept_raw(stage, value):
    tx = transaction()
    await stage.play(
        booted(), charging(tx), meter(tx, value), meter(tx, value, "Power.Active.Import")
    )
    await stage.play(meter(tx, "3000"), session(tx, status="active", energyKwh=2.0))


async def test_m55_all_units_are_taken(stage):
    units = {
        "Temperature": ("Celsius", "Celcius", "Fahrenheit", "K"),
        "Energy.Reactive.Import.Register": ("varh", "kvarh"),
        "Power.Reactive.Import": ("var", "kvar"),
        "Frequency": (None,),
        "Voltage": ("V",),
    }
    samples = [
        {"value": "5", "measurand": measurand, **({} if unit is None else {"unit": unit})}
        for measurand, each in units.items()
        for unit in each
    ]
    values = {"connectorId": 1, "meterValue": [{"timestamp": at(), "sampledValue": samples}]}
    await stage.play(Says("MeterValues", values, {}))


async def test_m56_kilowatt_hours_are_watt_hours(stage):
    tx = transaction()
    sample = {"value": "3.5", "unit": "kWh", "measurand": "Energy.Active.Import.Register"}
    values = {
        "connectorId": 1,
        "transactionId": tx,
        "meterValue": [{"timestamp": at(), "sampledValue": [sample]}],
    }
    await stage.play(
        booted(), charging(tx), Says("MeterValues", values, {}), session(tx, energyKwh=2.5)
    )
