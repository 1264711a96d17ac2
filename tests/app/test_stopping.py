"""The end of a central system: what was received is stored and answered, then sockets close."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import asyncpg
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.app.bench import system
from tests.waiting import wait_until

START = {
    "connectorId": 1,
    "idTag": "TAG",
    "meterStart": 100,
    "timestamp": "2026-03-01T12:00:00Z",
}


def plug_in(s, identity="A"):
    return connect(f"{s.ocpp_url}/{identity}", subprotocols=["ocpp1.6"])


async def is_refused(s) -> bool:
    try:
        async with plug_in(s):
            return False
    except (OSError, InvalidHandshake):
        return True


@asynccontextmanager
async def locked(database_url):
    """Keep the transactions of the database from being written."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE transactions IN EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


class Ending:
    """Runs a system in a task until told to end it."""

    def __init__(self, database_url, folder):
        self._stop, self.up = asyncio.Event(), asyncio.get_running_loop().create_future()
        self.down = asyncio.Event()
        self._made = system(database_url, folder)

    async def run(self):
        async with self._made as s:
            self.up.set_result(s)
            await self._stop.wait()
        self.down.set()

    def end(self):
        self._stop.set()


async def test_clients_hear_going_away_and_nothing_of_ours_is_left(database_url, tmp_path):
    before = asyncio.all_tasks()
    async with asyncio.TaskGroup() as tasks:
        ending = Ending(database_url, tmp_path)
        tasks.create_task(ending.run())
        s = await ending.up
        await s.add("A")
        await s.add("B")
        async with plug_in(s) as a, plug_in(s, "B") as b:

            async def all_noted():
                rows = await s.sql.fetch("SELECT node FROM charge_points")
                return all(row["node"] for row in rows)

            await wait_until(all_noted)
            ending.end()
            for socket in (a, b):
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
                assert closed.value.rcvd.code == 1001
            await wait_until(ending.down.is_set)
            ports = (s.running.ocpp_port, s.running.http_port)
        await wait_until(lambda: asyncio.all_tasks() <= before)
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT node, last_seen_at FROM charge_points")
        assert [row["node"] for row in rows] == [None, None]
        assert await connection.fetchval("SELECT count(*) FROM leases") == 0
    finally:
        await connection.close()


async def test_a_fact_on_its_way_is_stored_and_answered_before_the_end(database_url, tmp_path):
    async with asyncio.TaskGroup() as tasks:
        ending = Ending(database_url, tmp_path)
        tasks.create_task(ending.run())
        s = await ending.up
        await s.add("A")
        async with plug_in(s) as socket:
            async with locked(database_url):
                await socket.send(json.dumps([2, "1", "StartTransaction", START]))

                async def waits():
                    return await s.sql.fetchval(
                        "SELECT count(*) FROM pg_locks WHERE NOT granted"
                        " AND relation = 'transactions'::regclass"
                    )

                await wait_until(waits)
                ending.end()
                await wait_until(lambda: is_refused(s))
                assert not ending.down.is_set()
            kind, _, payload = json.loads(await socket.recv())
            assert kind == 3
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd.code == 1001
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT id, meter_start_wh FROM transactions")
        assert [tuple(row) for row in rows] == [(payload["transactionId"], 100)]
        logged = await connection.fetchval(
            "SELECT count(*) FROM ocpp_messages WHERE action = 'StartTransaction'"
        )
        assert logged == 2  # the call and its answer: the log is flushed too
    finally:
        await connection.close()


@pytest.mark.slow
async def test_what_stays_unanswered_at_the_end_is_not_stored_in_part(database_url, tmp_path):
    """The database is stuck for longer than the stop waits: no answer, so it will come again."""
    async with asyncio.TaskGroup() as tasks:
        ending = Ending(database_url, tmp_path)
        tasks.create_task(ending.run())
        s = await ending.up
        await s.add("A")
        async with plug_in(s) as socket, locked(database_url):
            await socket.send(json.dumps([2, "1", "StartTransaction", START]))
            ending.end()
            with pytest.raises(ConnectionClosed):  # and nothing before it
                await socket.recv()
            await wait_until(ending.down.is_set, 30)
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM transactions") == 0
    finally:
        await connection.close()
