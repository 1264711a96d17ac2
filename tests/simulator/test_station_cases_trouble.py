"""The certification tool's cases for charge points: resets, power, connections, faults.

Each test names its case (section 1.6 of the reference); the tool's own text is not public.
"""

import pytest

from simulator.reboots import lose_power
from simulator.vehicle import Vehicle
from tests.simulator.central import CallError
from tests.simulator.quirks import charging

ACCEPTED = {"status": "Accepted"}


async def offline(station) -> None:
    station.go_offline()
    await station.wait_for(lambda state: not state.is_connected)


async def test_tc_015_soft_reset_in_a_transaction(central, make):
    async with make() as station:
        await charging(station)
        await central.until(lambda: central.statuses()[-1:] == ["Charging"])
        since = len(central.calls)
        assert await central.call("CP1", "Reset", type="Soft") == ACCEPTED
        await central.until_calls("BootNotification", 2)
        await central.until(lambda: central.told(since=since)[-1:] == ["Finishing"])
        order = central.told(since=since)
        assert order.index("StopTransaction") < order.index("BootNotification")
        assert central.of("StopTransaction")[0]["reason"] == "SoftReset"


async def test_tc_016_hard_reset_in_a_transaction(central, make):
    async with make() as station:
        await charging(station)
        await central.until(lambda: central.statuses()[-1:] == ["Charging"])
        since = len(central.calls)
        assert await central.call("CP1", "Reset", type="Hard") == ACCEPTED
        (stop,) = await central.until_calls("StopTransaction")
        assert stop["reason"] == "HardReset"
        assert central.told(since=since) == ["BootNotification", "Finishing", "StopTransaction"]


@pytest.mark.parametrize("kind", ["Hard", "Soft"])
async def test_an_unavailable_connector_stays_so_over_a_reset(central, make, kind):
    async with make(connectors=2) as station:
        await station.until_registered()
        wanted = {"connectorId": 2, "type": "Inoperative"}
        await central.call("CP1", "ChangeAvailability", **wanted)
        await central.call("CP1", "Reset", type=kind)
        await central.until_calls("BootNotification", 2)
        since = [one.action for one in central.calls].index("BootNotification", 1)
        await central.until(lambda: central.told(2, since)[1:] == ["Unavailable"])


async def test_tc_032_power_loss_in_a_session(central, make):
    async with make(connectors=2) as station:
        await charging(station)
        await central.until(lambda: central.statuses()[-1:] == ["Charging"])
        since = len(central.calls)
        await lose_power(station)
        await central.until_calls("StopTransaction")
        order = [
            (one.action, one.payload.get("connectorId"), one.payload.get("status"))
            for one in central.calls[since:]
        ]
        assert order == [
            ("BootNotification", None, None),
            ("StatusNotification", 0, "Available"),
            ("StatusNotification", 1, "Finishing"),
            ("StatusNotification", 2, "Available"),
            ("StopTransaction", None, None),
        ]
        assert central.of("StopTransaction")[0]["reason"] == "PowerLoss"
        assert central.closes == [1006], "the power does not say good-bye"


async def test_tc_033_a_backup_tells_the_stop_before_it_goes(central, make):
    async with make(backup_s=30) as station:
        await charging(station)
        await lose_power(station)
        await central.until_calls("BootNotification", 2)
        actions = [one.action for one in central.calls]
        assert actions.index("StopTransaction") < actions.index("BootNotification", 1)
        assert central.of("StopTransaction")[0]["reason"] == "PowerLoss"


async def test_tc_034_power_loss_of_an_unavailable_charge_point(central, make):
    async with make() as station:
        await station.until_registered()
        await central.call("CP1", "ChangeAvailability", connectorId=0, type="Inoperative")
        await lose_power(station)
        await central.until_calls("BootNotification", 2)
        await central.until(lambda: central.statuses(0)[-1:] == ["Unavailable"])
        await central.until(lambda: central.statuses(1)[-1:] == ["Unavailable"])


async def test_tc_036_connection_loss_in_a_transaction(central, make):
    async with make(meter_interval_s=1) as station:
        await charging(station)
        await station.wait_for(lambda _: station.statuses.is_idle)
        await offline(station)
        await station.wait_for(lambda state: state.waiting_messages >= 2)
        station.go_online()
        await station.wait_for(lambda state: state.waiting_messages == 0)
        second = [one for one in central.calls if one.connection == 2]
        assert {one.action for one in second} == {"MeterValues"}, "no boot, no state"
        assert {one.payload["transactionId"] for one in second} == {1001}
        assert station.state.connectors[1].status == "Charging"


