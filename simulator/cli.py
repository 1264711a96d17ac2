"""The simulator's command line: ``python -m simulator run``."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from simulator.errors import FleetError, RegistrationError
from simulator.events import Event
from simulator.fleet import Fleet
from simulator.fleet_file import FleetPlan, load_fleet, parse_fleet
from simulator.registration import register_fleet

PLAIN_PROGRESS_S = 10.0
LIVE_PROGRESS_S = 0.5
MAX_PROBLEM_KINDS = 50

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def describe() -> None:
    """Simulated charge points, vehicles and fleets that speak OCPP 1.6J."""


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _refuse(faults: list[str]) -> typer.Exit:
    for fault in faults:
        _say(f"error: {fault}")
    return typer.Exit(2)


def _plan(
    fleet_file: Path | None,
    stations: int,
    connectors: int,
    seed: int | None,
    meter_interval: int,
    password: str | None,
) -> FleetPlan:
    if fleet_file is not None:
        plan = load_fleet(fleet_file)
        return plan if seed is None else plan.model_copy(update={"seed": seed})
    group = {
        "prefix": "SIM-",
        "count": stations,
        "connectors": connectors,
        "meterIntervalS": meter_interval,
        "password": password,
    }
    return parse_fleet({"groups": [group], "seed": 1 if seed is None else seed})


@app.command()
def run(
    url: Annotated[str, typer.Option(help="OCPP endpoint, ws://HOST:PORT/ocpp")],
    stations: Annotated[int, typer.Option(min=1, max=100_000, help="How many charge points")] = 1,
    connectors: Annotated[int, typer.Option(min=1, max=64, help="Connectors of each")] = 1,
    register: Annotated[
        str | None,
        typer.Option(help="Create stations and tags at this API first, http://HOST:8080"),
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="Bearer token of that API", envvar="CSMS_ADMIN_TOKEN")
    ] = None,
    fleet: Annotated[
        Path | None, typer.Option(help="Fleet file (JSON) instead of --stations")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of arrivals and vehicles")] = None,
    speed: Annotated[
        float, typer.Option(min=1.0, help="How many times faster batteries fill and stays pass")
    ] = 1.0,
    duration: Annotated[
        float | None, typer.Option(min=0.0, help="Stop after so many seconds")
    ] = None,
    ledger: Annotated[
        Path | None, typer.Option(help="Write all transactions to this file at the end (JSON)")
    ] = None,
    meter_interval: Annotated[
        int, typer.Option(min=0, help="Seconds between MeterValues, 0 for none")
    ] = 10,
    password: Annotated[
        str | None, typer.Option(help="Basic authentication password of all charge points")
    ] = None,
) -> None:
    """Play charge points with vehicles that come and go, until Ctrl-C (or --duration).

    Ctrl-C unplugs all vehicles, waits for the last acknowledgements and closes; a second one stops
    at once.
    """
    try:
        plan = _plan(fleet, stations, connectors, seed, meter_interval, password)
    except FleetError as error:
        raise _refuse(error.faults) from error
    if not url.startswith(("ws://", "wss://")):
        raise _refuse([f"--url: {url!r} does not begin with ws:// or wss://"])
    if ledger is not None and not ledger.absolute().parent.is_dir():
        raise _refuse([f"--ledger: there is no folder {ledger.absolute().parent}"])
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        code = runner.run(_run(plan, url, register, token, speed, duration, ledger))
    raise typer.Exit(code)


class _ProblemReport:
    """Tells each kind of problem once: a thousand charge points have the same ones."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def __call__(self, event: Event) -> None:
        """Take in any event of the fleet."""
        if event.name not in ("call_failed", "refused"):
            return
        facts = ", ".join(f"{name} {value}" for name, value in event.data.items())
        if facts not in self._told and len(self._told) < MAX_PROBLEM_KINDS:
            self._told.add(facts)
            _say(f"problem: {event.charge_point}: {event.name}: {facts}")


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's loops where there are any: with TLS they need a seventh of the memory."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _run(
    plan: FleetPlan,
    url: str,
    register: str | None,
    token: str | None,
    speed: float,
    duration: float | None,
    ledger: Path | None,
) -> int:
    if register is not None:
        try:
            created = await register_fleet(plan, register, token)
        except RegistrationError as error:
            _say(f"error: {error}")
            return 1
        _say(f"registered: {created} new stations and id tags")
    fleet = Fleet(plan, url, speed=speed, on_event=_ProblemReport())

    def write_ledger() -> None:
        if ledger is not None:
            fleet.ledger.write(ledger)

    _install_signals(fleet, write_ledger)
    async with asyncio.TaskGroup() as tasks:
        progress = tasks.create_task(_progress(fleet))
        await fleet.run(duration)
        progress.cancel()
    write_ledger()
    _say(f"stopped: {fleet.summary}")
    return 0


def _install_signals(fleet: Fleet, write_ledger: Callable[[], None]) -> None:
    """Stop in order on the first SIGINT or SIGTERM, at once on the second.

    Handlers of our own: a shell starts background processes with SIGINT ignored.
    """
    loop = asyncio.get_running_loop()
    asked = False

    def on_signal() -> None:
        nonlocal asked
        if asked:
            with contextlib.suppress(OSError):
                write_ledger()
            os._exit(130)
        asked = True
        _say("stopping: unplugging all vehicles (again to stop at once)")
        fleet.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)


async def _progress(fleet: Fleet) -> None:
    """Show the fleet's counts: a live line on a terminal, else a line now and then."""
    if sys.stderr.isatty():
        with Live(str(fleet.summary), console=Console(stderr=True), auto_refresh=False) as live:
            while True:
                live.update(str(fleet.summary), refresh=True)
                await fleet.clock.sleep(LIVE_PROGRESS_S)
    while True:
        await fleet.clock.sleep(PLAIN_PROGRESS_S)
        _say(str(fleet.summary))
