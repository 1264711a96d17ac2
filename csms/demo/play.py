"""Plays the demo: starts the system, plants the sites, runs the fleet, shows it, stops in order."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.live import Live

from csms import __version__, log
from csms.app import DatabaseAddress, Defaults, Running, prepare, running
from csms.data_folder import data_folder
from csms.demo.fleet_process import FleetProcess, simulated
from csms.demo.lines import Lines
from csms.demo.picture import Addresses, Picture
from csms.demo.plan import SITES, fleet_document, stations_of
from csms.demo.seed import plant
from csms.demo.view import addresses_in_words, render, summary
from csms.demo.watch import Watcher
from csms.errors import DatabaseAway, StartError
from csms.services.credentials import TOKEN_PREFIX
from csms.settings import Settings

_SCREEN_EVERY_S = 0.5
_LINE_EVERY_S = 5.0
_LEAST_TOKEN = 16
_LOG_BYTES = 10_000_000
_LOOPBACK = "127.0.0.1"

Show = Callable[[Picture], Awaitable[None]]


async def play(
    settings: Settings,
    defaults: Defaults,
    database: DatabaseAddress,
    stop_signal: Callable[[], asyncio.Event],
) -> None:
    """Run the demo until the stop signal.

    Args:
        settings: All of them; without a token for the administrator one is kept in the data folder.
        defaults: Of the demo.
        database: Of any revision; it is migrated.
        stop_signal: Gives the event that ends the demo.

    Raises:
        StartError: The data folder or a port cannot be used.
        DatabaseAway: Postgres cannot be reached at start.
    """
    stop = stop_signal()
    folder = data_folder(settings)
    token = settings.admin_token or kept_token(folder / "demo-token")
    settings = settings.model_copy(update={"admin_token": token})
    control = None
    if settings.simulator_url is None:
        control = _free_port()
        settings = settings.model_copy(update={"simulator_url": f"http://{_LOOPBACK}:{control}"})
    with _logging_to(folder / "csms.log", settings.log_level):
        await prepare(database.url)
        async with running(settings, defaults, database) as system:
            await plant(system, SITES)
            addresses = _addresses(settings, defaults, system, token)
            watcher = Watcher(system, addresses)
            lines = Lines(gone=stop.set)
            _introduce(lines, addresses, folder)
            seed = int(system.ports.clock.now().timestamp())
            url = addresses.ocpp.removesuffix("/IDENTITY")
            async with simulated(fleet_document(seed), url, folder, control) as fleet:
                await _watch(watcher, fleet, lines, stop)
                if fleet.ended is None:
                    lines.say("unplugging the cars (Ctrl-C again stops at once) ...")
            await _take_leave(lines, watcher)
    lines.say(f"stopped; the data stays in {folder}, `make demo` goes on with it")


def kept_token(path: Path) -> str:
    """Return the administrator's token of this data folder; made at the first start.

    Raises:
        StartError: The file cannot be read or written.
    """
    try:
        if path.exists():
            token = path.read_text().strip()
            if len(token) >= _LEAST_TOKEN:
                return token
            path.unlink()  # the start that made it was killed
        token = TOKEN_PREFIX + secrets.token_urlsafe(18)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token + "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"The token in {path} cannot be kept: {error}.") from error
    return token


@contextmanager
def _logging_to(path: Path, level: str) -> Iterator[None]:
    """Send the log to a file: the terminal is for the view."""
    if path.exists() and path.stat().st_size > _LOG_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    with path.open("a", encoding="utf-8", buffering=1) as file:
        log.configure(level, stream=file)
        try:
            yield
        finally:
            log.configure(level)


def _addresses(settings: Settings, defaults: Defaults, system: Running, token: str) -> Addresses:
    scheme = "https" if settings.http_tls else "http"
    api = f"{scheme}://{_host(settings.http_host or defaults.host)}:{system.http_port}"
    ocpp = f"{_host(settings.ocpp_host or defaults.host)}:{system.ocpp_port}"
    return Addresses(
        ocpp=f"ws://{ocpp}/ocpp/IDENTITY",
        cockpit=f"{api}/",
        driver=f"{api}/c/{next(iter(stations_of()))}/1",
        api=f"{api}/api",
        docs=f"{api}/api/docs",
        sign_in=f"{api}/sign-in?token={token}",
    )


def _free_port() -> int:
    """Return a port that is free now: the system has to know it before the simulator listens."""
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _host(host: str) -> str:
    """Return the host as it stands in a URL that works on this machine."""
    match host:
        case "0.0.0.0":  # noqa: S104  compared, not bound
            return "127.0.0.1"
        case "::":
            return "[::1]"
        case _:
            return f"[{host}]" if ":" in host else host


def _introduce(lines: Lines, addresses: Addresses, folder: Path) -> None:
    lines.say(
        f"csms {__version__} demo: {len(stations_of())} simulated charge points "
        f"on {len(SITES)} sites, at speed 1"
    )
    for line in addresses_in_words(addresses):
        lines.say(line)
    lines.say(f"logs     {folder / 'csms.log'}, {folder / 'simulator.log'}")


async def _watch(watcher: Watcher, fleet: FleetProcess, lines: Lines, stop: asyncio.Event) -> None:
    """Show picture after picture until `stop`: a view on a terminal, else a line now and then."""
    console = Console(highlight=False)

    async def tell(picture: Picture) -> None:
        lines.say(summary(picture))

    if not console.is_terminal or console.is_dumb_terminal:
        await _show_until(stop, watcher, fleet, tell, _LINE_EVERY_S)
        return
    with Live(
        console=console,
        screen=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
        vertical_overflow="crop",
    ) as live:

        async def draw(picture: Picture) -> None:
            size = console.size
            view = render(picture, size.width, size.height)
            # in a thread: a terminal that does not read must not stop the central system
            await asyncio.to_thread(live.update, view, refresh=True)

        await _show_until(stop, watcher, fleet, draw, _SCREEN_EVERY_S)


async def _show_until(
    stop: asyncio.Event, watcher: Watcher, fleet: FleetProcess, show: Show, every_s: float
) -> None:
    while not stop.is_set():
        notices = []
        if fleet.ended is not None:
            notices.append(f"The simulator has ended (exit code {fleet.ended}, see {fleet.log}).")
        await show(await watcher.look(notices))
        try:
            async with asyncio.timeout(every_s):
                await stop.wait()
        except TimeoutError:
            continue


async def _take_leave(lines: Lines, watcher: Watcher) -> None:
    try:
        left = await watcher.open_sessions()
    except DatabaseAway:
        return
    if left:
        lines.say(f"{left} sessions are still open: their charge points have not sent a stop")
    else:
        lines.say("all sessions are over, each stop is acknowledged")
