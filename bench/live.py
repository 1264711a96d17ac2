"""What it costs to be watched: ``.venv/bin/python -m bench.live [STATIONS ...]``.

The operator API in this process over an embedded Postgres, cockpits in another. Each second 1,000
sessions have new values, as after their MeterValues (stored and hinted from here). Measured is
the CPU time of this process in one second: without anybody, with one cockpit and with ten, and
with one while nothing changes. The longest time that the event loop was kept is told too, because
charge points wait for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import asyncpg

from csms.aio import supervise
from csms.api.app import ApiConfig, Ports, create_api
from csms.api.server import ApiServer
from csms.bus.local import LocalBus
from csms.clock import SystemClock
from csms.domain.events import SessionsChanged
from csms.ocppj.schemas import Schemas
from csms.store import migrate
from csms.store.database import Database
from csms.store.embedded import EmbeddedPostgres
from csms.store.unit_of_work import SqlUnitsOfWork
from tests.api.bench import ADMIN, SECRET, FakeAllocator, FakeGateway

TOPICS = "stations,sessions,sites,attention,today"
SECONDS = 10

_STATIONS = """
INSERT INTO charge_points (identity, name, site_id, connector_count)
SELECT 'CP' || n, 'Station ' || n, 's', 2 FROM generate_series(1, $1::int) n
"""
_CONNECTORS = """
INSERT INTO connectors (charge_point_id, connector_id, status, error_code, received_at)
SELECT c.id, n, CASE n WHEN 1 THEN 'Charging' ELSE 'Available' END, 'NoError', now()
FROM charge_points c, generate_series(1, 2) n
"""
_SESSIONS = """
INSERT INTO transactions (charge_point_id, connector_id, site_id, id_tag, id_tag_key, id_tag_status,
    meter_start_wh, started_at, start_received_at, price_per_kwh, currency)
SELECT id, 1, 's', 'T' || id, 'T' || id, 'Accepted', 0, now(), now(), 0.3, 'EUR'
FROM charge_points RETURNING id
"""
_METER = """
UPDATE transactions SET register_wh = coalesce(register_wh, 0) + 3,
    power_w = 7000 + (random() * 4000)::int
WHERE id = ANY($1::int[])
"""
MOST_A_SECOND = 1_000  # sessions with new values: what stations send in a second


async def play(url: str, stations: int) -> None:
    """Measure and print one line of each kind."""
    clock, bus, database = SystemClock(), LocalBus(), Database(url)
    gateway = FakeGateway(clock)
    sql = await asyncpg.connect(url)
    await sql.execute("TRUNCATE charge_points, transactions, sites CASCADE")
    await sql.execute("INSERT INTO sites (id, name, grid_limit_w) VALUES ('s', 'S', 10000000)")
    await sql.execute(_STATIONS, stations)
    await sql.execute(_CONNECTORS)
    rounds = -(-stations // MOST_A_SECOND)
    sessions = [row["id"] for row in await sql.fetch(_SESSIONS)]
    gateway.online_keys.update(row["id"] for row in await sql.fetch("SELECT id FROM charge_points"))
    ports = Ports(
        units=SqlUnitsOfWork(database),
        gateway=gateway,
        schemas=Schemas(),
        allocator=FakeAllocator(clock, url),
        bus=bus,
        clock=clock,
    )
    api = create_api(ports, ApiConfig(version="0", secret=SECRET, admin_token=ADMIN))
    server = ApiServer(api.app, host="127.0.0.1", port=0)
    await server.start()
    async with asyncio.TaskGroup() as tasks:
        loops = [tasks.create_task(supervise(n, b, clock)) for n, b in api.loops.items()]
        longest = [0.0]
        loops.append(tasks.create_task(_watch_loop(longest)))
        for name, cockpits, changes in (
            ("nobody", 0, True),
            ("one cockpit", 1, True),
            ("ten cockpits", 10, True),
            ("one cockpit, nothing changes", 1, False),
        ):
            async with _cockpits(server.port, cockpits) as lines:
                begun, longest[0] = time.process_time(), 0.0
                for _ in range(cockpits and 1):
                    print(f"{stations:>6} {name:30} first frames: {await lines()}", end="; ")
                    kept = longest[0] * 1000
                    print(f"CPU {time.process_time() - begun:.3f} s, loop kept {kept:.0f} ms")
                longest[0], begun = 0.0, time.process_time()
                for second in range(SECONDS):
                    end = time.monotonic() + 1
                    if changes:
                        metered = sessions[second % rounds :: rounds]
                        await sql.execute(_METER, metered)
                        bus.publish(SessionsChanged(frozenset(metered)))
                    await asyncio.sleep(max(0, end - time.monotonic()))
                spent = (time.process_time() - begun) / SECONDS * 100
                kept = longest[0] * 1000
                text = (
                    f"{stations:>6} {name:30} CPU {spent:5.1f} % of a core, loop kept {kept:.0f} ms"
                )
                print(text, flush=True)
        for loop in loops:
            loop.cancel()
    await server.stop()
    await sql.close()
    await database.close()


async def _watch_loop(longest: list[float]) -> None:
    while True:
        begun = time.monotonic()
        await asyncio.sleep(0.001)
        longest[0] = max(longest[0], time.monotonic() - begun - 0.001)


@contextlib.asynccontextmanager
async def _cockpits(port: int, count: int):
    """Run cockpits in a process of their own; gives what waits for their snapshots."""
    if not count:
        yield None
        return
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.live", "--watch", str(port), str(count),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip

    async def first() -> str:
        return (await process.stdout.readline()).decode().strip()

    try:
        yield first
    finally:
        process.terminate()
        await process.wait()


async def watch(port: int, count: int) -> None:
    """Play cockpits: read all that comes."""
    url = f"http://127.0.0.1:{port}/ws/live?topics={TOPICS}"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {ADMIN}"}) as client:
        begun = time.monotonic()
        sockets = [await client.ws_connect(url, max_msg_size=0) for _ in range(count)]
        size = 0
        for socket in sockets:
            for _ in TOPICS.split(","):
                size += len((await socket.receive()).data)
        took = time.monotonic() - begun
        print(f"{size / count / 1000:.0f} kB each within {took:.2f} s", flush=True)

        async def read(socket: aiohttp.ClientWebSocketResponse) -> None:
            async for _ in socket:
                pass

        await asyncio.gather(*(read(socket) for socket in sockets))


def main() -> None:
    """Read the command line and play."""
    if sys.argv[1:2] == ["--watch"]:
        asyncio.run(watch(int(sys.argv[2]), int(sys.argv[3])))
        return
    import uvloop

    sizes = [int(text) for text in sys.argv[1:]] or [1_000, 10_000]
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(Path(folder) / "postgres") as postgres,
    ):
        asyncio.run(migrate.upgrade(postgres.url))
        for stations in sizes:
            uvloop.run(play(postgres.url, stations))


if __name__ == "__main__":
    main()
