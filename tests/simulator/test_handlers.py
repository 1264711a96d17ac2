"""What a charge point does with every call of a central system (OCPP 1.6 5, security extension)."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from simulator.supply import Supply
from simulator.vehicle import Vehicle
from tests.simulator.central import Central, FollowedBy
from tests.simulator.files import http_files

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}
ROOT = "CentralSystemRootCertificate"
HASH = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "aa",
    "issuerKeyHash": "bb",
    "serialNumber": "1",
}


def limit_profile(limit: float, *, purpose: str = "TxDefaultProfile", unit: str = "A", **fields):
    schedule = {
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    }
    return {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative",
        "chargingSchedule": schedule,
        **fields,
    }


async def set_limit(central: Central, connector: int, limit: float, **fields) -> str:
    answer = await central.call(
        "CP1",
        "SetChargingProfile",
        connectorId=connector,
        csChargingProfiles=limit_profile(limit, **fields),
    )
    return answer["status"]


async def charging(station, number: int = 1, vehicle: Vehicle | None = None) -> None:
    await station.until_registered()
    station.plug(number, vehicle or Vehicle(onboard_a=32))
    assert await station.present_tag(number, f"TAG{number}")
    await station.wait_for(lambda state: state.connectors[number].status == "Charging")


async def test_remote_start_and_stop(central, make):
    async with make() as station:
        await station.until_registered()
        station.plug(1, Vehicle())
        answer = await central.call("CP1", "RemoteStartTransaction", idTag="TAG", connectorId=1)
        assert answer == ACCEPTED
        await central.until_calls("StartTransaction")
        assert central.of("Authorize") == [{"idTag": "TAG"}]
        await station.wait_for(lambda state: state.connectors[1].status == "Charging")
        assert await central.call("CP1", "RemoteStopTransaction", transactionId=7) == REJECTED
        assert await central.call("CP1", "RemoteStopTransaction", transactionId=1001) == ACCEPTED
        (stop,) = await central.until_calls("StopTransaction")
        assert stop["reason"] == "Remote"
        await central.until(lambda: central.statuses()[-1:] == ["Finishing"])


async def test_remote_start_without_authorize_waits_for_the_cable(central, make):
    async with make(configuration={"AuthorizeRemoteTxRequests": "false"}) as station:
        await station.until_registered()
        assert await central.call("CP1", "RemoteStartTransaction", idTag="TAG") == ACCEPTED
        await station.wait_for(lambda state: state.connectors[1].status == "Preparing")
        station.plug(1, Vehicle())
        await central.until_calls("StartTransaction")
        assert central.of("Authorize") == []


async def test_remote_start_prefers_the_plugged_connector_and_needs_a_free_one(central, make):
    async with make(connectors=2) as station:
        await station.until_registered()
        station.plug(2, Vehicle())
        for connector in (2, 1):
            await central.call("CP1", "RemoteStartTransaction", idTag=f"TAG{connector}")
            await station.wait_for(
                lambda state, one=connector: state.connectors[one].status != "Available"
            )
            if connector == 2:
                await central.until_calls("StartTransaction")
        station.plug(1, Vehicle())
        starts = await central.until_calls("StartTransaction", 2)
        assert [start["connectorId"] for start in starts] == [2, 1]
        assert await central.call("CP1", "RemoteStartTransaction", idTag="TAG3") == REJECTED
        unknown = await central.call("CP1", "RemoteStartTransaction", idTag="T", connectorId=9)
        assert unknown == REJECTED


async def test_remote_start_with_a_profile(central, make):
    async with make() as station:
        await station.until_registered()
        station.plug(1, Vehicle())
        for wrong in (
            limit_profile(10),
            limit_profile(10, purpose="TxProfile", transactionId=5),
        ):
            answer = await central.call(
                "CP1", "RemoteStartTransaction", idTag="TAG", chargingProfile=wrong
            )
            assert answer == REJECTED
        right = limit_profile(10, purpose="TxProfile")
        await central.call("CP1", "RemoteStartTransaction", idTag="TAG", chargingProfile=right)
        state = await station.wait_for(lambda state: state.connectors[1].status == "Charging")
        assert state.connectors[1].flow.current_a == 10
        station.unplug(1)
        assert len(station.profiles) == 0


async def test_remote_start_of_an_invalid_tag_starts_nothing(central, make):
    async with make() as station:
        await station.until_registered()
        station.plug(1, Vehicle())
        assert await central.call("CP1", "RemoteStartTransaction", idTag="BAD") == ACCEPTED
        await central.until_calls("Authorize")
        assert await central.call("CP1", "ClearCache") == ACCEPTED
        assert station.state.connectors[1].status == "Preparing"


async def test_profile_is_obeyed_in_meter_values(central, make):
    async with make(meter_interval_s=1) as station:
        await charging(station)
        await central.until_calls("MeterValues")
        assert central.measured("Current.Import", "L1") == [32]
        tx = {"purpose": "TxProfile", "transactionId": 1001, "chargingProfileId": 2}
        assert await set_limit(central, 1, 10.5, **tx) == "Accepted"
        assert station.state.connectors[1].flow.current_a == 10.5
        await central.until_calls("MeterValues", 2)
        assert central.measured("Current.Import", "L1")[-1] == 10.5
        assert central.measured("Power.Active.Import")[-1] == int(10.5 * 690)
        assert central.measured("Current.Offered")[-1] == 10.5
        assert await set_limit(central, 1, 5.9, **tx) == "Accepted"
        await central.until(lambda: central.statuses()[-1:] == ["SuspendedEVSE"])
        assert station.state.connectors[1].power_w == 0
        assert await set_limit(central, 1, 6, **tx) == "Accepted"
        await central.until(lambda: central.statuses()[-1:] == ["Charging"])
        answer = await central.call("CP1", "ClearChargingProfile", id=2)
        assert answer == ACCEPTED
        assert station.state.connectors[1].flow.current_a == 32
        assert await central.call("CP1", "ClearChargingProfile", id=2) == {"status": "Unknown"}


async def test_refused_profiles_change_nothing(central, make):
    async with make() as station:
        await charging(station)
        wrong = {"purpose": "TxProfile", "transactionId": 9}
        assert await set_limit(central, 1, 6, **wrong) == "Rejected"
        assert await set_limit(central, 1, 6, purpose="ChargePointMaxProfile") == "Rejected"
        assert station.state.connectors[1].flow.current_a == 32


async def test_station_limit_is_shared_by_running_transactions(central, make):
    async with make(connectors=2) as station:
        await charging(station, 1)
        assert await set_limit(central, 0, 24, purpose="ChargePointMaxProfile") == "Accepted"
        assert station.state.connectors[1].flow.current_a == 24
        await charging(station, 2)
        await station.wait_for(
            lambda state: [one.flow.current_a for one in state.connectors.values()] == [12, 12]
        )
        station.unplug(2)
        await station.wait_for(lambda state: state.connectors[1].flow.current_a == 24)


async def test_scheduled_change_happens_by_itself(central, make):
    async with make() as station:
        await charging(station)
        schedule = {
            "chargingRateUnit": "A",
            "duration": 600,
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 20},
                {"startPeriod": 12, "limit": 0},
            ],
        }
        begin = station.clock.now()
        schedule["startSchedule"] = begin.isoformat().replace("+00:00", "Z")
        profile = {
            **limit_profile(20),
            "chargingProfileKind": "Absolute",
            "chargingSchedule": schedule,
        }
        await central.call("CP1", "SetChargingProfile", connectorId=1, csChargingProfiles=profile)
        assert station.state.connectors[1].flow.current_a == 20
        await central.until(lambda: central.statuses()[-1:] == ["SuspendedEVSE"])


async def test_dc_obeys_watts(central, make):
    supply = Supply(current_type="DC", phases=1, voltage_v=400, max_w=150_000)
    async with make(supply=supply) as station:
        await charging(station)
        assert await set_limit(central, 1, 20_000, unit="W") == "Accepted"
        assert station.state.connectors[1].power_w == 20_000


async def test_composite_schedule(central, make):
    async with make() as station:
        await station.until_registered()
        await set_limit(central, 0, 16)
        answer = await central.call("CP1", "GetCompositeSchedule", connectorId=1, duration=60)
        schedule = answer["chargingSchedule"]
        assert (answer["status"], schedule["chargingRateUnit"]) == ("Accepted", "A")
        assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 16.0}]
        watts = await central.call(
            "CP1", "GetCompositeSchedule", connectorId=1, duration=60, chargingRateUnit="W"
        )
        assert watts["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == 11_040
        nowhere = await central.call("CP1", "GetCompositeSchedule", connectorId=5, duration=60)
        assert nowhere == REJECTED


@pytest.mark.parametrize(("kind", "reason"), [("Soft", "SoftReset"), ("Hard", "HardReset")])
async def test_reset_stops_and_boots_again(central, make, kind, reason):
    async with make() as station:
        await charging(station)
        assert await central.call("CP1", "Reset", type=kind) == ACCEPTED
        await central.until_calls("BootNotification", 2)
        (stop,) = await central.until_calls("StopTransaction")
        assert stop["reason"] == reason
        actions = [one.action for one in central.calls]
        boot = len(actions) - 1 - actions[::-1].index("BootNotification")
        if kind == "Soft":
            assert actions.index("StopTransaction") < boot
        await central.until(lambda: central.statuses()[-1:] == ["Finishing"])
        told = {
            one.payload["connectorId"] for one in central.calls[boot:] if "status" in one.payload
        }
        assert told == {0, 1}


async def test_unlock_ends_the_transaction(central, make):
    async with make() as station:
        await charging(station)
        assert await central.call("CP1", "UnlockConnector", connectorId=1) == {"status": "Unlocked"}
        (stop,) = await central.until_calls("StopTransaction")
        assert stop["reason"] == "UnlockCommand"
        unknown = await central.call("CP1", "UnlockConnector", connectorId=9)
        assert unknown == {"status": "NotSupported"}


async def test_availability_waits_for_the_transaction(central, make):
    async with make(connectors=2) as station:
        await charging(station)

        async def change(connector: int, kind: str) -> str:
            answer = await central.call(
                "CP1", "ChangeAvailability", connectorId=connector, type=kind
            )
            return answer["status"]

        assert await change(2, "Inoperative") == "Accepted"
        assert await change(1, "Inoperative") == "Scheduled"
        assert await change(7, "Inoperative") == "Rejected"
        assert station.state.connectors[1].status == "Charging"
        assert await central.call("CP1", "RemoteStartTransaction", idTag="T") == REJECTED
        station.unplug(1)
        for connector in (1, 2):
            await central.until(lambda c=connector: central.statuses(c)[-1:] == ["Unavailable"])
        assert await change(0, "Operative") == "Accepted"
        for connector in (0, 1, 2):
            await central.until(lambda c=connector: central.statuses(c)[-1:] == ["Available"])


async def test_configuration_over_the_wire(central, make):
    async with make() as station:
        await station.until_registered()
        everything = await central.call("CP1", "GetConfiguration")
        assert len(everything["configurationKey"]) >= 28
        assert "unknownKey" not in everything
        some = await central.call("CP1", "GetConfiguration", key=["HeartbeatInterval", "Nope"])
        assert some["unknownKey"] == ["Nope"]
        answer = await central.call(
            "CP1", "ChangeConfiguration", key="HeartbeatInterval", value="1"
        )
        assert answer == ACCEPTED
        await central.until_calls("Heartbeat")


async def test_changed_sample_interval_acts_on_the_running_transaction(central, make):
    async with make() as station:
        await charging(station)
        await central.call("CP1", "ChangeConfiguration", key="MeterValueSampleInterval", value="1")
        await central.until_calls("MeterValues", 2)


async def test_reservation(central, make):
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()

    async def reserve(reservation: int = 4, connector: int = 1, expiry: str = soon) -> str:
        answer = await central.call(
            "CP1",
            "ReserveNow",
            connectorId=connector,
            expiryDate=expiry,
            idTag="MINE",
            reservationId=reservation,
        )
        return answer["status"]

    async with make() as station:
        await station.until_registered()
        assert await reserve(expiry="2020-01-01T00:00:00Z") == "Rejected"
        assert await reserve(connector=5) == "Rejected"
        assert await reserve() == "Accepted"
        await central.until(lambda: central.statuses()[-1:] == ["Reserved"])
        assert await reserve(5) == "Occupied"
        assert await reserve(4) == "Accepted"
        assert not await station.present_tag(1, "OTHER")
        assert await central.call("CP1", "CancelReservation", reservationId=9) == REJECTED
        assert await central.call("CP1", "CancelReservation", reservationId=4) == ACCEPTED
        await central.until(lambda: central.statuses()[-1:] == ["Available"])
        assert await reserve(6, connector=0) == "Accepted"
        station.plug(1, Vehicle())
        assert await station.present_tag(1, "MINE")
        (start,) = await central.until_calls("StartTransaction")
        assert start["reservationId"] == 6


async def test_reservation_expires(central, make):
    async with make() as station:
        await station.until_registered()
        soon = (station.clock.now() + timedelta(seconds=5)).isoformat()
        await central.call(
            "CP1", "ReserveNow", connectorId=1, expiryDate=soon, idTag="T", reservationId=1
        )
        await central.until(lambda: central.statuses()[-2:] == ["Reserved", "Available"])


@pytest.mark.parametrize(
    ("requested", "action"),
    [
        ("BootNotification", "BootNotification"),
        ("Heartbeat", "Heartbeat"),
        ("StatusNotification", "StatusNotification"),
        ("MeterValues", "MeterValues"),
        ("DiagnosticsStatusNotification", "DiagnosticsStatusNotification"),
        ("FirmwareStatusNotification", "FirmwareStatusNotification"),
    ],
)
async def test_triggered_messages_follow_the_answer(central, make, requested, action):
    async with make() as station:
        await central.until(lambda: central.statuses() == ["Available"])
        before = len(central.of(action))
        assert await central.call("CP1", "TriggerMessage", requestedMessage=requested) == ACCEPTED
        sent = await central.until_calls(action, before + 1)
        if action.endswith("StatusNotification") and "connectorId" not in sent[-1]:
            assert sent[-1] == {"status": "Idle"}
        wrong = await central.call(
            "CP1", "TriggerMessage", requestedMessage=requested, connectorId=9
        )
        assert wrong == REJECTED
        assert station.state.is_registered


async def test_extended_trigger(central, make):
    async with make() as station:
        await station.until_registered()
        answer = await central.call(
            "CP1", "ExtendedTriggerMessage", requestedMessage="LogStatusNotification"
        )
        assert answer == ACCEPTED
        assert await central.until_calls("LogStatusNotification") == [{"status": "Idle"}]


async def test_local_list(central, make):
    def entry(tag: str, status: str | None = "Accepted") -> dict:
        return {"idTag": tag, "idTagInfo": {"status": status}} if status else {"idTag": tag}

    async def send(version: int, kind: str, *entries: dict) -> str:
        answer = await central.call(
            "CP1",
            "SendLocalList",
            listVersion=version,
            updateType=kind,
            localAuthorizationList=list(entries),
        )
        return answer["status"]

    async def version() -> int:
        return (await central.call("CP1", "GetLocalListVersion"))["listVersion"]

    async with make() as station:
        await station.until_registered()
        assert await version() == 0
        assert await send(3, "Full", entry("A"), entry("B", "Blocked")) == "Accepted"
        assert await send(4, "Full", entry("C", None)) == "Failed"
        assert await send(3, "Differential", entry("C")) == "VersionMismatch"
        assert await version() == 3
        station.go_offline()
        await station.wait_for(lambda state: not state.is_connected)
        assert [await station.reader.authorize(tag) for tag in "aBC"] == [True, False, False]
        station.go_online()
        await station.until_registered()
        assert await send(5, "Differential", entry("A", None), entry("C")) == "Accepted"
        station.go_offline()
        assert [await station.reader.authorize(tag) for tag in "AC"] == [False, True]
        station.go_online()


async def test_firmware_update_waits_for_the_transaction_and_boots_the_new_version(central, make):
    async with http_files({"/v2.bin": b"new"}) as url, make() as station:
        await charging(station)
        await central.call(
            "CP1",
            "UpdateFirmware",
            location=f"{url}/v2.bin",
            retrieveDate="2026-01-01T00:00:00Z",
        )
        await central.until_calls("FirmwareStatusNotification", 2)
        station.unplug(1)
        await central.until_calls("FirmwareStatusNotification", 4)
        told = [one["status"] for one in central.of("FirmwareStatusNotification")]
        assert told == ["Downloading", "Downloaded", "Installing", "Installed"]
        assert "Unavailable" in central.statuses()
        assert central.of("BootNotification")[-1]["firmwareVersion"] == "v2.bin"
        await central.until(lambda: central.statuses()[-1:] == ["Available"])


@pytest.mark.parametrize(
    ("action", "payload", "status"),
    [
        ("ClearCache", {}, "Accepted"),
        ("DataTransfer", {"vendorId": "Nobody", "data": "x"}, "UnknownVendorId"),
        ("GetInstalledCertificateIds", {"certificateType": ROOT}, "NotFound"),
        ("InstallCertificate", {"certificateType": ROOT, "certificate": "x"}, "Rejected"),
        ("CertificateSigned", {"certificateChain": "x"}, "Rejected"),
        ("DeleteCertificate", {"certificateHashData": HASH}, "NotFound"),
        (
            "SignedUpdateFirmware",
            {
                "requestId": 1,
                "firmware": {
                    "location": "ftp://files/",
                    "retrieveDateTime": "2026-01-01T00:00:00Z",
                    "signingCertificate": "x",
                    "signature": "x",
                },
            },
            "InvalidCertificate",
        ),
    ],
)
async def test_other_calls_have_an_answer(central, make, action, payload, status):
    async with make() as station:
        await station.until_registered()
        answer = await central.call("CP1", action, **payload)
        assert answer == {"status": status}


async def test_profile_that_arrives_right_behind_the_start_is_taken(central, make):
    started = {"transactionId": 77, "idTagInfo": ACCEPTED}
    profile = limit_profile(8, purpose="TxProfile", transactionId=77)
    payload = {"connectorId": 1, "csChargingProfiles": profile}
    central.once("StartTransaction", FollowedBy(started, "SetChargingProfile", payload))
    async with make() as station:
        await charging(station)
        async with asyncio.timeout(5):
            assert (await central.follower)[2] == ACCEPTED
        assert station.state.connectors[1].flow.current_a == 8


async def test_remote_start_right_behind_the_boot_is_taken(central, make):
    booted = {"status": "Accepted", "currentTime": "2026-01-01T00:00:00Z", "interval": 60}
    behind = FollowedBy(booted, "RemoteStartTransaction", {"idTag": "TAG"})
    central.once("BootNotification", behind)
    async with make() as station:
        station.plug(1, Vehicle())
        await central.until_calls("StartTransaction")
        assert central.follower.result()[2] == ACCEPTED
