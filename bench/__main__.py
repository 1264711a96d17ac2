"""The benchmark of the spine: ``python -m bench [--quick]``.

Measures in one run, on one machine, with rounds interleaved:

- **E** a plain `websockets` echo of the same frames (the floor of the transport);
- **A** a central system as the README of the `ocpp` package shows it, with asyncpg and one
  statement and commit a message;
- **O** ours as shipped: `csms serve`, full validation, durable before the answer, message log on.

The server has a core of its own; Postgres and the load client share the others. The figure is the
server's CPU time a message, which noisy neighbours move far less than wall time. Writes
``results.json`` and ``RESULTS.md`` beside this file. Everything ends by itself, also on Ctrl-C.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from bench import database, loads, report, servers
from bench.client import LoadClient, LoadError, compiled
from bench.machine import Cores, describe, fdatasync_ms, share_cores
from bench.measure import BESIDE, Idle, IdleTls, Sample, idle, idle_tls, storm, throughput
from bench.processes import ROOT, pinned
from bench.report import OPEN_RATE, Results
from bench.servers import Server, ServerError
from csms.errors import CsmsError
from csms.store.embedded import EmbeddedPostgres

WORK = ROOT / ".csms" / "bench"
CACHE = ROOT / ".venv" / "bench"
SPARE_FILES = 500
SECRET = "a secret of stations that live for minutes"  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured."""

    rounds: int
    stations: tuple[int, ...]
    open_stations: int
    storm_stations: int
    idle_stations: int
    warm_s: float
    measure_s: float
    open_s: float
    watch_s: float


FULL = Plan(
    rounds=5,
    stations=(64, 1000),
    open_stations=1000,
    storm_stations=5000,
    idle_stations=10_000,
    warm_s=0.7,
    measure_s=2.0,
    open_s=6.0,
    watch_s=40.0,
)
QUICK = Plan(
    rounds=2,
    stations=(64,),
    open_stations=500,
    storm_stations=1000,
    idle_stations=2000,
    warm_s=0.5,
    measure_s=1.0,
    open_s=3.0,
    watch_s=10.0,
)


