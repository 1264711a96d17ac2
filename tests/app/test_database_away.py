"""While Postgres is away: facts wait, then sockets close with 1013; nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import time
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from csms.store import migrate
from csms.store.embedded import EmbeddedPostgres
from tests.app.bench import system
from tests.chaos.proxy import faulty_proxy
from tests.waiting import wait_until

CONNECTIONS = 40
SOON_S = 10.0
"""Within this all is well again: generous for a slow machine, less than any wait of 15 s and more,
and than the 20 s of a patience that is lost."""
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """A server of this file's own: it gets killed. Its commits survive that, not a power cut."""
    settings = {
        "synchronous_commit": "on",
        "max_connections": str(CONNECTIONS),
        "shared_buffers": "16MB",
    }
    folder = tmp_path_factory.mktemp("away")
    with EmbeddedPostgres(folder, durable=False, settings=settings) as server:
        asyncio.run(migrate.upgrade(server.url))
        yield server


class Bench:
    """A system whose way to Postgres leads through a proxy, and raw stations."""

    def __init__(self, s, proxy, postgres, stack):
        self.s, self.proxy, self.postgres, self._stack = s, proxy, postgres, stack
        self._ids = itertools.count(1)

    async def plug_in(self):
        identity = f"AWAY-{next(_numbers)}"
        await self.s.add(identity)
        socket = await self._stack.enter_async_context(self.connect(identity))
        await beat(socket)  # its connection is noted
        return socket, identity

    def connect(self, identity):
        return connect(f"{self.s.ocpp_url}/{identity}", subprotocols=["ocpp1.6"])

    async def send(self, socket, connector=1, meter=100):
        start = {
            "connectorId": connector,
            "idTag": "TAG",
            "meterStart": meter,
            "timestamp": "2026-11-21T12:00:00Z",
        }
        await socket.send(json.dumps([2, str(next(self._ids)), "StartTransaction", start]))

    async def begin(self, socket, connector=1, meter=100):
        """Start a transaction and return its number."""
        await self.send(socket, connector, meter)
        return await number_of(socket)

    async def count(self, identity):
        sql = await asyncpg.connect(self.postgres.url)
        try:
            return await sql.fetchval(
                "SELECT count(*) FROM transactions t JOIN charge_points c"
                " ON c.id = t.charge_point_id WHERE c.identity = $1",
                identity,
            )
        finally:
            await sql.close()

    async def get(self, path):
        """Return status, code and how long the answer took."""
        began = time.monotonic()
        url = f"http://127.0.0.1:{self.s.running.http_port}{path}"
        async with self.s.client.get(url) as answer:
            body = await answer.json()
        return answer.status, body.get("code"), time.monotonic() - began, body

    async def is_away(self):
        return (await self.get("/ready"))[0] == 503

    async def is_well(self):
        return (await self.get("/ready"))[0] == 200 and (await self.get("/api/stations"))[0] == 200


async def connection_of(postgres):
    """Return a connection, or None when there are too many."""
    try:
        return await asyncpg.connect(postgres.url)
    except asyncpg.TooManyConnectionsError:
        return None


async def beat(socket):
    await socket.send('[2,"beat","Heartbeat",{}]')
    assert json.loads(await socket.recv())[0] == 3


async def number_of(socket):
    kind, _, payload = json.loads(await asyncio.wait_for(socket.recv(), 60))
    assert kind == 3, payload
    return payload["transactionId"]


async def end_of(socket):
    with pytest.raises(ConnectionClosed) as closed:
        await asyncio.wait_for(socket.recv(), 60)
    return closed.value.rcvd.code


@asynccontextmanager
async def away(postgres, folder, **changed):
    async with faulty_proxy(postgres.port) as proxy, AsyncExitStack() as stack:
        parts = urlsplit(postgres.url)
        netloc = parts.netloc.replace(f":{postgres.port}", f":{proxy.port}")
        url = parts._replace(netloc=netloc).geturl()
        s = await stack.enter_async_context(system(url, folder, **changed))
        yield Bench(s, proxy, postgres, stack)


async def handshake_status(b, identity):
    try:
        async with b.connect(identity):
            return 101
    except InvalidStatus as error:
        return error.response.status_code


async def test_killed_postgres_is_started_again_and_facts_wait(postgres, tmp_path):
    async with away(postgres, tmp_path, embedded=postgres) as b:
        socket, identity = await b.plug_in()
        first = await b.begin(socket)
        os.kill(postgres.pid, signal.SIGKILL)
        await b.send(socket, 2)
        assert await number_of(socket) > first
        await wait_until(b.is_well, SOON_S)
        assert await b.count(identity) == 2


@pytest.mark.slow
async def test_five_seconds_without_a_database(postgres, tmp_path):
    async with away(postgres, tmp_path) as b:
        socket, identity = await b.plug_in()
        b.proxy.refusing = True
        b.proxy.cut()
        gone = time.monotonic()
        await b.send(socket)
        status, code, took_s, _ = await b.get("/api/stations")
        assert (status, code) == (503, "database_away")
        assert took_s < SOON_S
        status, _, took_s, body = await b.get("/ready")
        assert (status, body["fields"]["database"]) == (503, "cannot be reached")
        assert took_s < SOON_S
        status, _, took_s, body = await b.get("/health")
        assert (status, body["status"]) == (200, "degraded")
        assert await handshake_status(b, identity) == 503
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), gone + 5 - time.monotonic())
        b.proxy.refusing = False
        back = time.monotonic()
        await number_of(socket)
        await wait_until(b.is_well, SOON_S)
        assert time.monotonic() - back < SOON_S
        assert await handshake_status(b, identity) == 101
        assert await b.count(identity) == 1


