"""Comparing a ledger with a central system's sessions: the comparison, and the API behind it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from simulator import sessions_api
from simulator.books import StoredSession, entries_of
from simulator.clock import iso
from simulator.errors import VerifyError
from simulator.ledger import record
from simulator.sessions_api import SessionsApi
from simulator.verify import verify
from tests.simulator.physics import NOW
from tests.simulator.test_ledger import transaction


def entry(number: int | None = 7, **changes):
    """A finished transaction of the ledger, as the ledger's file has it."""
    done = {
        "transaction_id": number,
        "stopped_at": NOW + timedelta(minutes=1),
        "meter_stop_wh": 350,
        "reason": "Local",
        "start_acknowledged": number is not None,
        "stop_acknowledged": True,
    }
    (found,) = entries_of([record(transaction(**{**done, **changes}))])
    return found


RUNNING = {"stopped_at": None, "meter_stop_wh": None, "reason": None, "stop_acknowledged": False}


def session(number: int = 7, **changes) -> StoredSession:
    """The session that goes with ``entry``."""
    stored = StoredSession(
        transaction_id=number,
        charge_point="CP",
        connector_id=2,
        id_tag="T",
        is_active=False,
        started_at=NOW,
        meter_start_wh=100,
        stopped_at=NOW + timedelta(minutes=1),
        meter_stop_wh=350,
        energy_wh=250,
        reason="Local",
    )
    return replace(stored, **changes)


OPEN = {"is_active": True, "stopped_at": None, "meter_stop_wh": None, "reason": None}


@pytest.mark.parametrize(
    ("entries", "sessions", "kinds"),
    [
        ([entry()], [session()], []),
        ([entry()], [session(charge_point="cp")], []),
        ([entry(**RUNNING)], [session(**OPEN)], []),
        ([entry()], [], ["missing session"]),
        ([entry()], [session(), session(8)], ["extra session"]),
        ([entry()], [session(), session(8, charge_point="OTHER")], []),
        ([entry(), entry()], [session()], ["id used twice"]),
        ([entry()], [session(connector_id=1)], ["start differs connectorId"]),
        ([entry()], [session(id_tag="t")], ["start differs idTag"]),
        ([entry()], [session(meter_start_wh=101)], ["start differs meterStart"]),
        (
            [entry()],
            [session(started_at=NOW + timedelta(seconds=1))],
            ["start differs startTimestamp"],
        ),
        ([entry()], [session(started_at=NOW + timedelta(milliseconds=9))], []),
        ([entry()], [session(**OPEN)], ["still open"]),
        ([entry(**RUNNING)], [session()], ["ended though running"]),
        ([entry()], [session(meter_stop_wh=None, energy_wh=250)], ["stop differs meterStop"]),
        (
            [entry()],
            [session(meter_stop_wh=360, energy_wh=260)],
            ["stop differs meterStop", "energy differs Wh"],
        ),
        ([entry()], [session(stopped_at=NOW)], ["stop differs stopTimestamp"]),
        ([entry()], [session(reason="Remote")], ["stop differs reason"]),
        ([entry(reason=None)], [session()], []),
        ([entry(meter_stop_wh=40)], [session(meter_stop_wh=40, energy_wh=0)], []),
        # Not acknowledged: there or not, but with these numbers if there.
        ([entry(stop_acknowledged=False)], [session(**OPEN)], []),
        ([entry(stop_acknowledged=False)], [session()], []),
        ([entry(stop_acknowledged=False)], [session(meter_stop_wh=None)], []),
        (
            [entry(stop_acknowledged=False)],
            [session(reason="Other")],
            ["stop differs reason"],
        ),
        ([entry(None)], [], []),
        ([entry(None)], [session(**OPEN)], []),
        ([entry(None)], [session(), session(8)], ["extra session"]),
        ([entry(None)], [session(id_tag="X")], ["extra session"]),
    ],
)
def test_differences(entries, sessions, kinds):
    found = verify(entries, sessions).findings
    assert [f"{one.kind} {one.what}".strip() for one in found] == kinds


def test_a_tolerance_is_for_energies_alone():
    near = [session(meter_start_wh=101, meter_stop_wh=349, energy_wh=248)]
    assert verify([entry()], near, tolerance_wh=2).findings == []
    assert len(verify([entry()], near, tolerance_wh=1).findings) == 1
    late = [session(started_at=NOW + timedelta(seconds=1))]
    assert len(verify([entry()], late, tolerance_wh=1000).findings) == 1


def test_energies_alone_where_registers_are_bent():
    bent = [session(meter_start_wh=0, meter_stop_wh=250)]
    assert len(verify([entry()], bent).findings) == 2
    assert verify([entry()], bent, registers=False).findings == []
    less = [session(meter_start_wh=0, meter_stop_wh=240, energy_wh=240)]
    (found,) = verify([entry()], less, registers=False).findings
    assert found.kind == "energy differs"


