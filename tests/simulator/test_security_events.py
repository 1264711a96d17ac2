"""Security events: what causes each, that none is lost, and who is told (whitepaper A04, 3.6)."""

import pytest

from simulator.security_log import EVENTS, SecurityLog
from simulator.vehicle import Vehicle
from tests.simulator.central import CallError, DropSocket
from tests.simulator.files import http_files

ALL = {"security_events": True}

CAUSED_HERE = {
    "StartupOfTheDevice", "ResetOrReboot", "SettingSystemTime", "SecurityLogWasCleared",
    "FailedToAuthenticateAtCentralSystem", "ReconfigurationOfSecurityParameters",
    "MemoryExhaustion", "InvalidMessages", "AttemptedReplayAttacks", "TamperDetectionActivated",
}  # fmt: skip
CAUSED_ELSEWHERE = {
    "FirmwareUpdated", "InvalidFirmwareSignature", "InvalidFirmwareSigningCertificate",
    "InvalidCentralSystemCertificate", "InvalidChargePointCertificate", "InvalidTLSVersion",
    "InvalidTLSCipherSuite", "CentralSystemFailedToAuthenticate",
}  # fmt: skip


def types(central) -> list[str]:
    return [one["type"] for one in central.of("SecurityEventNotification")]


def test_each_event_of_the_whitepaper_has_a_cause():
    assert CAUSED_HERE | CAUSED_ELSEWHERE == EVENTS
    assert len(EVENTS) == 18


async def test_startup_and_reset(central, make):
    async with make(**ALL) as station:
        await central.until(lambda: types(central) == ["StartupOfTheDevice"])
        await station.until_registered()
        await central.call("CP1", "Reset", type="Soft")
        await central.until(lambda: types(central)[1:] == ["ResetOrReboot", "StartupOfTheDevice"])
        assert central.of("SecurityEventNotification")[1]["techInfo"] == "Soft"


async def test_tampering_and_a_cleared_log(central, make):
    async with make() as station:
        await station.until_registered()
        station.tamper()
        station.security_log.clear()
        await central.until(
            lambda: types(central) == ["TamperDetectionActivated", "SecurityLogWasCleared"]
        )
        assert [one.type for one in station.security_log.kept] == ["SecurityLogWasCleared"]


async def test_a_plain_charge_point_keeps_everyday_events_to_itself(central, make):
    async with make() as station:
        await station.until_registered()
        await central.call("CP1", "Reset", type="Hard")
        await central.until_calls("BootNotification", 2)
        await central.until_calls("StatusNotification", 3)
        await station.until_registered()
        assert types(central) == []
        kept = [one.type for one in station.security_log.kept]
        assert kept == ["StartupOfTheDevice", "ResetOrReboot", "StartupOfTheDevice"]


async def test_events_of_an_offline_time_come_after_the_reconnect_in_order(central, make):
    async with make(**ALL) as station:
        await central.until_calls("SecurityEventNotification")
        station.go_offline()
        await station.wait_for(lambda state: not state.is_connected)
        moments = []
        for _ in range(3):
            station.tamper()
            moments.append(station.clock.now())
            await station.clock.sleep(0.2)
        station.go_online()
        told = (await central.until_calls("SecurityEventNotification", 4))[1:]
        stamps = [one["timestamp"] for one in told]
        assert stamps == sorted(stamps)
        assert stamps[-1] < station.clock.now().isoformat()


async def test_a_lost_answer_repeats_the_event_and_a_refusal_does_not(central, make):
    central.once("SecurityEventNotification", DropSocket(), CallError("NotSupported"))
    async with make(**ALL) as station:
        await central.until_calls("SecurityEventNotification", 2)
        station.tamper()
        await central.until_calls("SecurityEventNotification", 3)
        assert types(central) == [
            "StartupOfTheDevice",
            "StartupOfTheDevice",
            "TamperDetectionActivated",
        ]


async def test_the_clock_is_set_and_that_is_told(central, make):
    async with make(sets_clock=True, **ALL) as station:
        await central.until(lambda: "SettingSystemTime" in types(central))
        assert station.clock.now().year == 2026
        assert station.clock.now().month == 1, "as the scripted central system has it"
        station.plug(1, Vehicle())
        assert await station.present_tag(1, "TAG")
        (start,) = await central.until_calls("StartTransaction")
        assert start["timestamp"].startswith("2026-01-01T00:")


