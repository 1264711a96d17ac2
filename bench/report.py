"""From samples to ratios, `results.json` and `RESULTS.md`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.machine import median
from bench.measure import Idle, IdleTls, Sample

OPEN_RATE = 3000.0
NAMES = {"E": "echo", "A": "README server", "O": "csms"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All that a run has measured."""

    quick: bool
    machine: dict[str, str]
    postgres: dict[str, str]
    samples: Sequence[Sample]
    failures: Sequence[str]
    fdatasync_ms: Sequence[float]
    idle: Idle
    idle_tls: IdleTls
    bytes_per_message: float
    meter_rows: int
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A figure that is promised; `at_most` turns the comparison round."""

    key: str
    what: str
    bound: float
    unit: str
    at_most: bool = False
    stretch: float | None = None

    def met(self, value: float) -> bool:
        """Return whether the promise is kept."""
        return value <= self.bound if self.at_most else value >= self.bound


def targets(fdatasync: float) -> tuple[Target, ...]:
    """Return all promises; one depends on the disk."""
    return (
        Target(
            key="ratio_vs_readme",
            what="MeterValues: CPU of the README server / ours",
            bound=10,
            unit="x",
            stretch=15,
        ),
        Target(
            key="ratio_vs_echo",
            what="MeterValues: CPU of a plain echo / ours",
            bound=0.4,
            unit="x",
            stretch=0.5,
        ),
        Target(
            key="ratio_start_stop",
            what="Start and StopTransaction: CPU of the README server / ours",
            bound=6,
            unit="x",
        ),
        Target(
            key="ratio_storm",
            what="reconnect storm: CPU of the README server / ours",
            bound=2,
            unit="x",
        ),
        Target(
            key="kib_per_connection",
            what="memory of an idle connection, plain",
            bound=25,
            unit="KiB",
            at_most=True,
        ),
        Target(
            key="kib_per_connection_tls",
            what="memory of an idle connection, TLS",
            bound=50,
            unit="KiB",
            at_most=True,
        ),
        Target(
            key="p99_ms",
            what=f"p99 to the durable answer at {OPEN_RATE:.0f} messages/s",
            bound=max(10.0, 10 * fdatasync),
            unit="ms",
            at_most=True,
        ),
        Target(
            key="pause_ms",
            what="longest pause of the event loop, idle stations",
            bound=50,
            unit="ms",
            at_most=True,
        ),
        Target(
            key="bytes_per_message",
            what="disk for a MeterValues message, with its index",
            bound=200,
            unit="bytes",
            at_most=True,
        ),
    )


def figures(results: Results) -> dict[str, float | None]:
    """Return the headline figures; where two numbers of stations were measured, the worse one."""
    opened = [s for s in results.samples if s.server == "O" and s.load.endswith("/s")]
    return {
        "ratio_vs_readme": _worst(results, "A", "MeterValues"),
        "ratio_vs_echo": _worst(results, "E", "MeterValues"),
        "ratio_start_stop": _worst(results, "A", "Start/StopTransaction"),
        "ratio_storm": _worst(results, "A", "reconnect"),
        "kib_per_connection": results.idle.kib_per_connection,
        "kib_per_connection_tls": results.idle_tls.kib_per_connection,
        "p99_ms": median([s.p99_ms for s in opened]) if opened else None,
        "fdatasync_ms": median(list(results.fdatasync_ms)),
        "pause_ms": results.idle.pause_ms,
        "bytes_per_message": results.bytes_per_message,
    }


def ratio(results: Results, baseline: str, load: str, stations: int) -> float | None:
    """Return how many times our CPU a message the baseline needs: median over the rounds.

    The two are compared within a round, where they ran right after each other. None when no round
    has both.
    """
    cpu = {
        (s.server, s.round): s.cpu_us
        for s in results.samples
        if s.load == load and s.stations == stations
    }
    both = [
        cpu[baseline, number] / ours
        for (server, number), ours in cpu.items()
        if server == "O" and (baseline, number) in cpu
    ]
    return median(both) if both else None


def summary(results: Results) -> str:
    """Return the headline figures as text."""
    values = figures(results)
    fdatasync = values["fdatasync_ms"] or 0.0
    lines = [""]
    for target in targets(fdatasync):
        value = values[target.key]
        met = value is not None and target.met(value)
        lines.append(
            f"{'met   ' if met else 'MISSED'}  {target.key:20} {_number(value):>8} "
            f"{target.unit:6}{_bound(target):14}{target.what}"
        )
    lines.append(f"        fdatasync_ms         {_number(fdatasync):>8} ms     (median)")
    lines += [f"FAILED  {failure}" for failure in results.failures]
    lines.append(f"took {results.took_s / 60:.1f} minutes; tables in bench/RESULTS.md")
    return "\n".join(lines)


def write(results: Results, folder: Path) -> None:
    """Write both files."""
    values = figures(results)
    content = {
        **{k: None if v is None else round(v, 3) for k, v in values.items()},
        "quick": results.quick,
        "failures": list(results.failures),
        "machine": results.machine,
        "postgres": results.postgres,
        "idle": asdict(results.idle),
        "samples": [
            {k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(s).items()}
            for s in results.samples
        ],
    }
    (folder / "results.json").write_text(json.dumps(content, indent=1) + "\n")
    (folder / "RESULTS.md").write_text(_markdown(results, values))


def _markdown(results: Results, values: dict[str, float | None]) -> str:
    fdatasync = values["fdatasync_ms"] or 0.0
    parts = ["# Results of `make bench`", ""]
    if results.quick:
        parts += ["A quick look (`--quick`): short windows, few rounds, few stations.", ""]
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    parts += [
        f"Machine: {machine}. Postgres {results.postgres['version']}, embedded, fsync on.",
        f"The run took {results.took_s / 60:.1f} minutes.",
        "",
        "## Against the targets",
        "",
        "| figure | value | target | stretch | met |",
        "|---|---|---|---|---|",
    ]
    for target in targets(fdatasync):
        value = values[target.key]
        met = value is not None and target.met(value)
        stretch = "" if target.stretch is None else f"{target.stretch:g} {target.unit}"
        parts.append(
            f"| {target.what} | {_number(value)} {target.unit} | {_bound(target)} {target.unit}"
            f" | {stretch} | {'yes' if met else '**no**'} |"
        )
    parts += [
        "",
        f"Median fdatasync of the run: {fdatasync:.2f} ms.",
        "",
        "## CPU and time a message",
        "",
        "Medians of the rounds. CPU is the server's alone; ratios are medians of the ratios within"
        " a round.",
        "",
        "| load | stations | server | CPU us (min-max) | of csms | rate/s | p50 ms | p99 ms"
        " | Postgres us | client busy |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *_rows(results),
        "",
        "## Idle stations",
        "",
        f"{results.idle.stations} connections that have booted:"
        f" {results.idle.kib_per_connection:.1f} KiB each, {results.idle.cpu_share * 100:.1f} % of"
        f" a core, longest busy stretch {results.idle.pause_ms:.1f} ms,"
        f" p99 of the heartbeats beside them {results.idle.heartbeat_p99_ms:.1f} ms.",
        f"Over TLS: {results.idle_tls.kib_per_connection:.1f} KiB each. All of it from TCP to"
        f" StatusNotification took {results.idle_tls.handshake_us:.0f} us of CPU a station; the"
        f" longest busy stretch with all of them idle was {results.idle_tls.pause_ms:.1f} ms.",
        f"{results.meter_rows} MeterValues rows: {results.bytes_per_message:.0f} bytes each on"
        " disk, after VACUUM, with the index.",
        "",
        *([f"Failed: {failure}" for failure in results.failures]),
        "",
        *_HOW_TO_READ,
    ]
    return "\n".join(parts)


_HOW_TO_READ = (
    "## How to read this",
    "",
    "- *echo* is a plain `websockets` server on asyncio that sends each frame back as it came. The",
    "  *README server* is the example of the `ocpp` package with asyncpg: one statement and one",
    "  commit a message, no look-up of id tags, no message log. *csms* is `csms serve` as shipped.",
    "- CPU a message is read from `/proc/PID/task/*/schedstat`. The server has a core of its own;",
    "  Postgres and the load client share the others. Neighbours move these figures by up to a",
    "  quarter, wall time by more: compare ratios of one run, not microseconds of two.",
    "- In a closed loop each station sends its next message when it has its answer, so latency is",
    "  queueing. The latency to look at is that of the open loop (`/s` in the load's name), which",
    "  counts from the moment when the message was due.",
    "- *reconnect* counts a station: TCP, upgrade with Basic auth, BootNotification,",
    "  StatusNotification. The README server looks the password up; echo checks nothing.",
    "- A pause is the longest CPU time of the server's main thread between two moments when it",
    "  waited in the kernel: an upper bound of what a message may wait for other work in the loop.",
    "- Postgres has written as much of its log before as it keeps, like one that has run for an",
    "  hour: while it makes the first files of its log, it keeps every server waiting.",
    "- Each answer was checked: message id, type and content. A wrong one fails the run.",
    "",
)


def _rows(results: Results) -> list[str]:
    seen = dict.fromkeys((s.load, s.stations) for s in results.samples)
    rows = []
    for load, stations in seen:
        for server in ("E", "A", "O"):
            found = [
                s
                for s in results.samples
                if (s.load, s.stations, s.server) == (load, stations, server)
            ]
            if not found:
                continue
            cpu = [s.cpu_us for s in found]
            times = ratio(results, server, load, stations)
            rows.append(
                f"| {load} | {stations} | {NAMES[server]}"
                f" | {median(cpu):.1f} ({min(cpu):.1f}-{max(cpu):.1f})"
                f" | {'' if server == 'O' or times is None else f'{times:.2f} x'}"
                f" | {median([s.rate for s in found]):.0f}"
                f" | {median([s.p50_ms for s in found]):.2f}"
                f" | {median([s.p99_ms for s in found]):.2f}"
                f" | {median([s.postgres_us for s in found]):.1f}"
                f" | {median([s.client_busy for s in found]):.2f} |"
            )
    return rows


def _worst(results: Results, baseline: str, load: str) -> float | None:
    stations = {s.stations for s in results.samples if s.load == load}
    ratios = [ratio(results, baseline, load, number) for number in stations]
    return min((r for r in ratios if r is not None), default=None)


def _bound(target: Target) -> str:
    return f"{'at most' if target.at_most else 'at least'} {target.bound:.3g}"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"
