"""``python -m simulator load``: the load's command."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from simulator.clock import RealClock
from simulator.load import Load, LoadPlan, LoadReport
from simulator.terminal import loop_factory, on_signals, refuse, say

PROGRESS_S = 5.0


def load(
    url: Annotated[str, typer.Option(help="OCPP endpoint, ws://HOST:PORT/ocpp")],
    stations: Annotated[int, typer.Option(min=1, max=100_000)] = 1_000,
    connects_per_s: Annotated[
        float, typer.Option(min=0.0, help="The ramp; 0 has all connect at once")
    ] = 200.0,
    interval: Annotated[float, typer.Option(min=0.1, help="Between MeterValues, s")] = 60.0,
    duration: Annotated[float, typer.Option(min=0.0, help="Charging, s")] = 120.0,
    id_tag: Annotated[str, typer.Option(help="Of all transactions")] = "SIM-TAG-0001",
    prefix: Annotated[str, typer.Option(help="Of identities PREFIX000001...")] = "LOAD-",
    report: Annotated[Path | None, typer.Option(help="Write the report here (JSON)")] = None,
) -> None:
    """Connect many lean charge points, have them charge, and report latencies."""
    if not url.startswith("ws://"):
        raise refuse([f"--url: {url!r} does not begin with ws://"])
    plan = LoadPlan(
        url=url,
        stations=stations,
        connects_per_s=connects_per_s,
        interval_s=interval,
        duration_s=duration,
        id_tag=id_tag,
        prefix=prefix,
    )
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        found = runner.run(_load(plan))
    typer.echo(str(found))
    if report is not None:
        report.write_text(json.dumps(found.as_json(), indent=1) + "\n", encoding="utf-8")
    sys.exit(1 if found.errors else 0)


async def _load(plan: LoadPlan) -> LoadReport:
    playing = Load(plan, RealClock())
    on_signals(playing.stop)
    async with asyncio.TaskGroup() as tasks:
        progress = tasks.create_task(_progress(playing))
        report = await playing.run()
        progress.cancel()
    return report


async def _progress(playing: Load) -> None:
    while True:
        await playing.clock.sleep(PROGRESS_S)
        found = playing.report
        say(
            f"{found.connected}/{playing.plan.stations} connected, {found.charging} charging, "
            f"{sum(found.errors.values())} errors"
        )
