"""The ready scenarios, played from end to end at a high speed against central systems."""

import asyncio
import json
from collections import defaultdict
from pathlib import Path

import aiohttp
import pytest

from simulator.fleet import Fleet
from simulator.scenario import Scenario, ready_scenarios
from tests.chaos.server import TOKEN, Server
from tests.ports import steady_port
from tests.simulator.second_opinion import SecondOpinion
from tests.simulator.test_cli import command, outcome
from tests.waiting import wait_until

SPEED = 1800.0
"""Half an hour of a vehicle's life passes in a second."""

QUIET = ["apartment-garage", "e-bike-rack", "motorway-dc", "workday-depot"]
RACK_W = 800


@pytest.fixture
async def other():
    async with SecondOpinion().listening() as listening:
        yield listening


@pytest.mark.slow
@pytest.mark.parametrize("name", QUIET)
async def test_a_scenario_is_played_and_its_books_are_right(other, name):
    scenario = ready_scenarios()[name]
    fleet = await play(scenario, other, started=5, stopped=2)
    records = fleet.ledger.records()
    assert len(other.boots) == len(fleet.stations)
    assert all(one["startAcknowledged"] and one["stopAcknowledged"] for one in records)
    assert all(one["meterStop"] >= one["meterStart"] for one in records)
    # Quirks bend what is told of the registers.
    honest = {one["transactionId"] for one in records if "-ODD-" not in one["chargePoint"]}
    assert honest
    assert {number: other.ended[number]["meter_stop"] for number in honest} == {
        one["transactionId"]: one["meterStop"] for one in records if one["transactionId"] in honest
    }
    summary = fleet.summary
    assert sum(one["energyWh"] for one in records) <= summary.metered_wh <= summary.grid_wh
    assert summary.charging == summary.waiting_messages == 0


@pytest.mark.slow
async def test_chaos_is_played_and_comes_to_an_end(other):
    fleet = await play(ready_scenarios()["chaos"], other, started=3, stopped=1)
    acknowledged = [one for one in fleet.ledger.records() if one["stopAcknowledged"]]
    assert {one["transactionId"] for one in acknowledged} <= set(other.ended)


async def play(scenario: Scenario, other: SecondOpinion, *, started: int, stopped: int) -> Fleet:
    """Play until so much has happened, watching invariants 1, 6 and 13; then stop in order."""
    fleet = Fleet(scenario.fleet, other.url, speed=SPEED)
    registers: dict[tuple[str, int], int] = defaultdict(int)

    def holds() -> bool:
        for station in fleet.stations:
            state = station.state
            for number, connector in state.connectors.items():
                assert connector.register_wh >= registers[station.identity, number]
                registers[station.identity, number] = connector.register_wh
                assert connector.soc is None or 0 <= connector.soc <= 100
            if station.settings.budget_w is not None:
                total = sum(one.power_w for one in state.connectors.values())
                assert total <= station.settings.budget_w == RACK_W
        return fleet.summary.started >= started and fleet.summary.stopped >= stopped

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fleet.run())
        await wait_until(holds, 30)
        fleet.stop()
    return fleet


@pytest.fixture
def server(tmp_path: Path):
    ocpp_port, http_port = steady_port(), steady_port()
    made = Server(tmp_path, ocpp_port=ocpp_port, http_port=http_port)
    yield made
    made.close()


@pytest.mark.slow
async def test_scenario_kill_verify_export_and_replay_by_the_command_line(server, tmp_path):
    await server.start()
    ledger, bundle, api = tmp_path / "ledger.json", tmp_path / "bundle.jsonl", server.http_url
    known = ("--token", TOKEN)
    async with command(
        *("scenario", "motorway-dc", "--url", server.ocpp_url, "--register", api, *known),
        *("--speed", "240", "--duration", "15", "--ledger", str(ledger)),
    ) as playing:
        await wait_until(lambda: started(server, 4), 30)
        await server.kill()
        await server.start()
        code, told = await outcome(playing, 60)
    assert code == 0, told
    assert "kWh metered" in told
    records = json.loads(ledger.read_text())
    assert len(records) >= 4
    assert sum(one["energyWh"] for one in records) > 100

    verify = ("verify", str(ledger), "--api", api, *known, "--meter-values")
    async with command(*verify) as verifying:
        code, told = await outcome(verifying)
    assert (code, told) == (0, "")

    station = records[0]["chargePoint"]
    bundle.write_text(await text_of(server, f"/api/stations/{station}/messages/export"))
    await server.ask("POST", "/api/stations", {"identity": "AGAIN", "name": "A", "maxKw": 2})
    report = tmp_path / "replay.json"
    async with command(
        *("replay", str(bundle), "--url", server.ocpp_url, "--identity", "AGAIN"),
        *("--speed", "0", "--report", str(report)),
    ) as replaying:
        code, told = await outcome(replaying)
    played = json.loads(report.read_text())
    assert played["brokenOff"] is None, told
    assert played["sent"] > 10
    assert code == (1 if played["differences"] else 0)
    # The last moments of the log went with the kill, sessions did not.
    of_it = sum(one["chargePoint"] == station for one in records)
    assert 1 <= len(played["transactions"]) <= of_it

    # The replay's sessions are of another station; one that is made up is missed.
    records[0]["meterStop"] += 1
    ledger.write_text(json.dumps([*records, records[1] | {"transactionId": 999_999}]))
    found = tmp_path / "verdict.json"
    async with command(*verify[:-1], "--report", str(found)) as verifying:
        code, _ = await outcome(verifying)
    assert code == 1
    assert json.loads(found.read_text())["kinds"] == {
        "stop differs": 1,
        "energy differs": 1,
        "missing session": 1,
    }
    await server.stop()


async def started(server: Server, count: int) -> bool:
    """Tell whether the central system knows so many sessions."""
    return len((await server.ask("GET", "/api/sessions"))["items"]) >= count


async def text_of(server: Server, path: str) -> str:
    """Return what the central system answers, as it is."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        aiohttp.ClientSession(headers=headers) as client,
        client.get(server.http_url + path) as answer,
    ):
        assert answer.status == 200
        return await answer.text()
