"""Rules for calls to a station, and for small things about every message."""

from __future__ import annotations

import re

import pytest

from tests.spec.playbook import Asks, Does, Says, Sees, Stage
from tests.spec.states import (
    CHILD,
    GROUP,
    VALID,
    authorizes,
    booted,
    boots,
    charging,
    starts,
    status,
    stops,
)
from tests.spec.values import NOW, Has, Matcher, at, transaction
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

STATION = "/api/stations/{id}"
JOBS = "/api/stations/{id}/jobs"
SESSIONS = "/api/sessions?stationId={id}"
OUR_TIME = Matcher(
    "our time", lambda text: re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z", text)
)


def newest(answer):
    return answer["items"][0] if answer["items"] else None


# -- to the station


async def test_n04_n24_what_the_station_does_not_have_is_a_result(stage):
    await stage.play(
        Asks("ClearCache", {}, {"status": "Rejected"}, "rejected"),
        Asks(
            "GetInstalledCertificateIds",
            {"certificateType": "ManufacturerRootCertificate"},
            {"status": "NotFound"},
            "rejected",
        ),
    )


async def test_n05_any_criteria_clear_profiles(stage):
    for criteria in (
        {"id": 5},
        {"connectorId": 1},
        {"chargingProfilePurpose": "TxProfile"},
        {"stackLevel": 2},
        {"connectorId": 0, "stackLevel": 0, "chargingProfilePurpose": "ChargePointMaxProfile"},
        {},
    ):
        await stage.play(
            Asks("ClearChargingProfile", criteria, {"status": "Unknown"}, "rejected"),
            Asks("ClearChargingProfile", criteria, more={"warnings": []}),
        )


async def test_n06_data_needs_a_vendor(stage):
    await stage.play(
        Does(
            "POST", f"{STATION}/calls/DataTransfer", {"data": "x"}, 422, Has(code="invalid_payload")
        ),
        Asks("DataTransfer", {"vendorId": "v"}, {"status": "UnknownVendorId"}, "rejected"),
    )


@pytest.mark.parametrize("version", [-1, 0, 7])
async def test_n10_versions_of_lists(stage, version):
    await stage.play(
        Asks("GetLocalListVersion", {}, {"listVersion": version}),
        Sees(f"{STATION}/local-list", Has(installedVersion=version)),
    )


async def test_n14_a_hard_reset_is_told_of_its_transactions_after_the_boot(stage):
    tx = transaction()
    await stage.play(
        booted(),
        charging(tx),
        Asks("Reset", {"type": "Hard"}),
        booted(),
        stops(tx, "HardReset"),
        Sees(SESSIONS, Has(status="completed", stopReason="HardReset", flags=[]), newest),
    )


async def test_n17_triggers_without_a_connector_mean_all(stage):
    await stage.play(
        booted(),
        *[
            Asks(action, {"requestedMessage": "StatusNotification"}, more={"warnings": []})
            for action in ("TriggerMessage", "ExtendedTriggerMessage")
        ],
        Asks(
            "TriggerMessage",
            {"requestedMessage": "StatusNotification", "connectorId": 0},
            {"status": "Rejected"},
            "rejected",
            {"warnings": ["connectorId 0 does not fit TriggerMessage."]},
        ),
    )


async def test_m07_a_boot_that_was_accepted_is_not_triggered_again_without_a_warning(stage):
    trigger = {"requestedMessage": "BootNotification"}
    warning = "Once a BootNotification was accepted, the station should boot before the next one."
    await stage.play(
        Asks("TriggerMessage", trigger, more={"warnings": []}),
        booted(),
        Asks("TriggerMessage", trigger, more={"warnings": [warning]}),
        boots(),
    )


async def test_n18_connector_0_is_sent_with_a_warning(stage):
    await stage.play(
        Asks(
            "UnlockConnector",
            {"connectorId": 0},
            {"status": "NotSupported"},
            "rejected",
            {"warnings": ["connectorId 0 does not fit UnlockConnector."]},
        )
    )


async def test_n20_n21_a_newer_job_cancels_the_one_before_it(stage):
    def log(number):
        return {
            "log": {"remoteLocation": "ftp://files.example/logs"},
            "logType": "DiagnosticsLog",
            "requestId": number,
        }

    def upload(number, now):
        return Says("LogStatusNotification", {"status": now, "requestId": number}, {})

    await stage.play(
        booted(),
        Asks("GetLog", log(1), {"status": "Accepted", "filename": "a"}),
        upload(1, "Uploading"),
        Asks("GetLog", log(2), {"status": "AcceptedCanceled", "filename": "b"}),
        upload(2, "Uploading"),
        upload(2, "Uploaded"),
        Sees(
            JOBS,
            [
                Has(requestId=2, state="done", status="Uploaded", fileName="b"),
                Has(requestId=1, state="failed", status="Canceled"),
            ],
            lambda answer: answer["items"],
        ),
    )


async def test_n22_n25_what_is_no_certificate_is_sent_with_a_warning(stage):
    odd = {"certificateType": "CentralSystemRootCertificate", "certificate": "no PEM"}
    await stage.play(
        Asks(
            "InstallCertificate",
            odd,
            {"status": "Rejected"},
            "rejected",
            {"warnings": ["certificate is no certificate in PEM form."]},
        ),
        Asks(
            "CertificateSigned",
            {"certificateChain": "no PEM"},
            {"status": "Rejected"},
            "rejected",
            {"warnings": ["certificateChain holds no certificate in PEM form."]},
        ),
    )


