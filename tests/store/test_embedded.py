"""The embedded server: starts, keeps data, survives kills, and says why it does not start."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from unittest.mock import patch

import asyncpg
import pytest

from csms.clock import SystemClock
from csms.store import embedded, embedded_process
from csms.store.embedded import EmbeddedPostgres, EmbeddedPostgresError
from tests.waiting import wait_until

_SMALL = {"shared_buffers": "16MB", "max_connections": "20"}


def server(data: Path, **options) -> EmbeddedPostgres:
    return EmbeddedPostgres(data, settings=_SMALL, **options)


async def sql(pg: EmbeddedPostgres, statement: str) -> object:
    connection = await asyncpg.connect(pg.url, timeout=30)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A data folder that exists already, to start warm; the tests leave it stopped."""
    folder = tmp_path_factory.mktemp("embedded")
    with server(folder) as pg:
        asyncio.run(sql(pg, "CREATE TABLE kept (n int)"))
        assert sorted(p.name for p in folder.iterdir()) == [
            "lock",
            "password",
            "pg",
            "postgres.log",
        ]
        assert (folder / "password").stat().st_mode & 0o777 == 0o600
    assert not pg.alive
    return folder


async def test_a_warm_start_keeps_rows_and_password(data):
    with server(data) as pg:
        first = pg.password
        await sql(pg, "INSERT INTO kept VALUES (1)")
    with server(data) as pg:
        assert pg.password == first
        assert await sql(pg, "SELECT n FROM kept") == 1
        assert await sql(pg, "SHOW fsync") == "on"
        assert await sql(pg, "SHOW unix_socket_directories") == ""


async def test_a_killed_server_comes_back_on_its_port_with_its_rows(data):
    with server(data) as pg:
        await sql(pg, "INSERT INTO kept VALUES (2)")
        # A backend in the middle of a statement outlives its postmaster and holds the memory.
        busy = await asyncpg.connect(pg.url)
        forever = asyncio.ensure_future(busy.execute("DO $$ BEGIN LOOP END LOOP; END $$"))
        spin = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO%'"
        await wait_until(lambda: sql(pg, spin))

        before, url = pg.pid, pg.url
        assert pg.port < 32_768  # from there on it could be somebody's connection by the restart
        os.kill(before, signal.SIGKILL)
        await wait_until(lambda: not pg.alive)
        pg.restart()

        assert pg.pid != before
        assert pg.url == url
        assert await sql(pg, "SELECT count(*) FROM kept WHERE n = 2") == 1
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await forever
        busy.terminate()


async def _answers(pg: EmbeddedPostgres) -> bool:
    try:
        return await sql(pg, "SELECT true") is True
    except (OSError, asyncpg.PostgresError):
        return False


async def test_watch_brings_a_killed_server_back(data):
    with server(data) as pg:
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(pg.watch(SystemClock(), every_s=0.02))
            before = pg.pid
            os.kill(before, signal.SIGKILL)

            async def answers() -> bool:
                return pg.pid != before and await _answers(pg)

            await wait_until(answers)
            watch.cancel()


async def test_watch_holds_nobody_up_while_backends_do_not_end(data, monkeypatch):
    end, ending, may_end = embedded._end_leftovers, threading.Event(), threading.Event()

    def slow(pgdata):
        ending.set()
        assert may_end.wait(20), "the loop that would let them end was held up"
        end(pgdata)

    with server(data) as pg:
        monkeypatch.setattr(embedded, "_end_leftovers", slow)
        os.kill(pg.pid, signal.SIGKILL)
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(pg.watch(SystemClock(), every_s=0.02))
            await wait_until(ending.is_set)
            may_end.set()
            await wait_until(lambda: _answers(pg))
            watch.cancel()


async def test_watch_goes_on_after_a_restart_that_failed(data):
    with server(data) as pg:
        os.kill(pg.pid, signal.SIGKILL)
        await wait_until(lambda: not pg.alive)
        taken = pytest.raises(EmbeddedPostgresError, match=f"Port {pg.port} .* in use")
        with socket.create_server(("127.0.0.1", pg.port)), taken:
            pg.restart()
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(pg.watch(SystemClock(), every_s=0.02))
            await wait_until(lambda: _answers(pg))
            watch.cancel()


