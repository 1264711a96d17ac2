"""Every quirk by name: what it puts on the wire, or how the charge point behaves with it.

Most rows play one short session (boot, plug, tag, samples, stop) and look at what came; the others
ask the charge point something and look at the answer.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.clock import iso
from simulator.events import Event
from simulator.oddities.catalogue import ALL, BY_NAME
from simulator.oddities.model import Door, Played
from simulator.vehicle import Vehicle
from tests.simulator.central import Central

REJECTED = {"status": "Rejected"}
Check = Callable[[Central], bool]


def values(central: Central) -> list[dict]:
    return [
        one
        for payload in central.of("MeterValues")
        for value in payload["meterValue"]
        for one in value["sampledValue"]
    ]


def any_raw(text: str) -> Check:
    return lambda central: any(text in raw for raw in central.raw)


def ids(action: str) -> Callable[[Central], list]:
    return lambda central: [one.get("transactionId") for one in central.of(action)]


def starts(central: Central) -> dict:
    return central.of("StartTransaction")[0]


def stops(central: Central) -> dict:
    return central.of("StopTransaction")[0]


def boots(central: Central) -> dict:
    return central.of("BootNotification")[0]


def registers(central: Central) -> list[float]:
    return [float(one["value"]) for one in values(central) if "Register" in one["measurand"]]


def path(central: Central) -> str:
    return central.requests[0].path


def header(name: str) -> Callable[[Central], str | None]:
    return lambda central: central.requests[0].headers.get(name)


IN_A_SESSION: dict[str, Check] = {
    "leading-comma": lambda c: any('"sampledValue":[,' in text for text in c.unreadable),
    "empty-transaction-id": lambda c: any('"transactionId":,' in text for text in c.unreadable),
    "restarting-message-ids": lambda c: (
        [one.message_id for one in c.calls[:3]] == ["1000000", "1000001", "1000002"]
    ),
    "same-boot-message-id": lambda c: c.calls[0].message_id == "1000001",
    "serial-as-message-id": lambda c: {one.message_id for one in c.calls} == {"SERIAL"},
    "null-payload": lambda c: any(raw.endswith('"Heartbeat",null]') for raw in c.raw),
    "empty-frames": lambda c: "" in c.raw and len(c.of("StopTransaction")) == 1,
    "numbers-for-strings": lambda c: isinstance(values(c)[0]["value"], float),
    "padded-numbers": lambda c: values(c)[0]["value"].startswith(" "),
    "file-origin": lambda c: header("Origin")(c) == "file://",
    "extra-path-segment": lambda c: path(c) == "/ocpp/CentralSystemService/4/CP1",
    "double-slash": lambda c: path(c) == "/ocpp//CP1",
    "no-slash": lambda c: path(c) == "/ocppCP1",
    "trailing-slash": lambda c: path(c) == "/ocpp/CP1/",
    "encoded-identity": lambda c: path(c) == "/ocpp/%43%50%31",
    "empty-vendor": lambda c: boots(c)["chargePointVendor"] == "",
    "long-serial": lambda c: (
        [
            len(boots(c)["chargePointSerialNumber"]),
            len(boots(c)["chargeBoxSerialNumber"]),
        ]
        == [26, 33]
    ),
    "odd-iccid": lambda c: boots(c)["iccid"] == "-67",
    "null-texts": lambda c: boots(c)["imsi"] == "null",
    "needs-vendor-backend": lambda c: boots(c)["firmwareVersion"] == "0.0.0-factory",
    "stop-with-id-0": lambda c: ids("StopTransaction")(c) == [0],
    "values-with-id-0": lambda c: set(ids("MeterValues")(c)) == {0},
    "huge-transaction-id": lambda c: set(ids("MeterValues")(c)) == {2**63 - 1},
    "other-transaction-ids": lambda c: ids("StopTransaction")(c) == [101_001],
    "colliding-transaction-ids": lambda c: ids("StopTransaction")(c) == [1],
    "no-begin-reading": lambda c: (
        "Transaction.Begin"
        not in {
            one["context"] for value in stops(c)["transactionData"] for one in value["sampledValue"]
        }
    ),
    "register-from-zero": lambda c: (
        (starts(c)["meterStart"], max(registers(c)) < 5000) == (0, True)
    ),
    "session-energy-in-values": lambda c: (
        (starts(c)["meterStart"], max(registers(c)) < 5000) == (5000, True)
    ),
    "stops-below-start": lambda c: stops(c)["meterStop"] == 4999,
    "stops-at-start": lambda c: stops(c)["meterStop"] == 5000,
    "fractional-register": lambda c: starts(c)["meterStart"] == 5000.25,
    "available-before-stop": lambda c: c.statuses()[-2:] == ["Available", "Finishing"],
    "finishing-with-error": lambda c: (
        [one["errorCode"] for one in c.of("StatusNotification") if one["status"] == "Finishing"]
        == ["OtherError"]
    ),
    "history-flood": lambda c: sum('"old-' in raw for raw in c.raw) == 50,
    "tag-with-controls": lambda c: (
        len(starts(c)["idTag"]) == 22 and starts(c)["idTag"].startswith("\x10\x0e")
    ),
    "long-tag": lambda c: len(starts(c)["idTag"]) == 21,
    "tag-with-semicolon": lambda c: ";" in starts(c)["idTag"],
    "free-charging-tag": lambda c: starts(c)["idTag"] == "#FreeCharging",
    "clock-never-set": lambda c: starts(c)["timestamp"].startswith("1970-01-01T"),
    "values-of-connector-0": lambda c: {one["connectorId"] for one in c.of("MeterValues")} == {0},
    "register-offset": lambda c: min(registers(c)) > 2**32 and starts(c)["meterStart"] == 5000,
    "one-reading-a-message": lambda c: all(
        len(one["meterValue"][0]["sampledValue"]) == 1 for one in c.of("MeterValues")
    ),
    "phase-in-measurand": lambda c: any(
        one["measurand"] == "Current.Import.L1" for one in values(c)
    ),
    "unit-hz": lambda c: any(one.get("unit") == "Hz" for one in values(c)),
    "mixed-units": lambda c: {"kW", "Wh"} <= {one.get("unit") for one in values(c)},
    "kwh-labelled-wh": lambda c: max(registers(c)) < 6,
    "invented-measurand": lambda c: any(one["measurand"] == "Request.Energy" for one in values(c)),
    "wrong-context": lambda c: {one["context"] for one in values(c)} == {"Periodic"},
    "energy-drop-outs": lambda c: 0 in registers(c),
    "power-only-in-session": lambda c: (
        "Power.Active.Import"
        not in {
            one["measurand"]
            for payload in c.of("MeterValues")
            if "transactionId" not in payload
            for value in payload["meterValue"]
            for one in value["sampledValue"]
        }
    ),
    "error-code-error": lambda c: (
        {one["errorCode"] for one in c.of("StatusNotification")} == {"Error"}
    ),
}

SPECS = {"energy-drop-outs": {"name": "energy-drop-outs", "share": 1}}


@pytest.mark.parametrize("name", IN_A_SESSION)
async def test_quirk_in_a_session(central, make, name):
    central.boot_interval = 1 if name == "null-payload" else 300
    async with make(
        oddities=(SPECS.get(name, name),),
        meter_interval_s=1,
        meter_start_wh=5000,
        serial_number="SERIAL",
        configuration={"StopTxnSampledData": "Energy.Active.Import.Register"},
        response_timeout_s=0.4 if name in ("leading-comma", "empty-transaction-id") else 2,
    ) as station:
        station.link._random.seed(1)
        await station.until_registered()
        station.plug(1, Vehicle(onboard_a=32))
        await station.present_tag(1, "TAG")
        await central.until(lambda: bool(values(central)) or bool(central.unreadable))
        station.sessions[1].send_triggered_sample()
        station.sessions[1].end_transaction("Local", "TAG")
        check = IN_A_SESSION[name]
        if name == "leading-comma" or name == "empty-transaction-id":
            await central.until(lambda: check(central))
            station.stop(patience_s=0)
        else:
            await central.until_calls("StopTransaction")
            await central.until(lambda: check(central))
    central.faults.clear()  # breaking the schema is what many quirks do


TX = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {
        "chargingRateUnit": "A",
        "startSchedule": "2020-01-01T00:00:00Z",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}],
    },
}


def profile(limit: float = 10, **changes) -> dict:
    schedule = {
        **TX["chargingSchedule"],
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        **changes.pop("schedule", {}),
    }
    return {**TX, **changes, "chargingSchedule": schedule}


def set_profile(limit: float = 10, **changes) -> tuple[str, dict]:
    place = changes.pop("connector", 1)
    wanted = profile(limit, **changes)
    return "SetChargingProfile", {"connectorId": place, "csChargingProfiles": wanted}


AT_REST: dict[str, tuple[tuple[str, dict], Callable[[dict], bool]]] = {
    "bare-configuration-values": (
        ("GetConfiguration", {"key": ["HeartbeatInterval", "LocalPreAuthorize"]}),
        lambda answer: [one["value"] for one in answer["configurationKey"]] == [300, False],
    ),
    "quoted-measurands": (
        ("GetConfiguration", {"key": ["MeterValuesAlignedData"]}),
        lambda answer: answer["configurationKey"][0]["value"].startswith('"'),
    ),
    "rate-unit-letters": (
        ("GetConfiguration", {"key": ["ChargingScheduleAllowedChargingRateUnit"]}),
        lambda answer: answer["configurationKey"][0]["value"] == "A,W",
    ),
    "aligned-interval-fixed": (
        ("ChangeConfiguration", {"key": "ClockAlignedDataInterval", "value": "60"}),
        lambda answer: answer == REJECTED,
    ),
    "refuses-whole-list": (
        ("ChangeConfiguration", {"key": "MeterValuesSampledData", "value": "Voltage"}),
        lambda answer: answer == REJECTED,
    ),
    "slow-pings": (
        ("GetConfiguration", {"key": ["WebSocketPingInterval"]}),
        lambda answer: answer["configurationKey"][0]["value"] == "120",
    ),
    "needs-vendor-backend": (
        ("RemoteStartTransaction", {"idTag": "TAG"}),
        lambda answer: answer == REJECTED,
    ),
    "remote-start-needs-connector": (
        ("RemoteStartTransaction", {"idTag": "TAG"}),
        lambda answer: answer == REJECTED,
    ),
    "only-hex-tags": (
        ("RemoteStartTransaction", {"idTag": "TAG"}),
        lambda answer: answer == REJECTED,
    ),
    "no-profile-at-remote-start": (
        (
            "RemoteStartTransaction",
            {"idTag": "A", "chargingProfile": {**TX, "chargingProfilePurpose": "TxProfile"}},
        ),
        lambda answer: answer == REJECTED,
    ),
    "relative-only": (set_profile(), lambda answer: answer == REJECTED),
    "boasts-stack-levels": (set_profile(stackLevel=1), lambda answer: answer == REJECTED),
    "no-station-profile": (
        set_profile(connector=0, chargingProfilePurpose="ChargePointMaxProfile"),
        lambda answer: answer == REJECTED,
    ),
    "no-composite-schedule": (
        ("GetCompositeSchedule", {"connectorId": 1, "duration": 60}),
        lambda answer: answer == REJECTED,
    ),
    "watts-only": (set_profile(), lambda answer: answer == REJECTED),
    "start-must-be-past": (
        set_profile(schedule={"startSchedule": "2100-01-01T00:00:00Z"}),
        lambda answer: answer == REJECTED,
    ),
    "refuses-below-6-amps": (set_profile(5), lambda answer: answer == REJECTED),
}


@pytest.mark.parametrize("name", AT_REST)
async def test_quirk_in_an_answer(central, make, name):
    (action, payload), check = AT_REST[name]
    async with make(oddities=(name,)) as station:
        await station.until_registered()
        frame = await central.call_raw("CP1", action, payload)
        assert frame[0] == 3
        assert check(frame[2]), frame[2]
        station.temper.switch_off(name)
        if name != "slow-pings":
            frame = await central.call_raw("CP1", action, payload)
            assert not check(frame[2]), "the same without the quirk"
    central.faults.clear()


async def test_absolute_needs_a_start(central, make):
    wanted = profile()
    del wanted["chargingSchedule"]["startSchedule"]
    call = {"connectorId": 1, "csChargingProfiles": wanted}
    async with make(oddities=("absolute-needs-start",)) as station:
        await station.until_registered()
        assert await central.call("CP1", "SetChargingProfile", **call) == REJECTED
        station.temper.switch_off("absolute-needs-start")
        assert await central.call("CP1", "SetChargingProfile", **call) != REJECTED


async def test_truncated_json(central, make):
    async with make(oddities=("truncated-json",)) as station:
        await station.until_registered()
        await central.send_raw("CP1", json.dumps([2, "g", "GetConfiguration", {}]))
        await central.until(lambda: bool(central.unreadable))
        assert central.unreadable == ['[3,"g",{"configurationKey":[]']


async def test_unasked_compression_ends_the_connection(central, make):
    async with make(oddities=("unasked-compression",)) as station:
        await central.until(lambda: central.closes != [])
        assert central.raw == []
        station.stop(patience_s=0)


async def charging(station, vehicle: Vehicle | None = None):
    await station.until_registered()
    station.plug(1, vehicle or Vehicle(onboard_a=32))
    assert await station.present_tag(1, "TAG")
    return await station.wait_for(lambda state: state.connectors[1].status == "Charging")


LIMITS = {
    # name: limits set one after the other, and the offer in A in the end
    "accepts-without-effect": ([10], 32),
    "full-power-after-zero": ([0, 10], 32),
    "certain-amps-only": ([12], 10),
    "ignores-quick-commands": ([10, 8], 10),
    "ignores-limits": ([10], 32),
}


@pytest.mark.parametrize("name", LIMITS)
async def test_quirk_of_limits(central, make, name):
    limits, offer = LIMITS[name]
    async with make(oddities=(name,)) as station:
        await charging(station)
        for limit in limits:
            action, payload = set_profile(limit)
            answer = await central.call("CP1", action, **payload)
            assert answer == {"status": "Accepted"}
        assert station.state.connectors[1].offer == offer


async def test_profiles_are_forgotten_on_disconnect_and_on_reboot(central, make):
    for name, trouble in (
        ("forgets-on-disconnect", "drop_connection"),
        ("forgets-on-reboot", "reboot"),
    ):
        async with make(name, oddities=(name,)) as station:
            await charging(station)
            action, payload = set_profile(10)
            await central.call(name, action, **payload)
            assert station.state.connectors[1].offer == 10
            if trouble == "reboot":
                await station.reboot()
            else:
                station.drop_connection()
            await station.wait_for(lambda state: state.connectors[1].offer == 32)


async def test_zero_stops_the_transaction(central, make):
    async with make(oddities=("zero-stops",)) as station:
        await charging(station)
        action, payload = set_profile(0)
        await central.call("CP1", action, **payload)
        await central.until_calls("StopTransaction")


async def test_zero_outlives_the_session_until_a_higher_limit(central, make):
    async with make(oddities=("zero-outlives-session",)) as station:
        await charging(station)
        action, payload = set_profile(0)
        await central.call("CP1", action, **payload)
        await central.call("CP1", "ClearChargingProfile")
        assert station.state.connectors[1].offer == 0
        action, payload = set_profile(10)
        await central.call("CP1", action, **payload)
        assert station.state.connectors[1].offer == 10


async def test_tx_profile_is_dropped_while_suspended(central, make):
    async with make(oddities=("drops-while-suspended",)) as station:
        await charging(station)
        action, payload = set_profile(0)
        await central.call("CP1", action, **payload)
        await station.wait_for(lambda state: state.connectors[1].status == "SuspendedEVSE")
        action, payload = set_profile(
            16, chargingProfileId=2, chargingProfilePurpose="TxProfile", transactionId=1001
        )
        assert await central.call("CP1", action, **payload) == {"status": "Accepted"}
        assert len(station.profiles) == 1


async def test_suspends_first(central, make):
    async with make(oddities=({"name": "suspends-first", "forS": 0.3},)) as station:
        await station.until_registered()
        station.plug(1, Vehicle())
        await station.present_tag(1, "TAG")
        await central.until(lambda: "SuspendedEVSE" in central.statuses())
        await central.until(lambda: "Charging" in central.statuses())


async def test_last_limit_stays_offline(central, make):
    async with make(oddities=("last-limit-stays-offline",)) as station:
        await charging(station)
        action, payload = set_profile(10)
        await central.call("CP1", action, **payload)
        station.go_offline()
        await station.wait_for(lambda state: not state.is_connected)
        station.profiles.clear()
        station.refresh_all()
        assert station.state.connectors[1].offer == 10
        station.go_online()
        await station.wait_for(lambda state: state.is_connected)
        station.refresh_all()
        assert station.state.connectors[1].offer == 32


async def test_needs_remote_start(central, make):
    async with make(oddities=("needs-remote-start",)) as station:
        await station.until_registered()
        station.plug(1, Vehicle())
        assert not await station.present_tag(1, "TAG")
        await central.call("CP1", "RemoteStartTransaction", idTag="TAG")
        await central.until_calls("StartTransaction")


async def test_charges_after_refusal(central, make):
    central.once("StartTransaction", {"transactionId": 0, "idTagInfo": {"status": "ConcurrentTx"}})
    async with make(oddities=("charges-after-refusal",)) as station:
        await charging(station)
        assert central.of("StopTransaction") == []


async def test_preparing_gives_up(central, make):
    oddity = {"name": "preparing-gives-up", "afterS": 0.05}
    async with make(oddities=(oddity,)) as station:
        await station.until_registered()
        station.plug(1, Vehicle())
        await central.until(lambda: central.statuses()[-1:] == ["Finishing"])


async def test_unplug_before_restart(central, make):
    async with make(oddities=("unplug-before-restart",)) as station:
        await charging(station)
        station.sessions[1].end_transaction("Local")
        assert await central.call("CP1", "RemoteStartTransaction", idTag="TAG") == REJECTED
        station.unplug(1)
        answer = await central.call("CP1", "RemoteStartTransaction", idTag="TAG")
        assert answer == {"status": "Accepted"}


async def test_creeping_register(central, make):
    async with make(oddities=({"name": "creeping-register", "wh": 7},)) as station:
        await charging(station)
        station.sessions[1].end_transaction("Local")
        station.unplug(1)
        await charging(station)
        station.sessions[1].end_transaction("Local")
        first, second = await central.until_calls("StopTransaction", 2)
        again = central.of("StartTransaction")[1]
        assert again["meterStart"] == first["meterStop"] + 7
        assert second["meterStop"] < again["meterStart"]


async def test_no_samples_and_aligned_only(central, make):
    for name in ("no-samples", "aligned-only"):
        async with make(
            name,
            oddities=(name,),
            meter_interval_s=1,
            configuration={"ClockAlignedDataInterval": "1"},
        ) as station:
            await charging(station)
            moment = station.clock.monotonic()
            await station.wait_for(
                lambda _, since=moment, of=station: of.clock.monotonic() > since + 1.3
            )
    contexts = {one["context"] for one in values(central)}
    assert contexts == {"Sample.Clock"}
    assert boots(central)["meterType"] == "Internal NON compliant"


async def test_chattering_data_transfer(central, make):
    oddity = {"name": "chattering-data-transfer", "everyS": 0.02}
    async with make(oddities=(oddity,)):
        assert (await central.until_calls("DataTransfer", 3))[0]["vendorId"] == "EN+"


async def test_silent_and_late_boot(central, make):
    late = {"name": "late-boot", "afterS": 0.2}
    async with make(oddities=(late,)) as station:
        await station.wait_for(lambda state: state.is_connected)
        assert central.calls == []
        await central.until_calls("BootNotification")
    async with make("CP2", oddities=("silent-boot",)) as station:
        await station.wait_for(lambda state: state.is_connected)
        assert len(central.of("BootNotification")) == 1
        await central.call("CP2", "TriggerMessage", requestedMessage="BootNotification")
        await central.until_calls("BootNotification", 2)


async def test_stuck_on_boot_trigger(central, make):
    async with make(oddities=("stuck-on-boot-trigger",)) as station:
        await station.until_registered()
        await central.until(lambda: len(central.statuses()) == 1)
        answer = await central.call("CP1", "TriggerMessage", requestedMessage="BootNotification")
        assert answer == {"status": "Accepted"}
        seen = len(central.raw)
        await central.send_raw("CP1", json.dumps([2, "x", "GetConfiguration", {}]))
        await station.clock.sleep(0.05)
        assert len(central.raw) == seen
        station.drop_connection()
        await station.wait_for(lambda state: state.is_registered and central.connections == 2)


async def test_reboots_on_configuration_and_boot_bursts(central, make):
    async with make(oddities=("reboots-on-configuration",)) as station:
        await station.until_registered()
        await central.call("CP1", "GetConfiguration")
        await central.until_calls("BootNotification", 2)
    burst = {"name": "boot-bursts", "everyS": 0.01, "count": 3}
    async with make("CP2", oddities=(burst,)):
        await central.until_calls("BootNotification", 5)


async def test_clocks(central, make):
    async with make(oddities=("clock-1970",)) as station:
        assert station.clock.now().year == 1970
        await station.until_registered()
        assert station.clock.now().year > 2000
    async with make("CP2") as right:
        for name, seconds in (("clock-late", -240), ("local-time-as-utc", 7200)):
            right.temper.switch_on(name)
            before = right.temper.shift(right.clock.now()).total_seconds()
            assert before == seconds
            right.temper.switch_off(name)
        right.temper.switch_on({"name": "clock-skew", "seconds": 30, "late": 1})
        assert right.temper.shift(right.clock.now()).total_seconds() == pytest.approx(-30, abs=0.1)
        assert iso(right.clock.now()).endswith("Z")


def test_doors():
    """What a server of this library would never let in is looked at before it is sent."""

    class Station:
        identity = "CP1"
        password = b"\x01\x02"

        class link:
            basic = staticmethod(lambda user, password: f"{user} {password!r}")

    def opened(name: str, url: str = "wss://h/ocpp/CP1") -> Door:
        door = Door(url=url, headers={}, tls=None)
        hook = BY_NAME[name].door
        assert hook is not None
        hook(Played(Station(), None, {}), door)
        return door

    assert opened("no-connection-header").headers == {"Connection": None}
    assert opened("no-upgrade-header").headers == {"Upgrade": None}
    assert opened("hex-password").headers["Authorization"] == "CP1 b'0102'"
    assert opened("foreign-user").headers["Authorization"] == r"ocpp b'\x01\x02'"
    assert opened("empty-password").headers["Authorization"] == "CP1 b''"
    assert b"\xf0" in eval(opened("binary-password").headers["Authorization"][4:])  # noqa: S307
    assert opened("needs-own-ca").tls.get_ca_certs() == []
    assert opened("needs-own-ca", "ws://h/CP1").tls is None
    old = opened("tls-1.0").tls
    assert old.get_ciphers()
    assert old.maximum_version.name == "TLSv1"
    assert opened("deaf-to-pings").answers_pings is False


async def test_headers_are_really_taken_away(central, make):
    """This server lets neither in: without Upgrade it is no WebSocket at all."""
    for name, missing in (
        ("no-subprotocol", "Sec-WebSocket-Protocol"),
        ("no-upgrade-header", "Upgrade"),
        ("no-connection-header", "Connection"),
    ):
        refusals: list[Event] = []
        station = make(name, oddities=(name,))
        station._on_event = refusals.append
        async with station:
            await station.wait_for(
                lambda _, found=refusals: any(one.name == "refused" for one in found)
            )
            station.stop(patience_s=0)
        assert missing not in central.requests[-1].headers
        assert "Sec-WebSocket-Key" in central.requests[-1].headers


async def test_deaf_to_pings(central, make):
    async with make(oddities=("deaf-to-pings",)) as station:
        await station.until_registered()
        pong = await central._sockets["CP1"].ping()
        await station.clock.sleep(0.1)
        assert not pong.done()
        station.stop(patience_s=0)


PLAYED_ELSEWHERE = {
    "truncated-json", "unasked-compression", "silent-boot", "late-boot", "boot-bursts",
    "stuck-on-boot-trigger", "reboots-on-configuration", "no-connection-header", "no-subprotocol",
    "no-upgrade-header", "hex-password", "foreign-user", "empty-password", "binary-password",
    "needs-own-ca", "tls-1.0", "deaf-to-pings", "charges-after-refusal", "preparing-gives-up",
    "unplug-before-restart", "creeping-register", "clock-1970", "clock-late", "local-time-as-utc",
    "no-samples", "aligned-only", "chattering-data-transfer", "forgets-on-disconnect",
    "forgets-on-reboot", "zero-stops", "zero-outlives-session", "drops-while-suspended",
    "suspends-first", "last-limit-stays-offline", "needs-remote-start", "absolute-needs-start",
}  # fmt: skip


def test_every_quirk_has_a_test_and_a_source():
    quirks = {one.name for one in ALL if not one.is_fault}
    assert quirks == PLAYED_ELSEWHERE | set(IN_A_SESSION) | set(AT_REST) | (
        set(LIMITS) - {"ignores-limits"}
    )
    assert len({one.name for one in ALL}) == len(ALL)
    book = Path("docs/simulator.md").read_text(encoding="utf-8")
    assert [one.name for one in ALL if f"| `{one.name}` | {one.does}" not in book] == []
    assert all(one.source and one.who for one in ALL if not one.is_fault)
