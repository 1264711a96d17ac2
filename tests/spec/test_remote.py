"""What operators make stations do: cache, remote start and stop, reset, unlock, configuration."""

from __future__ import annotations

import pytest

from tests.spec.playbook import Asks, Sees
from tests.spec.states import (
    VALID,
    all_are,
    authorizes,
    booted,
    charging,
    starts,
    status,
    stops,
)
from tests.spec.values import Has, transaction

octt = pytest.mark.octt
pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SESSIONS = "/api/sessions?stationId={id}"
CALLS = "/api/stations/{id}/calls"
CONFIGURATION = "/api/stations/{id}/configuration"
REMOTE_START = {"connectorId": 1, "idTag": VALID}


def newest(answer):
    return answer["items"][0]


def none_there(answer):
    return answer["items"]


def recorded(action, outcome, status_=None, **more):
    """The call stands in the station's list with its outcome."""
    return Sees(CALLS, Has(action=action, outcome=outcome, status=status_, **more), newest)


def has_key(name, **content):
    return Sees(
        CONFIGURATION,
        Has(key=name, **content),
        lambda answer: next((each for each in answer["items"] if each["key"] == name), None),
    )


@octt("TC_061", "3.3", "Clear authorization cache")
async def test_clear_cache(stage):
    await stage.play(
        booted(),
        Asks("ClearCache", {}),
        recorded("ClearCache", "accepted", "Accepted"),
        Asks("ClearCache", {}, {"status": "Rejected"}, "rejected"),
        recorded("ClearCache", "rejected", "Rejected"),
    )


@octt("TC_010", "3.4", "Remote start, cable first")
async def test_remote_start_cable_first(stage):
    tx = transaction()
    await stage.play(
        booted(),
        status(1, "Preparing"),
        Asks("RemoteStartTransaction", REMOTE_START, more={"warnings": []}),
        authorizes(),
        starts(tx),
        status(1, "Charging"),
        Sees(SESSIONS, Has(transactionId=tx, status="active", idTag=VALID), newest),
    )


@octt("TC_011_1", "3.4", "Remote start first")
async def test_remote_start_first(stage):
    tx = transaction()
    await stage.play(
        booted(),
        Asks("RemoteStartTransaction", REMOTE_START),
        authorizes(),
        status(1, "Preparing"),
        starts(tx),
        status(1, "Charging"),
        Sees(SESSIONS, Has(transactionId=tx, status="active", idTag=VALID), newest),
    )


@octt("TC_011_2", "3.4", "Remote start first, the cable comes too late")
async def test_remote_start_without_a_cable(stage):
    await stage.play(
        booted(),
        Asks("RemoteStartTransaction", REMOTE_START),
        authorizes(),
        status(1, "Preparing"),
        status(1, "Available"),
        recorded("RemoteStartTransaction", "accepted", "Accepted"),
        Sees(SESSIONS, [], none_there),
    )


@octt("TC_012", "3.4", "Remote stop")
async def test_remote_stop(stage):
    tx = transaction()
    await stage.play(
        booted(),
        charging(tx),
        Asks("RemoteStopTransaction", {"transactionId": tx}, more={"warnings": []}),
        stops(tx, "Remote"),
        status(1, "Finishing"),
        status(1, "Available"),
        Sees(SESSIONS, Has(transactionId=tx, status="completed", stopReason="Remote"), newest),
    )


@octt("TC_013", "3.5", "Hard reset")
async def test_hard_reset(stage):
    await stage.play(booted(), Asks("Reset", {"type": "Hard"}), booted())


@octt("TC_014", "3.5", "Soft reset")
async def test_soft_reset(stage):
    await stage.play(booted(), Asks("Reset", {"type": "Soft"}), booted())


@octt("TC_017_1", "3.6", "Unlock, no session, not fixed cable")
async def test_unlock(stage):
    await stage.play(
        booted(),
        Asks("UnlockConnector", {"connectorId": 1}, {"status": "Unlocked"}),
        recorded("UnlockConnector", "accepted", "Unlocked"),
    )


@octt("TC_017_2", "3.6", "Unlock, no session, fixed cable")
async def test_unlock_of_a_fixed_cable(stage):
    await stage.play(
        booted(),
        Asks("UnlockConnector", {"connectorId": 1}, {"status": "NotSupported"}, "rejected"),
        recorded("UnlockConnector", "rejected", "NotSupported"),
    )


