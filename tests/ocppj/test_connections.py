"""The life of connections: take-over (H11), half-open sockets (H13), graceful stop (H17)."""

from __future__ import annotations

import asyncio
import socket

import pytest

from csms.clock import SystemClock
from csms.domain.ids import ChargePointKey
from csms.errors import CallFailed
from csms.ocppj.registry import Registry
from csms.ocppj.server import FREE_TAKE_OVERS, OcppServer
from tests.ocppj.playbook import ANY, Closed, gets, plug_in, sends
from tests.ocppj.standins import record
from tests.ocppj.test_handshake import basic, status
from tests.ocppj.test_messages import START, STATUS
from tests.waiting import wait_until

CP1 = ChargePointKey(1)


async def online(server: OcppServer) -> None:
    await wait_until(lambda: server.gateway.is_online(CP1))


async def test_h11_the_newest_connection_wins_and_the_end_of_the_old_changes_nothing(
    server, connections
):
    old = await plug_in(server.port)
    await online(server)
    new = await plug_in(server.port)
    assert await old.get() == Closed(1008)
    await wait_until(lambda: connections.ends == [(CP1, 1)])
    assert server.gateway.is_online(CP1)
    assert server.gateway.online() == 1
    assert (await new.call("StatusNotification", STATUS))[0] == 3
    await new.close()
    await wait_until(lambda: connections.ends == [(CP1, 1), (CP1, 2)])
    assert not server.gateway.is_online(CP1)


async def test_h11_open_calls_of_the_old_connection_are_lost_and_late_answers_dropped(server):
    old = await plug_in(server.port)
    await online(server)
    async with asyncio.TaskGroup() as group:
        ours = group.create_task(_lost(server))
        frame = await old.get()
        new = await plug_in(server.port)
    assert ours.result() == "connection_lost"
    await new.send([3, frame[1], {"status": "Accepted"}])
    assert (await new.call("Heartbeat", {}))[0] == 3
    await new.close()


async def _lost(server: OcppServer) -> str:
    with pytest.raises(CallFailed) as caught:
        await server.gateway.call(CP1, "Reset", {"type": "Soft"}, message_id="u1")
    return caught.value.code


async def test_h11_a_newcomer_without_the_password_changes_nothing(server, connections):
    connections.records["CP1"] = record(1, security_profile=1)
    connections.passwords["CP1"] = b"right"
    old = await plug_in(server.port, additional_headers=basic("CP1", b"right"))
    assert await status(server.port, additional_headers=basic("CP1", b"wrong")) == 401
    assert (await old.call("Heartbeat", {}))[0] == 3
    await old.close()


async def test_h11_a_commit_of_the_old_connection_does_not_hold_up_the_new_one(server, intake):
    old = await plug_in(server.port)
    intake.hold()
    await old.play(sends(2, "1", "StartTransaction", START))
    await wait_until(lambda: intake.waiting)
    new = await plug_in(server.port)
    assert await old.get() == Closed(1008)
    assert (await new.call("Heartbeat", {}))[0] == 3
    intake.release()
    await wait_until(lambda: intake.facts)
    await new.close()


async def test_take_overs_at_once_leave_one_connection(server, connections):
    count = FREE_TAKE_OVERS + 1
    stations = await asyncio.gather(*(plug_in(server.port) for _ in range(count)))
    await wait_until(lambda: len(connections.ends) == count - 1)
    assert server.gateway.online() == 1
    newest = connections.epochs[CP1]
    assert newest == count
    assert (CP1, newest) not in connections.ends
    for station in stations:
        await station.close()
    await wait_until(lambda: server.gateway.online() == 0)


def test_a_connection_that_opened_earlier_never_replaces_a_later_one():
    class Session:
        def __init__(self, epoch: int) -> None:
            self.epoch = epoch
            self.station = type("Station", (), {"record": record()})()

    registry, first, second = Registry(), Session(1), Session(2)
    assert registry.add(second) is None
    assert registry.add(first) is first
    assert registry.get(CP1) is second
    registry.remove(first)
    assert registry.get(CP1) is second


async def test_h13_pings_are_answered(cp):
    pong = await cp.socket.ping()
    async with asyncio.timeout(30):
        await pong


async def test_h13_a_station_that_answers_no_ping_is_taken_off(
    intake, connections, schemas, monkeypatch
):
    monkeypatch.setattr("csms.ocppj.door._CLOSE_TIMEOUT_S", 0.1)
    server = OcppServer(
        host="127.0.0.1",
        port=0,
        connections=connections,
        intake=intake,
        schemas=schemas,
        clock=SystemClock(),
        ping_interval_s=0.05,
        ping_timeout_s=0.5,
    )
    await server.start()
    cp = await plug_in(server.port)
    await online(server)
    cp.socket.transport.pause_reading()
    await wait_until(lambda: connections.ends == [(CP1, 1)])
    assert not server.gateway.is_online(CP1)
    cp.socket.transport.abort()
    await server.stop()


async def test_a_socket_that_drops_is_noted_at_once(server, connections):
    cp = await plug_in(server.port)
    await online(server)
    cp.socket.transport.abort()
    await wait_until(lambda: connections.ends == [(CP1, 1)])


def nobody_listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


async def test_h17_stop_answers_what_is_in_work_then_closes_with_1001(server, intake, connections):
    cp = await plug_in(server.port)
    other = await plug_in(server.port, "/ocpp/CP2")
    port = server.port
    intake.hold()
    await cp.play(sends(2, "1", "StartTransaction", START))
    await wait_until(lambda: intake.waiting)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.stop())
        await wait_until(lambda: not server._door.is_serving())
        assert nobody_listens(port)
        await cp.play(sends(2, "2", "Heartbeat", {}))
        intake.release()
        await cp.play(gets(3, "1", ANY), gets(Closed(1001)))
        assert await other.get() == Closed(1001)
    assert sorted(connections.ends) == [(1, 1), (2, 1)]
    assert "Heartbeat" in [frame.action for frame in intake.frames]


async def test_h17_a_handler_that_hangs_does_not_hold_up_the_stop(server, intake):
    cp = await plug_in(server.port)
    intake.hold()
    await cp.play(sends(2, "1", "StartTransaction", START))
    await wait_until(lambda: intake.waiting)
    async with asyncio.timeout(30):
        await server.stop(grace_s=0.05)
    assert await cp.get() == Closed(1001)


async def test_stop_without_start_and_twice(server, intake, connections, schemas):
    idle = OcppServer(
        host="127.0.0.1",
        port=0,
        connections=connections,
        intake=intake,
        schemas=schemas,
        clock=SystemClock(),
    )
    await idle.stop()
    await server.stop()
    await server.stop()
