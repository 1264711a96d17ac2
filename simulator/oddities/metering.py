"""Quirks of meter values."""

import json
from typing import Any

from ocpp.v16 import call

from simulator.oddities.model import Frame, Oddity, Payload, Played, Wire


def _connector_0(played: Played, frame: Frame) -> None:
    del played
    if frame.action == "MeterValues":
        frame.payload["connectorId"] = 0


def _offset(played: Played, frame: Frame) -> None:
    del played
    if frame.action == "MeterValues":
        for one in frame.energies():
            one["value"] = str(int(one["value"]) + 2**32)


def _one_by_one(played: Played, text: str) -> list[Wire]:
    message = json.loads(text)
    if message[0] != 2 or message[2] != "MeterValues":
        return [text]
    frames: list[Wire] = []
    for value in message[3]["meterValue"]:
        for one in value["sampledValue"]:
            # The last one keeps the id: its answer is the one that is waited for.
            alone = {**value, "sampledValue": [one]}
            payload = {**message[3], "meterValue": [alone]}
            frames.append(
                json.dumps([2, f"{message[1][:30]}-{len(frames)}", "MeterValues", payload])
            )
    last = json.loads(str(frames[-1]))
    last[1] = message[1]
    del played
    return [*frames[:-1], json.dumps(last)]


def _joined_phase(played: Played, frame: Frame) -> None:
    del played
    for one in frame.sampled():
        if "phase" in one:
            one["measurand"] = f"{one['measurand']}.{one.pop('phase')}"


def _hertz(played: Played, frame: Frame) -> None:
    del played
    if frame.action == "MeterValues":
        one = {"value": "50.01", "measurand": "Frequency", "unit": "Hz"}
        frame.payload["meterValue"][0]["sampledValue"].append(one)


def _kilowatts(played: Played, frame: Frame) -> None:
    del played
    for one in frame.sampled():
        if one.get("unit") == "W":
            one.update(value=f"{float(one['value']) / 1000:.3f}", unit="kW")


def _kwh_as_wh(played: Played, frame: Frame) -> None:
    del played
    for one in frame.energies():
        one["value"] = f"{float(one['value']) / 1000:.3f}"


def _invented_measurand(played: Played, frame: Frame) -> None:
    del played
    for one in frame.energies():
        one["measurand"] = "Request.Energy"


def _wrong_context(played: Played, frame: Frame) -> None:
    del played
    for one in frame.sampled():
        one["context"] = "Periodic"


def _drop_outs(played: Played, frame: Frame) -> None:
    if frame.action == "MeterValues":
        for one in frame.energies():
            if played.chance.random() < played.parameters["share"]:
                one["value"] = "0"


def _non_compliant(played: Played, frame: Frame) -> None:
    del played
    if frame.action == "BootNotification":
        frame.payload["meterType"] = "Internal NON compliant"


def _power_in_session(played: Played, frame: Frame) -> None:
    del played
    if frame.action == "MeterValues" and "transactionId" not in frame.payload:
        for value in frame.payload["meterValue"]:
            values: list[dict[str, Any]] = value["sampledValue"]
            kept = [one for one in values if one.get("measurand") != "Power.Active.Import"]
            value["sampledValue"] = kept or values[:1]


def _aligned_is_fixed(played: Played, action: str, payload: Payload) -> Payload | None:
    del played
    fixed = action == "ChangeConfiguration" and payload.get("key") == "ClockAlignedDataInterval"
    return {"status": "Rejected"} if fixed else None


def _aligned_looks_fixed(played: Played, action: str, payload: Payload) -> None:
    del played
    if action == "GetConfiguration":
        for entry in payload.get("configurationKey") or []:
            if entry["key"] == "ClockAlignedDataInterval":
                entry["readonly"] = True


async def _chatter(played: Played) -> None:
    station = played.station
    while True:
        await station.clock.sleep(played.parameters["everyS"])
        station.tell(
            call.DataTransfer(vendor_id="EN+", message_id="cpChargingParameterRpt", data="{}")
        )


def _all_or_nothing(played: Played, action: str, payload: Payload) -> Payload | None:
    del played
    if action != "ChangeConfiguration" or "SampledData" not in str(payload.get("key")):
        return None
    wanted = {item.strip() for item in str(payload.get("value")).split(",")}
    known = {"", "Energy.Active.Import.Register", "Power.Active.Import", "Current.Import"}
    return None if wanted <= known else {"status": "Rejected"}


def _rate_units(played: Played, action: str, payload: Payload) -> None:
    del played
    if action == "GetConfiguration":
        for entry in payload.get("configurationKey") or []:
            if entry["key"] == "ChargingScheduleAllowedChargingRateUnit":
                entry["value"] = "A,W"