@pytest.mark.parametrize(("stops", "last"), [("true", "Finishing"), ("false", "SuspendedEVSE")])
async def test_tc_037_an_offline_start_that_is_refused_later(central, make, stops, last):
    keys = {"StopTransactionOnInvalidId": stops, "AllowOfflineTxForUnknownId": "true"}
    central.once("StartTransaction", {"transactionId": 8, "idTagInfo": {"status": "Invalid"}})
    async with make(configuration=keys) as station:
        await station.until_registered()
        await offline(station)
        station.plug(1, Vehicle())
        assert await station.present_tag(1, "NOBODY")
        station.go_online()
        await central.until(lambda: central.statuses()[-1:] == [last])
        if stops == "true":
            (stop,) = await central.until_calls("StopTransaction")
            assert (stop["transactionId"], stop["reason"]) == (8, "DeAuthorized")
        else:
            assert central.of("StopTransaction") == []
            assert station.state.connectors[1].power_w == 0


async def test_tc_038_an_offline_stop(central, make):
    async with make() as station:
        await charging(station)
        await offline(station)
        assert await station.present_tag(1, "TAG")
        stopped_at = station.clock.now()
        await station.clock.sleep(3)
        station.go_online()
        (stop,) = await central.until_calls("StopTransaction")
        assert (stop["transactionId"], stop["reason"]) == (1001, "Local")
        assert stop["timestamp"] <= stopped_at.isoformat().replace("+00:00", "Z")


async def test_tc_041_a_fault_ends_no_transaction_and_is_told(central, make):
    async with make() as station:
        await charging(station)
        await central.until(lambda: central.statuses()[-1:] == ["Charging"])
        station.set_error(1, "GroundFailure")
        await central.until(lambda: central.statuses()[-1:] == ["Faulted"])
        assert station.state.connectors[1].power_w == 0
        station.set_error(1, "NoError")
        await central.until(lambda: central.statuses()[-1:] == ["Charging"])


async def test_a_faulted_connector_stays_faulted_while_its_transaction_ends(central, make):
    async with make() as station:
        await charging(station)
        station.set_error(1, "GroundFailure")
        await central.until(lambda: central.statuses()[-1:] == ["Faulted"])
        since = len(central.calls)
        station.unplug(1)
        await central.until_calls("StopTransaction")
        station.set_error(1, "NoError")
        await central.until(lambda: central.statuses()[-1:] == ["Available"])
        assert central.told(since=since) == ["StopTransaction", "Available"]


async def test_a_fault_of_the_whole_charge_point(central, make):
    async with make(connectors=2) as station:
        await station.until_registered()
        station.set_error(0, "InternalError")
        for connector in (0, 1, 2):
            await central.until(lambda one=connector: central.statuses(one)[-1:] == ["Faulted"])
        station.set_error(0, "NoError")
        for connector in (0, 1, 2):
            await central.until(lambda one=connector: central.statuses(one)[-1:] == ["Available"])


async def test_connector_0_is_unavailable_once_the_last_transaction_has_ended(central, make):
    async with make(connectors=2) as station:
        await charging(station)
        wanted = {"connectorId": 0, "type": "Inoperative"}
        answer = await central.call("CP1", "ChangeAvailability", **wanted)
        assert answer == {"status": "Scheduled"}
        await central.until(lambda: central.statuses(2)[-1:] == ["Unavailable"])
        assert central.statuses(0) == ["Available"]
        station.unplug(1)
        await central.until(lambda: central.statuses(0)[-1:] == ["Unavailable"])
        assert set(central.statuses(0)) == {"Available", "Unavailable"}


async def test_a_call_error_to_each_transaction_message_is_followed_by_retries(central, make):
    for action in ("StartTransaction", "MeterValues", "StopTransaction"):
        central.once(action, CallError("InternalError"), CallError("InternalError"))
    async with make(meter_interval_s=1) as station:
        await charging(station)
        await central.until_calls("MeterValues", 3)
        station.unplug(1)
        await station.wait_for(lambda state: state.waiting_messages == 0)
        for action in ("StartTransaction", "MeterValues", "StopTransaction"):
            first, second, third = central.of(action)[:3]
            assert (
                first["timestamp" if "timestamp" in first else "meterValue"]
                == (third["timestamp" if "timestamp" in third else "meterValue"])
            )
            assert first.keys() == second.keys()
