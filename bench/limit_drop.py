"""How fast a limit that drops reaches a large site: `.venv/bin/python -m bench.limit_drop`.

One site, 1,000 charge points on real sockets, all charging and sending meter values, the server a
process with its embedded Postgres. The grid's limit is halved by `POST /api/sites/s/limits`, taken
back, and again. Measured from just before the commit of the limit (its `created_at`), on one clock:

* sent: until the server has written the last decrease to its socket, by its own message log;
* came: until the last decrease has arrived here.

Charge points answer 100 ms after a limit has come, as on a network. A recomputation that changes
nothing must send nothing. Prints what it writes to `bench/limit_drop.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from bench.bare_charge_point import BareChargePoint
from bench.limits import cpu_s
from csms.store.embedded_attach import running_url
from tests.chaos.server import Server
from tests.ports import steady_port
from tests.waiting import wait_until

STATIONS = 1000
LIMIT_KW = 11 * STATIONS
MAX_W = 22_000
METER_EVERY_S = 60.0
TARGET_MS = 250.0
OUT = Path(__file__).with_suffix(".json")

_STATIONS = """
INSERT INTO charge_points (identity, name, site_id, max_power_w)
SELECT name, name, 's', $2 FROM unnest($1::text[]) AS name
"""
_LAST_SENT = """
SELECT max(at) FROM ocpp_messages
WHERE direction = 'out' AND action = 'SetChargingProfile' AND at BETWEEN $1 AND $2
"""


class Site:
    """The charge points, the server and its database."""

    def __init__(self, server: Server, sql: asyncpg.Connection, stations: int) -> None:
        self.server = server
        self.sql = sql
        self.stations = [BareChargePoint(f"CP{number:04}") for number in range(stations)]
        self.limit_kw = LIMIT_KW * stations // STATIONS

    async def build(self) -> None:
        """Set the site up; its stations come as rows, to save time."""
        ask = self.server.ask
        await ask("POST", "/api/sites", {"id": "s", "name": "S", "gridCapacityKw": self.limit_kw})
        # leases would be told once the fallback shares are known; this is about the drop
        await ask("PATCH", "/api/sites/s/rules", {"leaseS": 0, "reclaim": False})
        await ask("POST", "/api/id-tags", {"idTag": "TAG", "status": "Accepted"})
        names = [cp.identity for cp in self.stations]
        await self.sql.execute(_STATIONS, names, MAX_W)

    async def fill(self) -> None:
        """Connect everybody and let them charge."""
        for cp in self.stations:
            await cp.connect(self.server.ocpp_url)
        await asyncio.gather(*(cp.boot() for cp in self.stations))
        await self._until(lambda cp: cp.floored, "floors")
        await asyncio.gather(*(cp.start() for cp in self.stations))
        await self.has_full()

    async def meters(self) -> None:
        """Send meter values for ever, evenly spread."""
        while True:
            for cp in self.stations:
                await cp.meter()
                await asyncio.sleep(METER_EVERY_S / len(self.stations))

    async def has_full(self) -> None:
        """Wait until everybody has his share of the full limit."""
        share = self.limit_kw * 1000 / len(self.stations) / 690
        await self._until(lambda cp: (cp.limit_a or 0) > share - 1, "full shares")

    async def drop(self, share: float) -> dict[str, float]:
        """Let the limit drop to a share of itself and return what was measured, in ms."""
        for cp in self.stations:
            cp.arrivals.clear()
        body = {"limitKw": self.limit_kw * share, "reason": "drop"}
        cpu, began = cpu_s(self.server.pid), time.time()
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(self._post(body))
            await self._until(lambda cp: any(_falls(each) for each in cp.arrivals), "decreases")
            used = [now - then for now, then in zip(cpu_s(self.server.pid), cpu, strict=True)]
        limit, answered = asking.result()
        came = [at for cp in self.stations for at, before, now in cp.take_arrivals(_is_lower)]
        committed = await self.sql.fetchval(
            "SELECT created_at FROM site_limits WHERE id = $1", int(limit["id"])
        )
        sent = await self._last_sent(committed)
        await self.server.ask("DELETE", f"/api/sites/s/limits/{limit['id']}")
        return {
            "decreases": len(came),
            "sentMs": (sent - committed).total_seconds() * 1000,
            "cameMs": (max(came) - committed.timestamp()) * 1000,
            "firstMs": (min(came) - committed.timestamp()) * 1000,
            "answerMs": (answered - began) * 1000,
            "serverCpuMs": used[0] * 1000,
            "postgresCpuMs": used[1] * 1000,
        }

    async def _post(self, body: dict[str, Any]) -> tuple[Any, float]:
        return await self.server.ask("POST", "/api/sites/s/limits", body), time.time()

    async def _last_sent(self, committed: datetime) -> datetime:
        """Return when the last limit was written; the log is stored a little later."""
        soon = timedelta(seconds=5)

        async def all_logged() -> bool:
            count = await self.sql.fetchval(
                _LAST_SENT.replace("max(at)", "count(*)"), committed, committed + soon
            )
            return bool(count >= len(self.stations))

        await wait_until(all_logged, 30, what="the log of the decreases")
        found = await self.sql.fetchval(_LAST_SENT, committed, committed + soon)
        assert isinstance(found, datetime)
        return found

    async def no_op(self) -> int:
        """Recompute without a change and return how many limits were sent for it."""
        before = sum(cp.told for cp in self.stations)
        await self.server.ask("PATCH", "/api/sites/s", {"gridCapacityKw": self.limit_kw})
        # what was sent before the answer to a heartbeat has come before it
        await asyncio.gather(*(cp.call("Heartbeat", {}) for cp in self.stations))
        return sum(cp.told for cp in self.stations) - before

    async def _until(self, is_so: Any, what: str) -> None:
        await wait_until(lambda: all(is_so(cp) for cp in self.stations), 300, what=what)


def _is_lower(before: float | None, now: float) -> bool:
    return before is not None and now < before


def _falls(arrival: tuple[float, float | None, float]) -> bool:
    return _is_lower(*arrival[1:])


async def measure(rounds: int, stations: int) -> dict[str, Any]:
    """Start a server and measure so many drops."""
    with tempfile.TemporaryDirectory(prefix="csms-bench-") as folder:
        ocpp_port, http_port = steady_port(), steady_port()
        server = Server(Path(folder), ocpp_port=ocpp_port, http_port=http_port)
        try:
            await server.start()
            url = running_url(server.postgres_folder)
            assert url is not None
            sql = await asyncpg.connect(url)
            try:
                return await _measure(Site(server, sql, stations), rounds)
            finally:
                await sql.close()
        finally:
            await server.stop()


async def _measure(site: Site, rounds: int) -> dict[str, Any]:
    await site.build()
    await site.fill()
    figures, no_ops, chance = [], [], random.Random(1)
    async with asyncio.TaskGroup() as tasks:
        metering = tasks.create_task(site.meters())
        for _ in range(rounds):
            no_ops.append(await site.no_op())
            await asyncio.sleep(chance.uniform(1.0, 3.0))  # limits drop at any moment
            figures.append(await site.drop(0.5))
            await site.has_full()
        metering.cancel()
    for cp in site.stations:
        cp.close()
    return {
        "stations": len(site.stations),
        "targetMs": TARGET_MS,
        "loadAverage": round(os.getloadavg()[0], 1),
        **{
            f"{name}Ms": {
                what: round(of([row[what] for row in figures]), 1)
                for what in figures[0]
                if what != "decreases"
            }
            for name, of in (("min", min), ("median", statistics.median), ("max", max))
        },
        "rounds": [{name: round(value, 1) for name, value in row.items()} for row in figures],
        "sentByNoOp": no_ops,
    }


def main() -> None:
    """Measure and write the result down."""
    parser = argparse.ArgumentParser(description="How fast a limit that drops gets through.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--stations", type=int, default=STATIONS)
    parser.add_argument("--keep", action="store_true", help="do not write the result down")
    arguments = parser.parse_args()
    result = asyncio.run(measure(arguments.rounds, arguments.stations))
    text = json.dumps(result, indent=1)
    print(text)
    if not arguments.keep:
        OUT.write_text(text + "\n")


if __name__ == "__main__":
    main()
