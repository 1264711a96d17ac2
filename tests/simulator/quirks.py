"""What each quirk puts on the wire: tables for the tests, and how to play a session."""

from collections.abc import Callable

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
    "stop-meter-unknown": lambda c: stops(c)["meterStop"] == -1,
    "stop-meter-zero": lambda c: stops(c)["meterStop"] == 0,
    "stop-meter-in-kwh": lambda c: stops(c)["meterStop"] == 5,
    "blank-stop-tag": lambda c: stops(c)["idTag"] == "",
    "padded-boot-texts": lambda c: boots(c)["chargePointVendor"].endswith("\0\0"),
    "values-without-id": lambda c: ids("MeterValues")(c)[0] is None,
    "power-at-inlet": lambda c: (
        {one["location"] for one in values(c)} == {"Inlet", "Outlet"}
        and all(("Power" in one["measurand"]) == (one["location"] == "Inlet") for one in values(c))
    ),
    "begin-beside-end": lambda c: any(
        {"Transaction.Begin", "Transaction.End"}
        <= {one["context"] for one in value["sampledValue"]}
        for value in stops(c)["transactionData"]
    ),
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
    "start-twice": lambda c: (
        len({one.message_id for one in c.calls if one.action == "StartTransaction"}) == 2
        and starts(c) == c.of("StartTransaction")[1]
    ),
    "stop-twice": lambda c: (
        len({one.message_id for one in c.calls if one.action == "StopTransaction"}) == 2
        and stops(c) == c.of("StopTransaction")[1]
    ),
    "odd-stop-fields": lambda c: (
        (stops(c)["connectorId"], stops(c)["disconnectReason"], "reason" in stops(c))
        == (1, "Local", False)
    ),
    "available-while-plugged": lambda c: c.statuses()[-1:] == ["Available"],
    "local-time-without-offset": lambda c: (
        starts(c)["timestamp"][-3] == ":" and "Z" not in c.of("MeterValues")[0]["meterValue"][0]
    ),
    "short-offset": lambda c: starts(c)["timestamp"].endswith("+02"),
    "year-1": lambda c: (
        {one["timestamp"] for one in c.of("StatusNotification")} == {"0001-01-01T00:00:00Z"}
    ),
    "unit-c": lambda c: any(one.get("unit") == "C" for one in values(c)),
    "long-decimals": lambda c: any(
        one["unit"] == "kWh" and len(one["value"]) > 6
        for one in values(c)
        if "Register" in one["measurand"]
    ),
    "error-code-error": lambda c: (
        {one["errorCode"] for one in c.of("StatusNotification")} == {"Error"}
    ),
}

SPECS = {"energy-drop-outs": {"name": "energy-drop-outs", "share": 1}}


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


LIMITS = {
    # name: limits set one after the other, and the offer in A in the end
    "accepts-without-effect": ([10], 32),
    "full-power-after-zero": ([0, 10], 32),
    "certain-amps-only": ([12], 10),
    "ignores-quick-commands": ([10, 8], 10),
    "ignores-limits": ([10], 32),
}


async def charging(station, vehicle: Vehicle | None = None):
    await station.until_registered()
    station.plug(1, vehicle or Vehicle(onboard_a=32))
    assert await station.present_tag(1, "TAG")
    return await station.wait_for(lambda state: state.connectors[1].status == "Charging")
