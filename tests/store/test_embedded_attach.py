"""Joining the server of a csms that runs; the real one is joined in tests/app/test_restoring.py."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys

import asyncpg
import pytest

from csms.store.embedded import EmbeddedPostgres
from csms.store.embedded_attach import running_url
from csms.store.embedded_process import EmbeddedPostgresError


@pytest.fixture
def owned(tmp_path):
    """A folder that somebody has locked, as a starting csms does."""
    with open(tmp_path / "lock", "a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (tmp_path / "pg").mkdir()
        (tmp_path / "password").write_text("geheim\n")
        yield tmp_path


def write_pid_file(folder, pid, state="ready"):
    lines = [pid, folder, 1700000000, 54321, "", "127.0.0.1", "0 0", f"{state}   "]
    (folder / "pg" / "postmaster.pid").write_text("\n".join(map(str, lines)) + "\n")


def test_nobody_runs(tmp_path):
    assert running_url(tmp_path / "nowhere") is None
    assert not (tmp_path / "nowhere").exists()
    assert running_url(tmp_path) is None


def test_a_server_that_is_ready(owned):
    write_pid_file(owned, os.getpid())
    assert running_url(owned) == "postgresql://csms:geheim@127.0.0.1:54321/csms"


def test_looking_does_not_take_the_folder(owned):
    """The lock is the owner's alone: after a look a csms can still start."""
    write_pid_file(owned, os.getpid())
    running_url(owned)
    (owned / "lock").rename(owned / "other")
    assert running_url(owned) is None
    with open(owned / "lock", "a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("state", ["starting", "stopping", None])
def test_a_server_that_does_not_get_ready(owned, state):
    if state is not None:
        write_pid_file(owned, os.getpid(), state)
    with pytest.raises(EmbeddedPostgresError, match="does not get its Postgres ready"):
        running_url(owned, wait_s=0.1)


def test_the_file_of_a_server_that_was_killed(owned):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_pid_file(owned, gone.pid)
    with pytest.raises(EmbeddedPostgresError):
        running_url(owned, wait_s=0.1)


async def test_a_real_server(tmp_path):
    with EmbeddedPostgres(tmp_path / "data", durable=False) as server:
        url = running_url(tmp_path / "data")
        assert url == server.url
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("SELECT current_database()") == "csms"
        await connection.close()
    assert running_url(tmp_path / "data") is None
