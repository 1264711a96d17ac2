"""The simulator's command line: ``python -m simulator run`` and the commands beside it."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from simulator import options
from simulator.errors import FleetError, ListenError
from simulator.fleet_file import FleetPlan, load_fleet, parse_fleet
from simulator.loading import load
from simulator.oddities.catalogue import ALL
from simulator.oddities.model import Oddity
from simulator.playing import Play, play
from simulator.replaying import replay
from simulator.scenario import find_scenario, ready_scenarios
from simulator.serving import serve
from simulator.terminal import (
    files_or_refuse,
    loop_factory,
    refuse,
    say,
    table,
    tls_or_refuse,
    url_or_refuse,
)
from simulator.verifying import verify

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Paragraphs of help are wrapped as such.
    rich_markup_mode="markdown",
)


@app.callback()
def describe() -> None:
    """Simulated charge points, vehicles and fleets that speak OCPP 1.6J."""


@app.command()
def run(
    url: options.Url,
    stations: Annotated[int, typer.Option(min=1, max=100_000, help="How many charge points")] = 1,
    connectors: Annotated[int, typer.Option(min=1, max=64, help="Connectors of each")] = 1,
    register: options.Register = None,
    token: options.Token = None,
    fleet: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Fleet file (JSON) in place of the numbers above"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of arrivals and vehicles")] = None,
    speed: Annotated[
        float, typer.Option(min=1.0, help="How many times faster batteries fill and stays pass")
    ] = 1.0,
    duration: options.Duration = None,
    ledger: options.LedgerFile = None,
    report: options.ReportFile = None,
    state: options.State = None,
    meter_interval: Annotated[
        int, typer.Option(min=0, metavar="SECONDS", help="Between MeterValues, 0 for none")
    ] = 10,
    password: options.Password = None,
    control: options.Control = None,
    ca: options.Authority = None,
    insecure_tls: options.Insecure = False,
) -> None:
    """Play charge points with vehicles that come and go, until Ctrl-C (or --duration).

    Ctrl-C unplugs all vehicles, waits for the last acknowledgements and closes; a second one stops
    at once. The exit code is 0 when it was played, 1 when the central system has accepted no charge
    point, 2 for what cannot be played.
    """
    try:
        plan = _plan(fleet, stations, connectors, seed, meter_interval, password)
    except FleetError as error:
        raise refuse(error.faults) from error
    url_or_refuse(url)
    files_or_refuse(ledger=ledger, report=report)
    _leave_with(
        Play(
            plan=plan,
            url=url,
            speed=speed,
            duration_s=duration,
            register=register,
            token=token,
            ledger=ledger,
            report=report,
            state=state,
            control=control,
            tls=tls_or_refuse(ca, insecure_tls),
        )
    )


@app.command()
def scenario(
    name: Annotated[
        str | None, typer.Argument(help="A ready scenario, or a YAML file", metavar="NAME|FILE")
    ] = None,
    url: options.Url = "ws://127.0.0.1:9000/ocpp",
    listed: Annotated[bool, typer.Option("--list", help="List the ready ones")] = False,
    register: options.Register = None,
    token: options.Token = None,
    seed: Annotated[int | None, typer.Option(help="In place of its own")] = None,
    speed: Annotated[float | None, typer.Option(min=1.0, help="In place of its own")] = None,
    duration: options.Duration = None,
    ledger: options.LedgerFile = None,
    report: options.ReportFile = None,
    state: options.State = None,
    control: options.Control = None,
    ca: options.Authority = None,
    insecure_tls: options.Insecure = False,
) -> None:
    """Play a ready scenario, or one of your own.

    Exit codes are those of run.
    """
    if listed or name is None:
        rows = [
            (key, f"{one.title}. {one.about.strip()}") for key, one in ready_scenarios().items()
        ]
        typer.echo(table(rows))
        return
    try:
        found = find_scenario(name)
    except FleetError as error:
        raise refuse(error.faults) from error
    url_or_refuse(url)
    files_or_refuse(ledger=ledger, report=report)
    say(f"scenario: {found.title}")
    plan = found.fleet if seed is None else found.fleet.model_copy(update={"seed": seed})
    _leave_with(
        Play(
            plan=plan,
            url=url,
            speed=speed if speed is not None else found.speed,
            duration_s=duration if duration is not None else found.durationS,
            register=register,
            token=token,
            ledger=ledger,
            report=report,
            state=state,
            control=control,
            tls=tls_or_refuse(ca, insecure_tls),
        )
    )


app.command()(load)
app.command()(verify)
app.command()(replay)
app.command()(serve)


@app.command()
def quirks(
    family: Annotated[
        str | None, typer.Argument(help="Only of this family, or with this word")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON")] = False,
) -> None:
    """List quirks and faults by name, with what they do and where they were seen."""
    shown = [one for one in ALL if family is None or _is_about(one, family.lower())]
    if not shown:
        families = ", ".join(dict.fromkeys(one.family for one in ALL))
        raise refuse([f"there is no quirk or fault with {family!r}; families: {families}"])
    if as_json:
        rows = [
            {"name": one.name, "family": one.family, "does": one.does, "who": one.who}
            | {"source": one.source, "parameters": dict(one.parameters)}
            for one in shown
        ]
        typer.echo(json.dumps(rows, indent=1))
        return
    for heading in dict.fromkeys(one.family for one in shown):
        typer.echo(f"\n{heading}")
        typer.echo(table([_row(one) for one in shown if one.family == heading], indent=2))


def _is_about(one: Oddity, word: str) -> bool:
    return one.family.startswith(word) or any(
        word in text.lower() for text in (one.name, one.does, one.who)
    )


def _row(one: Oddity) -> tuple[str, str]:
    numbers = " ".join(f"{name}={value:g}" for name, value in one.parameters.items())
    seen = f" [{one.who}: {one.source}]" if one.who else ""
    return one.name, f"{one.does}{f' ({numbers})' if numbers else ''}{seen}"


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


def _leave_with(wanted: Play) -> None:
    """Play, and leave with the exit code.

    Raises:
        typer.Exit: always.
    """
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        try:
            code = runner.run(play(wanted))
        except (ListenError, OSError) as error:
            # An OSError: a file cannot be written after all.
            raise refuse([str(error)]) from error
    raise typer.Exit(code)
