"""`csms serve` as a process: killed at bad moments, stopped without a database, started twice."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiohttp import ClientError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from csms.store import migrate
from csms.store.embedded_attach import running_url
from tests.chaos.proxy import faulty_proxy
from tests.chaos.server import Server
from tests.ports import steady_port
from tests.waiting import wait_until

AT = "2026-11-21T12:00:00Z"
_LATER = "2099-01-01T00:00:00Z"
START = {"connectorId": 1, "idTag": "TAG", "meterStart": 100, "timestamp": AT}


@pytest.fixture
def new_server(tmp_path):
    made = []

    def make(folder="server", **settings):
        path = tmp_path / folder
        path.mkdir(exist_ok=True)
        ocpp_port, http_port = steady_port(), steady_port()
        made.append(Server(path, ocpp_port=ocpp_port, http_port=http_port, settings=settings))
        return made[-1]

    yield make
    for server in made:
        server.close()


class Station:
    """A raw charge point that repeats what was not answered, under another message id."""

    def __init__(self, url):
        self.url = url

    async def tell(self, action, payload):
        async with connect(self.url, subprotocols=["ocpp1.6"]) as socket:
            await socket.send(json.dumps([2, str(time.monotonic_ns()), action, payload]))
            kind, _, answer = json.loads(await asyncio.wait_for(socket.recv(), 60))
            assert kind == 3
            return answer


def messages(number):
    """What a charge point says about one transaction, and where it is counted."""
    energy = {"measurand": "Energy.Active.Import.Register", "value": "500"}
    values = [{"timestamp": AT, "sampledValue": [energy]}]
    stop = {"transactionId": number, "meterStop": 900, "timestamp": AT, "transactionData": values}
    return [
        ("StartTransaction", START, "transactions"),
        (
            "MeterValues",
            {"connectorId": 1, "transactionId": number, "meterValue": values},
            "meter_values",
        ),
        ("StopTransaction", stop, "transactions WHERE meter_stop_wh = 900"),
    ]


@pytest.mark.slow
async def test_killed_between_commit_and_answer(new_server):
    server = new_server()
    await server.start()
    await server.ask("POST", "/api/stations", {"identity": "CP", "name": "CP", "maxKw": 22})
    async with faulty_proxy(int(urlsplit(server.ocpp_url).port)) as proxy:
        station = Station(f"ws://127.0.0.1:{proxy.port}/ocpp/CP")
        for action, payload, table in messages(1):
            await _kill_before_the_answer(server, proxy, station, action, payload, table)
            await server.start()
            answer = await station.tell(action, payload)
            assert answer.get("transactionId", 1) == 1
            assert await _count(server, table) == 1
        assert await _count(server, "transactions") == 1
        assert await _count(server, "meter_values") == 2  # one of them came with the stop
        assert await _count(server, "orphan_messages") == 0
    await server.stop()


async def _kill_before_the_answer(server, proxy, station, action, payload, table):
    async with connect(station.url, subprotocols=["ocpp1.6"]) as socket:
        await socket.send('[2,"beat","Heartbeat",{}]')
        await socket.recv()
        proxy.hold("down")
        await socket.send(json.dumps([2, "lost", action, payload]))
        await wait_until(lambda: _count(server, table))
        await wait_until(lambda: proxy.held["down"])
        await server.kill()
        proxy.cut()
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def _count(server, table):
    url = running_url(server.postgres_folder)
    assert url is not None
    sql = await asyncpg.connect(url)
    try:
        return await sql.fetchval(f"SELECT count(*) FROM {table}")
    finally:
        await sql.close()


@pytest.mark.slow
async def test_killed_while_a_call_is_open(new_server):
    """The reservation is shown, because the charge point may hold it; the call is over."""
    server = new_server()
    await server.start()
    await server.ask("POST", "/api/stations", {"identity": "CP", "name": "CP", "maxKw": 22})
    async with connect(f"{server.ocpp_url}/CP", subprotocols=["ocpp1.6"]) as socket:
        wanted = {"stationId": "CP", "connectorId": 1, "idTag": "TAG", "expiresAt": _LATER}
        asking = asyncio.create_task(server.ask("POST", "/api/reservations", wanted))
        sent = json.loads(await asyncio.wait_for(socket.recv(), 60))
        await server.kill()
        with pytest.raises(ClientError):
            await asking
    await server.start()

    async def calls():
        return (await server.ask("GET", "/api/stations/CP/calls"))["items"]

    await wait_until(lambda: _has_ended(calls))
    (call,) = await calls()
    assert (call["callId"], call["outcome"]) == (sent[1], "connection_lost")
    (found,) = (await server.ask("GET", "/api/reservations"))["items"]
    assert found["reservationId"] == sent[3]["reservationId"]
    assert (found["status"], found["confirmed"]) == ("active", False)
    await server.stop()


async def _has_ended(calls):
    return all(call["outcome"] for call in await calls())


@pytest.mark.slow
async def test_killed_while_it_migrates(new_server, postgres_url):
    server = new_server(database_url=postgres_url)
    sql = await asyncpg.connect(postgres_url)
    try:
        for pause_s in (0.0, 0.05, 0.15, 0.3):
            await server.spawn()

            async def migrates():
                return await sql.fetchval(
                    "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
                    " WHERE d.datname = current_database() AND l.locktype = 'advisory'"
                )

            await wait_until(migrates, 30)
            await asyncio.sleep(pause_s)
            await server.kill()
        await server.start()
        assert await migrate.current(postgres_url) == migrate.head()
        await server.stop()
    finally:
        await sql.close()


@asynccontextmanager
async def _through_proxy(new_server, database_url, **settings):
    port = urlsplit(database_url).port
    async with faulty_proxy(port) as proxy:
        url = database_url.replace(f":{port}/", f":{proxy.port}/")
        yield new_server(database_url=url, **settings), proxy


@pytest.mark.slow
@pytest.mark.parametrize("hangs", [False, True])
async def test_stopped_without_a_database(new_server, database_url, hangs):
    async with _through_proxy(new_server, database_url) as (server, proxy):
        await server.start()
        await server.ask("POST", "/api/stations", {"identity": "CP", "name": "CP", "maxKw": 22})
        async with connect(f"{server.ocpp_url}/CP", subprotocols=["ocpp1.6"]) as socket:
            await socket.send('[2,"beat","Heartbeat",{}]')
            await socket.recv()
            if hangs:
                proxy.hold()
            else:
                proxy.refusing = True
                proxy.cut()
            await socket.send(json.dumps([2, "1", "StartTransaction", START]))
            began = time.monotonic()
            await asyncio.sleep(0.2)
            await server.stop()  # with exit code 0
            took_s = time.monotonic() - began
            with pytest.raises(ConnectionClosed):  # and no answer before it
                await socket.recv()
        assert took_s < 60
        assert "Traceback" not in server.log()
        proxy.release()
    sql = await asyncpg.connect(database_url)
    try:
        assert await sql.fetchval("SELECT count(*) FROM transactions") == 0
    finally:
        await sql.close()


@pytest.mark.slow
@pytest.mark.parametrize("embedded", [True, False])
async def test_two_on_one_data_folder(new_server, database_url, embedded):
    settings = {} if embedded else {"database_url": database_url}
    first, second = new_server(**settings), new_server(**settings)
    await first.start()
    code = await second.end()
    assert code == 1
    lines = first.log().splitlines()  # both write there
    assert any(f"in use by another csms (process {first.pid})" in line for line in lines)
    assert "Traceback" not in first.log()
    await first.ask("GET", "/ready")
    await first.stop()
