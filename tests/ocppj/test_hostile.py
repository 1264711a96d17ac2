"""Hostile and unlucky peers over real sockets: others get in and are served meanwhile."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from websockets.exceptions import WebSocketException

from csms.ocppj import gate as gates
from csms.ocppj import server as servers
from csms.ocppj.server import OcppServer
from tests.fakes import FakeClock
from tests.ocppj.playbook import Closed, plug_in
from tests.ocppj.standins import record
from tests.ocppj.test_handshake import basic, status
from tests.waiting import wait_until

CP1 = 1


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def start(intake, connections, schemas, clock):
    """Start servers; by a clock that stands still unless told otherwise."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(**changes) -> OcppServer:
            server = OcppServer(
                **{
                    "host": "127.0.0.1",
                    "port": 0,
                    "connections": connections,
                    "intake": intake,
                    "schemas": schemas,
                    "clock": clock,
                    **changes,
                }
            )
            await server.start()
            stack.push_async_callback(server.stop)
            return server

        yield start


async def works(port: int, path: str = "/ocpp/CP1", **more) -> bool:
    cp = await plug_in(port, path, **more)
    answer = await cp.call("Heartbeat", {})
    await cp.close()
    return answer[0] == 3


class TestSlowHandshakes:
    @pytest.mark.parametrize("said", [b"", b"GET /ocpp/CP1 HTTP/1.1\r\nHost: x\r\n"])
    async def test_a10_one_that_says_too_little_is_dropped_in_time(self, start, said):
        server = await start(open_timeout_s=0.2)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(said)
        async with asyncio.timeout(30):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()

    async def test_a10_one_that_drips_gains_nothing(self, start):
        server = await start(open_timeout_s=0.3)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /ocpp/CP1 HTTP/1.1\r\n")
        gone = asyncio.ensure_future(reader.read())
        async with asyncio.timeout(30):
            while not gone.done():
                writer.write(b"X-A: b\r\n")
                await asyncio.wait([gone], timeout=0.02)
        gone.exception()
        writer.close()

    async def test_a10_stations_get_in_while_strangers_hold_sockets(self, start, monkeypatch):
        monkeypatch.setattr(gates, "MOST_OPENING_OF_STRANGER", 30)
        server = await start()
        slow = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(100)]
        await wait_until(lambda: server._gate.dropped == 70)
        assert len(server._gate) == 30
        # an address that many stations and an attacker share
        for _ in range(3):
            assert await works(server.port)
        for _, writer in slow:
            writer.close()
        await wait_until(lambda: len(server._gate) == 0)

    async def test_a_stranger_above_its_rate_waits_until_a_station_has_come(
        self, start, monkeypatch
    ):
        monkeypatch.setattr(gates, "STRANGER_BURST", 1)
        monkeypatch.setattr(gates, "STRANGER_PER_S", 0.01)
        server = await start()
        first = await asyncio.open_connection("127.0.0.1", server.port)
        await wait_until(lambda: len(server._gate) == 1)
        waiting = [asyncio.ensure_future(plug_in(server.port, "/ocpp/CP2")) for _ in range(3)]
        await wait_until(lambda: server._gate._parked_count == 3)
        first[1].write(
            b"GET /ocpp/CP1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        for cp in await asyncio.gather(*waiting):
            await cp.close()
        first[1].close()

    async def test_a_stranger_above_its_rate_has_its_turn(self, start, monkeypatch):
        monkeypatch.setattr(gates, "STRANGER_BURST", 0)
        server = await start()
        assert await works(server.port)

    async def test_a_stranger_far_above_its_rate_is_turned_away(self, start, monkeypatch):
        monkeypatch.setattr(gates, "STRANGER_BURST", 0)
        monkeypatch.setattr(gates, "MOST_PARKED_OF_STRANGER", 0)
        server = await start()
        with pytest.raises((ConnectionError, WebSocketException)):
            await plug_in(server.port)
        assert len(server._gate) == 0


class TestHeaders:
    @pytest.mark.parametrize(
        "request_text",
        [
            b"GET /ocpp/CP1 HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n",
            b"GET /ocpp/CP1 HTTP/1.1\r\nA: " + b"b" * 10_000 + b"\r\n\r\n",
            b"GET /ocpp/" + b"x" * 10_000 + b" HTTP/1.1\r\n\r\n",
            b"POST /ocpp/CP1 HTTP/1.1\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"\x00" * 20_000,
        ],
    )
    async def test_bounded_and_strange_requests_end_without_harm(self, start, request_text):
        server = await start(open_timeout_s=1.0)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request_text)
        async with asyncio.timeout(30):
            with contextlib.suppress(ConnectionError):
                assert not (await reader.read()).startswith(b"HTTP/1.1 101")
        writer.close()
        assert await works(server.port)


