"""Transaction messages must not be lost (OCPP 1.6 3.7.1): a central system misbehaves."""

import pytest

from simulator.ledger import record
from simulator.vehicle import Vehicle
from tests.simulator.central import CallError, DropSocket, Silence


async def charge(station) -> None:
    """Start a session and leave it charging."""
    await station.until_registered()
    station.plug(1, Vehicle())
    assert await station.present_tag(1, "TAG")
    await station.wait_for(lambda state: state.connectors[1].status == "Charging")


def messages(central) -> list[str]:
    return [one.action for one in central.calls if one.action.endswith("Transaction")]


async def test_start_and_stop_are_delivered_once_in_order(central, make):
    async with make() as station:
        await charge(station)
        station.unplug(1)
        await central.until_calls("StopTransaction")
    (start,), (stop,) = central.of("StartTransaction"), central.of("StopTransaction")
    assert (stop["transactionId"], stop["reason"]) == (1001, "EVDisconnected")
    (entry,) = station.ledger.records()
    assert entry["startAcknowledged"]
    assert entry["stopAcknowledged"]
    assert entry["dropped"] == []
    assert entry["transactionId"] == 1001
    assert (entry["startTimestamp"], entry["meterStart"]) == (start["timestamp"], 0)
    assert (entry["stopTimestamp"], entry["meterStop"]) == (stop["timestamp"], stop["meterStop"])
    assert entry["energyWh"] == stop["meterStop"]


async def test_start_without_answer_is_repeated_with_the_same_payload(central, make):
    central.once("StartTransaction", DropSocket(), DropSocket())
    async with make() as station:
        await charge(station)
        starts = await central.until_calls("StartTransaction", 3)
        await station.wait_for(lambda state: state.connectors[1].transaction_id == 1001)
        assert starts[0] == starts[1] == starts[2]
        sent = [one for one in central.calls if one.action == "StartTransaction"]
        assert [one.connection for one in sent] == [1, 2, 3]
        assert len({one.message_id for one in sent}) == 3
        assert len(central.of("BootNotification")) == 1


async def test_stop_without_answer_is_repeated_with_the_same_payload(central, make):
    central.once("StopTransaction", DropSocket())
    async with make() as station:
        await charge(station)
        station.unplug(1)
        first, second = await central.until_calls("StopTransaction", 2)
        assert first == second
        await station.wait_for(lambda state: state.waiting_messages == 0)
    assert station.ledger.records()[0]["stopAcknowledged"]


async def test_silence_counts_as_a_lost_connection(central, make):
    central.once("StartTransaction", Silence())
    async with make(response_timeout_s=0.6) as station:
        await charge(station)
        first, second = await central.until_calls("StartTransaction", 2)
        assert first == second
        assert central.connections == 2


async def test_call_errors_are_retried_then_dropped_and_the_rest_goes_on(central, make):
    central.once("StartTransaction", *[CallError()] * 3)
    async with make() as station:
        await charge(station)
        station.unplug(1)
        await central.until_calls("StopTransaction")
        assert messages(central) == ["StartTransaction"] * 3 + ["StopTransaction"]
        assert central.of("StopTransaction")[0]["transactionId"] == -1
    (entry,) = station.ledger.records()
    assert entry["dropped"] == ["StartTransaction"]
    assert not entry["startAcknowledged"]
    assert entry["stopAcknowledged"]
    assert entry["transactionId"] is None


async def test_a_call_error_then_success_keeps_the_order(central, make):
    central.once("StopTransaction", CallError("InternalError"))
    async with make() as station:
        for _ in range(2):
            await charge(station)
            station.unplug(1)
        await station.wait_for(lambda state: state.waiting_messages == 0)
        assert messages(central) == [
            "StartTransaction",
            "StopTransaction",
            "StopTransaction",
            "StartTransaction",
            "StopTransaction",
        ]
    assert [entry["dropped"] for entry in station.ledger.records()] == [[], []]


@pytest.mark.parametrize("attempts", ["1", "4"])
async def test_the_number_of_attempts_is_configured(central, make, attempts):
    central.once("StopTransaction", *[CallError()] * 9)
    async with make(configuration={"TransactionMessageAttempts": attempts}) as station:
        await charge(station)
        station.unplug(1)
        await station.wait_for(lambda state: state.waiting_messages == 0)
    assert len(central.of("StopTransaction")) == int(attempts)
    assert station.ledger.records()[0]["dropped"] == ["StopTransaction"]


async def test_retries_wait_the_interval_times_the_earlier_tries(central, make, monkeypatch):
    central.once("StopTransaction", *[CallError()] * 3)
    station = make(
        configuration={"TransactionMessageRetryInterval": "7", "TransactionMessageAttempts": "4"}
    )
    waits: list[float] = []
    sleep = station.clock.sleep

    async def noted(seconds: float) -> None:
        is_retry = 7 <= seconds < 100
        if is_retry:
            waits.append(seconds)
        await sleep(0 if is_retry else seconds)

    monkeypatch.setattr(station.clock, "sleep", noted)
    async with station:
        await charge(station)
        station.unplug(1)
        await station.wait_for(lambda state: state.waiting_messages == 0)
    assert waits == [7, 14, 21]


async def test_offline_session_is_told_afterwards_in_order_and_as_it_was(central, make):
    async with make(meter_interval_s=1) as station:
        await charge(station)
        station.go_offline()
        await station.wait_for(lambda state: not state.is_connected)
        station.unplug(1)
        station.tags.remember("TAG", {"status": "Accepted"})
        station.plug(1, Vehicle())
        assert await station.present_tag(1, "TAG")
        state = await station.wait_for(lambda state: state.connectors[1].status == "Charging")
        assert state.connectors[1].transaction_id is None
        assert state.connectors[1].power_w > 0
        await station.wait_for(lambda state: state.waiting_messages >= 3)
        station.unplug(1)
        assert len(central.of("StartTransaction")) == 1
        station.go_online()
        await station.wait_for(lambda state: state.waiting_messages == 0)
        told = [one for one in central.calls if one.connection == 2]
        kinds = [
            (one.action, one.payload.get("transactionId"))
            for one in told
            if one.action not in ("StatusNotification", "MeterValues")
        ]
        assert kinds == [
            ("StopTransaction", 1001),
            ("StartTransaction", None),
            ("StopTransaction", 1002),
        ]
        stamps = [one.payload["timestamp"] for one in told if one.action.endswith("Transaction")]
        assert stamps == sorted(stamps)
        late = [one.payload for one in told if one.action == "MeterValues"]
        assert {one["transactionId"] for one in late} == {1002}


async def test_what_was_never_acknowledged_is_not_claimed(central, make):
    central.once("StopTransaction", Silence())
    async with make(response_timeout_s=0.3) as station:
        await charge(station)
        station.unplug(1)
        await central.until_calls("StopTransaction")
        station.go_offline()
        await station.wait_for(lambda state: not state.is_connected)
        entry = record(station.ledger.transactions[0])
        assert entry["meterStop"] is not None
        assert not entry["stopAcknowledged"]
        station.go_online()
