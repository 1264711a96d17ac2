"""Faults by name: what each does to a charge point that works."""

import pytest

from simulator.clock import RealClock
from simulator.errors import OddityError
from simulator.fleet_file import parse_fleet
from simulator.oddities.catalogue import ALL, find
from simulator.vehicle import Vehicle
from tests.simulator.quirks import charging, set_profile

ELSEWHERE = {
    "ignores-limits",
    "clock-skew",
    "lock-fails",
    "reset-fails",
    "firmware-fails",
    "revoked-signer",
}
HERE = {
    "latency", "loss", "half-open", "flapping", "reconnect-storm", "network-cable-pulled",
    "reboots", "overdraws", "stuck-relay", "over-temperature", "cable-pulled",
    "failing-connectors",
}  # fmt: skip


def test_every_fault_has_a_test():
    assert {one.name for one in ALL if one.is_fault} == ELSEWHERE | HERE


async def test_latency(central, make):
    slow = {"name": "latency", "ms": 100, "jitterMs": 0}
    async with make(oddities=(slow,)) as station:
        before = station.clock.monotonic()
        await station.until_registered()
        # The BootNotification and its answer, each late.
        assert station.clock.monotonic() - before >= 0.2


async def test_loss_is_made_good_by_the_queue(central, make):
    async with make(response_timeout_s=0.2) as station:
        await charging(station)
        station.temper.switch_on({"name": "loss", "share": 1})
        station.sessions[1].end_transaction("Local")
        await station.clock.sleep(2)
        assert central.of("StopTransaction") == []
        station.temper.switch_off("loss")
        await central.until_calls("StopTransaction")


async def test_half_open(central, make):
    dead = {"name": "half-open", "afterS": 0.2, "forS": 60}
    async with make() as station:
        await station.until_registered()
        await central.until(lambda: len(central.statuses()) == 1)
        station.temper.switch_on({**dead, "afterS": 0})
        await station.clock.sleep(2)
        assert station.state.is_connected
        seen = len(central.raw)
        station.plug(1, Vehicle())
        await station.clock.sleep(2)
        assert len(central.raw) == seen
        station.temper.switch_off("half-open")
        station.drop_connection()
        await central.until(lambda: central.statuses()[-1:] == ["Preparing"])


@pytest.mark.parametrize(
    ("fault", "boots"),
    [
        ({"name": "flapping", "upS": 0.02, "downS": 0.01}, False),
        ({"name": "network-cable-pulled", "afterS": 0.02, "forS": 0.02}, False),
        ({"name": "reconnect-storm", "count": 5, "pauseS": 0.01}, True),
        ({"name": "reboots", "everyS": 0.05}, True),
    ],
)
async def test_connections_come_and_go(central, make, fault, boots):
    # A fast clock would leave no time to connect in between.
    async with make(clock=RealClock()) as station:
        await station.until_registered()
        station.temper.switch_on(fault)
        await central.until(lambda: central.connections >= 4)
        if boots:
            await central.until_calls("BootNotification", 3)
        else:
            assert len(central.of("BootNotification")) == 1
        station.temper.switch_off(fault["name"])
        await station.until_registered()


async def test_reboot_stops_with_power_loss_after_the_boot(central, make):
    async with make() as station:
        await charging(station)
        station.temper.switch_on({"name": "reboots", "everyS": 0.05})
        (stop,) = await central.until_calls("StopTransaction")
        station.temper.switch_off("reboots")
        assert stop["reason"] == "PowerLoss"
        order = [one.action for one in central.calls]
        assert order.index("BootNotification", 1) < order.index("StopTransaction")


async def test_overdraws(central, make):
    async with make(oddities=({"name": "overdraws", "factor": 1.5},)) as station:
        await charging(station)
        action, payload = set_profile(10)
        await central.call("CP1", action, **payload)
        assert station.state.connectors[1].flow.current_a == 15
        station.temper.switch_off("overdraws")
        station.refresh_all()
        assert station.state.connectors[1].flow.current_a == 10


async def test_stuck_relay_lets_power_flow_without_a_transaction(central, make):
    async with make(oddities=("stuck-relay",)) as station:
        await charging(station)
        station.sessions[1].end_transaction("Local")
        shown = station.state.connectors[1]
        assert shown.transaction_id is None
        assert shown.power_w > 10_000
        station.temper.switch_off("stuck-relay")
        station.refresh_all()
        assert station.state.connectors[1].power_w == 0


async def test_over_temperature_and_recovery(central, make):
    async with make() as station:
        await charging(station)
        station.temper.switch_on({"name": "over-temperature", "celsius": 80})
        state = await station.wait_for(lambda state: 0 < state.connectors[1].offer < 32)
        assert state.connectors[1].status == "Charging", "it derates first"
        station.temper.switch_on("over-temperature")
        await central.until(lambda: central.statuses()[-1:] == ["Faulted"])
        errors = [one["errorCode"] for one in central.of("StatusNotification")]
        assert errors[-1] == "HighTemperature"
        station.temper.switch_off("over-temperature")
        await station.wait_for(lambda state: state.connectors[1].status == "Charging")


async def test_cable_pulled_and_failing_connectors(central, make):
    async with make() as station:
        await charging(station)
        station.temper.switch_on({"name": "cable-pulled", "everyS": 0.1})
        (stop,) = await central.until_calls("StopTransaction")
        assert stop["reason"] == "EVDisconnected"
    fails = {"name": "failing-connectors", "everyS": 0.02, "forS": 0.02}
    async with make("CP2", oddities=(fails,)):
        await central.until(lambda: central.statuses().count("Faulted") >= 2)


async def test_they_combine(central, make):
    slow = {"name": "latency", "ms": 1, "jitterMs": 1}
    both = (slow, "values-of-connector-0", "kwh-labelled-wh")
    async with make(oddities=both, meter_interval_s=1, meter_start_wh=5000) as station:
        await charging(station)
        (values, *_) = await central.until_calls("MeterValues")
        assert values["connectorId"] == 0
        sampled = values["meterValue"][0]["sampledValue"]
        assert sampled[0]["value"].startswith("5.0")
        assert station.temper.names == ["latency", "values-of-connector-0", "kwh-labelled-wh"]


def test_same_seed_same_chance(make):
    draws = []
    for seed in (1, 1, 2):
        station = make(seed=seed, oddities=("loss",))
        draws.append([station.temper.loses() for _ in range(200)])
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize(
    "spec",
    ["nope", {}, {"name": 3}, {"name": "latency", "kg": 1}, {"name": "latency", "ms": -1},
     {"name": "latency", "ms": True}],
)  # fmt: skip
def test_bad_names_and_numbers(spec):
    with pytest.raises(OddityError):
        find(spec)


def test_fleet_file_names_them():
    group = {"prefix": "A", "count": 1, "quirks": ["unit-hz"], "faults": [{"name": "loss"}]}
    (parsed,) = parse_fleet({"groups": [group]}).groups
    assert parsed.oddities == ("unit-hz", {"name": "loss"})
    with pytest.raises(ValueError, match="loss is not a quirk"):
        parse_fleet_error({"quirks": ["loss"]})


def parse_fleet_error(changes: dict) -> None:
    try:
        parse_fleet({"groups": [{"prefix": "A", "count": 1, **changes}]})
    except Exception as error:
        raise ValueError(str(error)) from error