def test_a_killed_owner_leaves_nothing_running(data):
    code = (
        "import sys, time; from pathlib import Path; from csms.store.embedded import *;"
        "pg = EmbeddedPostgres(Path(sys.argv[1])).start(); print(pg.pid, flush=True);"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, data], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        postmaster = int(owner.stdout.readline())
        cluster = embedded_process.cluster_name(data / "pg")
        assert postmaster in embedded_process.server_processes(cluster)
        with pytest.raises(EmbeddedPostgresError) as refusal:
            server(data).start()
        assert str(refusal.value) == (
            f"The data folder {data} is in use by another csms (process {owner.pid})."
        )
        owner.kill()
    if sys.platform == "linux":
        gone = wait_until(lambda: not embedded_process.server_processes(cluster))
        assert asyncio.run(gone) is True
    with server(data) as pg:
        assert asyncio.run(sql(pg, "SELECT true"))


async def test_an_orphaned_server_is_stopped_by_the_next_start(data):
    pg = server(data).start()
    orphan = pg.pid
    pg._lock.close()  # as if its owner were gone and the kernel had not stopped it
    with server(data) as successor:
        assert not pg.alive
        assert successor.pid != orphan
        assert await sql(successor, "SELECT true")
    pg.stop()


def test_a_stop_that_comes_while_it_starts_is_an_orderly_one(data):
    log = data / "postgres.log"
    before = log.stat().st_size
    listening = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in the background of a shell
    try:
        pg = server(data)
        with patch.object(pg, "_wait_ready"), patch.object(pg, "_ensure_database"):
            pg.start()  # it does not hear of signals yet
            pg.stop(timeout_s=10)
    finally:
        signal.signal(signal.SIGINT, listening)
    assert not pg.alive
    assert b"immediate shutdown" not in log.read_bytes()[before:]


async def test_only_the_password_opens_it(data):
    with server(data) as pg:
        for wrong in ("nonsense", ""):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(pg.url, password=wrong)


async def test_a_database_of_another_name_is_made(data):
    with server(data, database="other") as pg:
        assert await sql(pg, "SELECT current_database()") == "other"


def test_a_free_port_is_searched_and_a_given_one_insisted_on(data, free_port):
    with server(data, port=free_port) as pg:
        assert f"127.0.0.1:{free_port}/" in pg.url
    with socket.create_server(("127.0.0.1", free_port)):
        pg = server(data, port=free_port)
        with pytest.raises(EmbeddedPostgresError) as refusal:
            pg.start()
        assert str(refusal.value) == f"Port {free_port} on 127.0.0.1 is in use by another program."
    with pg:  # the failed start has released the folder
        assert pg.alive


def test_a_lost_or_wrong_password_file_is_named(data):
    password = (data / "password").read_text()
    (data / "password").write_text("wrong")
    with pytest.raises(EmbeddedPostgresError, match=r"password in .* is not the one of user csms"):
        server(data).start()
    (data / "password").unlink()
    with pytest.raises(EmbeddedPostgresError, match="password is missing"):
        server(data).start()
    (data / "password").write_text(password)
    with server(data) as pg:
        assert pg.alive


def test_data_of_another_major_version_are_refused(data):
    version = data / "pg" / "PG_VERSION"
    ours = version.read_text()
    version.write_text("15\n")
    with pytest.raises(EmbeddedPostgresError, match="written by Postgres 15, this csms brings"):
        server(data).start()
    version.write_text(ours)


def test_a_half_made_cluster_is_made_again(tmp_path):
    (tmp_path / "pg").mkdir()
    (tmp_path / "pg.new.1234").mkdir()
    (tmp_path / "password").write_text("of an initdb that was killed")
    with server(tmp_path, durable=False) as pg:
        assert len(pg.password) == 32
        assert asyncio.run(sql(pg, "SHOW fsync")) == "off"
    assert not (tmp_path / "pg.new.1234").exists()


