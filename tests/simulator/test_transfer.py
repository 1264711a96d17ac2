"""Diagnostics, logs and firmware as real files, over HTTP and FTP."""

import ssl

import pytest

from simulator.transfer import TransferError, download, upload
from tests.simulator.files import ftp_files, http_files
from tests.simulator.ftps import ftps_files
from tests.simulator.pki import authority, server_context

DATA = bytes(range(256)) * 2_000


async def test_diagnostics_and_log_arrive(central, make):
    files: dict[str, bytes] = {}
    async with http_files(files) as url, make() as station:
        await station.until_registered()
        named = await central.call("CP1", "GetDiagnostics", location=f"{url}/up/")
        await central.until_calls("DiagnosticsStatusNotification", 2)
        told = [one["status"] for one in central.of("DiagnosticsStatusNotification")]
        assert told == ["Uploading", "Uploaded"]
        assert b"HeartbeatInterval=300" in files[f"/up/{named['fileName']}"]
        log = {"remoteLocation": f"{url}/log.txt"}
        await central.call("CP1", "GetLog", log=log, logType="SecurityLog", requestId=7)
        await central.until_calls("LogStatusNotification", 2)
        assert central.of("LogStatusNotification")[-1] == {"status": "Uploaded", "requestId": 7}
        assert "/log.txt" in files


async def test_failures_are_told_after_the_retries(central, make):
    failures = []
    station = make()
    station._on_event = lambda event: failures.append(event.name)
    async with http_files({}) as url, station:
        await station.until_registered()
        nowhere = {"location": "gopher://x/", "retries": 2, "retryInterval": 0}
        await central.call("CP1", "GetDiagnostics", **nowhere)
        await central.until_calls("DiagnosticsStatusNotification", 2)
        assert central.of("DiagnosticsStatusNotification")[-1]["status"] == "UploadFailed"
        assert failures.count("transfer_failed") == 3
        at = "2026-01-01T00:00:00Z"
        await central.call("CP1", "UpdateFirmware", location=f"{url}/none", retrieveDate=at)
        await central.until_calls("FirmwareStatusNotification", 2)
        told = [one["status"] for one in central.of("FirmwareStatusNotification")]
        assert told == ["Downloading", "DownloadFailed"]
        assert len(central.of("BootNotification")) == 1


@pytest.mark.parametrize("known", [True, False])
async def test_https_is_trusted_by_the_installed_root(central, make, tmp_path, known):
    root, files = authority(), {"/v2.bin": b"new"}
    roots = (root.pem,) if known else ()
    async with (
        http_files(files, server_context(tmp_path, root)) as url,
        make(central_roots=roots) as station,
    ):
        await station.until_registered()
        await central.call("CP1", "GetDiagnostics", location=f"{url}/up/")
        await central.until_calls("DiagnosticsStatusNotification", 2)
        at = {"retrieveDate": "2026-01-01T00:00:00Z"}
        await central.call("CP1", "UpdateFirmware", location=f"{url}/v2.bin", **at)
        await central.until_calls("FirmwareStatusNotification", 2)
        told = central.of("FirmwareStatusNotification")[1]["status"]
        assert told == ("Downloaded" if known else "DownloadFailed")
        assert any("diagnostics" in name for name in files) is known


async def test_ftp_both_ways():
    files: dict[str, bytes] = {"v2.bin": b"new"}
    async with ftp_files(files, "p@ss") as url:
        with pytest.raises(TransferError, match="530"):
            await download(f"{url}/v2.bin".replace("p@ss", "wrong"))
        url = url.replace("p@ss", "p%40ss")
        assert await download(f"{url}/v2.bin") == b"new"
        await upload(f"{url}/", "log 1.txt", b"text")
        assert files["log 1.txt"] == b"text"
        with pytest.raises(TransferError):
            await download(f"{url}/none")


async def test_ftps_both_ways_against_a_real_server(central, make, tmp_path):
    root, folder = authority(), tmp_path / "files"
    folder.mkdir()
    (folder / "v2.bin").write_bytes(DATA)
    context = server_context(tmp_path, root)
    with ftps_files(folder, context, "p@ss") as (url, seen):
        url = url.replace("p@ss", "p%40ss")
        async with make(central_roots=(root.pem,)) as station:
            await station.until_registered()
            named = await central.call("CP1", "GetDiagnostics", location=f"{url}/")
            await central.until_calls("DiagnosticsStatusNotification", 2)
            told = [one["status"] for one in central.of("DiagnosticsStatusNotification")]
            assert told == ["Uploading", "Uploaded"]
            assert b"HeartbeatInterval=300" in (folder / named["fileName"]).read_bytes()
            at = {"retrieveDate": "2026-01-01T00:00:00Z"}
            await central.call("CP1", "UpdateFirmware", location=f"{url}/v2.bin", **at)
            await central.until_calls("BootNotification", 2)
            assert central.of("BootNotification")[1]["firmwareVersion"] == "v2.bin"
    assert "STOR secure" in seen
    assert [one for one in seen if one.endswith("plain")] == ["AUTH plain"] * 2


async def test_ftps_of_a_server_that_is_not_trusted(tmp_path):
    context = server_context(tmp_path, authority())
    with ftps_files(tmp_path, context, "secret") as (url, seen):
        with pytest.raises(TransferError, match="CERTIFICATE_VERIFY_FAILED"):
            await upload(f"{url}/", "log.txt", DATA, tls=ssl.create_default_context())
        assert not any(one.startswith(("USER", "PASS")) for one in seen), "no secret is told"
