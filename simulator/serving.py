"""``python -m simulator serve``: the emulator, its API and its page."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Annotated

import typer
from aiohttp import web

from simulator import options
from simulator.control import Panel
from simulator.emulator import Emulator
from simulator.emulator_api import emulator_routes
from simulator.errors import ListenError
from simulator.replays import Replays
from simulator.replays_api import replay_routes
from simulator.terminal import loop_factory, on_signals, refuse, say, tls_or_refuse
from simulator.web import MAX_BODY, guard


@asynccontextmanager
async def listening(
    routes: Iterable[web.AbstractRouteDef], host: str, port: int
) -> AsyncIterator[int]:
    """Serve ``routes`` and give the port.

    Raises:
        ListenError: the port is taken or the host is not ours.
    """
    site = web.Application(middlewares=[guard], client_max_size=MAX_BODY)
    site.add_routes(routes)
    runner = web.AppRunner(site, access_log=None, shutdown_timeout=2.0, handler_cancellation=True)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            # The system's own words: asyncio's name the address a second time.
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            raise ListenError(f"cannot listen on {host}:{port}: {why}") from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one")] = 3000,
    meter_interval: Annotated[
        int, typer.Option(min=0, metavar="SECONDS", help="Between MeterValues, 0 for none")
    ] = 10,
    speed: Annotated[float, typer.Option(min=1.0, help="How many times faster batteries fill")] = 1,
    patience: Annotated[
        float,
        typer.Option(min=0.1, metavar="SECONDS", help="Longest wait for a plug's Preparing"),
    ] = 20.0,
    ca: options.Authority = None,
    insecure_tls: options.Insecure = False,
) -> None:
    """Be the charging emulator: POST /plug plugs vehicles in, /ui is its page."""
    tls = tls_or_refuse(ca, insecure_tls)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        try:
            runner.run(_serve(host, port, meter_interval, speed, patience, tls))
        except ListenError as error:
            raise refuse([str(error)]) from error


async def _serve(
    host: str,
    port: int,
    meter_interval: int,
    speed: float,
    patience: float,
    tls: ssl.SSLContext | None,
) -> None:
    emulator = Emulator(tls=tls, meter_interval_s=meter_interval, patience_s=patience, speed=speed)
    panel = Panel(lambda: emulator.stations, emulator.clock)
    async with (
        Replays(emulator.clock) as replays,
        listening(
            [*emulator_routes(emulator), *panel.routes(), *replay_routes(replays)], host, port
        ) as taken,
    ):
        say(f"emulator: http://{host}:{taken}/  page: http://{host}:{taken}/ui")

        def stop() -> None:
            say("stopping: unplugging all vehicles (again to stop at once)")
            emulator.stop()

        on_signals(stop)
        await emulator.run()
