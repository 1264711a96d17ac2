"""Real kills over real sockets: `.venv/bin/python -m tests.proof.kills [kills] [--seed N]`.

A server of its own with its own database, charge points that enforce what they were told, cars that
come and go, a limit that moves, and the server killed at any moment. The observer adds up what the
charge points may be drawing after every change on their side, and all the time in between.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.server import Server
from tests.ports import steady_port
from tests.proof.sockets import MAX_W, Site
from tests.waiting import wait_until

STATIONS = 6
LIMIT_W = 60_000


@dataclass
class Report:
    kills: int
    limits: int
    violations: list[str]


async def play(folder: Path, kills: int, seed: int) -> Report:
    """Kill a server so many times while its site is busy."""
    ocpp_port, http_port = steady_port(), steady_port()
    server = Server(folder, ocpp_port=ocpp_port, http_port=http_port)
    try:
        await server.start()
        return await _play(server, kills, seed)
    finally:
        await server.stop()
        server.close()


async def _play(server: Server, kills: int, seed: int) -> Report:
    site = Site(server.ocpp_url, STATIONS, LIMIT_W, seed)
    await server.ask("POST", "/api/sites", {"id": "s", "name": "S", "gridCapacityKw": 60})
    await server.ask("POST", "/api/id-tags", {"idTag": "TAG", "status": "Accepted"})
    for point in site.points:
        body = {
            "identity": point.identity,
            "name": point.identity,
            "maxKw": MAX_W / 1000,
            "connectors": 1,
            "siteId": "s",
        }
        await server.ask("POST", "/api/stations", body)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(point.run()) for point in site.points]
        running.append(tasks.create_task(_cars(site)))
        running.append(tasks.create_task(_look(site)))
        await wait_until(lambda: site.limits_taken >= STATIONS, 60, what="fallback shares")
        seen = 0
        for _ in range(kills):
            seen = site.limits_taken
            await asyncio.sleep(site.chance.uniform(0.5, 3.0))
            if site.chance.random() < 0.5:
                limit_kw = site.chance.choice([30, 45, 60])
                site.move_limit(limit_kw * 1000)
                await server.ask("PATCH", "/api/sites/s", {"gridCapacityKw": limit_kw})
                site.told()
                await asyncio.sleep(site.chance.uniform(0, 0.3))
            await server.kill()
            await server.start()
            # everybody is told anew; the next kill comes in the middle of that, or later
            await wait_until(lambda seen=seen: site.limits_taken > seen, 60, what="a limit")
        # at the end all of them
        await wait_until(lambda: site.limits_taken >= seen + STATIONS, 60, what="all limits")
        await asyncio.sleep(2)
        for task in running:
            task.cancel()
    return Report(kills, site.limits_taken, site.violations)


async def _cars(site: Site) -> None:
    while True:
        await asyncio.sleep(site.chance.uniform(0.1, 0.8))
        point = site.chance.choice(site.points)
        if point.car.transaction is None:
            point.plug_in()
        elif site.chance.random() < 0.3:
            point.unplug()


async def _look(site: Site) -> None:
    while True:
        await asyncio.sleep(0.02)
        site.observe("meanwhile")


def main() -> int:
    parser = argparse.ArgumentParser(description="No instant over a limit through real kills.")
    parser.add_argument("kills", type=int, nargs="?", default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="csms-kills-") as folder:
        report = asyncio.run(play(Path(folder), given.kills, given.seed))
    for text in report.violations[:10]:
        sys.stdout.write(f"{text}\n")
    sys.stdout.write(
        f"{report.kills} kills, {report.limits} limits taken: "
        f"{len(report.violations)} looks over a limit\n"
    )
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
