"""Quirks that leave out, or put elsewhere, what a central system looks for."""

from typing import Any

from simulator.oddities.model import Frame, Oddity, Played

_BEGIN = "Transaction.Begin"


def _no_id(played: Played, frame: Frame) -> None:
    del played
    if frame.action == "MeterValues":
        frame.payload.pop("transactionId", None)


def _power_at_inlet(played: Played, frame: Frame) -> None:
    del played
    for one in frame.sampled():
        at_inlet = one.get("measurand", "").startswith("Power.")
        one["location"] = "Inlet" if at_inlet else "Outlet"


def _meter_stop(value: int) -> Any:
    """Return what puts a value in place of meterStop."""

    def apply(played: Played, frame: Frame) -> None:
        del played
        if frame.action == "StopTransaction":
            frame.payload["meterStop"] = value

    return apply


def _stop_in_kwh(played: Played, frame: Frame) -> None:
    del played
    if frame.action == "StopTransaction":
        frame.payload["meterStop"] //= 1000


def _blank_tag(played: Played, frame: Frame) -> None:
    del played
    if frame.action == "StopTransaction":
        frame.payload["idTag"] = ""


def _padded(played: Played, frame: Frame) -> None:
    del played
    if frame.action == "BootNotification":
        for name, value in frame.payload.items():
            frame.payload[name] = f"{value}\0\0"


def _begin_beside_end(played: Played, frame: Frame) -> None:
    del played
    if frame.action == "StopTransaction" and frame.payload.get("transactionData"):
        first, *others = frame.payload["transactionData"]
        if others:
            others[-1]["sampledValue"] += first["sampledValue"]
            frame.payload["transactionData"] = others


LEFT_OUT = (
    Oddity(
        name="stop-meter-unknown",
        family="transactions",
        does="meterStop -1: it does not know",
        who="unnamed",
        source="lorenzodonini/ocpp-go PR114",
        call=_meter_stop(-1),
    ),
    Oddity(
        name="stop-meter-zero",
        family="transactions",
        does="meterStop 0 after a start above 0",
        who="unnamed",
        source="own check",
        call=_meter_stop(0),
    ),
    Oddity(
        name="stop-meter-in-kwh",
        family="transactions",
        does="meterStop in kWh",
        who="unnamed",
        source="own check",
        call=_stop_in_kwh,
    ),
    Oddity(
        name="blank-stop-tag",
        family="transactions",
        does="an empty idTag in StopTransaction",
        who="unnamed",
        source="open-ocpp PR204",
        call=_blank_tag,
    ),
    Oddity(
        name="padded-boot-texts",
        family="handshake",
        does="NULs behind the texts of BootNotification",
        who="firmware in C",
        source="own check",
        call=_padded,
    ),
    Oddity(
        name="values-without-id",
        family="meter values",
        does="no transactionId in MeterValues while a transaction runs",
        who="unnamed",
        source="MicroOcpp#66",
        call=_no_id,
    ),
    Oddity(
        name="power-at-inlet",
        family="meter values",
        does="power with location Inlet, all else with Outlet",
        who="a DC charger",
        source="lbbrhzn#829; ev-server PR3823",
        call=_power_at_inlet,
    ),
    Oddity(
        name="begin-beside-end",
        family="meter values",
        does="begin and end of a transaction in one element of transactionData",
        who="unnamed",
        source="own check",
        call=_begin_beside_end,
    ),
)
"""All of them, by family in the order of the catalogue."""
