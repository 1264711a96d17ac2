from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvloop

from csms.clock import SystemClock
from csms.ocppj.schemas import Schemas
from csms.ocppj.server import OcppServer
from tests.ocppj.playbook import ChargePoint, plug_in
from tests.ocppj.standins import StandInConnections, StandInIntake, record


@pytest.fixture(scope="session")
def schemas() -> Schemas:
    return Schemas()


@pytest.fixture
async def intake() -> StandInIntake:
    return StandInIntake()


@pytest.fixture
def connections() -> StandInConnections:
    return StandInConnections(record(1, "CP1"), record(2, "CP2"))


@pytest.fixture
async def server(
    intake: StandInIntake, connections: StandInConnections, schemas: Schemas
) -> AsyncIterator[OcppServer]:
    server = OcppServer(
        host="127.0.0.1",
        port=0,
        connections=connections,
        intake=intake,
        schemas=schemas,
        clock=SystemClock(),
        call_timeout_s=30.0,
        notices=intake,
    )
    await server.start()
    yield server
    intake.release()
    await server.stop()


@pytest.fixture
async def cp(server: OcppServer) -> AsyncIterator[ChargePoint]:
    """Charge point CP1, connected."""
    charge_point = await plug_in(server.port)
    yield charge_point
    await charge_point.close()


def pytest_asyncio_loop_factories(config, item):
    """Run tests of sockets on both loops: uvloop is what csms runs on."""
    loops = {"asyncio": asyncio.SelectorEventLoop}
    if item.path.name in ("test_hostile.py", "test_connections.py", "test_freed.py"):
        loops["uvloop"] = uvloop.new_event_loop
    return loops
