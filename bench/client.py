"""The load client: compiled once, run for each measurement on the cores that the server leaves."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from bench.loads import Load
from bench.machine import Cores
from bench.processes import end, started

SOURCE = Path(__file__).with_name("load.c")
SOURCES = 8
"""Loopback addresses that connections come from: closed ones keep their port for a minute."""

Mode = Literal["closed", "open", "once", "hold"]


class LoadError(Exception):
    """The load client failed, or an answer was wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the load client has counted; latencies in ms."""

    answers: int
    seconds: float
    connect_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    errors: int
    calls: int
    client_busy: float
    serial: int


@dataclass(slots=True)
class LoadClient:
    """Runs the load client; one at a time.

    Attributes:
        serial: Last serial number that was used; it only grows, as meters do.
    """

    binary: Path
    cores: Cores
    serial: int = 0
    errors: list[str] = field(default_factory=list)

    def run(
        self,
        load: Load,
        port: int,
        stations: int,
        mode: Mode,
        *,
        first: int = 0,
        warm_s: float = 0.5,
        measure_s: float = 2.0,
        rate: float = 0.0,
        burst: int = 200,
        limit_s: float = 90.0,
        echo: bool = False,
        on: dict[str, Callable[[], None]] | None = None,
    ) -> Report:
        """Run a load to its end.

        Args:
            load: The script.
            port: Of the server, on loopback.
            stations: How many connect.
            mode: See `load.c`; not "hold".
            first: Number of the first station.
            warm_s: Time before the measured window.
            measure_s: Length of the measured window.
            rate: Messages a second, for "open".
            burst: How many may be connecting at a time.
            limit_s: The client ends with an error after that.
            echo: Answers are the frames themselves.
            on: What to do when the client says "connected", "begin" or "end".

        Raises:
            LoadError: The client failed, or got a wrong answer.
        """
        options = {
            "from": first,
            "warm": warm_s,
            "measure": measure_s,
            "rate": rate or 1,
            "burst": burst,
        }
        with self._started(load, port, stations, mode, limit_s, options, echo) as process:
            return self._result(_read(process, on or {}), load)

    @contextmanager
    def holding(
        self, load: Load, port: int, stations: int, *, burst: int = 200, limit_s: float = 300.0
    ) -> Iterator[IO[str]]:
        """Connect stations, let each send its frames once, and keep them; yields what it says."""
        options: dict[str, float] = {"burst": burst}
        with self._started(load, port, stations, "hold", limit_s, options, False) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            yield process.stdout
            process.stdin.close()
            self._result(_read(process, {}), load)

    @contextmanager
    def _started(
        self,
        load: Load,
        port: int,
        stations: int,
        mode: Mode,
        limit_s: float,
        options: dict[str, float],
        echo: bool,
    ) -> Iterator[subprocess.Popen[str]]:
        with tempfile.NamedTemporaryFile("w", suffix=".script") as script:
            script.write("\n".join(load.lines) + "\n")
            script.flush()
            words = [str(self.binary), "--script", script.name, "--mode", mode]
            named = {
                "port": port,
                "stations": stations,
                "sources": SOURCES,
                "limit": limit_s,
                "serial": self.serial,
                "echo": int(echo),
            } | options
            for name, value in named.items():
                words += [f"--{name}", str(value)]
            process = started(words, self.cores.others, stdin=subprocess.PIPE)
            try:
                yield process
            finally:
                end(process)

    def _result(self, line: str, load: Load) -> Report:
        report = Report(**json.loads(line))
        self.serial = report.serial
        if report.errors or report.calls:
            raise LoadError(
                f"{load.name}: {report.errors} wrong answers, {report.calls} unexpected calls"
            )
        return report


def compiled(cache: Path) -> Path:
    """Return the load client, compiled if its source has changed.

    Raises:
        LoadError: There is no C compiler, or it refuses the source.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise LoadError("The benchmark's load client needs a C compiler: install gcc.")
    version = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]
    binary = cache / f"load-{version}"
    if not binary.exists():
        cache.mkdir(parents=True, exist_ok=True)
        new = binary.with_suffix(".new")
        done = subprocess.run(  # noqa: S603  our own source
            [compiler, "-O2", "-Wall", "-o", str(new), str(SOURCE)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise LoadError(f"The load client does not compile: {done.stderr.strip()}")
        new.rename(binary)
    return binary


def _read(process: subprocess.Popen[str], on: dict[str, Callable[[], None]]) -> str:
    """Return the client's last line; calls what `on` names as it comes by."""
    assert process.stdout is not None
    for line in process.stdout:
        word = line.strip()
        if word in on:
            on[word]()
        elif word.startswith("{"):
            return word
    raise LoadError(f"the load client ended early (exit code {process.wait(5)})")
