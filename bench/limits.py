"""How fast limits reach the chargers of a large site: `.venv/bin/python -m bench.limits`.

One site, 100 charge points on real sockets, the server a process with its embedded Postgres. With
nearly all of them charging, sessions stop and start, one at a time and in bursts, while everybody
sends meter values; each of these changes the share of all others. Measured on one clock, in this
process, from the moment a StartTransaction or StopTransaction is sent:

* decreases: until the last decrease that it causes has arrived;
* own limit: until the session that starts has its own, which needs the room of the others, so that
  their meters have told that they follow;
* increases: until the last charger has the room that a session has left; raises on one charger are
  30 s apart, and small ones wait.

Prints a table and writes `bench/limits.json`. The charge points answer at once, so the figures are
the server's.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import socket
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.chaos.server import Server
from tests.waiting import wait_until

STATIONS = 100
LIMIT_KW = 500
METER_EVERY_S = 10.0
VOLTS = 690  # three phases of 230 V
TARGET_MS = 1000.0
PATIENCE_S = 120.0
OUT = Path(__file__).with_suffix(".json")


class ChargePoint:
    """One charge point: takes every limit at once and notes when it came."""

    def __init__(self, number: int, socket: ClientConnection) -> None:
        self.number = number
        self.identity = f"CP{number:03}"
        self._socket = socket
        self._ids = itertools.count()
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self.transaction: int | None = None
        self.limit_a: float | None = None
        self.floored = False
        self.energy_wh = 0
        self.arrivals: list[tuple[float, float | None, float]] = []  # when, limit before, limit

    async def run(self) -> None:
        async for raw in self._socket:
            at = time.perf_counter()
            frame = json.loads(raw)
            if frame[0] == 3:
                self._answers.pop(frame[1]).set_result(frame[2])
                continue
            assert frame[0] == 2, frame
            await self._socket.send(json.dumps([3, frame[1], {"status": "Accepted"}]))
            profile = frame[3]["csChargingProfiles"]
            limit = profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]
            if profile["chargingProfilePurpose"] == "TxDefaultProfile":
                self.floored = True
            elif profile["transactionId"] == self.transaction:
                self.arrivals.append((at, self.limit_a, limit))
                self.limit_a = limit

    async def close(self) -> None:
        await self._socket.close()

    async def call(self, action: str, payload: dict[str, Any]) -> Any:
        name = str(next(self._ids))
        self._answers[name] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps([2, name, action, payload]))
        return await self._answers[name]

    async def boot(self) -> None:
        await self.call("BootNotification", {"chargePointVendor": "B", "chargePointModel": "B"})
        for connector in (0, 1):
            await self.status("Available", connector)

    async def status(self, status: str, connector: int = 1) -> None:
        payload = {"connectorId": connector, "status": status, "errorCode": "NoError"}
        await self.call("StatusNotification", payload)

    async def start(self) -> float:
        """Start a session; returns when its answer came."""
        payload = {
            "connectorId": 1,
            "idTag": "TAG",
            "meterStart": self.energy_wh,
            "timestamp": _now(),
        }
        self.limit_a = None
        answer = await self.call("StartTransaction", payload)
        self.transaction = answer["transactionId"]
        return time.perf_counter()

    async def stop(self) -> float:
        payload = {
            "transactionId": self.transaction,
            "meterStop": self.energy_wh,
            "timestamp": _now(),
        }
        self.transaction, self.limit_a = None, None
        await self.call("StopTransaction", payload)
        return time.perf_counter()

    async def meter(self) -> None:
        """Send a reading if it charges."""
        if self.transaction is None:
            return
        self.energy_wh += 10
        power = round((self.limit_a or 0) * VOLTS)
        samples = [
            {"value": str(self.energy_wh), "measurand": "Energy.Active.Import.Register"},
            {"value": str(power), "measurand": "Power.Active.Import", "unit": "W"},
        ]
        payload = {
            "connectorId": 1,
            "transactionId": self.transaction,
            "meterValue": [{"timestamp": _now(), "sampledValue": samples}],
        }
        await self.call("MeterValues", payload)


class Site:
    """All charge points, and what each should be told in the end."""

    def __init__(self, stations: list[ChargePoint]) -> None:
        self.stations = stations

    @property
    def charging(self) -> list[ChargePoint]:
        return [cp for cp in self.stations if cp.transaction is not None]

    @property
    def idle(self) -> list[ChargePoint]:
        return [cp for cp in self.stations if cp.transaction is None]

    def is_settled(self) -> bool:
        """Whether everybody is near the fair share, and less than 3 A is left of the site."""
        charging = self.charging
        if not charging:
            return True
        share_a = min(22_000, LIMIT_KW * 1000 // len(charging)) / VOLTS
        told = [cp.limit_a for cp in charging if cp.limit_a is not None]
        near = len(told) == len(charging) and all(
            share_a * 2 / 3 - 0.1 <= limit <= share_a * 1.5 for limit in told
        )
        spare_a = min(LIMIT_KW * 1000 / VOLTS, len(charging) * 22_000 / VOLTS) - sum(told)
        return near and spare_a + 0.01 >= 0 and spare_a < 3 + 0.1 * len(charging)

    async def settle(self, what: str) -> None:
        deadline = time.perf_counter() + PATIENCE_S
        while not self.is_settled():
            if time.perf_counter() > deadline:
                limits = sorted((cp.identity, cp.limit_a) for cp in self.charging)
                raise SystemExit(f"not settled after {PATIENCE_S:g} s: {what}: {limits}")
            await asyncio.sleep(0.002)

    def take(self) -> list[tuple[ChargePoint, float, float | None, float]]:
        """Return what has arrived since the last time."""
        found = [(cp, *arrival) for cp in self.stations for arrival in cp.arrivals]
        for cp in self.stations:
            cp.arrivals.clear()
        return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cpu_s(pid: int) -> tuple[float, float]:
    """Return the CPU seconds of a process, and of all that it has started."""
    ticks = os.sysconf("SC_CLK_TCK")
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
            used[int(entry.name)] = (int(fields[11]) + int(fields[12])) / ticks

    def is_below(one: int) -> bool:
        while one in parents:
            one = parents[one]
            if one == pid:
                return True
        return False

    return used[pid], sum(seconds for one, seconds in used.items() if is_below(one))


async def one_by_one(site: Site, rounds: int, chance: random.Random) -> dict[str, list[float]]:
    """Stop and start sessions, each after the former has settled."""
    found: dict[str, list[float]] = {
        "decreases": [],
        "own limit": [],
        "increases": [],
        "answer": [],
    }
    for _ in range(rounds):
        for starts in (False, True):
            cp = chance.choice(site.idle if starts else site.charging)
            site.take()
            sent = time.perf_counter()
            answered = await (cp.start() if starts else cp.stop())
            await site.settle("a session that starts" if starts else "a session that stops")
            found["answer"].append(answered - sent)
            _sort(site, [cp] if starts else [], sent, found)
    return found


async def bursts(
    site: Site, rounds: int, size: int, chance: random.Random
) -> dict[str, list[float]]:
    """Stop and start many sessions at once."""
    found: dict[str, list[float]] = {
        "decreases": [],
        "own limit": [],
        "increases": [],
        "answer": [],
    }
    for _ in range(rounds):
        for starts in (False, True):
            some = chance.sample(site.idle if starts else site.charging, size)
            site.take()
            sent = time.perf_counter()
            ends = await asyncio.gather(*((cp.start() if starts else cp.stop()) for cp in some))
            await site.settle("a burst")
            found["answer"] += [end - sent for end in ends]
            _sort(site, some if starts else [], sent, found)
    return found


def _sort(
    site: Site, started: list[ChargePoint], sent: float, found: dict[str, list[float]]
) -> None:
    """Note the last decrease, the last increase and the own limits that came since `sent`."""
    arrivals = site.take()
    downs = [at for _, at, before, limit in arrivals if before is not None and limit < before]
    ups = [at for _, at, before, limit in arrivals if before is not None and limit > before]
    own = {cp.identity: at for cp, at, _, _ in arrivals if cp in started}
    found["own limit"] += [at - sent for at in own.values()]
    if downs and started:
        found["decreases"].append(max(downs) - sent)
    if ups and not started:
        found["increases"].append(max(ups) - sent)


def figures(seconds: list[float]) -> dict[str, float]:
    """Return count, p50, p99 and max in ms; only the count where nothing was measured."""
    ms = sorted(s * 1000 for s in seconds)
    if not ms:  # as of raises that were too small to be told at once
        return {"count": 0}
    at_99 = ms[min(len(ms) - 1, int(len(ms) * 0.99))]
    return {
        "count": len(ms),
        "p50Ms": round(statistics.median(ms), 1),
        "p99Ms": round(at_99, 1),
        "maxMs": round(ms[-1], 1),
    }


async def measure(rounds: int, burst_rounds: int) -> dict[str, Any]:
    chance = random.Random(1)
    with tempfile.TemporaryDirectory(prefix="csms-bench-") as folder:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            two.bind(("127.0.0.1", 0))
            ports = one.getsockname()[1], two.getsockname()[1]
        server = Server(Path(folder), ocpp_port=ports[0], http_port=ports[1])
        try:
            await server.start()
            return await _measure(server, rounds, burst_rounds, chance)
        finally:
            await server.stop()


async def _measure(
    server: Server, rounds: int, burst_rounds: int, chance: random.Random
) -> dict[str, Any]:
    site_body = {"id": "s", "name": "S", "gridCapacityKw": LIMIT_KW}
    await server.ask("POST", "/api/sites", site_body)
    await server.ask("POST", "/api/id-tags", {"idTag": "TAG", "status": "Accepted"})
    for number in range(STATIONS):
        name = f"CP{number:03}"
        body = {"identity": name, "name": name, "maxKw": 22, "siteId": "s"}
        await server.ask("POST", "/api/stations", body)
    async with AsyncExitStack() as sockets, asyncio.TaskGroup() as tasks:
        stations = []
        for number in range(STATIONS):
            wire = await sockets.enter_async_context(
                connect(
                    f"{server.ocpp_url}/CP{number:03}", subprotocols=["ocpp1.6"], compression=None
                )
            )
            cp = ChargePoint(number, wire)
            stations.append(cp)
            tasks.create_task(cp.run())
        site = Site(stations)
        await asyncio.gather(*(cp.boot() for cp in stations))
        await wait_until(lambda: all(cp.floored for cp in stations), 30, what="floors")
        for cp in stations[:95]:
            await cp.start()
        await site.settle("the first 95 sessions")

        async def meters() -> None:
            while True:
                for cp in stations:
                    await cp.meter()
                    await asyncio.sleep(METER_EVERY_S / STATIONS)

        metering = tasks.create_task(meters())
        wall, (own, below) = time.perf_counter(), cpu_s(server.pid)
        single = await one_by_one(site, rounds, chance)
        many = await bursts(site, burst_rounds, 20, chance)
        wall = time.perf_counter() - wall
        own_after, below_after = cpu_s(server.pid)
        metering.cancel()
        await asyncio.wait([metering])
        for cp in stations:
            await cp.close()
    return {
        "stations": STATIONS,
        "targetP99Ms": TARGET_MS,
        "single": {name: figures(seconds) for name, seconds in single.items()},
        "burstOf20": {name: figures(seconds) for name, seconds in many.items()},
        "serverCpuPercent": round((own_after - own) / wall * 100),
        "postgresCpuPercent": round((below_after - below) / wall * 100),
        "wallS": round(wall, 1),
    }


def table(result: dict[str, Any]) -> str:
    lines = [f"{'ms after the request':32}{'count':>7}{'p50':>9}{'p99':>9}{'max':>9}"]
    for case in ("single", "burstOf20"):
        for name, row in result[case].items():
            lines.append(
                f"{case + ': ' + name:32}{row['count']:>7}"
                + "".join(f"{row.get(what, '-'):>9}" for what in ("p50Ms", "p99Ms", "maxMs"))
            )
    lines.append(
        f"CPU: server {result['serverCpuPercent']} %, Postgres {result['postgresCpuPercent']} %"
        f" of one core over {result['wallS']} s"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast limits reach the chargers of a site.")
    parser.add_argument("--rounds", type=int, default=60, help="sessions that stop and start")
    parser.add_argument("--bursts", type=int, default=10, help="times that 20 stop and start")
    arguments = parser.parse_args()
    result = asyncio.run(measure(arguments.rounds, arguments.bursts))
    print(table(result))
    OUT.write_text(json.dumps(result, indent=1) + "\n")
    worst = max(result[case]["decreases"].get("p99Ms", 0.0) for case in ("single", "burstOf20"))
    print(f"target: p99 below {TARGET_MS:.0f} ms: {'kept' if worst < TARGET_MS else 'MISSED'}")


if __name__ == "__main__":
    main()
