"""A fleet on a bad network charges while the server and its Postgres are killed; then both sides
are compared. Every choice is made by a seed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from csms.store.embedded import EmbeddedPostgres
from simulator.events import Event
from simulator.faults import NetworkFaults
from simulator.fleet import Fleet
from simulator.fleet_file import parse_fleet
from tests.chaos.comparison import differences, stored_transactions
from tests.chaos.server import Server
from tests.waiting import wait_until

SPEED = 60
"""Vehicles live so many times faster; meters and timestamps do not."""

HARMLESS = {"offline"}
"""A finding that outages bring by themselves."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is played; all is over about 20 s after `duration_s`."""

    seed: int
    stations: int = 50
    duration_s: float = 30.0
    kills: int = 3
    postgres_kills: int = 1
    meter_interval_s: int = 2
    stay_minutes: tuple[float, float] = (2.0, 8.0)


@dataclass
class Report:
    """What came of it; `differences` and `kept` are to be empty."""

    plan: Plan
    transactions: int = 0
    meter_values: int = 0
    kills: int = 0
    postgres_kills: int = 0
    events: Counter[str] = field(default_factory=Counter)
    restarts_s: list[float] = field(default_factory=list)
    longest_silence_s: float = 0.0
    took_s: float = 0.0
    differences: list[str] = field(default_factory=list)
    kept: list[tuple[Any, ...]] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(
            (
                f"seed               {self.plan.seed}",
                f"charge points      {self.plan.stations}",
                f"took               {self.took_s:.0f} s",
                f"transactions       {self.transactions}",
                f"meter values       {self.meter_values}",
                f"server killed      {self.kills} times",
                f"Postgres killed    {self.postgres_kills} times",
                f"connections        {self.events['connected']},"
                f" of them again {self.events['connected'] - self.plan.stations}",
                f"refused handshakes {self.events['refused']}",
                f"longest restart    {max(self.restarts_s, default=0):.1f} s",
                f"longest silence    {self.longest_silence_s:.1f} s without any answer",
                f"differences        {len(self.differences)}",
                *(f"  {line}" for line in self.differences[:20]),
                f"kept aside         {len(self.kept)}",
                *(f"  {row}" for row in self.kept[:20]),
            )
        )


async def play(server: Server, plan: Plan) -> Report:
    """Play on a server that has not been started yet; it is stopped afterwards."""
    began = time.monotonic()
    chance = random.Random(plan.seed)
    report = Report(plan)
    faults = NetworkFaults(cut=0.02, stall=0.003, repeat=0.05, delay_s=0.05, reorder=True)
    await server.start()
    fleet = await _set_up(server, plan, report, faults)
    async with asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(fleet.run())
        await _kill(server, plan, chance, report)
        faults.active = False
        # cars go on coming: some messages are always on their way, one a charge point at most
        few = max(50, plan.stations)
        await wait_until(
            lambda: fleet.summary.online == plan.stations and fleet.summary.waiting_messages < few,
            300,
            what="all are back and have told what waited",
        )
        fleet.stop()
        await playing
    await server.stop()
    await _compare(server, fleet, report)
    report.took_s = time.monotonic() - began
    return report


async def _set_up(server: Server, plan: Plan, report: Report, faults: NetworkFaults) -> Fleet:
    identities = [f"CHAOS-{number:04}" for number in range(plan.stations)]
    tags = [f"TAG-{number}" for number in range(20)]
    capacity = {"id": "s", "name": "S", "gridCapacityKw": 11 * plan.stations}
    await server.ask("POST", "/api/sites", capacity)
    for identity in identities:
        body = {"identity": identity, "name": identity, "maxKw": 44, "connectors": 2}
        await server.ask("POST", "/api/stations", body | {"siteId": "s"})
    for tag in tags:
        await server.ask("POST", "/api/id-tags", {"idTag": tag, "status": "Accepted"})
    fleet_plan = {
        "seed": plan.seed,
        "groups": [
            {
                "identities": identities,
                "connectors": 2,
                "idTags": tags,
                "meterIntervalS": plan.meter_interval_s,
                "configuration": {"TransactionMessageRetryInterval": "1"},
                "vehicles": {
                    "arrivalsPerHour": 60,
                    "atStart": 0.6,
                    "stayMinutes": list(plan.stay_minutes),
                },
            }
        ],
    }
    heard = time.monotonic()

    def watch(event: Event) -> None:
        nonlocal heard
        report.events[event.name] += 1
        if event.name == "answered":
            now = time.monotonic()
            report.longest_silence_s = max(report.longest_silence_s, now - heard)
            heard = now

    changes = {
        "faults": faults,
        "response_timeout_s": 5.0,
        "reconnect_min_s": 0.2,
        "reconnect_max_s": 2.0,
    }
    return Fleet(
        parse_fleet(fleet_plan), server.ocpp_url, speed=SPEED, on_event=watch, changes=changes
    )