@octt("TC_018_1", "3.6", "Unlock with a session")
async def test_unlock_with_a_session(stage):
    tx = transaction()
    await stage.play(
        booted(),
        charging(tx),
        Asks("UnlockConnector", {"connectorId": 1}, {"status": "Unlocked"}),
        status(1, "Finishing"),
        stops(tx, "UnlockCommand"),
        status(1, "Available"),
        Sees(SESSIONS, Has(status="completed", stopReason="UnlockCommand"), newest),
    )


@octt("TC_019_1", "3.7", "Retrieve all configuration keys")
async def test_get_all_configuration(stage):
    keys = [
        {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
        {"key": "NumberOfConnectors", "readonly": True, "value": "2"},
        {"key": "AuthorizationKey", "readonly": False, "value": "00112233"},
        {"key": "StopTxnSampledData", "readonly": False},
    ]
    for payload in ({}, {"key": []}):
        await stage.play(
            Asks("GetConfiguration", payload, {"configurationKey": keys, "unknownKey": []}),
            has_key("HeartbeatInterval", value="300", readonly=False),
            has_key("NumberOfConnectors", value="2", readonly=True),
            has_key("AuthorizationKey", value=None),
            has_key("StopTxnSampledData", value=None, readonly=False),
        )


@octt("TC_019_2", "3.7", "Retrieve one configuration key")
async def test_get_one_key(stage):
    found = {
        "configurationKey": [
            {"key": "SupportedFeatureProfiles", "readonly": True, "value": "Core,Reservation"}
        ],
        "unknownKey": [],
    }
    await stage.play(
        Asks("GetConfiguration", {"key": ["SupportedFeatureProfiles"]}, found),
        has_key("SupportedFeatureProfiles", value="Core,Reservation", readonly=True),
        recorded("GetConfiguration", "accepted", None, response=found),
    )


@octt("TC_021", "3.7", "Change configuration")
async def test_change_configuration(stage):
    await stage.play(
        booted(),
        Asks("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "60"}),
        has_key("MeterValueSampleInterval", value="60"),
    )


@octt("TC_026", "3.9", "Remote start rejected")
async def test_remote_start_rejected(stage):
    await stage.play(
        booted(),
        Asks("RemoteStartTransaction", REMOTE_START, {"status": "Rejected"}, "rejected"),
        recorded("RemoteStartTransaction", "rejected", "Rejected"),
        Sees(SESSIONS, [], none_there),
    )


@octt("TC_030", "3.10", "Unlock failure")
async def test_unlock_failure(stage):
    await stage.play(
        booted(),
        Asks("UnlockConnector", {"connectorId": 1}, {"status": "UnlockFailed"}, "rejected"),
        recorded("UnlockConnector", "rejected", "UnlockFailed"),
    )


@octt("TC_040_2", "3.13", "Configuration key with an invalid value")
@pytest.mark.parametrize("bad", ["-1", "INVALID"])
async def test_invalid_value(stage, bad):
    key = "MeterValueSampleInterval"
    await stage.play(
        booted(),
        Asks("ChangeConfiguration", {"key": key, "value": "60"}),
        Asks("ChangeConfiguration", {"key": key, "value": bad}, {"status": "Rejected"}, "rejected"),
        has_key(key, value="60"),
    )


# -- variants


@pytest.mark.parametrize("kind", ["Soft", "Hard"])
async def test_reset_with_a_session(stage, kind):
    tx = transaction()
    reason = f"{kind}Reset"
    await stage.play(
        booted(),
        charging(tx),
        Asks("Reset", {"type": kind}),
        stops(tx, reason),
        booted(),
        Sees(SESSIONS, Has(status="completed", stopReason=reason), newest),
    )


@octt("TC_031", "3.10", "Unlock of an unknown connector")
@pytest.mark.parametrize("answer", ["NotSupported", "UnlockFailed"])
async def test_q5_an_unknown_connector_is_sent(stage, answer):
    await stage.play(
        booted(),
        Asks(
            "UnlockConnector",
            {"connectorId": 77},
            {"status": answer},
            "rejected",
            {"warnings": ["The station has no connector 77 as far as is known."]},
        ),
    )


@octt("TC_028", "3.9", "Remote stop of a transaction that does not run")
async def test_q5_a_remote_stop_of_nothing_is_sent(stage):
    await stage.play(
        booted(),
        Asks(
            "RemoteStopTransaction",
            {"transactionId": 999_999},
            {"status": "Rejected"},
            "rejected",
            {"warnings": ["There is no transaction 999999."]},
        ),
    )


@octt("TC_040_1", "3.13", "Unknown configuration key")
@pytest.mark.parametrize(
    ("answer", "outcome"), [("NotSupported", "rejected"), ("RebootRequired", "accepted")]
)
async def test_q5_an_unknown_key_is_sent(stage, answer, outcome):
    change = {"key": "NoSuchKey", "value": "x"}
    await stage.play(Asks("ChangeConfiguration", change, {"status": answer}, outcome))


async def test_n08_single_keys_and_unknown_ones(stage):
    await stage.play(
        Asks(
            "GetConfiguration",
            {"key": ["HeartbeatInterval", "Nonsense"]},
            {
                "configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "1"}],
                "unknownKey": ["Nonsense"],
            },
        ),
        has_key("HeartbeatInterval", value="1"),
        Sees(CONFIGURATION, 1, lambda answer: len(answer["items"])),
    )


@pytest.mark.parametrize(
    ("connector", "kind", "answer"),
    [(0, "Inoperative", "Accepted"), (1, "Operative", "Scheduled"), (2, "Inoperative", "Rejected")],
)
async def test_n02_availability(stage, connector, kind, answer):
    outcome = "rejected" if answer == "Rejected" else "accepted"
    await stage.play(
        booted(),
        Asks(
            "ChangeAvailability",
            {"connectorId": connector, "type": kind},
            {"status": answer},
            outcome,
        ),
        all_are("Unavailable"),
        Sees("/api/stations/{id}", "Unavailable", lambda s: s["connectors"][1]["status"]),
    )


def availability(number, told, *, scheduled):
    return Sees(
        "/api/stations/{id}",
        Has(availability=told, availabilityScheduled=scheduled),
        lambda station: station["connectors"][number],
    )


async def test_n02_a_scheduled_change_waits_for_the_session(stage):
    tx = transaction()
    change = {"connectorId": 1, "type": "Inoperative"}
    await stage.play(
        booted(),
        charging(tx),
        availability(1, None, scheduled=False),
        Asks("ChangeAvailability", change, {"status": "Scheduled"}),
        availability(1, "Inoperative", scheduled=True),
        availability(2, None, scheduled=False),
        stops(tx, "Local"),
        status(1, "Finishing"),
        availability(1, "Inoperative", scheduled=True),
        status(1, "Unavailable"),
        availability(1, "Inoperative", scheduled=False),
        status(1, "Faulted", "OtherError"),
        availability(1, "Inoperative", scheduled=False),
        booted(),  # over a reboot too
        availability(1, "Inoperative", scheduled=False),
        Asks(
            "ChangeAvailability",
            {**change, "type": "Operative"},
            {"status": "Rejected"},
            "rejected",
        ),
        availability(1, "Inoperative", scheduled=False),
        Asks("ChangeAvailability", {**change, "type": "Operative"}),
        availability(1, "Operative", scheduled=False),
    )


async def test_n02_connector_0_is_the_whole_station(stage):
    tx = transaction()
    change = {"connectorId": 0, "type": "Inoperative"}
    await stage.play(
        booted(),
        charging(tx),
        Asks("ChangeAvailability", {**change, "connectorId": 2}),
        Asks("ChangeAvailability", change, {"status": "Scheduled"}),
        status(2, "Unavailable"),
        availability(0, "Inoperative", scheduled=True),
        availability(1, "Inoperative", scheduled=True),
        availability(2, "Inoperative", scheduled=False),
        stops(tx, "Local"),
        status(1, "Unavailable"),
        availability(0, "Inoperative", scheduled=False),
        availability(1, "Inoperative", scheduled=False),
    )


async def test_a_call_error_is_shown_with_its_code(stage):
    await stage.play(
        Asks("ClearCache", {}, "NotSupported", "callError", {"errorCode": "NotSupported"}),
        recorded("ClearCache", "callError", None),
    )
