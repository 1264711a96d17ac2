"""What a control step of a large site costs the event loop: `.venv/bin/python -m bench.limit_step`.

One site, its chargers' ends of the wire and the clock are the bench's; the control loop, its store
and Postgres are real. Everybody charges under half of what all could draw. Measured in CPU seconds
of this thread, so that a busy machine does not matter:

* step: all that a step costs, reading, deciding and writing included;
* stretch: the longest piece of it in which the event loop could do nothing else.

Cases: a session's meter tells another power; a session comes; the site's limit drops. Prints a
table and writes `bench/limit_step.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg

from csms.aio import loop_turn
from csms.bus.local import LocalBus
from csms.domain.ids import ChargePointKey, SiteId
from csms.services.ports.gateway import Answer
from csms.services.smart_charging import SmartCharging
from csms.store.control import SqlControlStore
from csms.store.database import Database
from tests.fakes import FakeClock
from tests.postgres import OwnPostgres, fresh_database
from tests.waiting import wait_until

OUT = Path(__file__).with_suffix(".json")
SIZES = (100, 1000, 10_000)
CIRCUITS = 10
MAX_W = 22_000
SITE = SiteId("s")
_ROUNDS = 7
_SETTLES_IN = 40

_STATIONS = """
INSERT INTO charge_points (identity, name, site_id, max_power_w, circuit_id, registration, node,
    connected_at, quiet)
SELECT format('CP%s', n), format('CP%s', n), 's', $2, format('c%s', n % $3), 'Accepted', 'node',
    $4, true
FROM generate_series(1, $1::int) AS n
"""
_START = """
INSERT INTO transactions (charge_point_id, connector_id, site_id, id_tag, id_tag_key,
    id_tag_status, meter_start_wh, started_at, start_received_at, price_per_kwh, currency)
SELECT id, 1, 's', 'T', 'T', 'Accepted', 0, $1, $1, 0, 'EUR' FROM charge_points
WHERE identity = ANY($2::text[])
"""
_METER_ALL = """
UPDATE transactions t SET power_w = l.acknowledged_w, metered_at = $1, metered_received_at = $1
FROM charging_limits l
WHERE l.charge_point_id = t.charge_point_id AND l.connector_id = 1 AND t.active
"""
_METER_ONE = """
UPDATE transactions SET power_w = power_w - 300, metered_at = $1, metered_received_at = $1
WHERE charge_point_id = (SELECT id FROM charge_points WHERE identity = $2) AND active
"""


class Wire:
    """Charge points that take every limit at once."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.told = 0

    async def call(
        self,
        charge_point: ChargePointKey,
        action: str,
        payload: Mapping[str, Any],
        *,
        message_id: str,
        timeout_s: float | None = None,
    ) -> Answer:
        """Accept it."""
        self.told += 1
        now = self._clock.now()
        return Answer(payload={"status": "Accepted"}, sent_at=now, answered_at=now)

    def is_online(self, charge_point: ChargePointKey) -> bool:
        """Everybody is."""
        return True

    def online(self) -> int:
        """Nobody asks."""
        return 0


class Stretches:
    """CPU seconds of the callbacks that the event loop has run: their sum and the longest one."""

    def __init__(self) -> None:
        self.total = 0.0
        self.longest = 0.0
        self.count = 0

    @contextmanager
    def watched(self) -> Any:
        """Watch what the loop runs inside."""
        # the one place that every callback of the loop passes
        run = asyncio.events.Handle._run  # noqa: SLF001

        def timed(handle: Any) -> None:
            began = time.thread_time()
            run(handle)
            took = time.thread_time() - began
            self.count += 1
            self.total += took
            self.longest = max(self.longest, took)

        asyncio.events.Handle._run = timed  # noqa: SLF001
        try:
            yield self
        finally:
            asyncio.events.Handle._run = run  # noqa: SLF001


