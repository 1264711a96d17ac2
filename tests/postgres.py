"""One Postgres for a whole test run, and a fresh database for each test that asks.

The pytest process that owns the run (the xdist controller, or the only process) starts the server
when the first test needs it. xdist workers ask the controller over a socket in the run's folder;
a thread there answers, because a server started by a worker would end with that worker.

The migrations run once, into a template; a test gets a copy of its files (about 10 ms).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import asyncpg

from csms.store import migrate
from csms.store.embedded import EmbeddedPostgres

TEMPLATE = "migrated"
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  a fast place, the folder in it is private
_ROOM_BYTES = 2_000_000_000
_PREFIX = "csms-test-"
_numbers = itertools.count(1)


class Postgres(Protocol):
    """Where tests get databases from."""

    def server_url(self) -> str:
        """Return the address of the maintenance database; starts the server if need be."""

    def migrated_template(self) -> str:
        """Return the name of the template at the newest revision; makes it if need be."""


class OwnPostgres:
    """The server of this run, in a folder of its own outside the checkout.

    Concurrency: one thread only starts and stops it.
    """

    def __init__(self) -> None:
        parent = _fast_folder()
        _remove_abandoned(parent)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
        self._server: EmbeddedPostgres | None = None
        self._migrated = False

    def server_url(self) -> str:
        if self._server is None:
            server = EmbeddedPostgres(
                self.folder / "postgres",
                database="postgres",
                durable=False,
                settings={"checkpoint_timeout": "1h", "shared_buffers": "64MB"},
            )
            self._server = server.start(lasting_thread=True)
        return self._server.url

    def migrated_template(self) -> str:
        url = self.server_url()
        if not self._migrated:
            _run_sql(url, f"CREATE DATABASE {TEMPLATE}")
            asyncio.run(migrate.upgrade(database_address(url, TEMPLATE)))
            self._migrated = True
        return TEMPLATE

    def close(self) -> None:
        """Stop the server and remove its folder."""
        if self._server is not None:
            self._server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class SharedPostgres:
    """The controller's side: answers the workers from one lasting thread."""

    def __init__(self) -> None:
        self._own = OwnPostgres()
        self.path = self._own.folder / "ask"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name="test-postgres", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                if self._closing:
                    return
                asked = connection.recv(100)
                try:
                    answer = {"url": self._own.server_url()}
                    if asked == b"template":
                        answer["template"] = self._own.migrated_template()
                except Exception as error:  # noqa: BLE001  the worker's test reports it
                    answer = {"error": f"{type(error).__name__}: {error}"}
                with suppress(ConnectionError):  # a worker that was killed meanwhile
                    connection.sendall(json.dumps(answer).encode())

    def close(self) -> None:
        """Stop server and thread, in this order: the end of the thread would kill the server."""
        self._closing = True
        with socket.socket(socket.AF_UNIX) as wake_up:
            wake_up.connect(str(self.path))
            self._thread.join()
        self._listener.close()
        self._own.close()


class RemotePostgres:
    """A worker's side."""

    def __init__(self, path: str) -> None:
        self._path = path

    def _ask(self, what: bytes) -> dict[str, str]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self._path)
            connection.sendall(what)
            answer: dict[str, str] = json.loads(b"".join(iter(lambda: connection.recv(4096), b"")))
        if "error" in answer:
            raise RuntimeError(f"no Postgres for the tests: {answer['error']}")
        return answer

    def server_url(self) -> str:
        return self._ask(b"server")["url"]

    def migrated_template(self) -> str:
        return self._ask(b"template")["template"]


@contextmanager
def fresh_database(server_url: str, template: str = "template0") -> Iterator[str]:
    """Make a database of a unique name, give its address, and drop it afterwards."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    _run_sql(server_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    try:
        yield database_address(server_url, name)
    finally:
        _run_sql(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def database_address(server_url: str, name: str) -> str:
    """Return the address of another database of the same server."""
    return server_url.rsplit("/", 1)[0] + f"/{name}"


def _run_sql(url: str, sql: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    asyncio.run(run())


def _fast_folder() -> Path:
    fast = os.access(_SHARED_MEMORY, os.W_OK)
    if fast and shutil.disk_usage(_SHARED_MEMORY).free > _ROOM_BYTES:
        return _SHARED_MEMORY
    return Path(tempfile.gettempdir())


def _remove_abandoned(parent: Path) -> None:
    """Remove what runs that were killed have left; their servers died with them."""
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            os.kill(int(folder.name.removeprefix(_PREFIX).split("-")[0]), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (ValueError, PermissionError):
            continue