def test_the_verdict_counts_and_reads_well():
    verdict = verify([entry(), entry(9, **RUNNING), entry(None)], [session(energy_wh=200)])
    assert (verdict.matched, verdict.not_acknowledged) == (1, 1)
    assert (verdict.ledger_wh, verdict.stored_wh) == (250, 200)
    assert str(verdict).splitlines() == [
        "CP transaction 7: energy differs Wh: 250 in the ledger, 200 stored",
        "CP transaction 9: missing session",
        "3 transactions in the ledger, 1 sessions stored, 1 matched, 1 starts not acknowledged, "
        "250 Wh and 200 Wh",
        "2 differences",
    ]
    shown = verdict.as_json()
    assert shown["chargePoints"] == [
        {"chargePoint": "CP", "transactions": 1, "ledgerWh": 250, "storedWh": 200}
    ]
    assert (shown["same"], shown["kinds"]) == (False, {"energy differs": 1, "missing session": 1})


@pytest.mark.parametrize("content", [5, {}, {"ledger": 5}, [5], [{}], [{"chargePoint": "CP"}]])
def test_what_is_no_ledger(content):
    with pytest.raises(VerifyError, match="ledger"):
        entries_of(content)


def test_a_load_report_is_a_ledger_too():
    assert entries_of({"errors": {}, "ledger": [record(transaction())]})[0].charge_point == "CP"


class Api:
    """An operator API with sessions, newest first, and their meter values."""

    def __init__(self) -> None:
        self.sessions: list[dict[str, Any]] = []
        self.asked: list[dict[str, str]] = []
        self.url = ""

    def add(self, number: int, station: str = "CP") -> None:
        self.sessions.insert(
            0,
            {
                "id": str(number),
                "transactionId": number,
                "stationId": station,
                "connectorId": 2,
                "idTag": "T",
                "status": "completed",
                "startedAt": iso(NOW),
                "stoppedAt": iso(NOW + timedelta(minutes=1)),
                "meterStartWh": 100,
                "meterStopWh": 350,
                "energyKwh": 0.25,
                "stopReason": "Local",
            },
        )

    async def page(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer secret":
            return web.json_response({"code": "unauthenticated"}, status=401)
        self.asked.append(dict(request.query))
        wanted = request.query.get("stationId")
        items = [one for one in self.sessions if wanted in (None, one["stationId"])]
        begin, limit = int(request.query.get("cursor", 0)), int(request.query["limit"])
        more = begin + limit < len(items)
        return web.json_response(
            {
                "items": items[begin : begin + limit],
                "nextCursor": str(begin + limit) if more else None,
            }
        )


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    api = Api()
    app = web.Application()
    app.router.add_get("/api/sessions", api.page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield api
    await runner.cleanup()


async def read(api: Api, entries, bearer: str = "secret"):
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {bearer}"}) as http:
        return await SessionsApi(http, api.url).sessions_of(entries)


async def test_all_pages_are_read_down_to_the_first_of_the_ledger(api, monkeypatch):
    monkeypatch.setattr(sessions_api, "PAGE", 2)
    for number in range(1, 10):
        api.add(number)
    found = await read(api, [entry(6), entry(8)])
    assert [one.transaction_id for one in found] == [9, 8, 7, 6]
    assert [one.get("cursor") for one in api.asked] == [None, "2", "4"]
    assert verify([entry(6), entry(8)], found).findings != []
    assert verify([entry(number) for number in (6, 7, 8, 9)], found).findings == []


async def test_few_charge_points_are_asked_for_by_name(api, monkeypatch):
    for number, station in ((1, "CP"), (2, "B"), (3, "OTHER")):
        api.add(number, station)
    entries = [entry(1), entry(2, charge_point="B")]
    assert len(await read(api, entries)) == 2
    assert [one["stationId"] for one in api.asked] == ["B", "CP"]
    monkeypatch.setattr(sessions_api, "ASKED_ONE_BY_ONE", 1)
    assert len(await read(api, entries)) == 3


async def test_without_an_acknowledged_start_the_time_bounds(api):
    api.add(1)
    assert len(await read(api, [entry(None)])) == 1
    assert api.asked[0]["from"] == iso(NOW)


async def test_what_the_api_will_not_say_is_an_error(api):
    with pytest.raises(VerifyError, match="401"):
        await read(api, [entry()], bearer="wrong")
    api.sessions = [{"transactionId": 1, "stationId": "CP"}]
    with pytest.raises(VerifyError, match="not a session"):
        await read(api, [entry()])
    api.url = "http://127.0.0.1:9/"
    with pytest.raises(VerifyError, match="cannot read"):
        await read(api, [entry()])
