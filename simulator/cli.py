"""The simulator's command line: ``python -m simulator run`` and the commands beside it."""

import asyncio
import contextlib
import json
import ssl
from pathlib import Path
from typing import Annotated

import typer

from simulator.control import Panel
from simulator.errors import FleetError, RegistrationError
from simulator.events import Event
from simulator.fleet import Fleet
from simulator.fleet_file import FleetPlan, load_fleet, parse_fleet
from simulator.loading import load
from simulator.oddities.catalogue import ALL
from simulator.progress import showing
from simulator.registration import register_fleet
from simulator.replaying import replay
from simulator.scenario import find_scenario, ready_scenarios
from simulator.serving import listening, serve
from simulator.terminal import loop_factory, on_signals, refuse, say, tls_or_refuse
from simulator.verifying import verify

MAX_PROBLEM_KINDS = 50

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


app.command()(serve)
app.command()(load)
app.command()(replay)
app.command()(verify)


@app.callback()
def describe() -> None:
    """Simulated charge points, vehicles and fleets that speak OCPP 1.6J."""


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
    control: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Serve the control page on this port of the loopback"),
    ] = None,
    ca: Annotated[Path | None, typer.Option(help="PEM file with the authority to trust")] = None,
    insecure_tls: Annotated[
        bool, typer.Option("--insecure-tls", help="Check no server certificate (tests only)")
    ] = False,
) -> None:
    """Play charge points with vehicles that come and go, until Ctrl-C (or --duration).

    Ctrl-C unplugs all vehicles, waits for the last acknowledgements and closes; a second one stops
    at once.
    """
    try:
        plan = _plan(fleet, stations, connectors, seed, meter_interval, password)
    except FleetError as error:
        raise refuse(error.faults) from error
    if not url.startswith(("ws://", "wss://")):
        raise refuse([f"--url: {url!r} does not begin with ws:// or wss://"])
    if ledger is not None and not ledger.absolute().parent.is_dir():
        raise refuse([f"--ledger: there is no folder {ledger.absolute().parent}"])
    tls = tls_or_refuse(ca, insecure_tls)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        code = runner.run(
            _run(plan, url, register, token, speed, duration, ledger, control=control, tls=tls)
        )
    raise typer.Exit(code)


@app.command()
def scenario(
    name: Annotated[str | None, typer.Argument(help="A ready scenario, or a YAML file")] = None,
    url: Annotated[str, typer.Option(help="OCPP endpoint")] = "ws://127.0.0.1:9000/ocpp",
    listed: Annotated[bool, typer.Option("--list", help="List the ready ones")] = False,
    register: Annotated[
        str | None, typer.Option(help="Create stations and tags at this API first")
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="Bearer token of that API", envvar="CSMS_ADMIN_TOKEN")
    ] = None,
    duration: Annotated[float | None, typer.Option(min=0.0, help="In place of its own")] = None,
    speed: Annotated[float | None, typer.Option(min=1.0, help="In place of its own")] = None,
    ledger: Annotated[Path | None, typer.Option(help="Write all transactions here")] = None,
    control: Annotated[int | None, typer.Option(min=0, max=65_535, help="Control page")] = None,
) -> None:
    """Play a scenario."""
    if listed or name is None:
        for key, one in ready_scenarios().items():
            typer.echo(f"{key:20}{one.title}. {one.about.strip()}")
        return
    try:
        found = find_scenario(name)
    except FleetError as error:
        raise refuse(error.faults) from error
    say(f"scenario: {found.title}")
    seconds = duration if duration is not None else found.durationS
    pace = speed if speed is not None else found.speed
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        code = runner.run(
            _run(
                found.fleet, url, register, token, pace, seconds, ledger, control=control, tls=None
            )
        )
    raise typer.Exit(code)


@app.command()
def quirks(
    family: Annotated[str | None, typer.Argument(help="Only of this family")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON")] = False,
) -> None:
    """List quirks and faults by name, with what they do and where they were seen."""
    shown = [one for one in ALL if family is None or one.family.startswith(family)]
    if as_json:
        rows = [
            {"name": one.name, "family": one.family, "does": one.does, "who": one.who}
            | {"source": one.source, "parameters": dict(one.parameters)}
            for one in shown
        ]
        typer.echo(json.dumps(rows, indent=1))
        return
    last = None
    for one in shown:
        if one.family != last:
            last = one.family
            typer.echo(f"\n{last}")
        numbers = " ".join(f"{name}={value:g}" for name, value in one.parameters.items())
        seen = f"  [{one.who}: {one.source}]" if one.who else ""
        typer.echo(f"  {one.name:32}{one.does}{f' ({numbers})' if numbers else ''}{seen}")


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
            say(f"problem: {event.charge_point}: {event.name}: {facts}")


async def _run(
    plan: FleetPlan,
    url: str,
    register: str | None,
    token: str | None,
    speed: float,
    duration: float | None,
    ledger: Path | None,
    *,
    control: int | None,
    tls: ssl.SSLContext | None,
) -> int:
    if register is not None:
        try:
            created = await register_fleet(plan, register, token)
        except RegistrationError as error:
            say(f"error: {error}")
            return 1
        say(f"registered: {created} new stations and id tags")
    fleet = Fleet(plan, url, speed=speed, tls=tls, on_event=_ProblemReport())

    def write_ledger() -> None:
        if ledger is not None:
            fleet.ledger.write(ledger)

    def stop() -> None:
        say("stopping: unplugging all vehicles (again to stop at once)")
        fleet.stop()

    on_signals(stop, write_ledger)
    began = fleet.clock.monotonic()

    def played() -> tuple[float, float | None]:
        return fleet.clock.monotonic() - began, duration

    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(showing("fleet", played, lambda: str(fleet.summary)))
        if control is not None:
            panel = Panel(lambda: fleet.stations, fleet.clock)
            port = await stack.enter_async_context(listening(panel.routes(), "127.0.0.1", control))
            say(f"control: http://127.0.0.1:{port}/ui")
        await fleet.run(duration)
    write_ledger()
    say(f"stopped: {fleet.summary}; {fleet.summary.energy_text}")
    return 0
