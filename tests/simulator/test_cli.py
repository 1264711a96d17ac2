"""The command line, as a shell starts it."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator

import pytest

from tests.simulator.central import Central, Silence
from tests.simulator.pki import authority, server_context


@contextlib.asynccontextmanager
async def simulator(
    *arguments: str, ignore_sigint: bool = False
) -> AsyncIterator[asyncio.subprocess.Process]:
    async with command("run", *arguments, ignore_sigint=ignore_sigint) as process:
        yield process


@contextlib.asynccontextmanager
async def command(
    *arguments: str, ignore_sigint: bool = False
) -> AsyncIterator[asyncio.subprocess.Process]:
    words = [sys.executable, "-m", "simulator", *arguments]
    if ignore_sigint:  # as a shell does with what it starts in the background
        words = ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", *words]
    process = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def outcome(process: asyncio.subprocess.Process, patience_s: float = 60) -> tuple[int, str]:
    async with asyncio.timeout(patience_s):
        _, stderr = await process.communicate()
    assert process.returncode is not None
    return process.returncode, stderr.decode()


def _speaking(central: Central) -> set[int]:
    """Connections over which a status was told."""
    return {one.connection for one in central.calls if one.action == "StatusNotification"}


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_interrupt_unplugs_waits_closes_and_writes_the_ledger(central, tmp_path, number):
    ledger = tmp_path / "ledger.json"
    arguments = ["--url", central.url, "--stations", "3", "--speed", "9", "--ledger", str(ledger)]
    async with simulator(*arguments, ignore_sigint=True) as process:
        await central.until_calls("StartTransaction", 1)
        await central.until(lambda: _speaking(central) == {1, 2, 3})
        process.send_signal(number)
        code, stderr = await outcome(process)
    assert code == 0, stderr
    assert "Traceback" not in stderr
    assert central.closes == [1000] * 3
    assert {one["reason"] for one in central.of("StopTransaction")} == {"EVDisconnected"}
    records = json.loads(ledger.read_text())
    assert len(records) == len(central.of("StartTransaction")) >= 1
    assert all(one["startAcknowledged"] and one["stopAcknowledged"] for one in records)
    for connection in range(1, 4):
        last = [
            one.payload["status"]
            for one in central.calls
            if one.action == "StatusNotification" and one.connection == connection
        ]
        assert last[-1] == "Available"


@pytest.mark.slow
async def test_second_interrupt_stops_at_once(central, tmp_path):
    ledger = tmp_path / "ledger.json"
    central.once("StopTransaction", Silence())
    async with simulator("--url", central.url, "--ledger", str(ledger), "--speed", "9") as process:
        await central.until_calls("StartTransaction", 1)
        process.send_signal(signal.SIGINT)
        await central.until_calls("StopTransaction", 1)
        process.send_signal(signal.SIGINT)
        code, _ = await outcome(process)
    assert code == 130
    (record,) = json.loads(ledger.read_text())
    assert record["startAcknowledged"]
    assert not record["stopAcknowledged"]


@pytest.mark.slow
async def test_duration_and_fleet_file(central: Central, tmp_path):
    fleet = tmp_path / "fleet.json"
    fleet.write_text(json.dumps({"groups": [{"identities": ["G-1"]}]}))
    async with simulator("--url", central.url, "--fleet", str(fleet), "--duration", "3") as process:
        code, stderr = await outcome(process)
    assert code == 0
    assert "stopped: 0/1 online" in stderr
    assert "problem:" not in stderr
    assert len(central.of("BootNotification")) == 1


async def test_faulty_fleet_is_told_in_one_line_each(tmp_path):
    fleet = tmp_path / "fleet.json"
    fleet.write_text(json.dumps({"groups": [{"count": 0, "wheels": 4}]}))
    async with simulator("--url", "ws://127.0.0.1:9/ocpp", "--fleet", str(fleet)) as process:
        code, stderr = await outcome(process)
    lines = stderr.strip().splitlines()
    assert code == 2
    assert len(lines) == 2
    assert all(line.startswith("error: groups[0].") for line in lines)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--url", "http://127.0.0.1/ocpp"],
        ["--url", "ws://127.0.0.1:9/ocpp", "--stations", "0"],
        ["--url", "ws://127.0.0.1:9/ocpp", "--ledger", "/nowhere/at/all.json"],
        ["--url", "ws://127.0.0.1:9/ocpp", "--report", "/nowhere/at/all.json"],
        ["--url", "ws://127.0.0.1:9/ocpp", "--state", "/dev/null/state"],
        ["--url", "ws://127.0.0.1:9/ocpp", "--ca", "/nowhere.pem"],
        ["--url", "ws://"],
        ["--url", "ws://host:port/ocpp"],
        ["--url", "ws://host/ocpp?token=1"],
        [],
    ],
)
async def test_wrong_arguments_exit_with_2(arguments):
    async with simulator(*arguments) as process:
        code, stderr = await outcome(process)
    assert code == 2
    assert "Traceback" not in stderr


async def test_unreachable_api_is_told(tmp_path):
    async with simulator(
        "--url", "ws://127.0.0.1:9/ocpp", "--register", "http://127.0.0.1:9"
    ) as process:
        code, stderr = await outcome(process)
    assert code == 1
    assert stderr.startswith("error: cannot reach http://127.0.0.1:9")


@pytest.mark.slow
async def test_problems_are_told_once_each_and_counted(central: Central, tmp_path):
    central.password = b"nobody knows this"
    report = tmp_path / "report.json"
    arguments = ["--url", central.url, "--stations", "3", "--duration", "2.5"]
    async with simulator(*arguments, "--report", str(report)) as process:
        code, stderr = await outcome(process)
    assert code == 1, "nobody was accepted"
    assert stderr.count("problem: ") == 1
    assert "answered 401 Unauthorized: the password is missing or wrong" in stderr
    told = json.loads(report.read_text())
    assert (told["chargePoints"], told["accepted"], told["started"]) == (3, 0, 0)
    (problem,) = told["problems"]
    assert problem["count"] >= 3
    assert problem["what"].startswith("the central system answered 401")


@pytest.mark.slow
async def test_a_killed_fleet_comes_up_with_what_it_kept(central: Central, tmp_path):
    state, ledger, fleet = (tmp_path / name for name in ("state", "ledger.json", "fleet.json"))
    stay = {"atStart": 1, "stayMinutes": [6000, 6000], "arrivalsPerHour": 0}
    group = {"prefix": "SIM-", "count": 2, "meterIntervalS": 1, "vehicles": stay}
    fleet.write_text(json.dumps({"groups": [group]}))
    arguments = ["--url", central.url, "--fleet", str(fleet), "--speed", "9"]
    arguments += ["--state", str(state), "--ledger", str(ledger)]
    async with simulator(*arguments) as process:
        await central.until(lambda: len(central.of("MeterValues")) >= 4)
        async with simulator(*arguments) as second:
            code, stderr = await outcome(second)
        assert code == 2
        assert stderr.startswith(f"error: --state: {state}: another simulator is using it")
        process.send_signal(signal.SIGKILL)
        await outcome(process)
    started = len(central.of("StartTransaction"))
    told = {
        one["transactionId"]: int(one["meterValue"][0]["sampledValue"][0]["value"])
        for one in central.of("MeterValues")
    }
    assert central.of("StopTransaction") == []
    async with simulator(*arguments, "--duration", "1") as process:
        code, stderr = await outcome(process)
    assert code == 0, stderr
    assert len(central.of("BootNotification")) == 4
    stops = {one["transactionId"]: one for one in central.of("StopTransaction")}
    lost = {number: one for number, one in stops.items() if one["reason"] == "PowerLoss"}
    assert len(lost) == started
    assert all(lost[number]["meterStop"] >= register for number, register in told.items())
    records = {one["transactionId"]: one for one in json.loads(ledger.read_text())}
    assert set(records) == set(stops), "the ledger tells of both lives"
    assert all(records[number]["meterStop"] == stops[number]["meterStop"] for number in stops)


@pytest.mark.slow
async def test_certificates_are_checked_by_the_authority_that_is_named(tmp_path):
    root = authority()
    (tmp_path / "root.pem").write_text(root.pem)
    async with Central(tls=server_context(tmp_path, root)).listening() as central:
        arguments = ["--url", central.url, "--duration", "2"]
        async with simulator(*arguments) as process:
            code, stderr = await outcome(process)
        assert code == 1
        assert "the server's certificate is not trusted" in stderr
        assert "Traceback" not in stderr
        async with simulator(*arguments, "--ca", str(tmp_path / "root.pem")) as process:
            code, stderr = await outcome(process)
        assert (code, "problem" in stderr) == (0, False)
