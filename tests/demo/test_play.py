"""The demo as people run it: a program of its own, with its Postgres and its simulator."""

from __future__ import annotations

import asyncio
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from csms.demo.play import kept_token
from csms.errors import StartError
from csms.store.embedded import EmbeddedPostgres

DEADLINE_S = 60


@contextmanager
def demo(folder: Path, **settings: str):
    """Run the demo with plain output; at the end it is stopped as Ctrl-C does, or killed."""
    environment = {name: value for name, value in os.environ.items() if "CSMS_" not in name}
    environment |= {"CSMS_OCPP_PORT": "0", "CSMS_HTTP_PORT": "0", **settings}
    process = subprocess.Popen(
        [sys.executable, "-m", "csms", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment | {"CSMS_DATA_DIR": str(folder)},
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def lines_until(process: subprocess.Popen[str], pattern: str) -> tuple[list[str], re.Match[str]]:
    """Return the lines up to the first that has the pattern, and where it is in it."""
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        found = re.search(pattern, line)
        if found:
            return lines, found
    raise AssertionError(f"no {pattern!r} in:\n{''.join(lines)}")


def stopped(process: subprocess.Popen[str]) -> str:
    """Stop the demo as Ctrl-C does; returns what it says to the end."""
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    return said


def running_with(text: str) -> list[int]:
    """Return the processes whose command line holds `text`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes()
        except OSError:
            continue
        if text.encode() in command:
            found.append(int(entry.parent.name))
    return found


def wait_for_end(pid: int) -> None:
    """Wait until a process that is not our child has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([descriptor], [], [], DEADLINE_S)
        assert ended, f"process {pid} still runs"
    finally:
        os.close(descriptor)


def rows(folder: Path, sql: str) -> list[asyncpg.Record]:
    """Ask the database of a demo that is over."""

    async def ask(url: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(sql)
        finally:
            await connection.close()

    with EmbeddedPostgres(folder / "postgres") as server:
        return asyncio.run(ask(server.url))


SOME_LIMITS = r"24/24 stations online, ([1-9]\d*) sessions .* ([1-9]\d*)\.\d kW, .* (\d\d+) limits"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_plays_stops_cleanly_and_goes_on(tmp_path):
    with demo(tmp_path) as process:
        lines, link = lines_until(process, r"sign in +(\S+)$")
        said = "".join(lines)
        assert "24 simulated charge points on 3 sites" in lines[0]
        assert re.search(r"OCPP +ws://127\.0\.0\.1:\d+/ocpp/IDENTITY", said)
        cockpit = re.search(r"cockpit +(http://127\.0\.0\.1:\d+/)$", said, re.MULTILINE)
        assert re.search(r"docs +http://127\.0\.0\.1:\d+/api/docs", said)
        with urllib.request.urlopen(link[1], timeout=60) as answer:  # noqa: S310  the demo's own address
            assert answer.status == 200
            # into the cockpit, or to the API's documentation where it is not built
            assert answer.url in {cockpit[1], f"{cockpit[1]}api/docs"}, "the link signs in"
        lines_until(process, SOME_LIMITS)
        token = link[1].split("token=")[1]
        asking = urllib.request.Request(  # noqa: S310  the demo's own address
            f"{cockpit[1]}api/simulator/stations", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(asking, timeout=60) as answer:  # noqa: S310  as above
            assert json.load(answer)["total"] == 24, "its fleet can be steered"
        said = stopped(process)
    assert "each stop is acknowledged" in said
    assert running_with(str(tmp_path)) == []

    ledger = json.loads((tmp_path / "demo-ledger.json").read_text())
    assert ledger
    assert all(one["stopAcknowledged"] for one in ledger)
    counts = "SELECT count(*) AS all, count(*) FILTER (WHERE active) AS active FROM transactions"
    (first,) = rows(tmp_path, counts)
    assert (first["all"], first["active"]) == (len(ledger), 0)

    with demo(tmp_path) as process:
        _, again = lines_until(process, r"sign in +(\S+)$")
        assert again[1].split("token=")[1] == link[1].split("token=")[1]
        _, finished = lines_until(process, r"\((\d+) finished today\)")
        assert int(finished[1]) == first["all"]
        lines_until(process, SOME_LIMITS)
        stopped(process)
    (second,) = rows(tmp_path, counts)
    assert second["all"] > first["all"]
    assert second["active"] == 0
    sites = rows(tmp_path, "SELECT site_id, count(*) FROM charge_points GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in sites] == [("depot", 8), ("garage", 12), ("park", 4)]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_it_leaves_nothing_running_and_starts_again(tmp_path):
    with demo(tmp_path) as process:
        lines_until(process, r"24/24 stations online")
        assert running_with(str(tmp_path / "demo-fleet.json"))
        process.kill()
        process.wait()
        # whoever inherits the output ends: nothing of the demo holds it any more
        process.stdout.read()
        # Postgres has other outputs, and takes its time to write its last checkpoint
        for pid in running_with(str(tmp_path)):
            wait_for_end(pid)
    with demo(tmp_path) as process:
        lines_until(process, r"24/24 stations online")
        (simulator,) = set(running_with(f"{tmp_path}/demo-fleet.json")) - set(
            running_with("leash.py")
        )
        os.kill(simulator, signal.SIGKILL)
        lines_until(process, r"The simulator has ended \(exit code 137, see .*simulator\.log\)")
        assert "still open" in stopped(process)


@pytest.mark.slow
def test_a_port_in_use_is_one_sentence_and_nothing_stays(tmp_path, free_port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        with demo(tmp_path, CSMS_HTTP_PORT=str(free_port)) as process:
            said, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 1
    assert said.count("\n") == 1
    assert f"127.0.0.1:{free_port}" in said
    assert running_with(str(tmp_path)) == []


@pytest.mark.slow
def test_without_a_reader_it_stops(tmp_path):
    with demo(tmp_path) as process:
        lines_until(process, "sign in")
        process.stdout.close()
        assert process.wait(DEADLINE_S) == 0
    assert running_with(str(tmp_path)) == []


def test_the_token_is_kept_and_closed_to_others(tmp_path):
    path = tmp_path / "demo-token"
    token = kept_token(path)
    assert len(token) >= 16
    assert kept_token(path) == token
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_token_file_that_a_killed_start_left_empty_is_made_anew(tmp_path):
    path = tmp_path / "demo-token"
    path.touch()
    assert len(kept_token(path)) >= 16


def test_a_token_that_cannot_be_kept_is_a_sentence(tmp_path):
    with pytest.raises(StartError, match="cannot be kept"):
        kept_token(tmp_path / "not there" / "demo-token")
