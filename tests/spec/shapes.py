"""Payloads made from the JSON schemas of OCPP 1.6: the least, the most, and each way to be wrong.

The schemas are read from the `ocpp` package, not from csms.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

FORMATION = "FormationViolation"
PROTOCOL = "ProtocolError"
TYPE = "TypeConstraintViolation"
PROPERTY = "PropertyConstraintViolation"
OCCURRENCE = "OccurenceConstraintViolation"

TO_STATION = (
    "CancelReservation",
    "CertificateSigned",
    "ChangeAvailability",
    "ChangeConfiguration",
    "ClearCache",
    "ClearChargingProfile",
    "DataTransfer",
    "DeleteCertificate",
    "ExtendedTriggerMessage",
    "GetCompositeSchedule",
    "GetConfiguration",
    "GetDiagnostics",
    "GetInstalledCertificateIds",
    "GetLocalListVersion",
    "GetLog",
    "InstallCertificate",
    "RemoteStartTransaction",
    "RemoteStopTransaction",
    "ReserveNow",
    "Reset",
    "SendLocalList",
    "SetChargingProfile",
    "SignedUpdateFirmware",
    "TriggerMessage",
    "UnlockConnector",
    "UpdateFirmware",
)
FROM_STATION = (
    "Authorize",
    "BootNotification",
    "DataTransfer",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "LogStatusNotification",
    "MeterValues",
    "SecurityEventNotification",
    "SignCertificate",
    "SignedFirmwareStatusNotification",
    "StartTransaction",
    "StatusNotification",
    "StopTransaction",
)
Schema = dict[str, Any]


@dataclass(frozen=True)
class Wrong:
    """A payload with one fault.

    Attributes:
        what: Where and what it is.
        code: Of the CALLERROR that it deserves.
        is_time: A text that is no time; JSON schemas do not see that (R31).
    """

    what: str
    payload: Any
    code: str
    is_time: bool = False


@cache
def schema(action: str, *, response: bool = False) -> Schema:
    """Return the schema of a request or a response."""
    name = f"{action}Response.json" if response else f"{action}.json"
    file = resources.files("ocpp").joinpath("v16", "schemas", name)
    found: Schema = json.loads(file.read_text("utf-8-sig"))
    resolved: Schema = _resolved(found, found)
    return resolved


def _resolved(part: Any, root: Schema) -> Any:
    """Return a schema without references."""
    if isinstance(part, list):
        return [_resolved(each, root) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        target: Any = root
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return _resolved(target, root)
    return {name: _resolved(each, root) for name, each in part.items() if name != "definitions"}


def least(part: Schema) -> Any:
    """Return the smallest value that fits."""
    return _value(part, whole=False)


def most(part: Schema) -> Any:
    """Return a value with every field, texts as long as they may be."""
    return _value(part, whole=True)


def spellings(part: Schema) -> Iterator[Any]:
    """Yield the whole value with each value of each enumeration in it once."""
    value = most(part)
    for path, inner in _places(part, ()):
        for each in inner.get("enum", ()):
            yield _with(value, path, each)


def wrongs(part: Schema) -> Iterator[Wrong]:
    """Yield the whole value with one fault each time."""
    value = most(part)
    for path, inner in _places(part, ()):
        where = ".".join(map(str, path)) or "payload"
        if inner.get("type") == "object":
            yield Wrong(
                f"{where} has a field too many",
                _with(value, path, {**_at(value, path), "surplus": 1}),
                FORMATION,
            )
            for name in inner.get("required", ()):
                rest = {key: each for key, each in _at(value, path).items() if key != name}
                yield Wrong(f"{where} lacks {name}", _with(value, path, rest), PROTOCOL)
        if path:
            yield Wrong(f"{where} is null", _with(value, path, None), TYPE)
            for bad in _OF_WRONG_TYPE[inner["type"]]:
                yield Wrong(f"{where} is {bad!r}", _with(value, path, bad), TYPE)
        if "enum" in inner:
            yield Wrong(f"{where} is no such value", _with(value, path, "Nonsense"), PROPERTY)
        elif inner.get("format") == "date-time":
            for bad in ("yesterday", "2026-13-01T00:00:00Z", ""):
                yield Wrong(f"{where} is {bad!r}", _with(value, path, bad), PROPERTY, True)
        elif "maxLength" in inner:
            long = "x" * (inner["maxLength"] + 1)
            yield Wrong(f"{where} is too long", _with(value, path, long), PROPERTY)
        if inner.get("minItems"):
            yield Wrong(f"{where} is empty", _with(value, path, []), OCCURRENCE)


_OF_WRONG_TYPE: dict[str, tuple[Any, ...]] = {
    "string": (1, True, {}, ["x"]),
    "integer": ("1", True, 1.5, {}),
    "number": ("1", True, []),
    "boolean": ("true", 0),
    "array": ({}, "x"),
    "object": ([], "x"),
}


def _value(part: Schema, *, whole: bool) -> Any:
    kind = part["type"]
    if kind == "object":
        required = part.get("required", ())
        return {
            name: _value(inner, whole=whole)
            for name, inner in part.get("properties", {}).items()
            if whole or name in required
        }
    if kind == "array":
        return [_value(part["items"], whole=whole)] if whole or part.get("minItems") else []
    if "enum" in part:
        return part["enum"][0]
    if part.get("format") == "date-time":
        return "2026-03-01T12:00:00Z"
    if part.get("format") == "uri":
        return "ftp://files.example/folder"
    if kind == "string":
        return "1" * part.get("maxLength", 30) if whole else "1"
    return {"integer": 1, "number": 1.5, "boolean": True}[kind]


def _places(part: Schema, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Schema]]:
    """Yield each part of a schema with where its value stands in the whole one."""
    yield path, part
    for name, inner in part.get("properties", {}).items():
        yield from _places(inner, (*path, name))
    if part["type"] == "array":
        yield from _places(part["items"], (*path, 0))


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def _with(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed = copy.deepcopy(value)
    _at(changed, path[:-1])[path[-1]] = new
    return changed
