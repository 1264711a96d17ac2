"""One server a test, on a free port, with a database of its own."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import aiohttp
import asyncpg
import pytest

from csms.aio import supervise
from csms.api.app import ApiConfig, Ports, create_api
from csms.api.server import ApiServer
from csms.bus.local import LocalBus
from csms.clock import SystemClock
from csms.domain.events import SessionsChanged, SiteChanged, StationChanged
from csms.ocppj.schemas import Schemas
from csms.services.smart_charging import SmartCharging
from csms.store.control import SqlControlStore
from csms.store.database import Database
from csms.store.unit_of_work import SqlUnitsOfWork
from tests.api.bench import ADMIN, SECRET, Bench, FakeAllocator, FakeGateway
from tests.fake_gateway import FakeGateway as SilentGateway


@pytest.fixture(scope="session")
def schemas():
    return Schemas()


@pytest.fixture
async def bench(database_url, schemas):
    clock, bus = SystemClock(), LocalBus()
    database = Database(database_url)
    gateway, allocator = FakeGateway(clock), FakeAllocator(clock, database_url)
    followers: list = []

    def follow_log(receive):
        followers.append(receive)
        return lambda: followers.remove(receive)

    ports = Ports(
        units=SqlUnitsOfWork(database),
        gateway=gateway,
        schemas=schemas,
        allocator=allocator,
        bus=bus,
        clock=clock,
        follow_log=follow_log,
        entrance=SimpleNamespace(port=9000, tls_port=9443),
    )
    api = create_api(ports, ApiConfig(version="1.2.3", secret=SECRET, admin_token=ADMIN))
    server = ApiServer(api.app, host="127.0.0.1", port=0)
    await server.start()
    loops = [
        asyncio.create_task(supervise(name, body, clock), name=name)
        for name, body in api.loops.items()
    ]
    sql = await asyncpg.connect(database_url)
    async with aiohttp.ClientSession() as client:
        bench = Bench(
            url=f"http://127.0.0.1:{server.port}",
            client=client,
            sql=sql,
            gateway=gateway,
            allocator=allocator,
            bus=bus,
            clock=clock,
            units=ports.units,
            log_followers=followers,
        )
        for kind in (SessionsChanged, SiteChanged, StationChanged):
            bus.subscribe(kind, bench.published.append)
        yield bench
    for loop in loops:
        loop.cancel()
    done, _ = await asyncio.wait(loops)
    await sql.close()
    await server.stop()
    await database.close()
    assert all(loop.cancelled() for loop in done)


@pytest.fixture
async def site(bench, database_url, monkeypatch):
    """A site of 40 kW with two stations of 22 kW; the allocator is the real one."""
    database = Database(database_url)
    loop = SmartCharging(
        SqlControlStore(database), SilentGateway(), LocalBus(), bench.clock, node="node"
    )
    for name in ("decide", "status", "what_if"):
        monkeypatch.setattr(bench.allocator, name, getattr(loop, name), raising=False)
    await bench.post("/api/sites", {"id": "s", "name": "S", "gridCapacityKw": 40}, status=201)
    for name in ("A", "B"):
        body = {"identity": name, "name": name, "maxKw": 22, "siteId": "s", "connectors": 1}
        await bench.post("/api/stations", body, status=201)
    yield bench
    await database.close()
