"""Local lists, firmware, diagnostics, triggers, data transfer."""

from __future__ import annotations

import pytest

from tests.spec.playbook import Asks, Says, Sees
from tests.spec.states import VALID, all_are, booted, boots
from tests.spec.values import Has, at

octt = pytest.mark.octt
pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

LIST = "/api/stations/{id}/local-list"
JOBS = "/api/stations/{id}/jobs"
FULL = {
    "listVersion": 3,
    "localAuthorizationList": [
        {"idTag": VALID, "idTagInfo": {"status": "Accepted", "expiryDate": "2030-01-01T00:00:00Z"}},
        {"idTag": "OTHER", "idTagInfo": {"status": "Blocked", "parentIdTag": "GROUP"}},
    ],
    "updateType": "Full",
}
FIRMWARE = {"location": "ftp://files.example/fw/v2.bin", "retrieveDate": at(-60)}
DIAGNOSTICS = {"location": "ftp://files.example/diagnostics"}


def newest(answer):
    return answer["items"][0] if answer["items"] else None


def firmware(status):
    return Says("FirmwareStatusNotification", {"status": status}, {})


def diagnostics(status):
    return Says("DiagnosticsStatusNotification", {"status": status}, {})


def job(kind, state, status, **more):
    return Sees(JOBS, Has(kind=kind, state=state, status=status, **more), newest)


def no_jobs():
    return Sees(JOBS, [], lambda answer: answer["items"])


@octt("TC_042_1", "3.14", "Get local list version, not supported")
async def test_list_version_of_a_station_without_lists(stage):
    await stage.play(
        booted(),
        Asks("GetLocalListVersion", {}, {"listVersion": -1}),
        Sees(LIST, Has(installedVersion=-1)),
    )


@octt("TC_042_2", "3.14", "Get local list version, empty")
async def test_list_version_of_an_empty_list(stage):
    await stage.play(
        booted(),
        Asks("GetLocalListVersion", {}, {"listVersion": 0}, more={"response": {"listVersion": 0}}),
        Sees(LIST, Has(installedVersion=0)),
    )


@octt("TC_043_1", "3.14", "Send local list, not supported")
async def test_list_not_supported(stage):
    await stage.play(
        booted(),
        Asks("SendLocalList", FULL, {"status": "NotSupported"}, "rejected"),
        Sees(LIST, Has(installedVersion=None)),
    )


@octt("TC_043_3", "3.14", "Send local list, failed")
async def test_list_failed(stage):
    await stage.play(
        booted(),
        Asks("SendLocalList", FULL, {"status": "Failed"}, "rejected"),
        Sees(LIST, Has(installedVersion=None)),
    )


@octt("TC_043_4", "3.14", "Send local list, full")
async def test_full_list(stage):
    await stage.play(
        booted(),
        Asks("SendLocalList", FULL, more={"warnings": []}),
        Sees(LIST, Has(installedVersion=3)),
    )


@octt("TC_043_5", "3.14", "Send local list, differential")
async def test_differential_list(stage):
    added = {"idTag": "ADDED", "idTagInfo": {"status": "Accepted"}}
    differential = {
        "listVersion": 4,
        "localAuthorizationList": [added],
        "updateType": "Differential",
    }
    await stage.play(
        booted(),
        Asks("SendLocalList", FULL),
        Asks("GetLocalListVersion", {}, {"listVersion": 3}),
        Asks("SendLocalList", differential, more={"warnings": []}),
        Sees(LIST, Has(installedVersion=4)),
    )


@octt("TC_044_1", "3.15", "Firmware update, download and install")
async def test_firmware(stage):
    await stage.play(
        booted(),
        Asks("UpdateFirmware", FIRMWARE, {}),
        job("firmware", "running", "Accepted", fileName="v2.bin"),
        firmware("Downloading"),
        firmware("Downloaded"),
        all_are("Unavailable"),
        firmware("Installing"),
        job("firmware", "running", "Installing"),
        boots(),
        all_are("Available"),
        firmware("Installed"),
        job(
            "firmware",
            "done",
            "Installed",
            history=[
                Has(status=each)
                for each in ("Accepted", "Downloading", "Downloaded", "Installing", "Installed")
            ],
        ),
    )


@octt("TC_044_2", "3.15", "Firmware update, download failed")
async def test_firmware_download_failed(stage):
    await stage.play(
        booted(),
        Asks("UpdateFirmware", FIRMWARE, {}),
        firmware("Downloading"),
        firmware("DownloadFailed"),
        job("firmware", "failed", "DownloadFailed"),
    )


@octt("TC_044_3", "3.15", "Firmware update, installation failed")
async def test_firmware_installation_failed(stage):
    await stage.play(
        booted(),
        Asks("UpdateFirmware", {**FIRMWARE, "retries": 2, "retryInterval": 1}, {}),
        firmware("Downloading"),
        firmware("Downloaded"),
        all_are("Unavailable"),
        firmware("Installing"),
        boots(),
        all_are("Available"),
        firmware("InstallationFailed"),
        job("firmware", "failed", "InstallationFailed"),
    )


@octt("TC_045_1", "3.16", "Get diagnostics")
async def test_diagnostics(stage):
    await stage.play(
        booted(),
        Asks("GetDiagnostics", DIAGNOSTICS, {"fileName": "diagnostics-1.tar.gz"}),
        diagnostics("Uploading"),
        diagnostics("Uploaded"),
        job("diagnostics", "done", "Uploaded", fileName="diagnostics-1.tar.gz"),
    )


@octt("TC_045_2", "3.16", "Get diagnostics, upload failed")
async def test_diagnostics_upload_failed(stage):
    await stage.play(
        booted(),
        Asks("GetDiagnostics", {**DIAGNOSTICS, "startTime": at(-3600)}, {"fileName": "d"}),
        diagnostics("Uploading"),
        diagnostics("UploadFailed"),
        job("diagnostics", "failed", "UploadFailed", fileName="d"),
    )


