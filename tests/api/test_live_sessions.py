"""`/ws/sessions` over real sockets: events, who may, slow readers, one query for all."""

from __future__ import annotations

import asyncio
import json
import socket as socketlib
from datetime import datetime, timedelta

import aiohttp
import pytest
from structlog.testing import capture_logs

from csms.api import live_sessions
from csms.api.authentication import COOKIE
from csms.domain.events import SessionsChanged
from tests.api.bench import ADMIN
from tests.waiting import wait_until


def connect(bench, **headers):
    headers.setdefault("Authorization", f"Bearer {ADMIN}")
    wanted = {name: value for name, value in headers.items() if value is not None}
    return bench.client.ws_connect(f"{bench.url}/ws/sessions", headers=wanted)


async def event(socket, timeout=30):
    message = await socket.receive(timeout=timeout)
    assert message.type is aiohttp.WSMsgType.TEXT, message
    content = json.loads(message.data)
    assert set(content) == {"event", "data"}
    return content["event"], content["data"]


async def test_snapshot_started_tick_completed(bench):
    await bench.station()
    running = await bench.session(register_wh=2000)
    over = await bench.session()
    await bench.stop(over)
    async with connect(bench) as socket:
        name, data = await event(socket)
        assert name == "snapshot"
        assert data == [await bench.get(f"/api/sessions/{running}")]

        new = await bench.session(connector_id=2)
        bench.bus.publish(SessionsChanged(frozenset({new})))
        name, data = await event(socket)
        assert (name, data) == ("session_started", await bench.get(f"/api/sessions/{new}"))

        await bench.sql.execute(
            "UPDATE transactions SET register_wh = 6000, power_w = 7000 WHERE id = $1", running
        )
        bench.bus.publish(SessionsChanged(frozenset({running})))
        name, data = await event(socket)
        assert name == "sessions_tick"
        assert data == [
            {
                "id": str(running),
                "energyKwh": 5.0,
                "powerKw": 7.0,
                "socPercent": None,
                "limitA": None,
                "cost": 1.5,
                "etaAt": None,
            }
        ]

        await bench.stop(running)
        bench.bus.publish(SessionsChanged(frozenset({running})))
        name, data = await event(socket)
        assert (name, data) == ("session_completed", await bench.get(f"/api/sessions/{running}"))


async def test_when_a_vehicle_will_be_full(bench):
    await bench.station()
    await bench.sql.execute("SELECT ensure_partitions('meter_values', 'month', 3)")
    numbers = []

    async def begin():
        number = await bench.session(
            connector_id=len(numbers) + 1,
            meter_start_wh=0,
            register_wh=6000,
            power_w=7200,
            soc_percent=30,
        )
        await bench.sql.execute(
            "INSERT INTO meter_values (received_at, charge_point_id, transaction_id, connector_id,"
            " measured_at, energy_wh, soc_permille) VALUES (now(), $1, $2, 1, now(), 0, 200)",
            await bench.key(),
            number,
        )
        numbers.append(number)

    def hours_left(found):
        return (datetime.fromisoformat(found["etaAt"]) - bench.clock.now()) / timedelta(hours=1)

    # 6 kWh for 10 %: 70 % more, the last 5 % at half the power
    full = pytest.approx(45 / 7.2, abs=0.04)
    await begin()
    async with connect(bench) as socket:  # nobody has asked before
        name, (data,) = await event(socket)
        assert (name, hours_left(data)) == ("snapshot", full)
        await begin()
        bench.bus.publish(SessionsChanged(frozenset(numbers)))
        name, data = await event(socket)
        assert (name, hours_left(data)) == ("session_started", full)
        await bench.sql.execute("UPDATE transactions SET power_w = 3600 WHERE id = $1", numbers[0])
        bench.bus.publish(SessionsChanged(frozenset(numbers)))
        name, (data,) = await event(socket)
        assert (name, data["id"]) == ("sessions_tick", str(numbers[0]))
        assert hours_left(data) == pytest.approx(45 / 3.6, abs=0.04)


async def test_a_session_that_is_over_within_one_look(bench):
    await bench.station()
    async with connect(bench) as socket:
        assert await event(socket) == ("snapshot", [])
        number = await bench.session()
        await bench.stop(number)
        bench.bus.publish(SessionsChanged(frozenset({number})))
        names = [(await event(socket))[0] for _ in range(2)]
        assert names == ["session_started", "session_completed"]


async def test_a_lost_hint_is_found_by_the_poll(bench):
    await bench.station()
    await bench.stop(await bench.session())  # over before anybody watches: no news
    async with connect(bench) as socket:
        assert await event(socket) == ("snapshot", [])
        number = await bench.session()  # nobody publishes
        name, data = await event(socket)
        assert (name, data["id"]) == ("session_started", str(number))
        await bench.sql.execute(
            "INSERT INTO charging_limits (charge_point_id, connector_id, purpose, transaction_id,"
            " acknowledged_w) VALUES ($1, 1, 'TxProfile', $2, 11040)",
            await bench.key(),
            number,
        )
        name, data = await event(socket)
        assert (name, data[0]["limitA"]) == ("sessions_tick", 16.0)
        await bench.stop(number)
        name, data = await event(socket)
        assert (name, data["id"]) == ("session_completed", str(number))


