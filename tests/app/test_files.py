# ruff: noqa: S321  FTP is what is tested
"""Files from and to a simulated charge point, over the whole system and real sockets."""

from __future__ import annotations

import asyncio
import ftplib
import hashlib
import io
import ssl

import aiohttp
import pytest

from tests.app.bench import system
from tests.app.commands import csms
from tests.app.station import call, plugged
from tests.pki.authority import Authority
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


async def job(s, identity="A"):
    return (await s.ask("GET", f"/api/stations/{identity}/jobs"))["items"][0]


async def ended(s, identity="A"):
    async def over():
        found = await job(s, identity)
        return found if found["state"] != "running" else None

    return await wait_until(over)


async def content(s, path):
    url = f"http://127.0.0.1:{s.running.http_port}{path}"
    async with s.client.get(url) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Disposition"].startswith("attachment; ")
        return await answer.read()


async def sent(s, action, identity="A"):
    items = (await s.ask("GET", f"/api/stations/{identity}/messages?action={action}"))["items"]
    return next(item["payload"] for item in items if item["direction"] == "out")


@pytest.mark.parametrize("on", [{"files_port": 0}, {"ftp_port": 0}])
async def test_diagnostics_of_an_empty_body_end_with_the_file(database_url, tmp_path, on):
    async with system(database_url, tmp_path, **on) as s:
        await s.add("A")
        await s.plug_in("A", step_s=0.01)
        answer = await call(s, "GetDiagnostics", {})
        assert answer["outcome"] == "accepted"
        found = await ended(s)
        assert (found["state"], found["status"]) == ("done", "Uploaded")
        (file,) = found["files"]
        assert file["complete"]
        assert not found["fileMissing"]
        assert file["name"].startswith("diagnostics-")
        assert file["label"] == answer["response"]["fileName"]
        data = await content(s, file["url"])
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file["sizeBytes"], file["sha256"])
        assert data
        # the token is in no log
        location = (await sent(s, "GetDiagnostics"))["location"]
        assert "***" in location


@pytest.mark.parametrize("on", [{"files_port": 0}, {"ftp_port": 0}])
async def test_a_log_ends_with_the_file(database_url, tmp_path, on):
    async with system(database_url, tmp_path, **on) as s:
        await s.add("A")
        await s.plug_in("A", step_s=0.01)
        body = {"logType": "SecurityLog"}
        assert (await call(s, "GetLog", body))["outcome"] == "accepted"
        found = await ended(s)
        assert (found["kind"], found["state"], found["requestId"]) == ("log", "done", 1)
        assert found["files"][0]["complete"]


@pytest.mark.parametrize("on", [{"files_port": 0}, {"ftp_port": 0}])
async def test_firmware_that_an_operator_has_brought_is_installed(database_url, tmp_path, on):
    data = bytes(range(256)) * 5000
    async with system(database_url, tmp_path, **on) as s:
        await s.add("A")
        await s.plug_in("A", step_s=0.01)
        url = f"http://127.0.0.1:{s.running.http_port}/api/firmware?name=v2.bin&version=2"
        async with s.client.post(url, data=io.BytesIO(data)) as answer:
            image = await answer.json()
            assert answer.status == 201, image
        assert (await call(s, "UpdateFirmware", {}))["outcome"] == "accepted"
        found = await ended(s)
        assert (found["state"], found["status"], found["fileName"]) == (
            "done",
            "Installed",
            "v2.bin",
        )
        assert (found["files"], found["fileMissing"]) == ([], False)
        assert (await s.ask("GET", "/api/stations/A"))["firmwareVersion"] == "v2.bin"
        # the way is closed, and its token nowhere to be read
        location = (await sent(s, "UpdateFirmware"))["location"]
        assert "***" in location
        assert location.endswith("/v2.bin")


