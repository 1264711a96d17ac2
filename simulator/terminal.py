"""What the commands share: words to the terminal, signals, the event loop, TLS options."""

import asyncio
import contextlib
import json
import os
import resource
import shutil
import signal
import ssl
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import typer

from simulator.refusals import fault_of
from simulator.web import trust

STDOUT = Path("-")
MAX_COLUMNS = 120
"""Longer lines are hard to read, however wide a terminal is."""


def say(text: str) -> None:
    """Write a line for the person at the terminal."""
    typer.echo(text, err=True)


def refuse(faults: list[str]) -> typer.Exit:
    """Tell what is wrong with the command line and return how to leave."""
    for fault in faults:
        say(f"error: {fault}")
    return typer.Exit(2)


def table(rows: Sequence[tuple[str, str]], indent: int = 0) -> str:
    """Return names and what they mean; on a terminal texts are wrapped in their column.

    >>> print(table([("a", "one"), ("bcd", "two")], indent=2))
      a    one
      bcd  two
    """
    widest = max(len(name) for name, _ in rows) + 2
    columns = sys.maxsize
    if sys.stdout.isatty():
        columns = max(60, min(shutil.get_terminal_size().columns, MAX_COLUMNS))
    wrapper = textwrap.TextWrapper(
        width=columns,
        subsequent_indent=" " * (indent + widest),
        break_long_words=False,
        break_on_hyphens=False,
    )
    lines = []
    for name, text in rows:
        wrapper.initial_indent = " " * indent + name.ljust(widest)
        lines += wrapper.wrap(" ".join(text.split()))
    return "\n".join(lines)


def url_or_refuse(url: str, schemes: tuple[str, ...] = ("ws", "wss")) -> None:
    """Look at an endpoint's URL.

    Raises:
        typer.Exit: nothing can be reached by it.
    """
    fault = fault_of(url, schemes)
    if fault is not None:
        raise refuse([f"--url: {fault}"])


def files_or_refuse(**files: Path | None) -> None:
    """Look at where files are to be written, by option, before anything is played.

    Raises:
        typer.Exit: a folder is not there.
    """
    faults = [
        f"--{option}: there is no folder {path.absolute().parent}"
        for option, path in files.items()
        if path is not None and path != STDOUT and not path.absolute().parent.is_dir()
    ]
    if faults:
        raise refuse(faults)


def write_json(path: Path, data: Any) -> None:
    """Replace ``path`` by ``data`` as JSON, as a whole; ``-`` is standard output.

    Raises:
        OSError: the folder cannot be written.
    """
    text = json.dumps(data, indent=1)
    if path == STDOUT:
        typer.echo(text)
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text + "\n", encoding="utf-8")
    draft.replace(path)


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


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes loops: uvloop's, with which TLS needs a seventh of the memory."""
    try:
        import uvloop
    except ImportError:
        make: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    else:
        make = uvloop.new_event_loop

    def made() -> asyncio.AbstractEventLoop:
        loop = make()
        loop.set_exception_handler(_without_handshakes)
        return loop

    return made


def _without_handshakes(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Pass over what is told in words: uvloop keeps a second copy of a handshake's error."""
    is_unread = str(context.get("message")).startswith("Future exception was never retrieved")
    if not (is_unread and isinstance(context.get("exception"), ssl.SSLError)):
        loop.default_exception_handler(context)


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
