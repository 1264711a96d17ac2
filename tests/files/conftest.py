"""Files over a real database, a real folder and real sockets; the clock is the machine's."""

from __future__ import annotations

from contextlib import AsyncExitStack

import aiohttp
import asyncpg
import pytest

from csms.clock import SystemClock
from csms.files import http_server
from csms.files.folder import Folder
from csms.files.ftp_server import FtpServer
from csms.files.http_server import FilesServer
from csms.proxies import TrustedProxies
from csms.services.audit import AuditTrail
from csms.services.files import FileService, Keeping
from csms.store.database import Database
from csms.store.unit_of_work import SqlUnitsOfWork
from tests.files.ways import SECRET, Bench

LARGEST = 300_000


@pytest.fixture
async def bench(database_url, tmp_path):
    clock, database = SystemClock(), Database(database_url)
    units, folder = SqlUnitsOfWork(database), Folder(tmp_path / "files", clock)
    service = FileService(
        units,
        folder,
        clock,
        AuditTrail(units, clock),
        secret=SECRET,
        keeping=Keeping(largest_bytes=LARGEST),
    )
    sql = await asyncpg.connect(database_url)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(aiohttp.ClientSession())
        made = Bench(
            service=service,
            folder=folder,
            path=tmp_path / "files",
            units=units,
            clock=clock,
            sql=sql,
            client=client,
        )
        await made.station()
        yield made
    await sql.close()
    await database.close()


@pytest.fixture
async def http(bench, monkeypatch):
    """The HTTP endpoint."""
    monkeypatch.setattr(http_server, "_HOLD_S", 0.01)
    server = FilesServer(
        bench.service,
        bench.clock,
        host="127.0.0.1",
        port=0,
        tls=None,
        proxies=TrustedProxies(),
    )
    await server.start()
    bench.server = server
    bench.http = f"http://127.0.0.1:{server.port}"
    yield bench
    await server.stop()


@pytest.fixture
async def ftp(bench):
    """The FTP server."""
    server = FtpServer(
        bench.service,
        bench.folder,
        bench.clock,
        host="127.0.0.1",
        port=0,
        public=None,
    )
    await server.start()
    bench.ftp_port = server.port
    yield bench
    await server.stop()
