"""What configuration keys do: authorization, lists, limits of messages, timeouts, lamps, resets."""

import pytest

from simulator.supply import Supply
from simulator.vehicle import Vehicle
from tests.simulator.central import Silence
from tests.simulator.files import http_files
from tests.simulator.quirks import charging, set_profile

REJECTED = {"status": "Rejected"}
ACCEPTED = {"status": "Accepted"}


async def offline(station) -> None:
    await station.until_registered()
    station.go_offline()
    await station.wait_for(lambda state: not state.is_connected)


@pytest.mark.parametrize("allowed", [True, False])
async def test_unknown_tags_offline(central, make, allowed):
    keys = {"AllowOfflineTxForUnknownId": str(allowed).lower()}
    async with make(configuration=keys) as station:
        await offline(station)
        station.plug(1, Vehicle())
        assert await station.present_tag(1, "NEVERSEEN") is allowed
        station.go_online()


@pytest.mark.parametrize("allowed", [True, False])
async def test_known_tags_offline(central, make, allowed):
    keys = {"LocalAuthorizeOffline": str(allowed).lower()}
    async with make(configuration=keys) as station:
        await charging(station)
        station.unplug(1)
        await offline(station)
        station.plug(1, Vehicle())
        assert await station.present_tag(1, "TAG") is allowed
        station.go_online()


async def test_without_a_cache_nothing_is_remembered(central, make):
    async with make(configuration={"AuthorizationCacheEnabled": "false"}) as station:
        await charging(station)
        station.unplug(1)
        assert await central.call("CP1", "ClearCache") == REJECTED
        await offline(station)
        station.plug(1, Vehicle())
        assert not await station.present_tag(1, "TAG")
        station.go_online()


async def test_known_tags_need_no_authorize(central, make):
    async with make(configuration={"LocalPreAuthorize": "true"}) as station:
        for _ in range(2):
            await charging(station)
            station.unplug(1)
        await central.until_calls("StopTransaction", 2)
        assert len(central.of("Authorize")) == 1


async def test_the_cache_learns_from_starts_and_stops_too(central, make):
    blocked = {"transactionId": 5, "idTagInfo": {"status": "Blocked"}}
    central.once("StartTransaction", blocked)
    async with make(configuration={"LocalPreAuthorize": "true"}) as station:
        await station.until_registered()
        station.tags.remember("TAG", {"status": "Accepted"})
        station.plug(1, Vehicle())
        assert await station.present_tag(1, "TAG")
        await central.until_calls("StopTransaction")
        await offline(station)
        assert not await station.reader.authorize("TAG")
        station.go_online()


async def test_rotations_are_counted(central, make):
    async with make(configuration={"ConnectorPhaseRotationMaxLength": "1"}) as station:
        await station.until_registered()
        wanted = {"key": "ConnectorPhaseRotation", "value": "0.RST,1.RTS"}
        assert await central.call("CP1", "ChangeConfiguration", **wanted) == REJECTED
        wanted["value"] = "1.RTS"
        assert await central.call("CP1", "ChangeConfiguration", **wanted) == ACCEPTED


async def test_more_keys_than_allowed_at_once(central, make):
    async with make(configuration={"GetConfigurationMaxKeys": "2"}) as station:
        await station.until_registered()
        names = ["CpoName", "LightIntensity", "Nope"]
        answer = await central.call("CP1", "GetConfiguration", key=names[1:])
        assert (len(answer["configurationKey"]), answer["unknownKey"]) == (1, ["Nope"])
        frame = await central.call_raw("CP1", "GetConfiguration", {"key": names})
        assert (frame[0], frame[2]) == (4, "OccurenceConstraintViolation")


async def test_lamps(central, make):
    events = []
    station = make()
    station._on_event = lambda event: events.append((event.name, dict(event.data)))
    async with station:
        await station.until_registered()
        for key, value in (("BlinkRepeat", "7"), ("LightIntensity", "40")):
            await central.call("CP1", "ChangeConfiguration", key=key, value=value)
        await station.wait_for(lambda _: ("light", {"percent": 40}) in events)
        await station.present_tag(1, "BAD")
        assert ("blink", {"times": 7, "accepted": False}) in events


@pytest.mark.slow
async def test_message_timeout(central, make):
    """Sooner than the 30 s that the settings say."""
    central.once("Authorize", Silence())
    async with make(response_timeout_s=30) as station:
        await station.until_registered()
        await central.call("CP1", "ChangeConfiguration", key="MessageTimeout", value="1")
        station.drop_connection()
        await central.until(lambda: central.connections == 2)
        await station.until_registered()
        station.plug(1, Vehicle())
        assert not await station.present_tag(1, "TAG")
        await central.until(lambda: central.connections == 3)


