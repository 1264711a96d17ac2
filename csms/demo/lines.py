"""Plain lines on standard output, for whoever reads them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import typer


class Lines:
    """Writes lines until nobody reads them any more.

    Args:
        gone: Called when the reader has gone (``csms demo | head``): there is nobody to play for.
    """

    def __init__(self, gone: Callable[[], None]) -> None:
        self._gone = gone

    def say(self, line: str) -> None:
        """Write one line at once."""
        try:
            typer.echo(line)
        except BrokenPipeError:
            # the interpreter writes what is left in its buffer at the end, and must not fail
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self._gone()
