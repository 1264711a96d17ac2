"""The certification tool's cases for charge points: boots, sessions, tags, unlocking.

Each test names its case (section 1.6 of the reference); the tool's own text is not public.
"""

from simulator.vehicle import Vehicle
from tests.simulator.quirks import charging

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}
NOW = "2026-01-01T00:00:00Z"


async def test_tc_001_rejected_then_accepted(central, make):
    central.once("BootNotification", {"status": "Rejected", "currentTime": NOW, "interval": 1})
    async with make() as station:
        await station.wait_for(lambda state: state.registration == "Rejected")
        station.plug(1, Vehicle())
        assert not await station.present_tag(1, "TAG"), "nothing is sent meanwhile"
        await station.until_registered()
        await central.until(lambda: central.statuses() == ["Preparing"])
        assert central.told()[:2] == ["BootNotification", "BootNotification"]


async def test_tc_002_configured_while_pending(central, make):
    central.once("BootNotification", {"status": "Pending", "currentTime": NOW, "interval": 60})
    async with make() as station:
        await station.wait_for(lambda state: state.registration == "Pending")
        assert await central.call("CP1", "GetConfiguration", key=["HeartbeatInterval"])
        wanted = {"key": "MeterValueSampleInterval", "value": "30"}
        assert await central.call("CP1", "ChangeConfiguration", **wanted) == ACCEPTED
        for action, payload in (
            ("RemoteStartTransaction", {"idTag": "TAG"}),
            ("RemoteStopTransaction", {"transactionId": 1}),
        ):
            assert await central.call("CP1", action, **payload) == REJECTED
        triggers = ("StatusNotification", "Heartbeat", "MeterValues", "BootNotification")
        for requested in triggers:
            before = len(central.of(requested))
            wanted = {"requestedMessage": requested}
            assert await central.call("CP1", "TriggerMessage", **wanted) == ACCEPTED
            await central.until_calls(requested, before + 1)
        await station.until_registered()
        assert station.configuration.text("MeterValueSampleInterval") == "30"


async def test_tc_005_1_ev_side_disconnected(central, make):
    async with make() as station:
        await charging(station)
        await central.until(lambda: central.statuses()[-1:] == ["Charging"])
        since = len(central.calls)
        station.unplug(1)
        await central.until(lambda: central.statuses()[-1:] == ["Available"])
        assert central.told(since=since) == [
            "SuspendedEV", "StopTransaction", "Finishing", "Available",
        ]  # fmt: skip
        assert central.of("StopTransaction")[0]["reason"] == "EVDisconnected"


async def test_tc_005_2_the_cable_stays_locked(central, make):
    keys = {"UnlockConnectorOnEVSideDisconnect": "false"}
    async with make(configuration=keys) as station:
        await charging(station)
        await central.until(lambda: central.statuses()[-1:] == ["Charging"])
        since = len(central.calls)
        station.unplug(1)
        await central.until(lambda: central.statuses()[-1:] == ["Finishing"])
        assert central.told(since=since) == ["SuspendedEV", "StopTransaction", "Finishing"]
        assert await station.present_tag(1, "TAG"), "its driver lets the cable go"
        await central.until(lambda: central.statuses()[-1:] == ["Available"])
        assert len(central.of("StartTransaction")) == 1


async def test_tc_005_3_the_transaction_outlives_the_cable(central, make):
    keys = {"StopTransactionOnEVSideDisconnect": "false"}
    async with make(configuration=keys) as station:
        await charging(station)
        await central.until(lambda: central.statuses()[-1:] == ["Charging"])
        vehicle = station.unplug(1)
        await central.until(lambda: central.statuses()[-1:] == ["SuspendedEV"])
        assert vehicle is not None
        station.plug(1, vehicle)
        await central.until(lambda: central.statuses()[-1:] == ["Charging"])
        assert central.of("StopTransaction") == []


async def test_tc_006_one_reader_for_all_connectors(central, make):
    async with make(connectors=2) as station:
        await station.until_registered()
        assert await station.present_tag(None, "FIRST")
        station.plug(2, Vehicle())
        (start,) = await central.until_calls("StartTransaction")
        assert (start["connectorId"], start["idTag"]) == (2, "FIRST")
        station.plug(1, Vehicle())
        assert await station.present_tag(None, "SECOND")
        start = (await central.until_calls("StartTransaction", 2))[1]
        assert (start["connectorId"], start["idTag"]) == (1, "SECOND")
        assert await station.present_tag(None, "FIRST")
        (stop,) = await central.until_calls("StopTransaction")
        assert (stop["transactionId"], stop["idTag"]) == (1001, "FIRST")