async def test_ticks_come_once_a_second_at_most(bench):
    await bench.station()
    number = await bench.session(register_wh=1000)
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with connect(bench) as socket:
        await event(socket)

        async def meter():
            for register in range(2000, 200_000, 1000):
                await bench.sql.execute(
                    "UPDATE transactions SET register_wh = $2 WHERE id = $1", number, register
                )
                bench.bus.publish(SessionsChanged(frozenset({number})))
                await asyncio.sleep(0.02)

        metering = asyncio.create_task(meter())
        for _ in range(3):
            name, data = await event(socket)
            assert name == "sessions_tick"
            assert len(data) == 1
        took_s = loop.time() - began
        metering.cancel()
        await asyncio.wait([metering])
        assert took_s > 1.9, "three ticks are two seconds at least"


async def test_many_sockets_share_one_query(bench, monkeypatch):
    from csms.store.sessions import Sessions

    monkeypatch.setattr("csms.services.session_feed._POLL_S", 3600.0)  # those are not counted
    queries = []
    for name in ("active", "many"):
        original = getattr(Sessions, name)

        async def counted(self, *args, _original=original, **more):
            queries.append(_original.__name__)
            return await _original(self, *args, **more)

        monkeypatch.setattr(Sessions, name, counted)
    await bench.station()
    sockets = [await connect(bench) for _ in range(10)]
    for socket in sockets:
        await event(socket)
    queries.clear()
    number = await bench.session()
    bench.bus.publish(SessionsChanged(frozenset({number})))
    for socket in sockets:
        assert (await event(socket))[0] == "session_started"
    assert len(queries) == 1
    for socket in sockets:
        await socket.close()


@pytest.mark.parametrize("token", [None, "Bearer wrong"])
async def test_no_credentials(bench, token):
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await connect(bench, Authorization=token)
    assert refused.value.status == 401


async def test_browsers_must_come_from_our_pages(bench):
    reply = await bench.ask("GET", f"/sign-in?token={ADMIN}", headers={"Authorization": ""})
    session = reply.cookies[COOKIE] if hasattr(reply, "cookies") else None
    line = next(text for text in reply.headers.getall("Set-Cookie") if text.startswith(COOKIE))
    cookie = session or line.partition(";")[0]
    for origin in ("https://evil.example", None):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connect(bench, Authorization=None, Cookie=cookie, Origin=origin)
        assert refused.value.status == 403
    async with connect(bench, Authorization=None, Cookie=cookie, Origin=bench.url) as socket:
        assert await event(socket) == ("snapshot", [])


async def test_drivers_may_not_watch(bench):
    key = await bench.post("/api/api-keys", {"name": "d", "role": "driver"}, status=201)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await connect(bench, Authorization=f"Bearer {key['token']}")
    assert refused.value.status == 403


async def test_a_slow_reader_is_dropped_with_1013_and_others_stay(bench, monkeypatch):
    monkeypatch.setattr(
        live_sessions, "_SEND_S", 1.0
    )  # and the other reader is quicker on any machine
    await bench.station()
    host, port = bench.url.removeprefix("http://").split(":")
    narrow = socketlib.socket()
    narrow.setsockopt(socketlib.SOL_SOCKET, socketlib.SO_RCVBUF, 4096)
    narrow.setblocking(False)
    await asyncio.get_running_loop().sock_connect(narrow, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=narrow, limit=2**12)
    writer.write(
        b"GET /ws/sessions HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Authorization: Bearer " + ADMIN.encode() + b"\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    with capture_logs() as logs:
        async with connect(bench) as socket:
            await event(socket)
            await flood(bench, socket)
        await wait_until(lambda: any("too slow" in line["event"] for line in logs))
    received = b""
    while chunk := await asyncio.wait_for(reader.read(2**16), 60):
        received = (received + chunk)[-40:]
    assert (1013).to_bytes(2, "big") in received, received
    writer.close()


async def flood(bench, socket):
    """Let more happen than a socket's buffers take; `socket` reads all of it."""
    for _ in range(3):  # far more than the socket's buffers take
        await bench.sql.execute(
            "INSERT INTO transactions (charge_point_id, connector_id, id_tag, id_tag_key,"
            " id_tag_status, meter_start_wh, started_at, start_received_at, price_per_kwh,"
            " currency, findings) SELECT $1, 1, 'T', 'T', 'Accepted', 0, now(), now(), 1,"
            " 'EUR', ARRAY[repeat('x', 4000)] FROM generate_series(1, 800)",
            await bench.key(),
        )
        newest = await bench.sql.fetchval("SELECT max(id) FROM transactions")
        bench.bus.publish(SessionsChanged(frozenset({newest - 1})))
        bench.bus.publish(SessionsChanged(frozenset({newest})))
        for number in range(newest - 799, newest + 1):
            bench.bus.publish(SessionsChanged(frozenset({number})))
        seen = 0
        while seen < 800:
            name, _ = await event(socket)
            seen += name == "session_started"