async def test_n23_a_certificate_that_is_not_known_is_deleted_with_a_warning(stage):
    named = {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": "aa",
        "issuerKeyHash": "bb",
        "serialNumber": "1",
    }
    await stage.play(
        Asks(
            "DeleteCertificate",
            {"certificateHashData": named},
            {"status": "NotFound"},
            "rejected",
            {"warnings": ["The station is not known to have this certificate."]},
        )
    )


# -- from the station


async def test_m02_the_registration_decides_about_the_boot(csms, stage):
    for registration, interval in (("Pending", 1), ("Rejected", 1), ("Accepted", 1)):
        await csms.ask("PATCH", f"/api/stations/{stage.identity}", {"registration": registration})
        step = boots()
        step.confirmation = {
            "status": registration,
            "currentTime": NOW,
            "interval": Matcher("at least 1", lambda s, least=interval: s >= least),
        }
        await stage.perform(step)


async def test_m12_connectors_beyond_all_measure_are_answered_and_not_kept(stage):
    await stage.play(
        booted(),
        *[status(number, "Available") for number in (257, 2**31 - 1)],
        Sees(STATION, [0, 1, 2], lambda s: [each["connectorId"] for each in s["connectors"]]),
    )


async def test_m24_a_group_is_no_tag(csms, stage):
    """Two tags are one group if their parents match; the parent itself is no member of it."""
    tx, other = transaction(), transaction("other")
    await csms.ask("POST", "/api/id-tags", {"idTag": "CHILD-2", "parentIdTag": GROUP.lower()})
    await csms.ask("POST", "/api/id-tags", {"idTag": GROUP})
    stop = stops(tx, "Local", tag="CHILD-2")
    foreign = stops(other, "Local", tag=GROUP)
    stop.confirmation = foreign.confirmation = {"idTagInfo": Has(status="Accepted")}
    await stage.play(
        booted(),
        authorizes("CHILD-2", parentIdTag=GROUP.lower()),
        charging(tx, tag=CHILD),
        stop,
        Sees(SESSIONS, Has(transactionId=tx, flags=[]), newest),
        starts(other, connector=2, tag=CHILD),
        foreign,
        Sees(SESSIONS, Has(transactionId=other, flags=["foreignTagStop"]), newest),
    )


async def test_m39_a_start_that_is_over_already_gets_no_profile(stage):
    tx = transaction()
    await stage.play(
        booted(),
        starts(tx, tag=VALID, when=at(-7200)),
        stops(tx, "Local", when=at(-3600)),
        Sees(SESSIONS, Has(transactionId=tx, status="completed"), newest),
    )


async def test_m52_m53_values_of_the_main_meter_with_nothing_said_are_its_register(stage):
    sample = {"timestamp": at(), "sampledValue": [{"value": "12345"}]}
    await stage.play(
        booted(),
        Says("MeterValues", {"connectorId": 0, "meterValue": [sample]}, {}),
        Sees(
            f"{STATION}/meter-values",
            Has(connectorId=0, sessionId=None, energyKwh=12.345, powerKw=None),
            newest,
        ),
    )


async def test_m71_each_upload_has_its_own_word_for_failure(stage):
    await stage.play(
        booted(),
        Asks("GetDiagnostics", {"location": "ftp://files.example/d"}, {"fileName": "d"}),
        Says("DiagnosticsStatusNotification", {"status": "UploadFailed"}, {}),
        Sees(JOBS, Has(kind="diagnostics", state="failed", status="UploadFailed"), newest),
        Asks(
            "GetLog",
            {"log": {"remoteLocation": "ftp://h/l"}, "logType": "SecurityLog", "requestId": 3},
            {"status": "Accepted"},
        ),
        Says("LogStatusNotification", {"status": "UploadFailure", "requestId": 3}, {}),
        Sees(JOBS, Has(kind="log", state="failed", status="UploadFailure"), newest),
    )


# -- every message


async def test_h15_compression_is_not_agreed_to(csms, identity):
    await csms.add(identity, connectors=2)
    stage = Stage(csms, identity)
    stage.headers = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    await stage.plug_in()
    assert "Sec-WebSocket-Extensions" not in stage.socket.response.headers
    await stage.play(booted())
    await stage.close()


async def test_r28_our_times_have_a_z_and_milliseconds_at_most(stage):
    await stage.play(Says("Heartbeat", {}, {"currentTime": OUR_TIME}))


@pytest.mark.parametrize("strict", [False, True])
async def test_r33_a_station_is_tolerated_or_strict(csms, stage, strict):
    await csms.ask("PATCH", f"/api/stations/{stage.identity}", {"strict": strict})
    odd = {"connectorId": 1, "errorCode": "NoError", "status": "available", "extra": 1}

    async def known() -> bool:
        return (await stage.exchange("StatusNotification", odd))[0] == (4 if strict else 3)

    await wait_until(known)
    repaired = "/api/stations/{id}/messages?repair=any"
    if not strict:
        await stage.play(Sees(repaired, 1, lambda answer: len(answer["items"])))
