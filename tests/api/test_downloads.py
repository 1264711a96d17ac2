"""Bytes handed out to readers that go, or take nothing."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from csms.api import downloads
from csms.services.files import Content
from tests.waiting import wait_until

SIZE = 20_000_000


async def _pieces():
    for _ in range(SIZE // 100_000):
        yield bytes(100_000)


@pytest.fixture
async def port():
    async def serve(request: web.Request) -> web.StreamResponse:
        content = Content(name="fw.bin", size=SIZE, pieces=_pieces())
        return await downloads.attachment(request, content)

    app = web.Application()
    app.router.add_get("/", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.mark.parametrize("goes", [True, False])
async def test_a_reader_that_goes_or_takes_nothing_is_no_error(port, goes, monkeypatch, caplog):
    monkeypatch.setattr(downloads, "_STALL_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
    with capture_logs() as logs:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        if goes:
            writer.transport.abort()
        await wait_until(lambda: [log for log in logs if log["event"] == "download broke off"])
    total = 0
    with suppress(ConnectionError):
        while piece := await reader.read(65536):
            total += len(piece)
    assert total < SIZE
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    writer.close()