async def test_a_station_that_says_uploaded_and_brings_nothing_is_flagged(database_url, tmp_path):
    async with system(database_url, tmp_path, files_port=0) as s:
        await s.add("A")
        async with plugged(s) as station:
            station.replies["GetDiagnostics"] = {"fileName": "d.zip"}
            await call(s, "GetDiagnostics", {"retries": 3})
            action, payload = station.got[-1]
            assert (action, list(payload)) == ("GetDiagnostics", ["location", "retries"])
            await station.say("DiagnosticsStatusNotification", {"status": "Uploaded"})
            assert (await job(s))["fileMissing"] is True
            async with s.client.put(payload["location"] + "d.zip", data=b"late") as answer:
                assert answer.status == 201
            found = await job(s)
            assert (found["fileMissing"], found["files"][0]["label"]) == (False, "d.zip")
            async with s.client.put(payload["location"] + "d.zip", data=b"again") as answer:
                assert answer.status == 410


async def test_a_way_outlives_a_restart(database_url, tmp_path, free_port):
    async with system(database_url, tmp_path, files_port=free_port) as s:
        await s.add("A")
        async with plugged(s) as station:
            station.replies["GetDiagnostics"] = {"fileName": "d.zip"}
            await call(s, "GetDiagnostics", {})
            location = station.got[-1][1]["location"]
    async with system(database_url, tmp_path, files_port=free_port) as s:
        async with s.client.put(location + "d.zip", data=b"x") as answer:
            assert answer.status == 201
        (file,) = (await job(s))["files"]
        assert await content(s, file["url"]) == b"x"


async def test_over_tls_and_behind_a_public_address(database_url, tmp_path):
    folder, root = tmp_path / "tls", Authority()
    folder.mkdir()
    root.write_pair(folder, "server-ec")
    trusting = ssl.create_default_context(cadata=root.pem.decode())
    on = {"tls_dir": folder, "ocpp_tls_port": 0, "files_port": 0, "ftp_port": 0}
    async with system(database_url, tmp_path, **on, ftp_url="ftp://127.0.0.1:2121") as s:
        await s.add("A")
        async with plugged(s) as station:
            station.replies["GetDiagnostics"] = {"fileName": "d.zip"}
            await call(s, "GetDiagnostics", {})
            location = station.got[-1][1]["location"]
            assert location.startswith(f"https://127.0.0.1:{s.running.files_port}/")
            connector = aiohttp.TCPConnector(ssl=trusting)
            async with (
                aiohttp.ClientSession(connector=connector) as client,
                client.put(f"{location}d.zip", data=b"x") as answer,
            ):
                assert answer.status == 201

            async def location_of_one_that_speaks(protocols):
                key = {"key": "SupportedFileTransferProtocols", "readonly": True}
                station.replies["GetConfiguration"] = {
                    "configurationKey": [{**key, "value": protocols}]
                }
                await call(s, "GetConfiguration", {})
                await call(s, "GetDiagnostics", {})
                return station.got[-1][1]["location"]

            location = await location_of_one_that_speaks("FTP,FTPS")
            assert location.startswith("ftps://")
            location = await location_of_one_that_speaks("FTP")
            login, _, rest = location.removeprefix("ftp://").partition("@")
            assert rest == "127.0.0.1:2121/"

            def listens():
                with ftplib.FTP(timeout=60) as ftp:
                    ftp.connect("127.0.0.1", s.running.ftp_port)
                    return ftp.login(*login.split(":"))

            assert (await asyncio.to_thread(listens)).startswith("230")


async def test_both_are_off_by_default(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        assert (s.running.files_port, s.running.ftp_port) == (None, None)
        await s.add("A")
        url = f"http://127.0.0.1:{s.running.http_port}/api/stations/A/calls/GetDiagnostics"
        async with plugged(s), s.client.post(url, json={}) as answer:
            problem = await answer.json()
            assert (answer.status, problem["code"]) == (422, "invalid_payload")


async def test_settings_that_cannot_be(tmp_path):
    end = await csms(
        "serve",
        data_dir=tmp_path,
        files_url="ftp://x",
        ftp_url="ftp://u:p@x",
        ftp_passive_ports="50-40",
    )
    assert end.code == 2
    assert [line.split(":")[0] for line in end.errors] == [
        "CSMS_FILES_URL",
        "CSMS_FTP_PASSIVE_PORTS",
        "CSMS_FTP_URL",
    ]
    end = await csms("serve", data_dir=tmp_path, files_url="https://x", ftp_port=2121)
    assert end.code == 2
    (line,) = end.errors
    assert line.startswith("CSMS_FILES_URL: means nothing without CSMS_FILES_PORT")
