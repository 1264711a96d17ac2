"""Fleets, loads and replays against a central system written from the ``ocpp`` package's README."""

from collections.abc import AsyncIterator

import pytest

from simulator.bundle import parse_bundle
from simulator.clock import RealClock
from simulator.fleet import Fleet
from simulator.fleet_file import parse_fleet
from simulator.load import Load, LoadPlan
from simulator.replay import Replay, ReplayPlan
from tests.simulator.bundles import ACCEPTED, BOOT, BOOTED, Recording, start, stop
from tests.simulator.second_opinion import SecondOpinion
from tests.simulator.test_fleet import LIVELY, run_for_a_while


@pytest.fixture
async def other() -> AsyncIterator[SecondOpinion]:
    async with SecondOpinion().listening() as listening:
        yield listening


async def test_a_fleet_and_the_other_central_system_keep_the_same_books(other):
    group = {"prefix": "SIM-", "count": 2, "connectors": 2, "vehicles": LIVELY, "sagV": 5}
    fleet = Fleet(parse_fleet({"groups": [group]}), other.url, speed=60)
    await run_for_a_while(fleet)
    records = fleet.ledger.records()
    assert other.open == {}
    assert sorted(other.boots) == ["SIM-000001", "SIM-000002"]
    assert {
        number: (one["charge_point"], one["connector_id"], one["meter_start"], one["meter_stop"])
        for number, one in other.ended.items()
    } == {
        one["transactionId"]: (
            one["chargePoint"],
            one["connectorId"],
            one["meterStart"],
            one["meterStop"],
        )
        for one in records
    }
    assert all(one["stopAcknowledged"] and not one["dropped"] for one in records)


async def test_a_load(other):
    plan = LoadPlan(url=other.url, stations=10, pattern="storm", interval_s=0.2, duration_s=0.5)
    report = await Load(plan, RealClock()).run()
    assert report.errors == {}
    assert len(other.ended) == 10
    assert other.meter_values == report.delivered()["meterValuesAcknowledged"] > 0
    assert {number: one["meter_stop"] for number, one in other.ended.items()} == {
        one["transactionId"]: one["meterStop"] for one in report.ledger
    }


async def test_a_replay_tells_where_it_answers_otherwise(other):
    recording = (
        Recording()
        .asks("1", "BootNotification", BOOT, BOOTED | {"interval": 60})
        .asks("2", "StartTransaction", start(), {"transactionId": 5, **ACCEPTED})
        .asks("3", "StopTransaction", stop(5, 900), {})
        .asks("4", "SignCertificate", {"csr": "x"}, {"status": "Accepted"})
    )
    plan = ReplayPlan(url=other.url, speed=0, linger_s=0)
    report = await Replay(parse_bundle(recording.lines()), plan, RealClock()).run()
    assert [one.place for one in report.differences] == [
        "BootNotification.interval",
        "SignCertificate",
    ]
    assert report.differences[1].got[:2] == [4, "NotImplemented"]
    assert {number: one["meter_stop"] for number, one in other.ended.items()} == {500_001: 900}
