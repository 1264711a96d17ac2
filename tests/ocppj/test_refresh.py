"""What an operator changes reaches stations that are connected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from csms.aio import supervise
from csms.bus.local import LocalBus
from csms.domain.charge_points import Registration
from csms.domain.events import StationChanged
from csms.domain.ids import ChargePointKey
from csms.ocppj.refresh import ROUND_S
from csms.ocppj.server import OcppServer
from tests.ocppj.playbook import ChargePoint, Closed, plug_in
from tests.ocppj.standins import record
from tests.ocppj.test_handshake import status
from tests.waiting import wait_until

CP1 = ChargePointKey(1)


@pytest.fixture
def bus() -> LocalBus:
    return LocalBus()


@pytest.fixture
async def server(bus, intake, connections, schemas, clock) -> AsyncIterator[OcppServer]:
    server = OcppServer(
        host="127.0.0.1",
        port=0,
        connections=connections,
        intake=intake,
        schemas=schemas,
        clock=clock,
        bus=bus,
    )
    await server.start()
    loop = asyncio.create_task(supervise("sessions", server.run, clock))
    yield server
    loop.cancel()
    await server.stop()


async def change(bus, clock, connections, **changes) -> None:
    connections.records["CP1"] = record(**{"key": 1, **changes})
    bus.publish(StationChanged(CP1))
    await clock.advance(ROUND_S)


async def connected(server: OcppServer) -> ChargePoint:
    cp = await plug_in(server.port)
    await wait_until(lambda: server.gateway.is_online(CP1))
    return cp


async def test_a_rejected_station_is_refused_from_then_on(server, bus, clock, connections):
    cp = await connected(server)
    assert (await cp.call("Heartbeat", {}))[0] == 3
    await change(bus, clock, connections, registration=Registration.REJECTED)
    assert (await cp.call("Heartbeat", {}))[2] == "SecurityError"
    await change(bus, clock, connections)
    assert (await cp.call("Heartbeat", {}))[0] == 3
    await cp.close()


async def test_a_deleted_station_is_disconnected(server, bus, clock, connections):
    cp = await connected(server)
    del connections.records["CP1"]
    bus.publish(StationChanged(CP1))
    async with asyncio.TaskGroup() as group:
        group.create_task(clock.advance(ROUND_S))
        assert await cp.get() == Closed(1008)


async def test_a_station_that_was_made_anew_must_come_again(server, bus, clock, connections):
    cp = await connected(server)
    async with asyncio.TaskGroup() as group:
        group.create_task(change(bus, clock, connections, key=7))
        assert await cp.get() == Closed(1008)


async def test_a_new_password_counts_from_the_next_handshake_on(server, bus, clock, connections):
    cp = await connected(server)
    connections.passwords["CP1"] = b"new"
    await change(bus, clock, connections, security_profile=1)
    assert (await cp.call("Heartbeat", {}))[0] == 3
    assert await status(server.port) == 401
    await cp.close()


async def test_a_change_while_the_database_is_away_is_seen_later(server, bus, clock, connections):
    cp = await connected(server)
    connections.away = True
    await change(bus, clock, connections, registration=Registration.REJECTED)
    assert (await cp.call("Heartbeat", {}))[0] == 3
    connections.away = False
    await clock.advance(5)
    assert (await cp.call("Heartbeat", {}))[2] == "SecurityError"
    await cp.close()


async def test_stations_that_are_elsewhere_are_not_looked_up(server, bus, clock, connections):
    connections.away = True
    bus.publish(StationChanged(ChargePointKey(2)))
    await clock.advance(ROUND_S)
    assert not server._refresher._changed