@octt("TC_054", "3.18", "Trigger message")
async def test_triggers(stage):
    def trigger(message, **more):
        return Asks("TriggerMessage", {"requestedMessage": message, **more})

    sample = {"timestamp": at(), "sampledValue": [{"value": "1000"}]}
    minimal = {"connectorId": 1, "meterValue": [sample]}
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    await stage.play(
        booted(),
        trigger("MeterValues", connectorId=1),
        Says("MeterValues", minimal, {}),
        trigger("Heartbeat"),
        Says("Heartbeat", {}, Has()),
        trigger("StatusNotification", connectorId=1),
        Says("StatusNotification", status, {}),
        trigger("DiagnosticsStatusNotification"),
        diagnostics("Idle"),
        Asks(
            "TriggerMessage",
            {"requestedMessage": "FirmwareStatusNotification"},
            {"status": "NotImplemented"},
            "rejected",
        ),
        trigger("FirmwareStatusNotification"),
        firmware("Idle"),
        no_jobs(),
    )


@octt("TC_055", "3.18", "Trigger message, rejected")
async def test_rejected_trigger(stage):
    await stage.play(
        booted(),
        Asks(
            "TriggerMessage",
            {"requestedMessage": "MeterValues"},
            {"status": "Rejected"},
            "rejected",
        ),
    )


@octt("TC_064", "3.20", "Data transfer to a central system")
async def test_data_transfer(stage):
    answer = {"status": "UnknownVendorId"}
    await stage.play(
        booted(),
        Says("DataTransfer", {"vendorId": "nobody.knows"}, answer),
        Says("DataTransfer", {"vendorId": "n", "messageId": "m", "data": "{}"}, answer),
    )


# -- variants


async def test_a_list_is_shown_as_it_was_accepted(stage):
    await stage.play(
        booted(),
        Asks("SendLocalList", FULL),
        Asks(
            "SendLocalList",
            {
                "listVersion": 4,
                "localAuthorizationList": [{"idTag": "OTHER"}],
                "updateType": "Differential",
            },
        ),
        Sees(LIST, Has(installedVersion=4)),
        Asks("GetLocalListVersion", {}, {"listVersion": 4}),
        Asks("GetLocalListVersion", {}, {"listVersion": -1}),
        Sees(LIST, Has(installedVersion=-1)),
    )


async def test_n15_a_differential_list_of_another_version(stage):
    await stage.play(
        booted(),
        Asks(
            "SendLocalList",
            {**FULL, "updateType": "Differential"},
            {"status": "VersionMismatch"},
            "rejected",
        ),
        Sees(LIST, Has(installedVersion=None)),
    )


async def test_n15_odd_lists_are_sent_with_a_warning(stage):
    twice = [{"idTag": "a", "idTagInfo": {"status": "Accepted"}}, {"idTag": "A"}]
    await stage.play(
        Asks(
            "SendLocalList",
            {"listVersion": 0, "localAuthorizationList": twice, "updateType": "Full"},
            more={
                "warnings": [
                    "listVersion must be greater than 0.",
                    "An id tag is there more than once.",
                    "Each entry of a Full list needs idTagInfo.",
                ]
            },
        ),
        Asks("SendLocalList", {"listVersion": 1, "updateType": "Full"}, more={"warnings": []}),
    )


async def test_n19_a_station_with_secure_firmware_refuses_the_old_way(stage):
    await stage.play(
        booted(), Asks("UpdateFirmware", FIRMWARE, "NotSupported", "callError"), no_jobs()
    )


async def test_n09_no_diagnostics_there(stage):
    await stage.play(
        booted(),
        Asks("GetDiagnostics", DIAGNOSTICS, {}),
        job("diagnostics", "failed", "NothingAvailable", fileName=None),
    )


async def test_m70_reports_that_nobody_asked_for_are_answered(stage):
    await stage.play(
        *[firmware(each) for each in ("Installed", "Downloading", "Idle")],
        *[diagnostics(each) for each in ("Uploaded", "UploadFailed", "Idle")],
        Says("LogStatusNotification", {"status": "Uploading", "requestId": 5}, {}),
        Says("LogStatusNotification", {"status": "Idle"}, {}),
        Says("SignedFirmwareStatusNotification", {"status": "Idle"}, {}),
        Says("SignedFirmwareStatusNotification", {"status": "Installed", "requestId": 9}, {}),
        no_jobs(),
    )


async def test_m57_triggered_meter_values_may_be_empty(stage):
    trigger = Asks("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1})
    empty = {"timestamp": at(), "sampledValue": []}
    await stage.play(
        booted(),
        trigger,
        Says("MeterValues", {"connectorId": 1, "meterValue": [empty]}, {}, odd=True),
        trigger,
        Says("MeterValues", {"connectorId": 1, "meterValue": []}, {}, odd=True),
    )


async def test_rejected_triggers_are_shown(stage):
    await stage.play(
        booted(),
        Asks(
            "TriggerMessage",
            {"requestedMessage": "MeterValues", "connectorId": 77},
            {"status": "Rejected"},
            "rejected",
            {"warnings": ["The station has no connector 77 as far as is known."]},
        ),
    )


async def test_data_transfer_to_the_station(stage):
    for status in ("Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"):
        await stage.play(
            Asks(
                "DataTransfer",
                {"vendorId": "Vendor", "messageId": "m", "data": 'ä "{}"'},
                {"status": status, "data": "answer"},
                "accepted" if status == "Accepted" else "rejected",
                {"response": {"status": status, "data": "answer"}},
            )
        )
