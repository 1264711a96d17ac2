"""``python -m simulator load``: the load's command."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from simulator import options
from simulator.clock import RealClock
from simulator.errors import FleetError, RegistrationError
from simulator.fleet_file import parse_fleet
from simulator.load import Load, LoadPlan, Pattern
from simulator.load_report import LoadReport, resident_kib
from simulator.progress import showing
from simulator.registration import register_fleet
from simulator.terminal import (
    STDOUT,
    allow_sockets,
    files_or_refuse,
    loop_factory,
    on_signals,
    refuse,
    say,
    url_or_refuse,
    write_json,
)


def load(
    url: Annotated[str, typer.Option(metavar="URL", help="OCPP endpoint, ws://HOST:PORT/ocpp")],
    stations: Annotated[
        int, typer.Option(min=1, max=100_000, help="How many charge points")
    ] = 1_000,
    pattern: Annotated[
        Pattern, typer.Option(help="storm: all at once; reconnect: all are cut off half-way")
    ] = "ramp",
    connects_per_s: Annotated[
        float, typer.Option(min=0.0, help="The ramp; 0 has all connect at once")
    ] = 200.0,
    interval: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="Between MeterValues")
    ] = 60.0,
    duration: Annotated[
        float, typer.Option(min=0.0, metavar="SECONDS", help="How long they charge")
    ] = 120.0,
    id_tag: Annotated[str, typer.Option(help="Of all transactions")] = "SIM-TAG-0001",
    prefix: Annotated[str, typer.Option(help="Of identities PREFIX000001...")] = "LOAD-",
    password: options.Password = None,
    register: options.Register = None,
    token: options.Token = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the report here (JSON; verify reads it); -: stdout"
        ),
    ] = None,
) -> None:
    """Connect many lean charge points, have them charge, and report latencies and a ledger.

    The exit code is 0 without errors, 1 with some, 2 when nothing could be played.
    """
    url_or_refuse(url, ("ws",))
    files_or_refuse(report=report)
    plan = LoadPlan(
        url=url,
        stations=stations,
        pattern=pattern,
        connects_per_s=connects_per_s,
        interval_s=interval,
        duration_s=duration,
        id_tag=id_tag,
        prefix=prefix,
        password=password,
    )
    allow_sockets(stations)
    before = resident_kib()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        if register is not None:
            runner.run(_register(plan, register, token))
        found = runner.run(_load(plan, before))
    typer.echo(str(found), err=report == STDOUT)
    if report is not None:
        write_json(report, found.as_json())
    if found.connected == 0:
        raise typer.Exit(2)
    raise typer.Exit(1 if found.errors else 0)


async def _register(plan: LoadPlan, url: str, token: str | None) -> None:
    """Create what the load needs.

    Raises:
        typer.Exit: the API does not take it.
    """
    group = {
        "prefix": plan.prefix,
        "count": plan.stations,
        "maxKw": 11,
        "idTags": [plan.id_tag],
        "password": plan.password,
    }
    try:
        created = await register_fleet(parse_fleet({"groups": [group]}), url, token)
    except (FleetError, RegistrationError) as error:
        raise refuse([str(error)]) from error
    say(f"registered: {created} new stations and id tags")


async def _load(plan: LoadPlan, resident_before: float | None) -> LoadReport:
    playing = Load(plan, RealClock(), resident_before=resident_before)
    on_signals(playing.stop)
    async with showing("load", playing.progress, playing.describe):
        return await playing.run()