def main() -> int:
    """Run it; returns 1 when something went wrong (a missed target is a result, not an error)."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a look, in about two minutes")
    quick = parser.parse_args().quick
    if not sys.platform.startswith("linux"):
        print("The benchmark reads /proc: it needs Linux.", file=sys.stderr)
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)  # a shell's background job ignores SIGINT otherwise
    try:
        plan = _within_limits(QUICK if quick else FULL)
        results = run(plan, quick=quick)
    except (LoadError, ServerError, CsmsError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    report.write(results, Path(__file__).parent)
    print(report.summary(results))
    return 1 if results.failures else 0


def run(plan: Plan, *, quick: bool) -> Results:
    """Measure everything.

    Raises:
        LoadError, ServerError: A program failed, or an answer was wrong.
    """
    began = time.monotonic()
    machine = describe()
    cores = share_cores()
    client = LoadClient(compiled(CACHE), cores)
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    with ExitStack() as stack:
        with pinned(cores.others):
            postgres = stack.enter_context(EmbeddedPostgres(WORK / "postgres"))
        _say("Postgres is up; making stations")
        most = max(plan.idle_stations + BESIDE, plan.storm_stations, *plan.stations)
        durability = database.prepare(postgres.url, SECRET.encode(), most)
        settings = _settings(postgres.url)
        empty = database.meter_rows(postgres.url)
        assert postgres.pid is not None
        with ExitStack() as running:
            under_load = [
                running.enter_context(servers.echo(cores, WORK)),
                running.enter_context(
                    servers.readme(cores, WORK, servers.of_database(postgres.url, database.README))
                ),
                running.enter_context(servers.ours(cores, WORK, settings)),
            ]
            samples, syncs, failures = _rounds(plan, client, under_load, postgres.pid)
        stored = database.meter_rows(postgres.url)
        idle_stations = _idle(plan, client, cores, settings)
        idle_over_tls = _idle_tls(plan, cores, settings)
    return Results(
        quick=quick,
        machine=machine,
        postgres=durability,
        samples=samples,
        failures=failures,
        fdatasync_ms=syncs,
        idle=idle_stations,
        idle_tls=idle_over_tls,
        bytes_per_message=(stored.size - empty.size) / (stored.count - empty.count),
        meter_rows=stored.count - empty.count,
        took_s=time.monotonic() - began,
    )


def _rounds(
    plan: Plan, client: LoadClient, under_load: list[Server], postgres: int
) -> tuple[list[Sample], list[float], list[str]]:
    samples: list[Sample] = []
    syncs: list[float] = []
    failures: list[str] = []

    def keep(measure: Callable[[], Sample]) -> None:
        """Measure once; what goes wrong is kept as well and does not end the run."""
        try:
            sample = measure()
        except LoadError as error:
            failures.append(str(error))
            _say(f"FAILED  {error}")
            return
        samples.append(sample)
        _say(
            f"round {sample.round}  {sample.server}  {sample.load} x {sample.stations}: "
            f"{sample.cpu_us:.1f} us CPU, {sample.rate:.0f}/s, p99 {sample.p99_ms:.1f} ms"
        )

    for number in range(1, plan.rounds + 1):
        # each round begins with another server, so that none always follows the same one
        turn = number % len(under_load)
        order = under_load[turn:] + under_load[:turn]
        for make in (loads.meter_values, loads.transactions, loads.heartbeats):
            load = make()
            for stations in plan.stations:
                for server in order:
                    keep(
                        partial(
                            throughput,
                            client,
                            server,
                            postgres,
                            load,
                            stations,
                            number,
                            warm_s=plan.warm_s,
                            measure_s=plan.measure_s,
                        )
                    )
        for server in order:
            keep(
                partial(storm, client, server, postgres, loads.boot(), plan.storm_stations, number)
            )
        syncs += fdatasync_ms(WORK)
        for server in order:
            if server.name == "A":
                continue  # cannot keep up with this rate
            keep(
                partial(
                    throughput,
                    client,
                    server,
                    postgres,
                    loads.meter_values(),
                    plan.open_stations,
                    number,
                    mode="open",
                    rate=OPEN_RATE,
                    warm_s=1.0,
                    measure_s=plan.open_s,
                )
            )
    return samples, syncs, failures


def _idle(plan: Plan, client: LoadClient, cores: Cores, settings: dict[str, str]) -> Idle:
    with servers.ours(cores, WORK, settings) as server:
        found = idle(client, server, loads.boot(), plan.idle_stations, watch_s=plan.watch_s)
    _say(
        f"{found.stations} idle: {found.kib_per_connection:.1f} KiB each, longest pause "
        f"{found.pause_ms:.1f} ms, p99 of a heartbeat {found.heartbeat_p99_ms:.1f} ms"
    )
    return found


def _idle_tls(plan: Plan, cores: Cores, settings: dict[str, str]) -> IdleTls:
    with servers.ours_tls(cores, WORK, settings) as (server, root):
        found = idle_tls(cores, server, root, plan.idle_stations, watch_s=plan.watch_s)
    _say(f"{found.stations} idle over TLS: {found.kib_per_connection:.1f} KiB each")
    return found


def _settings(url: str) -> dict[str, str]:
    secret = WORK / "secret"
    secret.write_text(SECRET + "\n")
    return {
        "CSMS_DATABASE_URL": url,
        "CSMS_DATA_DIR": str(WORK / "csms"),
        "CSMS_SECRET_FILE": str(secret),
        "CSMS_OCPP_HOST": "127.0.0.1",
        "CSMS_OCPP_PORT": "0",
        "CSMS_HTTP_HOST": "127.0.0.1",
        "CSMS_HTTP_PORT": "0",
    }


def _within_limits(plan: Plan) -> Plan:
    """Raise the limit of open files as far as may be, and measure fewer stations if it is low."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most = hard - SPARE_FILES
    if hard == resource.RLIM_INFINITY or plan.idle_stations <= most:
        return plan
    raise LoadError(
        f"{plan.idle_stations} connections need `ulimit -n {plan.idle_stations + SPARE_FILES}`;"
        f" here it is {hard}."
    )


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
