"""The certification tool's cases for charge points: reservations, lists, profiles, meter values.

Each test names its case (section 1.6 of the reference); the tool's own text is not public.
"""

from datetime import timedelta

import pytest

from simulator.clock import iso
from simulator.vehicle import Vehicle
from tests.simulator.quirks import charging, set_profile

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}


async def reserve(central, station, number: int = 4, connector: int = 1, **fields) -> str:
    answer = await central.call(
        "CP1",
        "ReserveNow",
        connectorId=connector,
        expiryDate=iso(station.clock.now() + timedelta(hours=1)),
        reservationId=number,
        **{"idTag": "MINE", **fields},
    )
    return answer["status"]


async def test_tc_043_2_version_mismatch(central, make):
    async with make() as station:
        await station.until_registered()
        entry = [{"idTag": "A", "idTagInfo": {"status": "Accepted"}}]
        for version, kind, status in (
            (5, "Full", "Accepted"),
            (5, "Differential", "VersionMismatch"),
            (4, "Differential", "VersionMismatch"),
            (6, "Differential", "Accepted"),
        ):
            wanted = {"listVersion": version, "updateType": kind, "localAuthorizationList": entry}
            answer = await central.call("CP1", "SendLocalList", **wanted)
            assert answer == {"status": status}
        assert await central.call("CP1", "GetLocalListVersion") == {"listVersion": 6}


async def test_a_list_that_names_a_tag_twice_fails(central, make):
    async with make() as station:
        await station.until_registered()
        twice = [{"idTag": tag, "idTagInfo": {"status": "Accepted"}} for tag in ("A", "a")]
        wanted = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": twice}
        assert await central.call("CP1", "SendLocalList", **wanted) == {"status": "Failed"}
        assert await central.call("CP1", "GetLocalListVersion") == {"listVersion": 0}


async def test_tc_046_2_a_reservation_used_by_a_remote_start(central, make):
    async with make() as station:
        await station.until_registered()
        assert await reserve(central, station) == "Accepted"
        await central.until(lambda: central.statuses()[-1:] == ["Reserved"])
        other = {"idTag": "OTHER", "connectorId": 1}
        assert await central.call("CP1", "RemoteStartTransaction", **other) == REJECTED
        mine = {"idTag": "MINE", "connectorId": 1}
        assert await central.call("CP1", "RemoteStartTransaction", **mine) == ACCEPTED
        await central.until(lambda: central.statuses()[-1:] == ["Preparing"])
        station.plug(1, Vehicle())
        (start,) = await central.until_calls("StartTransaction")
        assert (start["reservationId"], start["idTag"]) == (4, "MINE")
        assert await central.call("CP1", "CancelReservation", reservationId=4) == REJECTED