async def _kill(server: Server, plan: Plan, chance: random.Random, report: Report) -> None:
    """Kill at moments chosen by chance; the first and last seconds are quiet."""
    ends = time.monotonic() + plan.duration_s
    quiet_s = min(4.0, plan.duration_s / 5)
    victims = ["server"] * plan.kills + ["postgres"] * plan.postgres_kills
    chance.shuffle(victims)
    span_s = plan.duration_s - 2 * quiet_s
    moments = sorted(chance.uniform(0, span_s) for _ in victims)
    first = time.monotonic() + quiet_s
    for moment, victim in zip(moments, victims, strict=True):
        await asyncio.sleep(max(0.0, first + moment - time.monotonic()))
        if victim == "postgres":
            pid = int((server.postgres_folder / "pg/postmaster.pid").read_text().split("\n")[0])
            os.kill(pid, signal.SIGKILL)
            report.postgres_kills += 1
            continue
        killed = time.monotonic()
        await server.kill()
        report.kills += 1
        await asyncio.sleep(chance.uniform(0, 2))
        await server.start()
        report.restarts_s.append(time.monotonic() - killed)
    await asyncio.sleep(max(0.0, ends - time.monotonic()))


async def _compare(server: Server, fleet: Fleet, report: Report) -> None:
    ledger = fleet.ledger.records()
    report.transactions = len(ledger)
    with EmbeddedPostgres(server.postgres_folder) as postgres:
        sql = await asyncpg.connect(postgres.url)
        try:
            stored = await stored_transactions(sql)
            readings = {
                row["transaction_id"]: row["readings"]
                for row in await sql.fetch(
                    "SELECT transaction_id, count(*) AS readings FROM meter_values"
                    " WHERE context IS DISTINCT FROM 'Transaction.End'"
                    " AND context IS DISTINCT FROM 'Transaction.Begin' GROUP BY 1"
                )
            }
            doubled = await sql.fetch(
                "SELECT charge_point_id, connector_id, measured_at, context, energy_wh, power_w,"
                " count(*) AS times FROM meter_values"
                " GROUP BY 1, 2, 3, 4, 5, 6 HAVING count(*) > 1"
            )
            kept = await sql.fetch("SELECT action, reason, payload::text FROM orphan_messages")
            kept += await sql.fetch("SELECT action, reason, raw FROM quarantine")
        finally:
            await sql.close()
    report.meter_values = sum(readings.values())
    report.kept = [tuple(row) for row in kept]
    for row in stored:
        row["findings"] = [finding for finding in row["findings"] if finding not in HARMLESS]
    found = differences(ledger, stored)
    for entry in ledger:
        number, name = entry["transactionId"], f"{entry['chargePoint']}/{entry['connectorId']}"
        if not entry["stopAcknowledged"] or entry["dropped"]:
            found.append(f"{name} {number}: not all was acknowledged ({entry['dropped']})")
        there, told = readings.get(number, 0), entry["meterValuesAcknowledged"]
        if there != told:
            found.append(f"{name} {number}: {told} meter values acknowledged, {there} stored")
    found += [f"a reading stands {row['times']} times: {tuple(row)}" for row in doubled]
    report.differences = found
