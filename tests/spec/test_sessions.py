"""Cold boot, sessions, authorization, power failure, offline."""

from __future__ import annotations

import pytest

from tests.spec.playbook import PowerCycles, Says, Sees
from tests.spec.states import (
    BLOCKED,
    CHILD,
    CONNECTORS,
    EXPIRED,
    GROUP,
    UNKNOWN,
    VALID,
    all_are,
    authorizes,
    booted,
    boots,
    charging,
    starts,
    status,
    stops,
)
from tests.spec.values import NOW, Has, at, transaction

octt = pytest.mark.octt
pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

STATION = "/api/stations/{id}"
SESSIONS = "/api/sessions?stationId={id}"
HEARTBEAT = Says("Heartbeat", {}, {"currentTime": NOW})


def newest(answer):
    return answer["items"][0]


def running(tx, **more):
    return Sees(SESSIONS, Has(transactionId=tx, status="active", **more), newest)


def ended(tx, **more):
    return Sees(SESSIONS, Has(transactionId=tx, status="completed", **more), newest)


@octt("TC_001", "3.1", "Cold boot")
async def test_cold_boot(stage):
    await stage.play(
        booted(),
        Sees(
            STATION,
            Has(
                vendor="Vendor",
                model="Model",
                chargePointSerialNumber="SN-1",
                online=True,
                connectors=[
                    Has(connectorId=n, status="Available", errorCode="NoError") for n in CONNECTORS
                ],
            ),
        ),
        HEARTBEAT,
        HEARTBEAT,
        Sees(STATION, Has(lastSeenAt=NOW)),
    )


@octt("TC_003", "3.2", "Regular session, plug in first")
async def test_plug_in_first(stage):
    tx = transaction()
    await stage.play(
        booted(),
        status(1, "Preparing"),
        authorizes(),
        starts(tx),
        status(1, "Charging"),
        running(tx, connectorId=1, idTag=VALID, meterStartWh=1000, flags=[]),
    )


@octt("TC_004_1", "3.2", "Regular session, identification first")
async def test_identification_first(stage):
    tx = transaction()
    await stage.play(booted(), authorizes(), charging(tx), running(tx))


@octt("TC_004_2", "3.2", "Regular session, identification first, the cable comes too late")
async def test_identification_without_a_cable(stage):
    await stage.play(
        booted(),
        authorizes(),
        status(1, "Preparing"),
        status(1, "Available"),
        Sees(STATION, "Available", lambda station: station["connectors"][1]["status"]),
        Sees(SESSIONS, [], lambda answer: answer["items"]),
    )


@octt("TC_005_1", "3.2", "EV side disconnected")
async def test_ev_side_disconnected(stage):
    tx = transaction()
    await stage.play(
        booted(),
        charging(tx),
        status(1, "SuspendedEV"),
        stops(tx, "EVDisconnected", tag=VALID),
        status(1, "Finishing"),
        status(1, "Available"),
        ended(tx, stopReason="EVDisconnected", energyKwh=5.0, meterStopWh=6000, flags=[]),
    )


@octt("TC_007", "3.3", "Start of a session, the id tag is in the cache")
async def test_start_with_a_cached_tag(stage):
    tx = transaction()
    await stage.play(
        booted(),
        status(1, "Preparing"),
        starts(tx),  # nobody has asked for the tag before
        status(1, "Charging"),
        running(tx, idTag=VALID, flags=[]),
    )


@octt("TC_023_1", "3.8", "Authorize, invalid")
async def test_authorize_invalid(stage):
    await stage.play(booted(), authorizes(UNKNOWN, "Invalid"))


@octt("TC_023_2", "3.8", "Authorize, expired")
async def test_authorize_expired(stage):
    await stage.play(booted(), authorizes(EXPIRED, "Expired"))


@octt("TC_023_3", "3.8", "Authorize, blocked")
async def test_authorize_blocked(stage):
    await stage.play(booted(), authorizes(BLOCKED, "Blocked"))


@octt("TC_024", "3.8", "Start of a session, lock failure")
async def test_lock_failure(stage):
    await stage.play(
        booted(),
        authorizes(),
        status(1, "Preparing"),
        status(1, "Faulted", "ConnectorLockFailure"),
        Sees(
            STATION,
            Has(connectorId=1, status="Faulted", errorCode="ConnectorLockFailure"),
            lambda station: station["connectors"][1],
        ),
        Sees(SESSIONS, [], lambda answer: answer["items"]),
    )


@octt("TC_032_1", "3.11", "Power failure, configured to stop transactions")
async def test_power_failure(stage):
    tx = transaction()
    await stage.play(
        booted(),
        charging(tx),
        PowerCycles(),
        boots(),
        running(tx),
        status(0, "Available"),
        status(1, "Finishing"),
        status(2, "Available"),
        stops(tx, "PowerLoss"),
        ended(tx, stopReason="PowerLoss", energyKwh=5.0, flags=[]),
    )


