"""The load against a central system on a real socket."""

import socket

from simulator.clock import RealClock
from simulator.load import Load, LoadPlan
from tests.simulator.central import CallError


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


async def test_refusals_and_calls_are_counted_and_answered(central):
    central.once("StartTransaction", CallError())
    plan = LoadPlan(url=central.url, stations=2, connects_per_s=0, duration_s=0.3)
    report = await Load(plan, RealClock()).run(patience_s=1)
    assert report.errors == {"StartTransaction refused": 1}
    assert report.stopped == 1


async def test_nobody_there():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{unused.getsockname()[1]}/ocpp"
        report = await Load(LoadPlan(url=url, stations=3, duration_s=0), RealClock()).run()
    assert report.errors == {"ConnectionRefusedError": 3}


async def test_a_refused_handshake_is_an_error(central):
    central.password = b"secret"
    plan = LoadPlan(url=central.url, stations=2, duration_s=0.1)
    report = await Load(plan, RealClock()).run(patience_s=1)
    assert report.connected == 0
    assert sum(report.errors.values()) == 2
