"""Load: thousands of charge points from one process on one core.

They come up by a ramp or all at once, charge for a while, are perhaps cut off and come back
together, stop, and leave. What each of them does stands in :mod:`simulator.lean_station`. Every
phase is bounded in time, whatever the central system does.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

from simulator.clock import Clock
from simulator.lean_station import LeanStation
from simulator.link import Link
from simulator.load_report import LoadReport, cpu_seconds, resident_kib
from simulator.refusals import reason

ADDRESSES_PER_SOURCE = 20_000
"""Connections from one loopback address, fewer than a system has ports."""

CONNECT_S = 30.0
ANSWER_S = 60.0
"""How long a handshake or an answer may take before the connection is given up."""

GIVE_UP_S = 3.0
"""How long charge points go on trying when not a single one was let in."""

CHECK_S = 2.0
BACK_OFF_S = (0.5, 30.0)
LOOPBACK = ("127.0.0.1", "localhost")

Pattern = Literal["ramp", "storm", "reconnect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """What is played.

    Attributes:
        url: ``ws://`` endpoint; the identity is appended.
        stations: how many charge points.
        pattern: ``ramp``: they connect and stop at a pace; ``storm``: all at once; ``reconnect``: a
            ramp, and all connections are cut at once half-way.
        connects_per_s: the pace; 0 makes a storm of it.
        interval_s: between MeterValues of one charge point.
        duration_s: how long they charge once all have been started.
        id_tag: of all transactions.
        prefix: of identities.
        password: Basic authentication of all.
    """

    url: str
    stations: int
    pattern: Pattern = "ramp"
    connects_per_s: float = 200.0
    interval_s: float = 60.0
    duration_s: float = 120.0
    id_tag: str = "SIM-TAG-0001"
    prefix: str = "LOAD-"
    password: str | None = None

    def identity(self, number: int) -> str:
        """Return the identity of a charge point, numbered from 1."""
        return f"{self.prefix}{number:06}"

    @property
    def pace(self) -> float:
        """Charge points a second, 0 for all at once."""
        return 0.0 if self.pattern == "storm" else self.connects_per_s

    @property
    def ramp_s(self) -> float:
        """How long the ramp takes."""
        return self.stations / self.pace if self.pace else 0.0

    def source(self, number: int) -> tuple[str, int] | None:
        """Return the local address to connect from; None leaves it to the system.

        >>> LoadPlan(url="ws://127.0.0.1:9/ocpp", stations=50_000).source(40_000)
        ('127.0.0.4', 0)
        """
        host = urlsplit(self.url).hostname
        if host not in LOOPBACK or self.stations <= ADDRESSES_PER_SOURCE:
            return None
        return f"127.0.0.{2 + number // ADDRESSES_PER_SOURCE}", 0


class Load:
    """A load at work.

    Args:
        plan: what is played.
        clock: paces the ramp and measures.
        resident_before: this process's memory before anything of the load, KiB.
    """

    def __init__(
        self, plan: LoadPlan, clock: Clock, *, resident_before: float | None = None
    ) -> None:
        self.plan = plan
        self.clock = clock
        self.report = LoadReport()
        self.loop = asyncio.get_running_loop()
        self.is_ending = False
        self.is_leaving = False
        self.is_cutting = False
        self.phase = "connecting"
        self._resident_before = resident_before or resident_kib()
        self._began = clock.monotonic()
        self._stations: list[LeanStation] = []
        self._stop_asked = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        # Chance in a simulation, not a secret.
        self._chance = random.Random(plan.prefix)  # noqa: S311
        self._ids = 0

    def next_id(self) -> int:
        """Return the next message id, of any charge point."""
        self._ids += 1
        return self._ids

    def stop(self) -> None:
        """Ask ``run`` to end in order."""
        self._stop_asked.set()

    def progress(self) -> tuple[float, float]:
        """Return seconds since the beginning, and how many there will be."""
        expected = 2 * self.plan.ramp_s + self.plan.duration_s
        return min(self.clock.monotonic() - self._began, expected), expected

    def describe(self) -> str:
        """Return where the load stands, in words."""
        report = self.report
        return (
            f"{self.phase}: {report.connected}/{self.plan.stations} connected, "
            f"{report.charging} charging, {report.stopped} stopped, "
            f"{sum(report.errors.values())} errors"
        )

    async def run(self, patience_s: float = 30.0) -> LoadReport:
        """Connect all, charge for the plan's time, stop all, leave; return the report.

        Args:
            patience_s: how long, at most, is waited for all to charge, and for all to be stopped.

        Cancellation: connections stay open until the loop ends.
        """
        self._began = self.clock.monotonic()
        cpu = cpu_seconds()
        async with asyncio.TaskGroup() as self._tasks:
            checks = self._tasks.create_task(self._check(), name="load checks")
            await self._connect_all(patience_s)
            await self._charge()
            self._weigh()
            await self._stop_all(patience_s)
            checks.cancel()
            self.is_leaving = True
            for station in self._stations:
                station.leave()
        self.report.cpu_s = cpu_seconds() - cpu
        self.report.seconds = self.clock.monotonic() - self._began
        records = (station.ledger_record() for station in self._stations)
        self.report.ledger = [one for one in records if one is not None]
        return self.report

    def _weigh(self) -> None:
        """Measure memory while all are charging."""
        resident, before = resident_kib(), self._resident_before
        if resident is not None and before is not None:
            self.report.resident_mib = resident / 1024
            self.report.kib_each = max(0.0, (resident - before) / self.plan.stations)

    async def _connect_all(self, patience_s: float) -> None:
        self._stations = [LeanStation(self, number) for number in range(1, self.plan.stations + 1)]
        async for station in self._paced(self._stations):
            if self._stop_asked.is_set():
                return
            self._tasks.create_task(self._connect(station))
        stopped = self._stop_asked.is_set
        await self._until(lambda one: stopped() or not one.is_coming, patience_s)
        report = self.report
        await self._until(lambda _: stopped() or report.connected > 0, min(GIVE_UP_S, patience_s))
        if report.connected == 0:
            self._stop_asked.set()

    async def _charge(self) -> None:
        self.phase = "charging"
        if self.plan.pattern != "reconnect":
            await self.clock.wait(self._stop_asked, self.plan.duration_s)
            return
        await self.clock.wait(self._stop_asked, self.plan.duration_s / 2)
        self.phase = "reconnecting"
        self.is_cutting = True
        for station in self._stations:
            station.cut()
        # Lost connections are told in the loop's next rounds.
        await self.clock.sleep(0)
        await self.clock.sleep(0)
        self.is_cutting = False
        await self.clock.wait(self._stop_asked, self.plan.duration_s / 2)

    async def _stop_all(self, patience_s: float) -> None:
        self.phase, self.is_ending = "stopping", True
        async for station in self._paced(self._stations):
            station.stop()
        await self._until(lambda one: one.is_settled, patience_s)
        left = sum(not station.is_settled for station in self._stations)
        if left:
            self.report.errors["not stopped in time"] += left

    async def _paced(self, stations: Sequence[LeanStation]) -> AsyncIterator[LeanStation]:
        """Yield each at its time; all at once for a storm."""
        began = self.clock.monotonic()
        for order, station in enumerate(stations):
            due = order / self.plan.pace if self.plan.pace else 0.0
            wait_s = began + due - self.clock.monotonic()
            if wait_s > 0:
                # Who asks for the end gets it without the pace.
                await self.clock.wait(self._stop_asked, wait_s)
            yield station

    async def _until(self, holds: Callable[[LeanStation], bool], patience_s: float) -> None:
        """Wait until ``holds`` for all, at most ``patience_s``."""
        deadline = self.clock.monotonic() + patience_s
        while self.clock.monotonic() < deadline and not all(map(holds, self._stations)):
            await self.clock.sleep(0.1)

    async def _check(self) -> None:
        while True:
            await self.clock.sleep(CHECK_S)
            now = self.clock.monotonic()
            for station in self._stations:
                station.check(now, ANSWER_S)

    def come_back(self, station: LeanStation) -> None:
        """Have a charge point connect again: at once after a cut of all, else after a while."""
        wait_s = 0.0
        if not self.is_cutting:
            least, most = BACK_OFF_S
            wait_s = min(most, least * 2 ** min(station.failures, 10))
            wait_s *= self._chance.uniform(0.5, 1.0)
        self.loop.call_later(wait_s, self._connect_again, station)

    def _connect_again(self, station: LeanStation) -> None:
        if not self.is_leaving and not (self.is_ending and station.is_settled):
            self._tasks.create_task(self._connect(station))

    async def _connect(self, station: LeanStation) -> None:
        plan, parts = self.plan, urlsplit(self.plan.url)
        identity = plan.identity(station.number)
        path = f"{parts.path.rstrip('/')}/{quote(identity, safe='')}"
        host, port = parts.hostname or "", parts.port or 80
        login = None
        if plan.password is not None:
            login = Link.basic(identity, plan.password.encode())
        try:
            async with asyncio.timeout(CONNECT_S):
                await self.loop.create_connection(
                    lambda: station.socket(parts.netloc, path, login),
                    host,
                    port,
                    local_addr=plan.source(station.number),
                )
        except OSError as error:
            station.failures += 1
            self.report.errors[reason(error, plan.url)] += 1
            self.come_back(station)