async def test_lists_choose_what_is_measured(central, make):
    keys = {
        "MeterValuesSampledData": "Voltage.L2,Current.Import.L1,Temperature,Frequency",
        "MeterValuesAlignedData": "Power.Offered",
        "ClockAlignedDataInterval": "1",
    }
    async with make(configuration=keys, meter_interval_s=1) as station:
        await charging(station)
        await central.until_calls("MeterValues", 4)
    sampled, aligned = set(), set()
    for payload in central.of("MeterValues"):
        for value in payload["meterValue"]:
            for one in value["sampledValue"]:
                place = aligned if one["context"] == "Sample.Clock" else sampled
                place.add((one["measurand"], one.get("phase")))
    assert sampled == {
        ("Voltage", "L2-N"),
        ("Current.Import", "L1"),
        ("Temperature", None),
        ("Frequency", None),
    }
    assert aligned == {("Power.Offered", None)}


@pytest.mark.parametrize(
    "name",
    [
        "MeterValuesAlignedData",
        "MeterValuesSampledData",
        "StopTxnAlignedData",
        "StopTxnSampledData",
    ],
)
async def test_lists_have_a_longest(central, make, name):
    async with make(configuration={f"{name}MaxLength": "2"}) as station:
        await station.until_registered()
        for value, answer in (("SoC,Voltage", ACCEPTED), ("SoC,Voltage,Current.Import", REJECTED)):
            wanted = {"key": name, "value": value}
            assert await central.call("CP1", "ChangeConfiguration", **wanted) == answer


async def test_transaction_data_has_a_longest(central, make):
    keys = {"StopTransactionMaxMeterValues": "3", "StopTxnSampledData": "Voltage"}
    async with make(configuration=keys, meter_interval_s=1) as station:
        await charging(station)
        await central.until_calls("MeterValues", 4)
        station.unplug(1)
        (stop,) = await central.until_calls("StopTransaction")
    contexts = [one["sampledValue"][0]["context"] for one in stop["transactionData"]]
    assert contexts == ["Transaction.Begin", "Sample.Periodic", "Transaction.End"]


@pytest.mark.parametrize(("times", "works"), [(1, True), (2, False)])
async def test_reset_retries(central, make, times, works):
    """ResetRetries is 1: the second try is the last one."""
    fault = {"name": "reset-fails", "times": times}
    async with make(oddities=(fault,)) as station:
        await station.until_registered()
        assert await central.call("CP1", "Reset", type="Soft") == ACCEPTED
        if works:
            await central.until_calls("BootNotification", 2)
        else:
            await central.until(
                lambda: central.of("StatusNotification")[-1]["errorCode"] == "ResetFailure"
            )
            assert central.of("StatusNotification")[-1]["connectorId"] == 0
            assert len(central.of("BootNotification")) == 1


async def test_calls_of_profiles_that_are_not_supported(central, make):
    async with make(configuration={"SupportedFeatureProfiles": "Core"}) as station:
        await station.until_registered()
        action, payload = set_profile(10)
        calls = [
            (action, payload),
            ("ReserveNow", {"connectorId": 1, "expiryDate": "2100-01-01T00:00:00Z", "idTag": "T",
                            "reservationId": 1}),
            ("TriggerMessage", {"requestedMessage": "Heartbeat"}),
            ("GetDiagnostics", {"location": "http://h/"}),
        ]  # fmt: skip
        for action, payload in calls:
            frame = await central.call_raw("CP1", action, payload)
            assert (frame[0], frame[2]) == (4, "NotSupported"), action
        listed = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": []}
        assert await central.call("CP1", "SendLocalList", **listed) == {"status": "NotSupported"}
        assert await central.call("CP1", "GetLocalListVersion") == {"listVersion": -1}
        assert await central.call("CP1", "ClearCache") == ACCEPTED


async def test_six_profiles(make):
    configuration = make().configuration
    most = configuration.integer("SupportedFeatureProfilesMaxLength")
    assert len(configuration.items("SupportedFeatureProfiles")) == most


async def test_ping_interval(central, make):
    async with make() as station:
        await station.until_registered()
        await central.call("CP1", "ChangeConfiguration", key="WebSocketPingInterval", value="0")
        await central.until(lambda: central.connections == 2)
        await station.until_registered()
        assert station.link._websocket.ping_interval is None


async def test_lists_can_be_switched_off(central, make):
    listed = {
        "listVersion": 1,
        "updateType": "Full",
        "localAuthorizationList": [{"idTag": "LISTED", "idTagInfo": {"status": "Accepted"}}],
    }
    async with make() as station:
        await station.until_registered()
        assert await central.call("CP1", "SendLocalList", **listed) == ACCEPTED
        station.configuration.change("LocalAuthListEnabled", "false")
        assert await central.call("CP1", "SendLocalList", **listed) == {"status": "NotSupported"}
        await offline(station)
        assert not await station.reader.authorize("LISTED")
        station.configuration.change("LocalAuthListEnabled", "true")
        assert await station.reader.authorize("LISTED")
        station.go_online()