def test_a_half_made_cluster_may_be_cleared_up_by_its_own_initdb(tmp_path, monkeypatch):
    """A csms that was killed leaves an initdb that removes what it has made, at the same time."""
    (tmp_path / "pg.new.1234").mkdir()
    (tmp_path / "pg.new.1234" / "4160").touch()
    unlink = os.unlink

    def too_late(path, *, dir_fd=None):
        if path == "4160":
            unlink(path, dir_fd=dir_fd)
        unlink(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", too_late)
    with server(tmp_path, durable=False) as pg:
        assert pg.alive


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    for closed in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(EmbeddedPostgresError) as refusal:
            server(closed).start()
        assert str(refusal.value).startswith(f"The folder {closed} cannot be written: ")


def _namespaces_allowed() -> bool:
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(
    shutil.which("unshare") is None or not _namespaces_allowed(),
    reason="a small disk of our own needs a mount namespace",
)
@pytest.mark.parametrize("size", ["8k", "8m"])  # not even the lock fits; initdb does not
def test_a_full_disk_is_named(tmp_path, size):
    code = (
        "import sys; from pathlib import Path; from csms.store.embedded import *\n"
        "try: EmbeddedPostgres(Path(sys.argv[1])).start()\n"
        "except EmbeddedPostgresError as error: print(error)"
    )
    script = 'mount -t tmpfs -o size=$1 tmpfs "$2" && exec "$3" -c "$4" "$2"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-ec", script, "sh", size, tmp_path, sys.executable, code],
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == (f"The disk that holds {tmp_path} is full.\n", "")


@pytest.fixture
def open_folder():
    """A folder that every user of the machine can reach."""
    folder = Path(tempfile.mkdtemp(prefix="csms-open-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes its user")
def test_root_without_user_namespaces_becomes_nobody(open_folder, monkeypatch):
    data = open_folder / "data"
    nobody = pwd.getpwnam("nobody")
    become_nobody = embedded_process.RunAs(mode="setuid", uid=nobody.pw_uid, gid=nobody.pw_gid)
    in_namespace = embedded_process.choose_user()
    with server(data, durable=False) as pg:
        asyncio.run(sql(pg, "CREATE TABLE kept (n int)"))

    monkeypatch.setattr(embedded_process, "choose_user", lambda: become_nobody)
    open_folder.chmod(0o700)
    with pytest.raises(EmbeddedPostgresError, match=f"the folder {open_folder} is closed"):
        server(data).start()
    open_folder.chmod(0o711)
    closed = embedded_process.closed_parent([embedded_process.binary("postgres")])
    if closed is not None:
        pytest.skip(f"the binaries are below {closed}, which is closed")
    with server(data, durable=False) as pg:
        assert Path(f"/proc/{pg.pid}").stat().st_uid == nobody.pw_uid
        assert asyncio.run(sql(pg, "SELECT count(*) FROM kept")) == 0

    monkeypatch.setattr(embedded_process, "choose_user", lambda: in_namespace)
    with server(data, durable=False) as pg:
        assert asyncio.run(sql(pg, "SELECT count(*) FROM kept")) == 0
    assert (data / "pg").stat().st_uid == in_namespace.owner[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_leaves_the_data_of_a_user_alone(tmp_path):
    (tmp_path / "pg").mkdir()
    os.chown(tmp_path / "pg", 1234, 1234)
    with pytest.raises(EmbeddedPostgresError, match="belong to user 1234: start csms as that user"):
        server(tmp_path).start()
    assert (tmp_path / "pg").stat().st_uid == 1234


def test_only_a_lasting_thread_may_start_it(data):
    caught: list[BaseException] = []

    def start() -> None:
        try:
            server(data).start()
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(caught[0])


@pytest.mark.smoke
def test_names_are_plain():
    with pytest.raises(ValueError, match="plain"):
        EmbeddedPostgres(Path("anywhere"), user='a"; DROP')


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        ("FATAL:  could not write: No space left on device", "The disk that holds /d is full."),
        ('LOG:  could not bind IPv4 address "127.0.0.1"', "Port 5 on 127.0.0.1 is in use"),
        ("FATAL:  pre-existing shared memory block (key 1) is still in use", "Another Postgres"),
        ("initdb: error: Permission denied", "The folder /d cannot be written: Permission denied."),
        ("2026 UTC [1] FATAL:  odd\nLOG: bye", "The embedded Postgres does not start: odd (more"),
        ("", "The embedded Postgres does not start: it says nothing (more in /d/postgres.log)."),
    ],
)
def test_what_the_log_says_becomes_one_sentence(log, sentence):
    assert str(embedded_process.explain_log(Path("/d"), 5, log)).startswith(sentence)