@octt("TC_037_1", "3.12", "Offline start, valid id tag")
async def test_offline_start(stage):
    tx, when = transaction(), at(-600)
    await stage.play(
        booted(),
        PowerCycles(),
        starts(tx, when=when),
        status(1, "Charging"),
        running(tx, startedAt=when),
    )


@octt("TC_037_3", "3.12", "Offline start, invalid id tag, StopTransactionOnInvalidId")
async def test_offline_start_with_an_invalid_tag_is_a_session_all_the_same(stage):
    tx = transaction()
    start = starts(tx, tag=UNKNOWN, when=at(-600))
    start.confirmation = {"transactionId": tx, "idTagInfo": Has(status="Invalid")}
    await stage.play(
        booted(),
        PowerCycles(),
        start,
        status(1, "Charging"),
        stops(tx, "DeAuthorized"),
        status(1, "Finishing"),
        ended(tx, stopReason="DeAuthorized"),
    )


@octt("TC_039", "3.12", "Offline transaction")
async def test_offline_transaction(stage):
    tx, began, stopped = transaction(), at(-7200), at(-3600)
    await stage.play(
        booted(),
        PowerCycles(),
        starts(tx, when=began),
        stops(tx, "Local", when=stopped),
        ended(tx, startedAt=began, stoppedAt=stopped, stopReason="Local", energyKwh=5.0),
    )


# -- variants


async def test_a_tag_of_a_group(stage):
    await stage.play(
        booted(),
        authorizes(CHILD, parentIdTag=GROUP),
        authorizes(CHILD.lower(), parentIdTag=GROUP),  # compared without case
        authorizes("", "Invalid"),
    )


async def test_m33_a_repeated_start_gets_the_same_answer(stage):
    tx, when = transaction(), at(-60)
    await stage.play(
        booted(),
        starts(tx, when=when),
        starts(tx, when=when),
        PowerCycles(),
        starts(tx, when=when),
        Sees(SESSIONS, [Has(transactionId=tx)], lambda answer: answer["items"]),
    )


async def test_m46_a_repeated_stop_changes_nothing(stage):
    tx = transaction()
    await stage.play(
        booted(),
        charging(tx),
        stops(tx, "Local", meter=6000),
        stops(tx, "Remote", meter=9000),
        ended(tx, stopReason="Local", meterStopWh=6000),
    )


@pytest.mark.parametrize("odd", [0, -1, 2**31 - 1])
async def test_m43_a_stop_of_an_unknown_transaction_is_answered(stage, odd):
    await stage.play(booted(), stops(odd), stops(odd, tag=VALID))


async def test_m42_a_stop_without_a_reason_is_local(stage):
    tx = transaction()
    await stage.play(booted(), charging(tx), stops(tx), ended(tx, stopReason="Local"))


async def test_m36_a_start_ends_an_older_session_of_the_connector(stage):
    older, newer = transaction("older"), transaction("newer")
    await stage.play(
        booted(),
        charging(older),
        starts(newer, when=at(1)),
        Sees(
            SESSIONS,
            [Has(transactionId=newer, status="active"), Has(transactionId=older)],
            lambda answer: answer["items"],
        ),
        stops(newer, "Local"),
    )


async def test_m06_boots_may_be_repeated(stage):
    await stage.play(boots(), boots(), all_are("Available"), boots())


async def test_h12_after_a_reconnect_no_boot_is_needed(stage):
    tx = transaction()
    await stage.play(booted(), PowerCycles(), HEARTBEAT, charging(tx), PowerCycles(), stops(tx))


async def test_metering_is_answered_and_shown(stage):
    tx = transaction()
    sample = {
        "timestamp": at(),
        "sampledValue": [
            {"value": "3500"},
            {"value": "7.4", "measurand": "Power.Active.Import", "unit": "kW"},
            {"value": "50", "measurand": "SoC", "unit": "Percent", "location": "EV"},
        ],
    }
    values = {"connectorId": 1, "meterValue": [sample]}
    await stage.play(
        booted(),
        charging(tx),
        Says("MeterValues", {**values, "transactionId": tx}, {}),
        running(tx, energyKwh=2.5, powerKw=7.4, socPercent=50),
        Says("MeterValues", {**values, "transactionId": -1}, {}),
        Says("MeterValues", {**values, "connectorId": 0}, {}),
        stops(tx, "Local"),
        Says("MeterValues", {**values, "transactionId": tx}, {}),
    )


async def test_m60_data_transfer_of_an_unknown_vendor(stage):
    for payload in ({"vendorId": "nobody"}, {"vendorId": "n", "messageId": "m", "data": "d"}):
        await stage.play(Says("DataTransfer", payload, {"status": "UnknownVendorId"}))
