"""Exit codes and files of the commands that compare: load, verify, replay."""

import json
import resource
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from simulator.answers import ReplayReport
from simulator.cli import app
from simulator.flash import Flash
from simulator.ledger import record
from simulator.load_report import LoadReport
from simulator.replay import Replay
from simulator.sessions_api import SessionsApi
from simulator.terminal import allow_sockets
from tests.simulator.bundles import Recording
from tests.simulator.physics import NOW
from tests.simulator.test_ledger import transaction
from tests.simulator.test_verify import session

DONE = {
    "transaction_id": 7,
    "stopped_at": NOW + timedelta(minutes=1),
    "meter_stop_wh": 350,
    "reason": "Local",
    "start_acknowledged": True,
    "stop_acknowledged": True,
    "meter_values_acknowledged": 3,
}


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{unused.getsockname()[1]}"


def run(*arguments: Any) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture
def ledger(tmp_path):
    path = tmp_path / "ledger.json"
    path.write_text(json.dumps([record(transaction(**DONE))]))
    return path


@pytest.mark.parametrize(
    ("stored", "values", "code", "told"),
    [
        (session(), 3, 0, "no difference"),
        (session(), 2, 1, "meter values missing count: 3 in the ledger, 2 stored"),
        (session(meter_stop_wh=340), 3, 1, "stop differs meterStop: 350 in the ledger, 340"),
    ],
)
def test_verify(ledger, tmp_path, monkeypatch, stored, values, code, told):
    async def sessions_of(self, entries):
        return [stored]

    async def count_meter_values(self, transaction_id):
        return values

    monkeypatch.setattr(SessionsApi, "sessions_of", sessions_of)
    monkeypatch.setattr(SessionsApi, "count_meter_values", count_meter_values)
    report = tmp_path / "verdict.json"
    found = run("verify", ledger, "--api", "http://x", "--meter-values", "--report", report)
    assert found[0] == code
    assert told in found[1]
    assert json.loads(report.read_text())["same"] == (code == 0)


def test_verify_cannot_compare(ledger, tmp_path, nowhere):
    for arguments in (
        (ledger, "--api", f"http://{nowhere}"),
        (tmp_path / "missing.json", "--api", "http://x"),
    ):
        code, told = run("verify", *arguments)
        assert code == 2
        assert told.startswith("error: ")
        assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("differences", "broken_off", "code"), [([], None, 0), ([1], None, 1), ([1], "gone", 2)]
)
def test_replay(tmp_path, monkeypatch, differences, broken_off, code):
    async def play(self):
        self.report.broken_off = broken_off
        self.report.differences = differences
        return self.report

    monkeypatch.setattr(Replay, "run", play)
    monkeypatch.setattr(ReplayReport, "__str__", lambda self: "told")
    monkeypatch.setattr(ReplayReport, "as_json", lambda self: {"told": True})
    path, report = tmp_path / "bundle.jsonl", tmp_path / "report.json"
    path.write_text("".join(Recording().lines(footer=False)))
    got, told = run("replay", path, "--url", "ws://x/ocpp", "--report", report)
    assert (got, told.splitlines()[-1]) == (code, "told")
    assert "cut off" in told
    assert json.loads(report.read_text()) == {"told": True}


def test_what_cannot_be_replayed(tmp_path):
    assert run("replay", tmp_path / "missing", "--url", "ws://x/ocpp")[0] == 2
    path = tmp_path / "bundle.jsonl"
    path.write_text("{}\n")
    assert run("replay", path, "--url", "http://x")[0] == 2
    code, told = run("replay", path, "--url", "ws://x/ocpp")
    assert (code, told) == (
        2,
        f"error: {path}: line 1: no header with format 'csms-message-bundle'\n",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--url", "wss://x/ocpp"),
        ("--url", "ws://x/ocpp", "--report", "/nowhere/at/all.json"),
        ("--url", "ws://x/ocpp", "--pattern", "zigzag"),
        ("--url", "ws://x/ocpp", "--register", "http://127.0.0.1:9", "--stations", "1"),
    ],
)
def test_what_is_no_load(arguments):
    assert run("load", *arguments)[0] == 2


def test_a_load_without_anybody_there(nowhere, tmp_path, monkeypatch):
    monkeypatch.setattr("simulator.load.GIVE_UP_S", 0)
    report = tmp_path / "load.json"
    code, told = run(
        *("load", "--url", f"ws://{nowhere}/ocpp", "--stations", 2, "--duration", 0),
        *("--connects-per-s", 0, "--report", report),
    )
    assert code == 2
    assert f"error: nobody listens at {nowhere}: 2" in told
    assert json.loads(report.read_text())["ledger"] == []


@pytest.mark.parametrize(
    ("limits", "raised"), [((1024, 20_000), (5_100, 20_000)), ((9_000, 9_000), None)]
)
def test_as_many_files_as_sockets(monkeypatch, limits, raised):
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda what: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda what, new: asked.append(new))
    allow_sockets(5_000)
    assert asked == ([] if raised is None else [raised])


def test_more_sockets_than_the_system_allows(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda what: (1024, 4096))
    code, told = run("load", "--url", "ws://x/ocpp", "--stations", 5_000)
    assert code == 2
    assert "the limit is 4096" in told


def test_an_empty_load_report_can_be_shown():
    assert "0 transactions" in str(LoadReport())


def test_a_state_that_cannot_be_read_is_told(nowhere, tmp_path):
    with Flash(tmp_path) as flash:
        flash.write("SIM-000001", {"tags": '{"version": 1}'})
    arguments = ("--url", f"ws://{nowhere}/ocpp", "--state", tmp_path, "--duration", 5)
    code, told = run("run", *arguments)
    assert code == 2
    assert told.endswith(
        "error: --state: what SIM-000001 kept cannot be read: KeyError('listed')\n"
    )


def test_json_to_standard_output_is_json_alone(ledger, monkeypatch):
    async def sessions_of(self, entries):
        return [session()]

    monkeypatch.setattr(SessionsApi, "sessions_of", sessions_of)
    arguments = ["verify", str(ledger), "--api", "http://x", "--report", "-"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["same"] is True
    assert "no difference" in result.stderr


def test_quirks_are_found_by_a_word_and_told_as_json():
    code, told = run("quirks", "go-e", "--json")
    assert code == 0
    assert {one["who"].split()[0] for one in json.loads(told)} == {"go-e"}
    assert "forgets-on-disconnect" in run("quirks", "smart")[1]
    assert run("quirks", "no such thing")[0] == 2


def test_scenarios_are_listed():
    code, told = run("scenario", "--list")
    assert code == 0
    assert len(told.splitlines()) == 5, "a line each, for scripts"
