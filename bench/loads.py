"""What the stations send: scripts for the load client (see `load.c` for their form)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

METER_VALUES_BYTES = 600
PASSWORD = "bench-password-"  # noqa: S105  of stations that live for minutes
ID_TAG = "{:010d}"

_SERIAL, _NUMBER, _STATION, _TRANSACTION = "@" * 10, "^" * 10, "#" * 10, "~" * 10


def identity(number: int) -> str:
    """Return the identity of a station; the load client makes the same."""
    return f"BENCH-{number:06d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A script with the name that it has in the results."""

    name: str
    lines: tuple[str, ...]


def meter_values() -> Load:
    """Running transactions that send 600 bytes with 5 values."""
    frame = _call(
        "MeterValues",
        {
            "connectorId": 1,
            "transactionId": _TRANSACTION,
            "meterValue": [
                {
                    "timestamp": _now(),
                    "sampledValue": [
                        _sample(_SERIAL, "Energy.Active.Import.Register", "Wh")
                        | {"context": "Sample.Periodic"},
                        _sample("11040.00", "Power.Active.Import", "W"),
                        _sample("16.0", "Current.Import", "A", phase="L1"),
                        _sample("230.10", "Voltage", "V", phase="L1-N"),
                        _sample("41", "SoC", "Percent", location="EV"),
                    ],
                }
            ],
        },
    )
    if len(frame) != METER_VALUES_BYTES:
        raise RuntimeError(f"the MeterValues frame has {len(frame)} bytes")
    return Load(name="MeterValues", lines=(_start("first"), f"loop\t,{{}}]\t{frame}"))


def heartbeats() -> Load:
    """Heartbeats, the cheapest message: nothing is stored but the message log."""
    return Load(name="Heartbeat", lines=('loop\t"currentTime":\t' + _call("Heartbeat", {}),))


def transactions() -> Load:
    """StartTransaction, then the StopTransaction of the id that was answered."""
    stop = _call(
        "StopTransaction",
        {
            "transactionId": _TRANSACTION,
            "meterStop": _NUMBER,
            "timestamp": _now(),
            "idTag": _STATION,
            "reason": "Local",
        },
    )
    return Load(name="Start/StopTransaction", lines=(_start("loop"), f"loop\t\t{stop}"))


def boot() -> Load:
    """What a station sends when it has connected again."""
    boot = _call(
        "BootNotification",
        {
            "chargePointVendor": "Bench",
            "chargePointModel": "Loop 22",
            "chargePointSerialNumber": _STATION,
            "firmwareVersion": "1.0.0",
        },
    )
    status = _call(
        "StatusNotification",
        {
            "connectorId": 1,
            "errorCode": "NoError",
            "status": "Available",
            "timestamp": _now(),
        },
    )
    return Load(
        name="reconnect",
        lines=(f'first\t"status":"Accepted"\t{boot}', f"first\t,{{}}]\t{status}"),
    )


def _start(phase: str) -> str:
    frame = _call(
        "StartTransaction",
        {"connectorId": 1, "idTag": _STATION, "meterStart": _NUMBER, "timestamp": _now()},
    )
    return f'{phase}\t"status":"Accepted"\t{frame}'


def _sample(
    value: str, measurand: str, unit: str, *, phase: str | None = None, location: str = "Outlet"
) -> dict[str, str]:
    sample = {"value": value, "measurand": measurand, "location": location}
    if phase is not None:
        sample["phase"] = phase
    return sample | {"unit": unit}


def _call(action: str, payload: dict[str, Any]) -> str:
    text = json.dumps([2, _SERIAL, action, payload], separators=(",", ":"))
    for number in (_TRANSACTION, _NUMBER):
        text = text.replace(f'"{number}"', number)  # numbers stand without quotes
    return text


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
