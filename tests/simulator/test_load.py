"""The load against a central system on a real socket."""

import asyncio
import json
import socket

import pytest

from simulator.books import entries_of
from simulator.clock import RealClock
from simulator.load import Load, LoadPlan
from tests.simulator.central import CallError, DropSocket, Silence
from tests.simulator.second_opinion import SecondOpinion
from tests.simulator.test_cli import command, outcome
from tests.waiting import wait_until


async def test_all_charge_and_stop(central):
    plan = LoadPlan(
        url=central.url, stations=20, connects_per_s=500, interval_s=0.2, duration_s=0.5
    )
    load = Load(plan, RealClock())
    report = await load.run()
    assert (report.connected, report.charging, report.stopped) == (20, 20, 20)
    assert report.errors == {}
    shown = report.as_json()["latencies"]
    assert shown["StartTransaction"]["count"] == 20
    assert shown["MeterValues"]["count"] == len(central.of("MeterValues")) >= 20
    assert 0 < shown["MeterValues"]["p50Ms"] <= shown["MeterValues"]["maxMs"]
    assert {one["transactionId"] for one in central.of("StopTransaction")} == set(range(1001, 1021))
    assert "20 connected" in str(report)
    assert report.kib_each is not None


async def test_the_ledger_is_what_was_said_and_acknowledged(central):
    plan = LoadPlan(
        url=central.url, stations=3, connects_per_s=0, interval_s=0.1, duration_s=0.35, prefix="L-"
    )
    report = await Load(plan, RealClock()).run()
    starts, stops = central.of("StartTransaction"), central.of("StopTransaction")
    ledger = report.as_json()["ledger"]
    assert [one["chargePoint"] for one in ledger] == ["L-000001", "L-000002", "L-000003"]
    assert sorted(one["startTimestamp"] for one in ledger) == sorted(
        one["timestamp"] for one in starts
    )
    assert {(one["transactionId"], one["meterStop"], one["stopTimestamp"]) for one in ledger} == {
        (one["transactionId"], one["meterStop"], one["timestamp"]) for one in stops
    }
    counts = report.delivered()
    assert (counts["startsAcknowledged"], counts["stopsAcknowledged"]) == (3, 3)
    assert counts["meterValuesAcknowledged"] == len(central.of("MeterValues")) > 0
    assert counts["energyWh"] == sum(one["meterStop"] for one in stops) > 0
    assert len(entries_of(report.as_json())) == 3


async def test_registers_rise_with_time_and_power(central):
    plan = LoadPlan(url=central.url, stations=1, interval_s=0.1, duration_s=0.7)
    await Load(plan, RealClock()).run()
    values = [*central.measured("Energy.Active.Import.Register")]
    (stop,) = central.of("StopTransaction")
    assert values == sorted(values)
    assert len(set(values)) > 1
    assert values[-1] <= stop["meterStop"] == pytest.approx(11_000 * 0.7 / 3600, abs=1)


@pytest.mark.slow
async def test_an_outage_loses_nothing_and_boots_once(central):
    central.once("StartTransaction", DropSocket())
    central.once("StopTransaction", DropSocket())
    plan = LoadPlan(url=central.url, stations=1, interval_s=10, duration_s=1.0)
    report = await Load(plan, RealClock()).run()
    assert (report.connected, report.charging, report.stopped) == (1, 1, 1)
    assert len(central.of("BootNotification")) == 1
    for action in ("StartTransaction", "StopTransaction"):
        first, second = central.of(action)
        assert first == second
    assert sum(report.errors.values()) == 2
    assert report.as_json()["latencies"]["Reconnect"]["count"] == 2


@pytest.mark.slow
async def test_all_are_cut_off_and_come_back_together(central):
    plan = LoadPlan(
        url=central.url, stations=10, pattern="reconnect", interval_s=0.3, duration_s=1.0
    )
    report = await Load(plan, RealClock()).run()
    assert report.errors == {}
    assert (report.connected, report.charging, report.stopped) == (10, 10, 10)
    assert report.as_json()["latencies"]["Reconnect"]["count"] == 10
    assert central.connections == 20
    assert len(central.of("BootNotification")) == 10


async def test_a_stop_ends_the_ramp_and_the_charging(central):
    load = Load(LoadPlan(url=central.url, stations=1000, connects_per_s=20), RealClock())
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(load.run())
        await wait_until(lambda: load.report.charging >= 3)
        assert load.describe().startswith("connecting: ")
        load.stop()
    report = running.result()
    assert report.seconds < 30
    assert report.charging == report.stopped < 100
    assert report.errors == {}
    assert load.progress()[1] == 220