async def test_a_clock_that_is_right_is_left_alone(central, make):
    station = make(sets_clock=True, **ALL)

    def accepted(_payload):
        now = station.clock.now().isoformat(timespec="seconds").replace("+00:00", "Z")
        return {"status": "Accepted", "currentTime": now, "interval": 300}

    central.scripts["BootNotification"] = [accepted]
    async with station:
        await central.until(lambda: types(central) == ["StartupOfTheDevice"])


async def test_a_refused_login(central, make):
    central.password = b"another password"
    async with make(password="first password 12", **ALL) as station:
        await station.wait_for(
            lambda _: (
                "FailedToAuthenticateAtCentralSystem"
                in {one.type for one in station.security_log.kept}
            )
        )
        central.password = b"first password 12"
        await central.until(lambda: "FailedToAuthenticateAtCentralSystem" in types(central))


async def test_a_changed_key(central, make):
    async with make(**ALL) as station:
        await station.until_registered()
        await central.call("CP1", "ChangeConfiguration", key="AuthorizationKey", value="ab" * 16)
        await central.until(lambda: "ReconfigurationOfSecurityParameters" in types(central))
        told = central.of("SecurityEventNotification")[-1]
        assert told["techInfo"] == "AuthorizationKey", "and nothing of the key itself"


@pytest.mark.parametrize(
    "text",
    ["not json", '{"a": 1}', '[2,"1",["x"],{}]', '[2,"1","Reset",{"type":"Medium"}]'],
)
async def test_messages_that_are_none(central, make, caplog, text):
    async with make(**ALL) as station:
        await station.until_registered()
        if "Medium" in text:
            await central.call_raw("CP1", "Reset", {"type": "Medium"})
        else:
            await central.send_raw("CP1", text)
        await central.until(lambda: "InvalidMessages" in types(central))


async def test_a_call_that_comes_a_second_time(central, make):
    async with make(**ALL) as station:
        await station.until_registered()
        for _ in range(2):
            await central.call_raw("CP1", "ClearCache", {}, message_id="again")
        await central.until(lambda: "AttemptedReplayAttacks" in types(central))


async def test_a_full_memory(central, make, monkeypatch):
    monkeypatch.setattr("simulator.transactions.MAX_WAITING_METER_VALUES", 2)
    async with make(meter_interval_s=1, **ALL) as station:
        await station.until_registered()
        station.plug(1, Vehicle())
        await station.present_tag(1, "TAG")
        await station.wait_for(lambda state: state.connectors[1].status == "Charging")
        station.go_offline()
        await station.wait_for(lambda _: station.queue.skipped_meter_values >= 2)
        station.go_online()
        await central.until(lambda: "MemoryExhaustion" in types(central))
        assert types(central).count("MemoryExhaustion") == 1


async def test_the_security_log_can_be_fetched_for_a_span_of_time(central, make):
    files: dict[str, bytes] = {}
    async with http_files(files) as url, make(**ALL) as station:
        await station.until_registered()
        station.tamper()
        for name, oldest in (("all", "2020-01-01T00:00:00Z"), ("none", "2100-01-01T00:00:00Z")):
            log = {"remoteLocation": f"{url}/{name}", "oldestTimestamp": oldest}
            await central.call("CP1", "GetLog", log=log, logType="SecurityLog", requestId=1)
            await central.until(lambda wanted=f"/{name}": wanted in files)
        assert b"TamperDetectionActivated housing opened" in files["/all"]
        assert b"Tamper" not in files["/none"]


async def test_a_newer_log_request_cancels_the_older_one(central, make):
    files: dict[str, bytes] = {}
    async with http_files(files) as url, make(step_s=4) as station:
        await station.until_registered()

        async def wanted(number: int) -> str:
            log = {"remoteLocation": f"{url}/{number}"}
            answer = await central.call(
                "CP1", "GetLog", log=log, logType="DiagnosticsLog", requestId=number
            )
            return answer["status"]

        assert await wanted(1) == "Accepted"
        await central.until_calls("LogStatusNotification")
        await central.call(
            "CP1", "ExtendedTriggerMessage", requestedMessage="LogStatusNotification"
        )
        assert await wanted(2) == "AcceptedCanceled"
        await central.until(lambda: "/2" in files)
        await central.until_calls("LogStatusNotification", 4)
        told = [(one["requestId"], one["status"]) for one in central.of("LogStatusNotification")]
        assert told == [(1, "Uploading"), (1, "Uploading"), (2, "Uploading"), (2, "Uploaded")]
        assert "/1" not in files


def test_there_are_no_other_events(make):
    with pytest.raises(ValueError, match="Nonsense"):
        SecurityLog(make().clock, tells_all=lambda: True).record("Nonsense")
