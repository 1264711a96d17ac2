"""One measurement at a time: a load, a server, and what it cost."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from bench import loads
from bench.client import LoadClient, LoadError, Mode, Report
from bench.loads import Load
from bench.machine import (
    Cores,
    cpu_ns,
    family_cpu_ns,
    longest_stretch_ms,
    private_dirty_kib,
    settle,
)
from bench.processes import end, started
from bench.servers import Server

CONNECTING_AT_ONCE = 200
BESIDE = 50
HEARTBEAT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measured window.

    Attributes:
        server: E, A or O.
        cpu_us: CPU of the server a message (in a storm: a station), in microseconds.
        postgres_us: The same of Postgres, which runs beside the load client.
        rate: Messages (stations) a second of wall time.
        client_busy: Share of its core that the load client used; near 1 it is the limit.
    """

    server: str
    load: str
    stations: int
    round: int
    cpu_us: float
    postgres_us: float
    rate: float
    p50_ms: float
    p99_ms: float
    client_busy: float


@dataclass(slots=True)
class Costs:
    """CPU of a server and of Postgres between two moments."""

    server: Server
    postgres: int
    _before: tuple[int, int] = (0, 0)
    _after: tuple[int, int] = (0, 0)

    def start(self) -> None:
        self._before = self._now()

    def stop(self) -> None:
        self._after = self._now()

    def _now(self) -> tuple[int, int]:
        return cpu_ns(self.server.pid), family_cpu_ns(self.postgres)

    def each_us(self, count: int) -> tuple[float, float]:
        """Return both in microseconds a message."""
        server, postgres = (
            after - before for after, before in zip(self._after, self._before, strict=True)
        )
        return server / 1000 / count, postgres / 1000 / count


def throughput(
    client: LoadClient,
    server: Server,
    postgres: int,
    load: Load,
    stations: int,
    round_: int,
    *,
    mode: Mode = "closed",
    rate: float = 0.0,
    warm_s: float,
    measure_s: float,
) -> Sample:
    """Measure a closed or an open loop."""
    settle(server.pid)
    costs = Costs(server, postgres)
    report = client.run(
        load,
        server.port,
        stations,
        mode,
        warm_s=warm_s,
        measure_s=measure_s,
        rate=rate,
        echo=server.echoes,
        burst=CONNECTING_AT_ONCE,
        on={"begin": costs.start, "end": costs.stop},
    )
    if not report.answers:
        raise LoadError(f"{load.name}: no answer from {server.name}")
    cpu_us, postgres_us = costs.each_us(report.answers)
    return Sample(
        server=server.name,
        load=load.name if mode == "closed" else f"{load.name} {rate:.0f}/s",
        stations=stations,
        round=round_,
        cpu_us=cpu_us,
        postgres_us=postgres_us,
        rate=report.answers / report.seconds,
        p50_ms=report.p50_ms,
        p99_ms=report.p99_ms,
        client_busy=report.client_busy,
    )


def storm(
    client: LoadClient, server: Server, postgres: int, load: Load, stations: int, round_: int
) -> Sample:
    """Measure how all stations connect, authenticate and say who they are."""
    settle(server.pid)
    costs = Costs(server, postgres)
    costs.start()
    report = client.run(
        load,
        server.port,
        stations,
        "once",
        burst=CONNECTING_AT_ONCE,
        echo=server.echoes,
        on={"connected": costs.stop},
    )
    cpu_us, postgres_us = costs.each_us(stations)
    return Sample(
        server=server.name,
        load=load.name,
        stations=stations,
        round=round_,
        cpu_us=cpu_us,
        postgres_us=postgres_us,
        rate=stations / report.connect_s,
        p50_ms=report.p50_ms,
        p99_ms=report.p99_ms,
        client_busy=report.client_busy,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """What many idle stations cost.

    Attributes:
        kib_per_connection: Private memory of the server that came with them, each.
        pause_ms: Longest time the event loop was busy in one go while they were idle: pings, signs
            of life, heartbeats of a few, the server's own loops.
        heartbeat_p99_ms: How long those heartbeats waited for their answers, neighbours included.
        cpu_share: Share of a core that the server uses for all that.
    """

    stations: int
    kib_per_connection: float
    pause_ms: float
    heartbeat_p99_ms: float
    cpu_share: float


def idle(client: LoadClient, server: Server, load: Load, stations: int, *, watch_s: float) -> Idle:
    """Measure memory and pauses with many idle stations, on a server that has just started.

    The stations boot and stay; a few more (see `BESIDE`) send as many heartbeats as all of them
    would send together at the interval that the server gives them.
    """
    settle(server.pid)
    before_kib = private_dirty_kib(server.pid)
    with client.holding(load, server.port, stations, limit_s=watch_s + 180) as said:
        if said.readline() != "connected\n":
            raise LoadError("the idle stations did not connect")
        settle(server.pid)
        grown_kib = private_dirty_kib(server.pid) - before_kib
        reports: list[Report] = []
        beside = threading.Thread(
            target=lambda: reports.append(
                client.run(
                    loads.heartbeats(),
                    server.port,
                    BESIDE,
                    "open",
                    first=stations,
                    rate=stations / HEARTBEAT_S,
                    measure_s=watch_s,
                )
            )
        )
        beside.start()
        began = cpu_ns(server.pid)
        pause = longest_stretch_ms(server.pid, beside.is_alive)
        used = cpu_ns(server.pid) - began
        beside.join()
    if not reports:
        raise LoadError("the heartbeats beside the idle stations failed")
    return Idle(
        stations=stations,
        kib_per_connection=grown_kib / stations,
        pause_ms=pause,
        heartbeat_p99_ms=reports[0].p99_ms,
        cpu_share=used / 1e9 / watch_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleTls:
    """What many idle stations cost over TLS.

    Attributes:
        kib_per_connection: As in `Idle`.
        handshake_us: CPU of the server for a TCP and TLS handshake, the upgrade, boot and status.
        pause_ms: Longest time the event loop was busy in one go, while they were idle.
    """

    stations: int
    kib_per_connection: float
    handshake_us: float
    pause_ms: float


def idle_tls(cores: Cores, server: Server, root: Path, stations: int, *, watch_s: float) -> IdleTls:
    """Measure memory and handshakes with stations over TLS, on a server that has just started."""
    settle(server.pid)
    before_kib, began = private_dirty_kib(server.pid), cpu_ns(server.pid)
    words = [sys.executable, "-m", "bench.tls_client", str(server.port), str(stations), str(root)]
    process = started(words, cores.others, stdin=subprocess.PIPE)
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "connected\n":
            raise LoadError("the idle stations did not connect over TLS")
        used = cpu_ns(server.pid) - began
        settle(server.pid)
        grown_kib = private_dirty_kib(server.pid) - before_kib
        until = time.monotonic() + watch_s
        pause = longest_stretch_ms(server.pid, lambda: time.monotonic() < until)
    finally:
        end(process)
    return IdleTls(
        stations=stations,
        kib_per_connection=grown_kib / stations,
        handshake_us=used / 1000 / stations,
        pause_ms=pause,
    )