async def test_silence_is_given_up_in_time(central):
    central.once("StartTransaction", Silence())
    load = Load(LoadPlan(url=central.url, stations=1, duration_s=0), RealClock())
    report = await load.run(patience_s=0.3)
    assert report.seconds < 20
    assert report.errors == {"not stopped in time": 1}
    (entry,) = report.ledger
    assert (entry["transactionId"], entry["startAcknowledged"]) == (None, False)


@pytest.mark.slow
async def test_an_unanswered_call_is_sent_again_over_a_new_connection(central, monkeypatch):
    monkeypatch.setattr("simulator.load.ANSWER_S", 1.0)
    monkeypatch.setattr("simulator.load.CHECK_S", 0.05)
    central.once("StartTransaction", Silence())
    report = await Load(LoadPlan(url=central.url, stations=1, duration_s=3.0), RealClock()).run()
    assert report.errors["StartTransaction unanswered"] == 1
    assert report.stopped == 1


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
async def test_who_is_not_accepted_does_not_charge(central, status):
    central.boot_status = status
    report = await Load(LoadPlan(url=central.url, stations=1, duration_s=0), RealClock()).run()
    assert report.errors == {f"boot {status}": 1}
    assert central.of("StartTransaction") == []


def test_loopback_addresses_where_ports_run_short():
    plan = LoadPlan(url="ws://127.0.0.1:9000/ocpp", stations=45_000)
    sources = [plan.source(number) for number in range(1, 45_001)]
    used = {address: sources.count((address, 0)) for address, _ in set(sources)}
    assert set(used) == {"127.0.0.2", "127.0.0.3", "127.0.0.4"}
    assert max(used.values()) <= 20_000
    assert LoadPlan(url="ws://127.0.0.1:9000/ocpp", stations=20_000).source(1) is None
    assert LoadPlan(url="ws://example.org/ocpp", stations=45_000).source(1) is None


async def test_refusals_and_calls_are_counted_and_answered(central):
    central.once("StartTransaction", CallError())
    plan = LoadPlan(url=central.url, stations=2, connects_per_s=0, duration_s=0.3)
    report = await Load(plan, RealClock()).run(patience_s=30)
    assert report.errors == {"StartTransaction refused": 1}
    assert report.stopped == 1


async def test_nobody_there():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{unused.getsockname()[1]}/ocpp"
        report = await Load(LoadPlan(url=url, stations=3, duration_s=60), RealClock()).run(0.1)
    assert report.errors == {f"nobody listens at {url.split('/')[2]}": 3}
    assert report.seconds < 60, "without anybody there is nothing to wait for"


async def test_a_refused_handshake_is_an_error(central):
    central.password = b"secret"
    plan = LoadPlan(url=central.url, stations=2, duration_s=0.1)
    report = await Load(plan, RealClock()).run(patience_s=0.1)
    assert report.connected == 0
    assert report.errors == {"connection refused with HTTP 401": 2}


async def test_a_password_opens(central):
    central.password = b"sixteen letters!"
    plan = LoadPlan(url=central.url, stations=2, duration_s=0, password="sixteen letters!")
    report = await Load(plan, RealClock()).run()
    assert (report.stopped, report.errors) == (2, {})


async def test_connections_from_several_addresses(central, monkeypatch):
    monkeypatch.setattr("simulator.load.ADDRESSES_PER_SOURCE", 2)
    plan = LoadPlan(url=central.url, stations=5, duration_s=0)
    assert len({plan.source(number) for number in range(1, 6)}) == 3
    report = await Load(plan, RealClock()).run()
    assert (report.connected, report.errors) == (5, {})


@pytest.mark.slow
async def test_each_takes_little_memory(tmp_path):
    path = tmp_path / "load.json"
    async with (
        SecondOpinion().listening() as other,
        command(
            *("load", "--url", other.url, "--stations", "500", "--connects-per-s", "250"),
            *("--duration", "1", "--interval", "2", "--report", str(path)),
        ) as loading,
    ):
        code, told = await outcome(loading, 60)
    report = json.loads(path.read_text())
    assert (code, report["errors"], report["stopped"]) == (0, {}, 500), told
    assert 0 < report["kibPerChargePoint"] <= 30
    assert len(report["ledger"]) == len(other.ended) == 500
