"""Joins the embedded server that another csms of the same data folder runs.

For commands beside a running `csms serve`: they are clients of its server and neither start nor
stop it. The lock of the folder says whether somebody runs; `postmaster.pid` says on which port.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from csms.store.embedded_process import EmbeddedPostgresError, explain_os_error

_POLL_S = 0.05
_PORT_LINE, _STATE_LINE = 3, 7


def running_url(
    data: Path, *, user: str = "csms", database: str = "csms", wait_s: float = 10.0
) -> str | None:
    """Return the address of the server that works on `data`, or None when nobody owns the folder.

    Blocks while the owner is starting.

    Args:
        data: The folder of `csms.store.embedded.EmbeddedPostgres`.
        user: Its role.
        database: Its database.
        wait_s: How long a server may take to be ready.

    Raises:
        EmbeddedPostgresError: Somebody owns the folder, but the server does not get ready.
    """
    end = time.monotonic() + wait_s
    while _is_owned(data):
        port = _ready_port(data / "pg" / "postmaster.pid")
        if port is not None:
            try:
                password = (data / "password").read_text().strip()
            except OSError as error:
                raise explain_os_error(data, error) from error
            return f"postgresql://{user}:{password}@127.0.0.1:{port}/{database}"
        if time.monotonic() > end:
            raise EmbeddedPostgresError(
                f"The csms that uses the data folder {data} does not get its Postgres ready"
                f" (more in {data}/postgres.log)."
            )
        time.sleep(_POLL_S)  # noqa: TID251  before any event loop runs
    return None


def _is_owned(data: Path) -> bool:
    try:
        lock = open(data / "lock", "a+")  # noqa: SIM115  closed below
    except FileNotFoundError:
        return False
    except OSError as error:
        raise explain_os_error(data, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _ready_port(pid_file: Path) -> int | None:
    try:
        lines = pid_file.read_text().splitlines()
        if len(lines) <= _STATE_LINE or lines[_STATE_LINE].strip() != "ready":
            return None
        os.kill(int(lines[0]), 0)  # a server that was killed leaves its file behind
        return int(lines[_PORT_LINE])
    except (OSError, ValueError):  # not there yet, being written, or of the past
        return None