class Bench:
    """A site on which so many charge."""

    def __init__(self, database: Database, sql: asyncpg.Connection, sessions: int) -> None:
        self.sql, self.sessions = sql, sessions
        self.clock = FakeClock()
        self.wire = Wire(self.clock)
        self.charging = SmartCharging(
            SqlControlStore(database), self.wire, LocalBus(), self.clock, node="node"
        )

    async def build(self) -> None:
        """Fill the database; one charger stays free."""
        half_w = self.sessions * MAX_W // 2
        await self.sql.execute(
            "INSERT INTO sites (id, name, grid_limit_w, rules) VALUES ('s', 'S', $1, $2)",
            half_w,
            json.dumps({"lease_s": 900}),
        )
        await self.sql.execute(
            "INSERT INTO circuits (site_id, id, limit_w)"
            " SELECT 's', format('c%s', n), $1 FROM generate_series(0, $2::int - 1) AS n",
            half_w // CIRCUITS * 2,
            CIRCUITS,
        )
        await self.sql.execute(
            _STATIONS, self.sessions + 1, MAX_W, CIRCUITS, self.clock.now() - timedelta(hours=1)
        )
        names = [f"CP{n}" for n in range(1, self.sessions + 1)]
        await self.sql.execute(_START, self.clock.now(), names)
        await self.sql.execute("ANALYZE")

    async def is_held(self) -> bool:
        """Return whether the control loop has the lease of the site."""
        return bool(await self.sql.fetchval("SELECT count(*) FROM site_decisions"))

    async def settle(self) -> None:
        """Let steps follow each other until nothing is told any more."""
        quiet = 0
        for _ in range(_SETTLES_IN):
            before = self.wire.told
            await self.step()
            await self.clock.advance(20)
            await self.sql.execute(_METER_ALL, self.clock.now())
            quiet = 0 if self.wire.told > before else quiet + 1
            if quiet > 3:
                return
        raise SystemExit(f"not settled after {_SETTLES_IN} steps: {self.wire.told} told")

    async def step(self) -> None:
        """Make one step and let what it sends be answered."""
        await self.charging.decide(SITE)
        for _ in range(5):  # tasks begin, answer, and tell how it ended
            await loop_turn()

    async def measured(
        self, case: str, change: Callable[[int], Awaitable[Any]], rounds: int
    ) -> dict[str, Any]:
        """Change something and step, so many times."""
        steps, stretches, told = [], [], []
        for number in range(rounds):
            await change(number)
            before = self.wire.told
            gc.collect()
            gc.disable()
            with Stretches().watched() as seen:
                await self.charging.decide(SITE)
            gc.enable()
            await self.step()
            steps.append(seen.total * 1000)
            stretches.append(seen.longest * 1000)
            told.append(self.wire.told - before)
        return {
            "case": case,
            "sessions": self.sessions,
            "stepMs": round(statistics.median(steps), 1),
            "stretchMs": round(statistics.median(stretches), 1),
            "worstStretchMs": round(max(stretches), 1),
            "told": max(told),
        }

    async def meter(self, number: int) -> None:
        """Let one meter tell another power."""
        await self.clock.advance(1)
        await self.sql.execute(_METER_ONE, self.clock.now(), f"CP{1 + number}")

    async def come(self, number: int) -> None:
        """Let a session begin, or end."""
        await self.settle()
        if number % 2 == 0:
            await self.sql.execute(_START, self.clock.now(), [f"CP{self.sessions + 1}"])
        else:
            await self.sql.execute(
                "UPDATE transactions SET active = false WHERE charge_point_id ="
                " (SELECT id FROM charge_points WHERE identity = $1)",
                f"CP{self.sessions + 1}",
            )

    async def drop(self, number: int) -> None:
        """Halve the limit, or give it back."""
        await self.settle()
        share = 4 if number % 2 == 0 else 2
        await self.sql.execute("UPDATE sites SET grid_limit_w = $1", self.sessions * MAX_W // share)


async def measure(url: str, sessions: int, rounds: int) -> list[dict[str, Any]]:
    """Return the figures of a site with so many sessions."""
    database, sql = Database(url), await asyncpg.connect(url)
    try:
        bench = Bench(database, sql, sessions)
        await bench.build()
        running = asyncio.create_task(bench.charging.run())
        try:
            await wait_until(bench.is_held, 30, what="the lease")
            await bench.settle()
            found = [await bench.measured("a meter tells another power", bench.meter, rounds)]
            if sessions < SIZES[-1]:
                found.append(await bench.measured("a session comes or goes", bench.come, 4))
            found.append(await bench.measured("the limit drops", bench.drop, 1))
            return found
        finally:
            running.cancel()
            await asyncio.wait([running])
    finally:
        await sql.close()
        await database.close()


def main() -> None:
    """Measure, print and write down."""
    parser = argparse.ArgumentParser(description="What a control step costs the event loop.")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument("--keep", action="store_true", help="do not write the result down")
    arguments = parser.parse_args()
    postgres, results = OwnPostgres(), []
    try:
        template = postgres.migrated_template()
        print(f"{'sessions':>8} {'step ms':>9} {'stretch ms':>11} {'worst ms':>9} {'told':>6}")
        for sessions in arguments.sizes:
            with fresh_database(postgres.server_url(), template) as url:
                for row in asyncio.run(measure(url, sessions, arguments.rounds)):
                    results.append(row)
                    print(
                        f"{row['sessions']:8} {row['stepMs']:9} {row['stretchMs']:11}"
                        f" {row['worstStretchMs']:9} {row['told']:6}  {row['case']}",
                        flush=True,
                    )
    finally:
        postgres.close()
    if not arguments.keep:
        OUT.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
