"""Firmware images over HTTP: whole, in parts, after a cut, of another version, of closed ways."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from csms.files import downloads
from tests.waiting import wait_until

DATA = bytes(range(256)) * 1024


async def get(http, token, method="GET", **headers):
    url = f"{http.http}/{token}/fw.bin"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with http.client.request(method, url, headers=named) as answer:
        return answer.status, answer.headers, await answer.read()


@pytest.mark.smoke
async def test_the_whole_image_and_its_head(http):
    token = await http.download(DATA)
    status, headers, data = await get(http, token)
    assert (status, data) == (200, DATA)
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["Content-Disposition"] == 'attachment; filename="fw.bin"'
    status, same, data = await get(http, token, "HEAD")
    assert (status, data, same["Content-Length"]) == (200, b"", str(len(DATA)))
    assert same["ETag"] == headers["ETag"]
    status, _, data = await get(http, token, If_None_Match=headers["ETag"])
    assert (status, data) == (304, b"")


async def test_parts(http):
    token = await http.download(DATA)
    cases = [("bytes=100-", 100, None), ("bytes=-100", -100, None), ("bytes=5-9", 5, 10)]
    for asked, start, end in cases:
        status, headers, data = await get(http, token, Range=asked)
        assert (status, data) == (206, DATA[start:end])
        first = start % len(DATA)
        last = first + len(data) - 1
        assert headers["Content-Range"] == f"bytes {first}-{last}/{len(DATA)}"


async def test_a_part_of_another_version_is_the_whole(http):
    token = await http.download(DATA)
    _, headers, _ = await get(http, token, "HEAD")
    status, _, data = await get(http, token, Range="bytes=100-", If_Range=headers["ETag"])
    assert (status, data) == (206, DATA[100:])
    status, _, data = await get(http, token, Range="bytes=100-", If_Range='"another"')
    assert (status, data) == (200, DATA)


async def test_ranges_that_are_not_taken_get_the_whole(http):
    token = await http.download(DATA)
    for asked in ("bytes=1-2,5-6", "bytes=9-5", "lines=1-2", "bytes=-", "x"):
        assert (await get(http, token, Range=asked))[0] == 200


async def test_bytes_behind_the_end(http):
    token = await http.download(DATA)
    status, headers, _ = await get(http, token, Range=f"bytes={len(DATA)}-")
    assert (status, headers["Content-Range"]) == (416, f"bytes */{len(DATA)}")


async def test_a_way_out_takes_nothing_in_and_ends_with_its_job(http):
    token = await http.download(DATA)
    status, headers, _ = await get(http, token, "PUT")
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    await http.report("running", "Downloading")
    assert (await get(http, token))[0] == 200
    await http.report("failed", "DownloadFailed")
    assert (await get(http, token))[0] == 200
    for state, status in (("failed", "InstallationFailed"), ("done", "Installed")):
        await http.report(state, status)
        assert (await get(http, token))[0] == 410


async def test_an_image_whose_bytes_are_gone(http):
    token = await http.download(DATA)
    for blob in (http.path / "firmware").iterdir():
        blob.unlink()
    assert (await get(http, token))[0] == 404


async def test_a_reader_that_takes_nothing_is_dropped(http, monkeypatch, caplog):
    monkeypatch.setattr(downloads, "_STALL_S", 0.2)
    token = await http.download(bytes(20_000_000))
    port = int(http.http.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
    writer.write(f"GET /{token}/fw.bin HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    # what was on its way when the server gave up can still be read, and then it is over
    await wait_until(lambda: http.server._transfers == 0)
    total = 0
    with suppress(ConnectionError):
        while piece := await reader.read(65536):
            total += len(piece)
    assert total < 20_000_000
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    writer.close()


async def test_a_reader_that_goes_is_no_error(http, caplog):
    token = await http.download(bytes(20_000_000))
    port = int(http.http.rpartition(":")[2])
    with capture_logs() as logs:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        writer.write(f"GET /{token}/fw.bin HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.transport.abort()
        await wait_until(lambda: any(log["event"] == "download broke off" for log in logs))
        assert (await get(http, token, "HEAD"))[0] == 200  # another one finds all in order
    assert [log for log in logs if log["log_level"] in ("error", "warning")] == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
async def test_curl_goes_on_with_half_a_file(http, tmp_path):
    token = await http.download(DATA)
    half = tmp_path / "fw.bin"
    half.write_bytes(DATA[: len(DATA) // 2])
    curl = await asyncio.create_subprocess_exec(
        *("curl", "-sSf", "-C", "-", "-o", str(half), f"{http.http}/{token}/fw.bin")
    )
    assert await curl.wait() == 0
    assert half.read_bytes() == DATA