async def test_tc_006_the_reader_does_not_wait_for_ever(central, make):
    async with make(configuration={"ConnectionTimeOut": "0"}) as station:
        await station.until_registered()
        assert await station.present_tag(None, "TAG")
        station.plug(1, Vehicle())
        assert station.state.connectors[1].status == "Preparing"
        assert not await station.present_tag(None, "BAD")
        assert central.of("StartTransaction") == []


async def test_tc_007_a_cached_tag(central, make):
    async with make(configuration={"LocalPreAuthorize": "true"}) as station:
        await charging(station)
        station.unplug(1)
        await central.until(lambda: central.statuses()[-1:] == ["Available"])
        await charging(station)
        await central.until_calls("StartTransaction", 2)
        assert len(central.of("Authorize")) == 1


async def test_tc_008_a_listed_tag(central, make):
    async with make(configuration={"LocalPreAuthorize": "true"}) as station:
        await station.until_registered()
        listed = [{"idTag": "tag", "idTagInfo": {"status": "Accepted"}}]
        wanted = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": listed}
        assert await central.call("CP1", "SendLocalList", **wanted) == ACCEPTED
        await charging(station)
        assert central.of("Authorize") == []


async def test_a_list_that_the_central_system_contradicts_is_a_conflict(central, make):
    """OCPP 1.6 3.5.3."""
    async with make() as station:
        await station.until_registered()
        listed = [{"idTag": "BAD", "idTagInfo": {"status": "Accepted"}}]
        wanted = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": listed}
        await central.call("CP1", "SendLocalList", **wanted)
        station.plug(1, Vehicle())
        assert not await station.present_tag(1, "BAD")

        def code() -> str:
            of_station = [
                one for one in central.of("StatusNotification") if one["connectorId"] == 0
            ]
            return of_station[-1]["errorCode"]

        await central.until(lambda: code() == "LocalListConflict")
        wanted = {"listVersion": 2, "updateType": "Full", "localAuthorizationList": []}
        await central.call("CP1", "SendLocalList", **wanted)
        await central.until(lambda: code() == "NoError")


async def test_tc_018_unlock_in_a_session(central, make):
    async with make() as station:
        await charging(station)
        await central.until(lambda: central.statuses()[-1:] == ["Charging"])
        since = len(central.calls)
        assert await central.call("CP1", "UnlockConnector", connectorId=1) == {"status": "Unlocked"}
        await central.until_calls("StopTransaction")
        assert central.told(since=since) == ["Finishing", "StopTransaction"]
        station.unplug(1)
        await central.until(lambda: central.statuses()[-1:] == ["Available"])


async def test_tc_017_2_a_fixed_cable_is_not_unlocked(central, make):
    async with make(fixed_cable=True) as station:
        await station.until_registered()
        answer = await central.call("CP1", "UnlockConnector", connectorId=1)
        assert answer == {"status": "NotSupported"}
        key = {"key": "UnlockConnectorOnEVSideDisconnect", "value": "true"}
        assert await central.call("CP1", "ChangeConfiguration", **key) == REJECTED


async def test_tc_024_and_030_the_lock_fails(central, make):
    async with make(oddities=("lock-fails",)) as station:
        await station.until_registered()
        answer = await central.call("CP1", "UnlockConnector", connectorId=1)
        assert answer == {"status": "UnlockFailed"}
        station.plug(1, Vehicle())
        await station.present_tag(1, "TAG")
        await central.until(lambda: central.statuses()[-1:] == ["Faulted"])
        assert central.of("StatusNotification")[-1]["errorCode"] == "ConnectorLockFailure"
        assert central.of("StartTransaction") == []
        station.temper.switch_off("lock-fails")
        await central.until(lambda: central.statuses()[-1:] == ["Preparing"])


async def test_tc_027_remote_start_of_connector_0(central, make):
    async with make() as station:
        await station.until_registered()
        wanted = {"idTag": "TAG", "connectorId": 0}
        assert await central.call("CP1", "RemoteStartTransaction", **wanted) == REJECTED


async def test_tc_068_stopped_by_the_same_tag(central, make):
    async with make() as station:
        await charging(station)
        assert await station.present_tag(1, "tag")
        (stop,) = await central.until_calls("StopTransaction")
        assert stop["idTag"] == "tag"
        assert len(central.of("Authorize")) == 1


async def test_tc_069_stopped_by_the_same_parent(central, make):
    family = {"idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}}
    other = {"idTagInfo": {"status": "Accepted", "parentIdTag": "OTHERS"}}
    central.once("Authorize", family, other, family)
    async with make() as station:
        await charging(station)
        assert not await station.present_tag(1, "STRANGER")
        assert await station.present_tag(1, "SPOUSE")
        (stop,) = await central.until_calls("StopTransaction")
        assert (stop["idTag"], stop["reason"]) == ("SPOUSE", "Local")
