"""The servers under load, each a process of its own on the server's core."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.machine import Cores
from bench.processes import ROOT, end, started

_PORT = re.compile(r"^(?:port |charge points +ws://[^:]+:)(\d+)")
_TLS_PORT = re.compile(r" +wss://[^:]+:(\d+)")


class ServerError(Exception):
    """A server did not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that listens.

    Attributes:
        name: E, A or O; see `bench.__main__`.
    """

    name: str
    pid: int
    port: int

    @property
    def echoes(self) -> bool:
        """Whether it answers each frame with itself."""
        return self.name == "E"


@contextmanager
def echo(cores: Cores, logs: Path) -> Iterator[Server]:
    """Run yardstick E."""
    with _serving("E", ["-m", "bench.echo_server"], {}, cores, logs) as server:
        yield server


@contextmanager
def readme(cores: Cores, logs: Path, database_url: str) -> Iterator[Server]:
    """Run yardstick A."""
    environment = {"BENCH_DATABASE_URL": database_url}
    with _serving("A", ["-m", "bench.readme_server"], environment, cores, logs) as server:
        yield server


@contextmanager
def ours(cores: Cores, logs: Path, settings: Mapping[str, str]) -> Iterator[Server]:
    """Run csms as it is shipped."""
    with _serving("O", ["-m", "csms", "serve"], settings, cores, logs) as server:
        yield server


@contextmanager
def ours_tls(
    cores: Cores, logs: Path, settings: Mapping[str, str]
) -> Iterator[tuple[Server, Path]]:
    """Run csms with certificates of its own authority; gives the port of TLS and the root."""
    tls = {**settings, "CSMS_OCPP_TLS_PORT": "0"}
    for words in (["ca", "init"], ["ca", "issue-server", "127.0.0.1"]):
        done = subprocess.run(  # noqa: S603  our own program
            [sys.executable, "-m", "csms", *words],
            env={**os.environ, **settings},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ServerError(f"csms {' '.join(words)}: {done.stderr.strip()}")
    with _serving("O", ["-m", "csms", "serve"], tls, cores, logs, _TLS_PORT) as server:
        yield server, Path(settings["CSMS_DATA_DIR"]) / "ca" / "root.pem"


@contextmanager
def _serving(
    name: str,
    words: list[str],
    settings: Mapping[str, str],
    cores: Cores,
    logs: Path,
    port: re.Pattern[str] = _PORT,
) -> Iterator[Server]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith("CSMS_")}
    with (logs / f"{name}.log").open("a") as log:
        process = started(
            [sys.executable, *words], cores.server, environment={**plain, **settings}, stderr=log
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if found := port.match(line):
                    yield Server(name=name, pid=process.pid, port=int(found[1]))
                    return
            raise ServerError(f"{name} did not start: {_last_line(Path(log.name))}")
        finally:
            end(process)


def _last_line(path: Path) -> str:
    lines = path.read_text().strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def of_database(url: str, name: str) -> str:
    """Return the address of another database of the same Postgres."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()