def _degrees(played: Played, frame: Frame) -> None:
    del played
    for value in frame.values():
        one = {"value": "31.5", "measurand": "Temperature", "unit": "C"}
        value["sampledValue"].append(one)


def _long_decimals(played: Played, frame: Frame) -> None:
    del played
    for one in frame.energies():
        one.update(value=f"{float(one['value']) / 1000:.3f}0000000002", unit="kWh")


def _error_error(played: Played, frame: Frame) -> None:
    del played
    if frame.action == "StatusNotification":
        frame.payload["errorCode"] = "Error"


METERING = (
    Oddity(
        name="values-of-connector-0",
        family="meter values",
        does="connectorId 0 in MeterValues",
        who="KEBA, Zaptec Go 2",
        source="OEM, evcc#29190",
        call=_connector_0,
    ),
    Oddity(
        name="register-offset",
        family="meter values",
        does="a register 2^32 Wh too high in MeterValues",
        who="Zaptec Go 2",
        source="evcc#29190",
        call=_offset,
    ),
    Oddity(
        name="one-reading-a-message",
        family="meter values",
        does="one reading a message, all sent at once",
        who="Zaptec Go 2",
        source="evcc#29190",
        text=_one_by_one,
    ),
    Oddity(
        name="phase-in-measurand",
        family="meter values",
        does="the phase joined to the measurand, Current.Import.L1",
        who="Alfen",
        source="lbbrhzn#19",
        call=_joined_phase,
    ),
    Oddity(
        name="unit-hz",
        family="meter values",
        does='unit "Hz"',
        who="Charge Amps Halo",
        source="lbbrhzn#1576",
        call=_hertz,
    ),
    Oddity(
        name="mixed-units",
        family="meter values",
        does="power in kW, energy in Wh",
        who="Injet",
        source="evcc#19420",
        call=_kilowatts,
    ),
    Oddity(
        name="kwh-labelled-wh",
        family="meter values",
        does="kWh values labelled Wh",
        who="OpenEVSE",
        source="lbbrhzn#210",
        call=_kwh_as_wh,
    ),
    Oddity(
        name="invented-measurand",
        family="meter values",
        does='measurand "Request.Energy"',
        who="unnamed",
        source="mobility#54",
        call=_invented_measurand,
    ),
    Oddity(
        name="wrong-context",
        family="meter values",
        does="a context that the specification does not know",
        who="Alfen",
        source="lbbrhzn#361",
        call=_wrong_context,
    ),
    Oddity(
        name="energy-drop-outs",
        family="meter values",
        does="the register shows 0 now and then",
        who="ABB",
        source="lbbrhzn#374",
        parameters={"share": 0.2},
        call=_drop_outs,
    ),
    Oddity(
        name="no-samples",
        family="meter values",
        does='takes the interval but never sends MeterValues; meterType "Internal NON compliant"',
        who="Wallbox",
        source="evcc#28539",
        call=_non_compliant,
        trait=True,
    ),
    Oddity(
        name="power-only-in-session",
        family="meter values",
        does="no power outside of transactions",
        who="Mennekes ACU",
        source="evcc",
        call=_power_in_session,
    ),
    Oddity(
        name="aligned-only",
        family="meter values",
        does="clock-aligned values only",
        who="Vestel",
        source="evcc#15726",
        trait=True,
    ),
    Oddity(
        name="aligned-interval-fixed",
        family="meter values",
        does="ClockAlignedDataInterval is read-only",
        who="Morek",
        source="HA supported-devices.md",
        request=_aligned_is_fixed,
        answer=_aligned_looks_fixed,
    ),
    Oddity(
        name="chattering-data-transfer",
        family="meter values",
        does="a DataTransfer every second",
        who="EN+",
        source="evcc#15890",
        parameters={"everyS": 1},
        run=_chatter,
    ),
    Oddity(
        name="refuses-whole-list",
        family="meter values",
        does="refuses the whole list for one measurand that it does not have",
        who="EVBox, ABB, Etrel",
        source="lbbrhzn#221,#1703,#1275,#1216",
        request=_all_or_nothing,
    ),
    Oddity(
        name="unit-c",
        family="meter values",
        does='temperatures in "C"',
        who="OpenEVSE",
        source="openevse_esp32_firmware PR726",
        call=_degrees,
    ),
    Oddity(
        name="long-decimals",
        family="meter values",
        does="registers in kWh with as many decimals as a computer has",
        who="chargestation-one",
        source="chargestation-one#61",
        call=_long_decimals,
    ),
    Oddity(
        name="rate-unit-letters",
        family="meter values",
        does="A and W where Current and Power are meant",
        who="unnamed",
        source="evcc cp_setup.go",
        answer=_rate_units,
    ),
    Oddity(
        name="error-code-error",
        family="meter values",
        does='errorCode "Error"',
        who="Legrand GreenUp",
        source="lbbrhzn#1248",
        call=_error_error,
    ),
)
