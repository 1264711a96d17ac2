"""``python -m simulator replay``: the command."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from simulator import options
from simulator.bundle import read_bundle
from simulator.clock import RealClock
from simulator.errors import BundleError
from simulator.progress import showing
from simulator.replay import Replay, ReplayPlan
from simulator.terminal import (
    STDOUT,
    files_or_refuse,
    loop_factory,
    on_signals,
    refuse,
    say,
    tls_or_refuse,
    url_or_refuse,
    write_json,
)


def replay(
    bundle: Annotated[Path, typer.Argument(help="What /api/stations/ID/messages/export gave")],
    url: options.Url,
    identity: Annotated[str | None, typer.Option(help="In place of the recorded one")] = None,
    password: Annotated[str | None, typer.Option(help="Basic authentication")] = None,
    speed: Annotated[
        float, typer.Option(min=0.0, help="How many times faster than it was; 0: without waits")
    ] = 1.0,
    now: Annotated[
        bool, typer.Option("--now", help="Move timestamps so that the first frame is now")
    ] = False,
    one_connection: Annotated[
        bool, typer.Option("--one-connection", help="Do not connect anew for a BootNotification")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.1, help="Longest wait for an answer, s")] = 30.0,
    ignore: Annotated[
        list[str] | None,
        typer.Option(help="A place that may differ, such as BootNotification.interval; repeatable"),
    ] = None,
    report: options.ReportFile = None,
    ca: options.Authority = None,
    insecure_tls: options.Insecure = False,
) -> None:
    """Play a message-log bundle against a central system and tell how its answers differ.

    The exit code is 0 for the same answers, 1 for differences, 2 when it could not be played.
    """
    url_or_refuse(url)
    files_or_refuse(report=report)
    try:
        recording = read_bundle(bundle)
    except BundleError as error:
        raise refuse([str(error)]) from error
    if not recording.is_whole:
        say("the bundle has no footer: it was cut off, or its frames are not all there")
    plan = ReplayPlan(
        url=url,
        identity=identity,
        password=password,
        speed=speed,
        shifts_times=now,
        boots_anew=not one_connection,
        timeout_s=timeout,
        ignored=frozenset(ignore or ()),
        tls=tls_or_refuse(ca, insecure_tls),
    )

    async def play() -> Replay:
        replaying = Replay(recording, plan, RealClock())
        on_signals(replaying.stop)
        async with showing(
            "replay", lambda: (replaying.report.sent, replaying.total), replaying.describe
        ):
            await replaying.run()
        return replaying

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        found = runner.run(play()).report
    typer.echo(str(found), err=report == STDOUT)
    if report is not None:
        write_json(report, found.as_json())
    if found.broken_off is not None:
        raise typer.Exit(2)
    raise typer.Exit(1 if found.differences else 0)
