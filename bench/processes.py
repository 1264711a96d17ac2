"""Processes of a benchmark: pinned to cores, and gone when the benchmark is."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


@contextmanager
def pinned(cores: frozenset[int]) -> Iterator[None]:
    """Run on these cores; what is started inside stays there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def started(
    words: Sequence[str],
    cores: frozenset[int],
    *,
    environment: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    stderr: IO[Any] | None = None,
) -> subprocess.Popen[str]:
    """Start a process that ends with this one, in a session of its own (Ctrl-C is ours alone)."""

    def end_with_parent() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    with pinned(cores):
        return subprocess.Popen(  # noqa: S603  our own programs
            list(words),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=ROOT,
            env=None if environment is None else dict(environment),
            text=True,
            start_new_session=True,
            preexec_fn=end_with_parent,  # no other thread runs while we fork
        )


def end(process: subprocess.Popen[str], patience_s: float = 15.0) -> None:
    """End a process that we started: politely first."""
    for ask in (process.terminate, process.kill):
        if process.poll() is not None:
            break
        ask()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            continue
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