@pytest.mark.slow
async def test_twenty_five_seconds_without_a_database(postgres, tmp_path):
    async with away(postgres, tmp_path) as b:
        socket, identity = await b.plug_in()
        late, late_identity = await b.plug_in()
        idle, _ = await b.plug_in()
        b.proxy.refusing = True
        b.proxy.cut()
        gone = time.monotonic()
        await b.send(socket)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(late.recv(), 15)
        await b.send(late)
        assert await end_of(socket) == 1013
        assert 20 <= time.monotonic() - gone < 20 + SOON_S
        assert await handshake_status(b, identity) == 503
        await beat(idle)  # who has nothing to store keeps its socket
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(late.recv(), gone + 25 - time.monotonic())
        b.proxy.refusing = False
        back = time.monotonic()
        await number_of(late)
        async with b.connect(identity) as again:  # and it sends what was not answered
            await b.begin(again)
            assert time.monotonic() - back < SOON_S
            await b.begin(again)
        assert (await b.count(identity), await b.count(late_identity)) == (1, 1)


@pytest.mark.slow
async def test_a_database_that_hangs(postgres, tmp_path):
    """Half-open: no packet comes back, no connection breaks."""
    async with away(postgres, tmp_path) as b:
        socket, identity = await b.plug_in()
        b.proxy.hold()
        gone = time.monotonic()
        await b.send(socket)
        (ready, *_), (api, code, took_s, _), shaken = await asyncio.gather(
            b.get("/ready"), b.get("/api/stations"), handshake_status(b, identity)
        )
        assert (ready, api, code, shaken) == (503, 503, "database_away", 503)
        assert took_s < 40
        assert await end_of(socket) == 1013
        assert 20 <= time.monotonic() - gone < 20 + SOON_S
        b.proxy.release()
        await wait_until(b.is_well, SOON_S)
        async with b.connect(identity) as again:
            await b.begin(again)
        assert await b.count(identity) == 1


@pytest.mark.slow
async def test_locked_tables_make_facts_late_and_nothing_else(postgres, tmp_path):
    async with away(postgres, tmp_path) as b:
        socket, identity = await b.plug_in()
        sql = await asyncpg.connect(postgres.url)
        try:
            async with sql.transaction():
                await sql.execute("LOCK TABLE transactions IN ACCESS EXCLUSIVE MODE")
                await b.send(socket)
                with pytest.raises(TimeoutError):  # longer than one statement may take
                    await asyncio.wait_for(socket.recv(), 14)
            back = time.monotonic()
            await number_of(socket)
            assert time.monotonic() - back < SOON_S
        finally:
            await sql.close()
        assert await b.count(identity) == 1


async def test_too_many_connections(postgres, tmp_path):
    async with away(postgres, tmp_path) as b:
        socket, identity = await b.plug_in()
        sql = await asyncpg.connect(postgres.url)
        others = [sql]
        try:
            b.proxy.refusing = True  # nobody slips in while all are taken
            b.proxy.cut()
            while (other := await connection_of(postgres)) is not None:
                others.append(other)
            b.proxy.refusing = False
            await b.send(socket)
            assert (await b.get("/api/stations"))[:2] == (503, "database_away")
            assert await handshake_status(b, identity) == 503
            await wait_until(b.is_away)
        finally:
            for connection in others:
                await connection.close()
        back = time.monotonic()
        await number_of(socket)
        await wait_until(b.is_well)
        assert time.monotonic() - back < SOON_S
        assert await b.count(identity) == 1


async def test_a_read_only_database(postgres, tmp_path):
    async with away(postgres, tmp_path) as b:
        socket, identity = await b.plug_in()
        admin = await asyncpg.connect(
            postgres.url, server_settings={"default_transaction_read_only": "off"}
        )
        try:
            await admin.execute("ALTER DATABASE csms SET default_transaction_read_only = on")
            b.proxy.cut()  # as with a fail-over to a standby
            await b.send(socket)
            await wait_until(b.is_away)
            body = (await b.get("/ready"))[3]
            assert body["fields"]["database"] == "cannot be reached"
            await admin.execute("ALTER DATABASE csms RESET default_transaction_read_only")
            back = time.monotonic()
            await number_of(socket)
            assert time.monotonic() - back < SOON_S
            await wait_until(b.is_well, SOON_S)

            async def added() -> bool:
                # each connection of the pool that leads to the standby is found out by who has it
                try:
                    await b.s.add(f"AWAY-{next(_numbers)}")
                except AssertionError as error:
                    if ": 503 " not in str(error):
                        raise
                    return False
                return True

            await wait_until(added)
            assert await b.count(identity) == 1
        finally:
            await admin.execute("ALTER DATABASE csms RESET default_transaction_read_only")
            await admin.close()


async def test_a_poison_fact_spoils_nobody_through_an_outage(postgres, tmp_path):
    async with away(postgres, tmp_path) as b:
        (good, identity), (bad, _) = await b.plug_in(), await b.plug_in()
        sql = await asyncpg.connect(postgres.url)
        try:
            await sql.execute(
                "ALTER TABLE transactions ADD CONSTRAINT poison CHECK (meter_start_wh <> 666)"
            )
            b.proxy.refusing = True
            b.proxy.cut()
            await b.send(bad, meter=666)
            await b.send(good)
            b.proxy.refusing = False
            await number_of(good)
            kind, _, code, *_ = json.loads(await asyncio.wait_for(bad.recv(), 30))
            assert (kind, code) == (4, "InternalError")

            async def kept():
                return await sql.fetchval("SELECT count(*) FROM quarantine WHERE raw ~ '666'")

            assert await wait_until(kept) == 1
        finally:
            await sql.execute("ALTER TABLE transactions DROP CONSTRAINT poison")
            await sql.close()
        assert await b.count(identity) == 1