class TestFailedLogins:
    @pytest.fixture(autouse=True)
    def passwords(self, connections):
        connections.records["CP1"] = record(1, security_profile=1)
        connections.passwords["CP1"] = b"right"

    async def test_a04_guessing_becomes_slow_and_the_true_station_gets_in(self, start, clock):
        server = await start()
        wrong = {"additional_headers": basic("CP1", b"wrong")}
        for _ in range(gates.FREE_FAILURES_OF_IDENTITY):
            assert await status(server.port, **wrong) == 401
        held = asyncio.ensure_future(status(server.port, **wrong))
        await wait_until(lambda: clock.sleeping)
        assert await works(server.port, additional_headers=basic("CP1", b"right"))
        assert not held.done()
        await clock.advance(gates.LONGEST_HOLD_S)
        assert await held == 401
        # that one has come forgives its failures, though not those of the address
        assert await status(server.port, **wrong) == 401

    async def test_a03_unknown_stations_are_slow_too(self, start, clock):
        server = await start()
        for number in range(gates.FREE_FAILURES_OF_ADDRESS):
            assert await status(server.port, f"/ocpp/X{number}") == 404
        held = asyncio.ensure_future(status(server.port, "/ocpp/Y"))
        await wait_until(lambda: clock.sleeping)
        assert await works(server.port, "/ocpp/CP2")
        await clock.advance(gates.LONGEST_HOLD_S)
        assert await held == 404

    async def test_too_many_at_once_get_503(self, start, monkeypatch):
        monkeypatch.setattr(servers, "MOST_ADMITTING", 0)
        server = await start()
        assert await status(server.port) == 503


class TestTakeOvers:
    async def flap(self, server):
        """Let two clients take over from each other until the newcomer has to wait."""
        cp = await plug_in(server.port)
        await wait_until(lambda: server.gateway.online() == 1)
        for _ in range(servers.FREE_TAKE_OVERS):
            newer = await plug_in(server.port)
            assert await cp.get() == Closed(1008)
            cp = newer
            assert (await cp.call("Heartbeat", {}))[0] == 3
        return cp

    async def test_h11_two_clients_of_one_identity_do_not_flap(self, start, clock):
        server = await start()
        cp = await self.flap(server)
        assert await status(server.port) == 503
        assert (await cp.call("Heartbeat", {}))[0] == 3
        await clock.advance(120)
        newer = await plug_in(server.port)
        assert await cp.get() == Closed(1008)
        assert (await newer.call("Heartbeat", {}))[0] == 3
        await newer.close()

    async def test_h11_a_ghost_is_replaced_all_the_same(self, start, monkeypatch):
        monkeypatch.setattr(servers, "_FORMER_ANSWERS_WITHIN_S", 0.05)
        monkeypatch.setattr("csms.ocppj.door._CLOSE_TIMEOUT_S", 0.1)
        server = await start()
        cp = await self.flap(server)
        cp.socket.transport.pause_reading()  # as when its modem has got a new address
        newer = await plug_in(server.port)
        assert (await newer.call("Heartbeat", {}))[0] == 3
        cp.socket.transport.abort()
        await newer.close()

    async def test_h11_another_station_is_not_concerned(self, start):
        server = await start()
        cp = await self.flap(server)
        assert await works(server.port, "/ocpp/CP2")
        await cp.close()


class TestFloods:
    @pytest.mark.slow
    async def test_a12_one_that_never_waits_is_slowed_down_then_closed(
        self, start, clock, monkeypatch
    ):
        monkeypatch.setattr("csms.ocppj.pace.BURST", 100)
        monkeypatch.setattr("csms.ocppj.pace.MOST_PAUSES", 3)
        monkeypatch.setattr("csms.ocppj.door._CLOSE_TIMEOUT_S", 0.2)
        server = await start()
        flood = await plug_in(server.port)
        other = await plug_in(server.port, "/ocpp/CP2")

        async def push():
            for number in range(100_000):
                await flood.socket.send(f'[2,"{number}","Heartbeat",{{}}]')

        async def read():
            async for _ in flood.socket:
                pass

        pushing, reading = asyncio.ensure_future(push()), asyncio.ensure_future(read())
        for _ in range(4):
            await wait_until(lambda: clock.sleeping or reading.done())
            assert (await other.call("Heartbeat", {}))[0] == 3
            await clock.advance(0.5)
        async with asyncio.timeout(30):
            await asyncio.wait([reading])
        assert flood.socket.close_code == 1008
        pushing.cancel()
        await asyncio.gather(pushing, return_exceptions=True)
        assert (await other.call("Heartbeat", {}))[0] == 3
        await other.close()

    async def test_a12_one_that_waits_for_answers_is_never_slowed_down(
        self, start, clock, monkeypatch
    ):
        monkeypatch.setattr("csms.ocppj.pace.BURST", 10)
        server = await start()
        cp = await plug_in(server.port)
        for _ in range(500):
            assert (await cp.call("Heartbeat", {}))[0] == 3
        assert clock.sleeping == 0
        await cp.close()


async def test_h17_many_sockets_are_closed_over_a_while_in_no_order(
    start, clock, connections, monkeypatch
):
    monkeypatch.setattr(servers, "CLOSED_AT_ONCE", 3)
    for number in range(3, 43):
        connections.records[f"CP{number}"] = record(number, f"CP{number}")
    server = await start()
    stations = [await plug_in(server.port, f"/ocpp/CP{number}") for number in range(3, 43)]
    await wait_until(lambda: server.gateway.online() == 40)
    stopping = asyncio.ensure_future(server.stop())
    await wait_until(lambda: len(connections.ends) == 1)
    for _ in range(39):
        assert not stopping.done()
        await clock.advance(0.002)
    for station in stations:
        assert await station.get() == Closed(1001)
    await stopping
    assert sorted(connections.ends) != connections.ends


async def test_stations_that_are_few_are_closed_at_once(start, clock, connections):
    server = await start()
    cp = await plug_in(server.port)
    async with asyncio.timeout(30):  # its clock stands still
        await server.stop()
    assert await cp.get() == Closed(1001)
