"""Jobs and security events over the whole system: calls, notices, what operators see."""

from __future__ import annotations

import pytest

from tests.app.bench import system
from tests.app.station import call, plugged


async def jobs(s):
    return (await s.ask("GET", "/api/stations/A/jobs"))["items"]


def told(job):
    return [report["status"] for report in job["history"]]


FIRMWARE = {"location": "ftp://u:p@host/fw/v2.bin", "retrieveDate": "2026-03-01T12:00:00Z"}
LOG = {"log": {"remoteLocation": "ftp://host/logs"}, "logType": "SecurityLog", "requestId": 7}


async def test_firmware_goes_from_the_call_to_its_end_and_stays_there(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.add("A")
        async with plugged(s) as station:
            station.replies["UpdateFirmware"] = {}
            await call(s, "UpdateFirmware", FIRMWARE)
            (job,) = await jobs(s)
            assert (job["kind"], job["state"], job["fileName"]) == ("firmware", "running", "v2.bin")
            for status in ("Downloading", "Downloaded", "Installing"):
                assert await station.say("FirmwareStatusNotification", {"status": status}) == {}
                (job,) = await jobs(s)
                assert (job["state"], job["status"]) == ("running", status)
            for status in ("Installed", "Installing", "Idle"):
                await station.say("FirmwareStatusNotification", {"status": status})
            (job,) = await jobs(s)
            assert (job["state"], job["status"]) == ("done", "Installed")
            assert told(job) == [
                "Accepted",
                "Downloading",
                "Downloaded",
                "Installing",
                "Installed",
                "Installing",  # too late to open it again
            ]


@pytest.mark.parametrize("reply", [{"status": "Rejected"}, "NotSupported"])
async def test_what_is_refused_is_no_job(database_url, tmp_path, reply):
    async with system(database_url, tmp_path) as s:
        await s.add("A")
        async with plugged(s) as station:
            station.replies["GetLog"] = reply
            await call(s, "GetLog", LOG)
            assert await jobs(s) == []
            # unasked reports are answered and belong to no job
            assert await station.say("DiagnosticsStatusNotification", {"status": "Uploaded"}) == {}
            assert await jobs(s) == []


async def test_logs_are_told_apart_by_request_and_a_newer_one_cancels(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.add("A")
        async with plugged(s) as station:
            station.replies["GetLog"] = {"status": "Accepted", "filename": "log.txt"}
            await call(s, "GetLog", LOG)
            station.replies["GetLog"] = {"status": "AcceptedCanceled", "filename": "log2.txt"}
            await call(s, "GetLog", {**LOG, "requestId": 8})
            new, old = await jobs(s)
            assert (old["requestId"], old["state"], old["status"]) == (7, "failed", "Canceled")
            assert (new["requestId"], new["state"], new["fileName"]) == (8, "running", "log2.txt")
            for request, status in ((99, "Uploaded"), (8, "Uploading"), (8, "UploadFailure")):
                notice = {"status": status, "requestId": request}
                assert await station.say("LogStatusNotification", notice) == {}
            assert await station.say("LogStatusNotification", {"status": "Uploading"}) == {}
            new, old = await jobs(s)
            assert (new["state"], new["status"]) == ("failed", "UploadFailure")
            assert old["status"] == "Canceled"
        findings = await s.sql.fetch(
            "SELECT request_id, finding FROM job_statuses WHERE finding IS NOT NULL ORDER BY id"
        )
        assert [tuple(row) for row in findings] == [
            (99, "requestIdUnknown"),
            (None, "requestIdMissing"),
        ]


async def test_diagnostics_without_a_file_and_a_success_after_a_failure(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.add("A")
        async with plugged(s) as station:
            station.replies["GetDiagnostics"] = {}
            await call(s, "GetDiagnostics", {"location": "ftp://host/d"})
            (job,) = await jobs(s)
            assert (job["state"], job["status"], job["fileName"]) == (
                "failed",
                "NothingAvailable",
                None,
            )
            await station.say("DiagnosticsStatusNotification", {"status": "Uploaded"})
            (job,) = await jobs(s)
            assert (job["state"], job["status"]) == ("done", "Uploaded")


async def test_security_events_stand_once_and_critical_ones_are_marked(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.add("A")
        await s.add("B")
        event = {"type": "TamperDetectionActivated", "timestamp": "2020-01-01T00:00:00Z"}
        async with plugged(s) as station:
            for _ in range(2):
                assert await station.say("SecurityEventNotification", event) == {}
            odd = {**event, "type": "WhatIsThis", "techInfo": "<b>"}
            assert await station.say("SecurityEventNotification", odd) == {}
            answer = await station.say("SignCertificate", {"csr": "-----BEGIN"})
            assert answer == {"status": "Rejected"}
        ours, unknown, tamper = (await s.ask("GET", "/api/stations/A/security-events"))["items"]
        assert tamper == {
            "type": "TamperDetectionActivated",
            "at": "2020-01-01T00:00:00.000Z",
            "techInfo": None,
            "critical": True,
            "source": "station",
        }
        assert (unknown["techInfo"], unknown["critical"]) == ("<b>", False)
        assert (ours["type"], ours["source"]) == ("CertificateNotSigned", "server")
        assert (await s.ask("GET", "/api/stations/B/security-events"))["items"] == []
