"""What the commands share: words to the terminal, signals, the event loop, TLS options."""

import asyncio
import contextlib
import os
import resource
import signal
import ssl
from collections.abc import Callable
from pathlib import Path

import typer

from simulator.web import trust


def say(text: str) -> None:
    """Write a line for the person at the terminal."""
    typer.echo(text, err=True)


def refuse(faults: list[str]) -> typer.Exit:
    """Tell what is wrong with the command line and return how to leave."""
    for fault in faults:
        say(f"error: {fault}")
    return typer.Exit(2)


def tls_or_refuse(ca: Path | None, insecure: bool) -> ssl.SSLContext | None:
    """Return how certificates are checked.

    Raises:
        typer.Exit: the authority's file is of no use.
    """
    try:
        return trust(ca, insecure=insecure)
    except OSError as error:
        raise refuse([f"--ca: {ca}: {error}"]) from error


FILES_BESIDE_SOCKETS = 100


def allow_sockets(count: int) -> None:
    """Have this process open ``count`` sockets at once.

    Raises:
        typer.Exit: the system does not allow so many.
    """
    needed = count + FILES_BESIDE_SOCKETS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise refuse(
            [f"{count} sockets need {needed} open files, the limit is {hard} (ulimit -Hn)"]
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's loops where there are any: with TLS they need a seventh of the memory."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def on_signals(stop: Callable[[], None], last_words: Callable[[], None] = lambda: None) -> None:
    """Stop in order on the first SIGINT or SIGTERM, at once on the second.

    Handlers of our own: a shell starts background processes with SIGINT ignored.
    """
    loop = asyncio.get_running_loop()
    asked = False

    def on_signal() -> None:
        nonlocal asked
        if asked:
            with contextlib.suppress(OSError):
                last_words()
            os._exit(130)
        asked = True
        stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
