"""How fast a limit that drops reaches a large site: `.venv/bin/python -m bench.limit_drop`.

One site, 1,000 charge points on real sockets, all charging, the server a process with its embedded
Postgres. The grid's limit is halved by `POST /api/sites/s/limits`, again and again; measured on one
clock, in this process, from the request until the last decrease has arrived; the commit of the
limit lies in between, so what the server takes from there is less. A recomputation that changes
nothing must send nothing. Prints a table and writes `bench/limit_drop.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

from bench.limits import ChargePoint
from tests.chaos.server import Server, free_ports
from tests.waiting import wait_until

STATIONS = 1000
LIMIT_KW = 11 * STATIONS
TARGET_MS = 250.0
OUT = Path(__file__).with_suffix(".json")


def downs(stations: list[ChargePoint]) -> list[float]:
    """Return when decreases have come since the last time."""
    found = [
        at
        for cp in stations
        for at, before, limit in cp.arrivals
        if before is not None and limit < before
    ]
    for cp in stations:
        cp.arrivals.clear()
    return found


async def measure(rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="csms-bench-") as folder:
        ocpp_port, http_port = free_ports()
        server = Server(Path(folder), ocpp_port=ocpp_port, http_port=http_port)
        try:
            await server.start()
            return await _measure(server, rounds)
        finally:
            await server.stop()


async def _measure(server: Server, rounds: int) -> dict[str, Any]:
    await server.ask("POST", "/api/sites", {"id": "s", "name": "S", "gridCapacityKw": LIMIT_KW})
    # leases would be told once the fallback shares are known; this is about the drop
    await server.ask("PATCH", "/api/sites/s/rules", {"leaseS": 0, "reclaim": False})
    await server.ask("POST", "/api/id-tags", {"idTag": "TAG", "status": "Accepted"})
    names = [f"CP{number:03}" for number in range(STATIONS)]
    for name in names:
        await server.ask("POST", "/api/stations", {"identity": name, "name": name, "maxKw": 22})
    form = {
        "gridCapacity": LIMIT_KW,
        "chargers": [{"id": name, "maxPower": 22, "connectors": 1} for name in names],
    }
    await server.ask("PUT", "/api/sites/s/config", form)
    async with AsyncExitStack() as sockets, asyncio.TaskGroup() as tasks:
        stations = []
        for number in range(STATIONS):
            url = f"{server.ocpp_url}/CP{number:03}"
            wire = await sockets.enter_async_context(
                connect(url, subprotocols=["ocpp1.6"], compression=None)
            )
            stations.append(ChargePoint(number, wire))
            tasks.create_task(stations[-1].run())
        await asyncio.gather(*(cp.boot() for cp in stations))
        await wait_until(lambda: all(cp.floored for cp in stations), 120, what="floors")
        await asyncio.gather(*(cp.start() for cp in stations))
        everybody = 200.0
        await wait_until(
            lambda: all(cp.limit_a is not None for cp in stations), everybody, what="limits"
        )
        await asyncio.sleep(20)
        downs(stations)
        figures, counts = [], []
        for _ in range(rounds):
            body = {"limitKw": LIMIT_KW / 2, "reason": "drop"}
            asked = time.perf_counter()
            limit = await server.ask("POST", "/api/sites/s/limits", body)
            answered = time.perf_counter()
            await wait_until(lambda: len(_came(stations)) >= STATIONS, 30, what="decreases")
            times = downs(stations)
            figures.append({"answerMs": answered - asked, "lastMs": max(times) - asked})
            counts.append(len(times))
            await asyncio.sleep(20)
            downs(stations)
            before = sum(len(cp.arrivals) for cp in stations)
            await server.ask("PATCH", "/api/sites/s", {"gridCapacityKw": LIMIT_KW})
            await asyncio.sleep(6)
            noops = sum(len(cp.arrivals) for cp in stations) - before
            await server.ask("DELETE", f"/api/sites/s/limits/{limit['id']}")
            await asyncio.sleep(40)
            downs(stations)
        for cp in stations:
            await cp.close()
    last = [row["lastMs"] * 1000 for row in figures]
    return {
        "stations": STATIONS,
        "targetMs": TARGET_MS,
        "decreases": counts,
        "lastDecreaseMs": [round(ms, 1) for ms in last],
        "medianMs": round(statistics.median(last), 1),
        "sentByNoOp": noops,
    }


def _came(stations: list[ChargePoint]) -> list[float]:
    return [
        at
        for cp in stations
        for at, before, limit in cp.arrivals
        if before is not None and limit < before
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast a limit that drops gets through.")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    result = asyncio.run(measure(arguments.rounds))
    print(json.dumps(result, indent=1))
    OUT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
