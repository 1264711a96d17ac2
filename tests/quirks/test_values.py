"""Playbooks of quirks of meter values, statuses and what else charge points report."""

from __future__ import annotations

import pytest

from tests.quirks.bench import START_AT, plugged

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

ENERGY = "Energy.Active.Import.Register"


def values(*samples, **changes):
    element = {"timestamp": START_AT, "sampledValue": list(samples)}
    return {"connectorId": 1, "meterValue": [element], **changes}


@pytest.mark.parametrize(
    ("sample", "field", "value"),
    [
        # Alfen joins measurand and phase
        ({"value": "16", "measurand": "Current.Import.L1", "unit": "A"}, "currentA", 16),
        # numbers where texts must be: Scame, OpenEVSE, Grizzl-E
        ({"value": 7000, "unit": "Wh"}, "energyKwh", 7),
        ({"value": 7.25, "unit": "kWh"}, "energyKwh", 7.25),
        ({"value": " 7000 "}, "energyKwh", 7),
        ({"value": "7000", "measurand": "Request.Energy", "unit": "Wh"}, "energyKwh", 7),
        ({"value": "7", "measurand": ENERGY, "unit": "kW"}, "energyKwh", 7),  # Injet
        ({"value": "7", "measurand": "Power.Active.Import", "unit": "kWh"}, "powerKw", 7),
        ({"value": "7000", "measurand": "Power.Active.Import", "unit": "watt"}, "powerKw", 7),
        ({"value": "7,5", "measurand": "power.active.import", "unit": "KW"}, "powerKw", 7.5),
        ({"value": "55", "measurand": "SOC", "unit": "%"}, "socPercent", 55),
        ({"value": "55", "measurand": "SoC", "unit": "percent"}, "socPercent", 55),
        ({"value": "7000", "context": "Sample.periodic", "unit": "wh"}, "energyKwh", 7),
        ({"value": "7000", "context": "Whenever"}, "energyKwh", 7),  # Alfen
        ({"value": "7000", "unit": None, "phase": None, "location": ""}, "energyKwh", 7),
        ({"value": "7000", "phase": "L1-L2-L3"}, "energyKwh", 7),
        ({"value": "7000", "extra": 1}, "energyKwh", 7),
        ({"Value": "7000", "Unit": "Wh"}, "energyKwh", 7),
    ],
)
async def test_odd_samples_are_understood(cp, sample, field, value):
    assert await cp.told("MeterValues", values(sample)) == {}
    (reading,) = await cp.values()
    found = reading[field]
    assert (found[0] if isinstance(found, list) else found) == value


@pytest.mark.parametrize(
    "sample",
    [
        {"value": "50", "measurand": "Frequency", "unit": "Hz"},  # Charge Amps Halo
        {"value": "x", "unit": "Wh"},
        {"value": "5", "measurand": "Mystery"},
        {"value": "5", "unit": "furlong"},
        {"value": True},
    ],
)
async def test_what_cannot_be_understood_is_kept(cp, sample):
    assert await cp.told("MeterValues", values(sample)) == {}
    (reading,) = await cp.values()
    assert reading["energyKwh"] is None
    assert len(reading["other"]) == 1


async def test_an_odd_unit_is_a_flag_on_the_session_and_the_sample_is_kept(cp):
    number = await cp.start()
    sample = {"value": "8", "measurand": ENERGY, "unit": "kW"}
    for _ in range(2):
        await cp.told("MeterValues", values(sample, transactionId=number))
    session = await cp.session(number)
    assert session["energyKwh"] == 7
    assert session["flags"].count("unitSuspect") == 1
    assert (await cp.values())[0]["other"] == [sample]


@pytest.mark.parametrize(
    "payload",
    [
        {"connectorId": 1, "meterValue": []},
        {"connectorId": 1, "meterValue": None},
        {"connectorId": 1},
        {"connectorId": 1, "meterValue": [{"timestamp": START_AT, "sampledValue": []}]},
        {"connectorId": 1, "meterValue": [{"timestamp": START_AT}]},
        {"connectorId": 1, "meterValue": [None]},
        {},
    ],
)
async def test_nothing_measured_is_answered(cp, payload):
    assert await cp.told("MeterValues", payload) == {}