async def test_a_reservation_for_a_group_asks_for_the_group(central, make):
    family = {"idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}}
    others = {"idTagInfo": {"status": "Accepted", "parentIdTag": "OTHERS"}}
    central.once("Authorize", others, family)
    async with make() as station:
        await station.until_registered()
        assert await reserve(central, station, parentIdTag="FAMILY") == "Accepted"
        station.plug(1, Vehicle())
        assert not await station.present_tag(1, "STRANGER")
        assert await station.present_tag(1, "SPOUSE")
        (start,) = await central.until_calls("StartTransaction")
        assert start["reservationId"] == 4


async def test_tc_049_a_reservation_of_any_connector_is_used_where_the_driver_comes(central, make):
    async with make(connectors=2) as station:
        await station.until_registered()
        assert await reserve(central, station, connector=0) == "Accepted"
        await central.until(lambda: central.statuses(1)[-1:] == ["Reserved"])
        station.plug(2, Vehicle())
        assert await station.present_tag(2, "MINE")
        (start,) = await central.until_calls("StartTransaction")
        assert (start["connectorId"], start["reservationId"]) == (2, 4)
        await central.until(lambda: central.statuses(1)[-1:] == ["Available"])


async def test_tc_050_connector_zero_is_not_reserved_where_that_is_unsupported(central, make):
    async with make(configuration={"ReserveConnectorZeroSupported": "false"}) as station:
        await station.until_registered()
        assert await reserve(central, station, connector=0) == "Rejected"
        assert await reserve(central, station, connector=1) == "Accepted"


async def test_a_refused_replacement_leaves_the_reservation(central, make):
    async with make(connectors=2) as station:
        await station.until_registered()
        station.plug(2, Vehicle())
        assert await reserve(central, station) == "Accepted"
        assert await reserve(central, station, connector=2) == "Occupied"
        await central.until(lambda: central.statuses(1)[-1:] == ["Reserved"])
        assert await central.call("CP1", "CancelReservation", reservationId=4) == ACCEPTED


@pytest.mark.parametrize(
    ("trouble", "status"), [("fault", "Faulted"), ("inoperative", "Unavailable")]
)
async def test_tc_048_reservations_that_cannot_be(central, make, trouble, status):
    async with make() as station:
        await station.until_registered()
        assert await reserve(central, station) == "Accepted"
        if trouble == "fault":
            station.set_error(1, "GroundFailure")
        else:
            wanted = {"connectorId": 1, "type": "Inoperative"}
            await central.call("CP1", "ChangeAvailability", **wanted)
        await central.until(lambda: central.statuses()[-1:] == [status])
        assert await central.call("CP1", "CancelReservation", reservationId=4) == REJECTED
        assert await reserve(central, station, 5) == status


async def test_tc_058_tx_profiles_without_their_transaction(central, make):
    async with make() as station:
        await station.until_registered()
        action, profile = set_profile(10, chargingProfilePurpose="TxProfile")
        assert await central.call("CP1", action, **profile) == REJECTED
        await charging(station)
        action, wrong = set_profile(10, chargingProfilePurpose="TxProfile", transactionId=9)
        assert await central.call("CP1", action, **wrong) == REJECTED
        assert station.state.connectors[1].offer == 32
        action, right = set_profile(10, chargingProfilePurpose="TxProfile", transactionId=1001)
        assert await central.call("CP1", action, **right) == ACCEPTED
        assert station.state.connectors[1].offer == 10


async def test_tc_060_a_remote_start_with_a_profile_that_is_none_of_a_transaction(central, make):
    async with make() as station:
        await station.until_registered()
        _, wanted = set_profile(10, chargingProfilePurpose="TxDefaultProfile")
        profile = {"idTag": "TAG", "chargingProfile": wanted["csChargingProfiles"]}
        assert await central.call("CP1", "RemoteStartTransaction", **profile) == REJECTED
        assert len(station.profiles) == 0


@pytest.mark.parametrize(
    ("vendor", "status"), [("Nobody", "UnknownVendorId"), ("OpenSimulator", "UnknownMessageId")]
)
async def test_tc_062_data_transfer_to_the_charge_point(central, make, vendor, status):
    async with make() as station:
        await station.until_registered()
        wanted = {"vendorId": vendor, "messageId": "x", "data": "y"}
        assert await central.call("CP1", "DataTransfer", **wanted) == {"status": status}


async def test_tc_070_sampled_meter_values(central, make):
    keys = {"MeterValuesSampledData": "Energy.Active.Import.Register,Voltage"}
    async with make(configuration=keys, meter_interval_s=2) as station:
        await charging(station)
        values = await central.until_calls("MeterValues", 3)
        assert {one["transactionId"] for one in values} == {1001}
        contexts = {
            value["context"]
            for one in values
            for reading in one["meterValue"]
            for value in reading["sampledValue"]
        }
        assert contexts == {"Sample.Periodic"}


async def test_tc_071_clock_aligned_meter_values(central, make):
    keys = {"ClockAlignedDataInterval": "5", "MeterValuesAlignedData": "Voltage"}
    async with make(configuration=keys, connectors=2) as station:
        await charging(station)
        values = await central.until_calls("MeterValues", 6)
        assert {one["connectorId"] for one in values} == {0, 1, 2}
        seconds = {int(one["meterValue"][0]["timestamp"][17:19]) % 5 for one in values}
        assert seconds == {0}
        of_session = [one for one in values if one["connectorId"] == 1]
        assert of_session[-1]["transactionId"] == 1001
        assert all("transactionId" not in one for one in values if one["connectorId"] == 2)


async def test_tc_072_stacked_profiles(central, make):
    """The higher level while it is valid, the lower one after that, both under the station's."""
    async with make() as station:
        await charging(station)
        short = {"stackLevel": 2, "chargingProfileId": 2, "schedule": {"duration": 20}}
        short["schedule"]["startSchedule"] = iso(station.clock.now() - timedelta(seconds=2))
        for limit, changes in (
            (16, {"stackLevel": 1, "chargingProfileId": 1}),
            (8, short),
            (12, {"connector": 0, "chargingProfileId": 3,
                  "chargingProfilePurpose": "ChargePointMaxProfile"}),
        ):  # fmt: skip
            action, payload = set_profile(limit, **changes)
            assert await central.call("CP1", action, **payload) == ACCEPTED
        assert station.state.connectors[1].offer == 8
        asked = {"connectorId": 1, "duration": 60, "chargingRateUnit": "A"}
        answer = await central.call("CP1", "GetCompositeSchedule", **asked)
        periods = answer["chargingSchedule"]["chargingSchedulePeriod"]
        assert [one["limit"] for one in periods] == [8, 12]
        await station.wait_for(lambda state: state.connectors[1].offer == 12)


async def test_tc_082_a_default_profile_in_a_transaction(central, make):
    async with make() as station:
        await charging(station)
        action, payload = set_profile(9)
        assert await central.call("CP1", action, **payload) == ACCEPTED
        assert station.state.connectors[1].flow.current_a == 9
        action, payload = set_profile(
            7, chargingProfileId=2, chargingProfilePurpose="TxProfile", transactionId=1001
        )
        assert await central.call("CP1", action, **payload) == ACCEPTED
        assert station.state.connectors[1].flow.current_a == 7
        assert await central.call("CP1", "ClearChargingProfile", id=2) == ACCEPTED
        assert station.state.connectors[1].flow.current_a == 9


async def test_the_composite_schedule_of_the_whole_charge_point(central, make):
    """What all connectors may take together, at most what the charge point may."""
    async with make(connectors=2) as station:
        await station.until_registered()

        async def limits() -> list[float]:
            asked = {"connectorId": 0, "duration": 60, "chargingRateUnit": "A"}
            answer = await central.call("CP1", "GetCompositeSchedule", **asked)
            return [one["limit"] for one in answer["chargingSchedule"]["chargingSchedulePeriod"]]

        assert await limits() == [64]
        action, payload = set_profile(10, connector=0)
        await central.call("CP1", action, **payload)
        assert await limits() == [20]
        action, payload = set_profile(
            15, connector=0, chargingProfileId=2, chargingProfilePurpose="ChargePointMaxProfile"
        )
        await central.call("CP1", action, **payload)
        assert await limits() == [15]