async def test_lists_of_tags_have_a_longest(central, make):
    keys = {"LocalAuthListMaxLength": "3", "SendLocalListMaxLength": "2"}

    async def send(version: int, kind: str, *tags: str) -> str:
        entries = [{"idTag": tag, "idTagInfo": {"status": "Accepted"}} for tag in tags]
        answer = await central.call(
            "CP1",
            "SendLocalList",
            listVersion=version,
            updateType=kind,
            localAuthorizationList=entries,
        )
        return answer["status"]

    async with make(configuration=keys) as station:
        await station.until_registered()
        assert await send(1, "Full", "A", "B", "C") == "Failed", "too many at once"
        assert await send(1, "Full", "A", "B") == "Accepted"
        assert await send(2, "Differential", "C", "D") == "Failed", "too many in all"
        assert await send(2, "Differential", "C") == "Accepted"


async def test_bounds_of_profiles(central, make):
    keys = {
        "ChargeProfileMaxStackLevel": "1",
        "ChargingScheduleMaxPeriods": "1",
        "ChargingScheduleAllowedChargingRateUnit": "Current",
        "MaxChargingProfilesInstalled": "2",
    }
    async with make(configuration=keys) as station:
        await station.until_registered()
        periods = [{"startPeriod": 0, "limit": 10}, {"startPeriod": 5, "limit": 8}]
        for number, (wanted, answer) in enumerate(
            [
                (set_profile(stackLevel=2), REJECTED),
                (set_profile(schedule={"chargingSchedulePeriod": periods}), REJECTED),
                (set_profile(schedule={"chargingRateUnit": "W"}), REJECTED),
                (set_profile(stackLevel=0, chargingProfileId=1), ACCEPTED),
                (set_profile(stackLevel=1, chargingProfileId=2), ACCEPTED),
                (set_profile(stackLevel=0, chargingProfileId=3, connector=0), REJECTED),
                (set_profile(stackLevel=1, chargingProfileId=4), ACCEPTED),
            ]
        ):
            assert await central.call("CP1", wanted[0], **wanted[1]) == answer, number


@pytest.mark.parametrize(("switches", "phases"), [("true", 1), ("false", 3)])
async def test_one_phase_needs_a_switch(central, make, switches, phases):
    keys = {"ConnectorSwitch3to1PhaseSupported": switches}
    async with make(configuration=keys, supply=Supply(phases=3)) as station:
        await charging(station)
        period = [{"startPeriod": 0, "limit": 10, "numberPhases": 1}]
        action, payload = set_profile(schedule={"chargingSchedulePeriod": period})
        assert await central.call("CP1", action, **payload) == ACCEPTED
        flow = station.state.connectors[1].flow
        assert (flow.phases, flow.current_a) == (phases, 10)


async def test_protocols_that_are_not_spoken(central, make):
    files: dict[str, bytes] = {"/v2": b"x"}
    async with (
        http_files(files) as url,
        make(configuration={"SupportedFileTransferProtocols": "FTP"}) as station,
    ):
        await station.until_registered()
        log = {"remoteLocation": f"{url}/log"}
        await central.call("CP1", "GetLog", log=log, logType="SecurityLog", requestId=1)
        await central.until_calls("LogStatusNotification", 2)
        told = [one["status"] for one in central.of("LogStatusNotification")]
        assert told == ["Uploading", "NotSupportedOperation"]
        past = "2026-01-01T00:00:00Z"
        await central.call("CP1", "UpdateFirmware", location=f"{url}/v2", retrieveDate=past)
        await central.until_calls("FirmwareStatusNotification", 2)
        assert central.of("FirmwareStatusNotification")[-1] == {"status": "DownloadFailed"}
        assert list(files) == ["/v2"]


async def test_a_change_can_wait_for_the_reboot(central, make):
    async with make(reboot_keys=("HeartbeatInterval",)) as station:
        await station.until_registered()
        wanted = {"key": "HeartbeatInterval", "value": "7"}
        answer = await central.call("CP1", "ChangeConfiguration", **wanted)
        assert answer == {"status": "RebootRequired"}
        assert station.configuration.text("HeartbeatInterval") == "300"
        central.boot_interval = 0
        await central.call("CP1", "Reset", type="Hard")
        await central.until_calls("BootNotification", 2)
        assert station.configuration.text("HeartbeatInterval") == "7"