@pytest.mark.parametrize(
    "payload",
    [
        {"connectorId": 1, "values": [{"timestamp": START_AT, "value": {"value": 7000}}]},
        {"connectorId": 1, "meterValue": {"timestamp": START_AT, "sampledValue": {"value": 7000}}},
        {"connectorId": 1, "meterValue": [{"timestamp": START_AT, "value": 7000}]},
        {"connectorId": 1, "timestamp": START_AT, "sampledValue": [{"value": 7000}]},
        {"meterValue": [{"sampledValue": [{"value": 7000}]}]},
    ],
)
async def test_other_shapes_of_meter_values(cp, payload):
    assert await cp.told("MeterValues", payload) == {}
    (reading,) = await cp.values()
    assert reading["energyKwh"] == 7


@pytest.mark.parametrize(
    ("payload", "status", "error"),
    [
        ({"errorCode": "Error", "status": "Faulted"}, "Faulted", "OtherError"),  # Legrand GreenUp
        ({"errorCode": "", "status": "Available"}, "Available", "NoError"),
        ({"status": "Available"}, "Available", "NoError"),
        ({"errorCode": None, "status": "faulted"}, "Faulted", "OtherError"),
        ({"errorCode": "NoError", "status": "Occupied"}, "Preparing", "NoError"),
        ({"errorCode": "noError", "status": "suspended_ev"}, "SuspendedEV", "NoError"),
        ({"errorCode": 0, "status": "CHARGING"}, "Charging", "NoError"),
        ({"errorCode": "EVCommunicationError", "status": "Finishing"}, "Finishing", None),  # ABB
        ({"errorCode": "NoError", "status": "Available", "info": "i" * 99}, "Available", None),
        ({"errorCode": "NoError", "status": "Available", "timestamp": ""}, "Available", None),
        (
            {"errorCode": "NoError", "status": "Available", "vendorErrorCode": 0, "vendorId": None},
            "Available",
            None,
        ),
        ({"errorCode": "NoError", "status": "Avaliable"}, "Available", None),
    ],
)
async def test_odd_statuses(cp, payload, status, error):
    assert await cp.told("StatusNotification", {"connectorId": 1, **payload}) == {}
    connector = await cp.connector()
    assert connector["status"] == status
    if error is not None:
        assert connector["errorCode"] == error


async def test_an_unknown_status_is_kept_as_text(cp):
    payload = {"connectorId": "1", "errorCode": "NoError", "status": "Hibernating"}
    assert await cp.told("StatusNotification", payload) == {}
    assert (await cp.connector())["status"] == "Hibernating"
    assert len(await cp.repairs("choice_kept")) == 1


async def test_data_transfers_a_second_with_odd_data(cp):
    for n in range(10):  # EN+
        payload = {"vendorId": "EN+", "messageId": "cpChargingParameterRpt", "data": {"n": [n]}}
        assert await cp.told("DataTransfer", payload) == {"status": "UnknownVendorId"}
    assert len(await cp.repairs("text_from_value")) == 10


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("FirmwareStatusNotification", {"status": "downloading"}),
        ("FirmwareStatusNotification", {"status": "Rebooting"}),
        ("DiagnosticsStatusNotification", {"status": "UploadFailure"}),
        ("LogStatusNotification", {"status": "UploadFailed", "requestId": "7"}),
        ("SecurityEventNotification", {"type": "Odd"}),
        ("SecurityEventNotification", {"type": "x" * 80, "timestamp": None, "techInfo": 5}),
        ("Heartbeat", {"timestamp": START_AT}),
        ("Authorize", {"idTag": None}),
    ],
)
async def test_other_odd_reports_are_answered(cp, action, payload):
    await cp.told(action, payload)
    assert await cp.alive()


async def test_no_quirk_reaches_another_station(csms, cp, identity):
    """Whatever one station sends, the other is answered as if nothing was."""
    other = f"{identity}-B"
    await csms.add(other)
    odd = ["[", '[2,"1"', "\x00", '[2,"1","Nope",{}]', '{"a":1}', '[2,"2","MeterValues",{"x":']
    async with plugged(csms, other) as well:
        for text in odd:
            await cp.socket.send(text)
            assert await well.alive()
        assert (await well.ask("/messages", repair="any"))["items"] == []
