"""The OCPP 1.6 schemas, compiled once, and what breaks them.

Uses the 78 schemas that the `ocpp` package ships, all of them as draft 4: the security ones call
themselves draft 6, which would take 1.0 for an integer (R31). Formats are checked only in what
we send; times that come in are parsed by `csms.ocppj.timestamps`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import jsonschema_rs
import orjson

from csms.ocppj.call_errors import ErrorCode

FROM_CENTRAL_SYSTEM = frozenset(
    {
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
    }
)
FROM_CHARGE_POINT = frozenset(
    {
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
    }
)
LARGEST_INT = 2**63 - 1

_CODES = {
    "Required": ErrorCode.PROTOCOL_ERROR,
    "AdditionalProperties": ErrorCode.FORMATION_VIOLATION,
    "Type": ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    "MinItems": ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
    "MaxItems": ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
}
# Several things may be wrong at once; the answer names the one that comes first here: a payload of
# the wrong shape says more than one of its values, and a wrong type also breaks its enumeration.
_RANK = (
    ErrorCode.FORMATION_VIOLATION,
    ErrorCode.PROTOCOL_ERROR,
    ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
    ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
)
_MOST_PROBLEMS = 20
_LARGE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that breaks a schema.

    Attributes:
        path: Keys and indexes from the payload to the place.
        keyword: Keyword of the schema, as jsonschema-rs names its error: ``MaxLength``, ...
        text: What is wrong, without repeating the value (it may be long, hostile or secret).
        value: The value at `path`.
    """

    code: ErrorCode
    path: tuple[str | int, ...]
    keyword: str
    text: str
    value: object

    @property
    def field(self) -> str:
        """The path as people write it, such as ``meterValue[0].timestamp``."""
        return field_path(self.path)


def field_path(path: Iterable[str | int]) -> str:
    """Return a path as people write it; the payload itself is ``payload``.

    >>> field_path(["meterValue", 0, "timestamp"])
    'meterValue[0].timestamp'
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part[:64]}" if text else part[:64]
    return text or "payload"


class Schemas:
    """All messages of OCPP 1.6; implements `csms.services.ports.gateway.CallSchemas`."""

    def __init__(self) -> None:
        folder = resources.files("ocpp") / "v16" / "schemas"
        self._documents: dict[str, Mapping[str, Any]] = {}
        self._resolved: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
        self._requests: dict[str, jsonschema_rs.Draft4Validator] = {}
        self._responses: dict[str, jsonschema_rs.Draft4Validator] = {}
        self._calls: dict[str, jsonschema_rs.Draft4Validator] = {}
        for action in FROM_CENTRAL_SYSTEM | FROM_CHARGE_POINT:
            document = orjson.loads((folder / f"{action}.json").read_bytes())
            answer = orjson.loads((folder / f"{action}Response.json").read_bytes())
            self._documents[action] = document
            self._resolved[action] = _resolved(document, document), _resolved(answer, answer)
            self._requests[action] = _compiled(document)
            self._responses[action] = _compiled(answer)
            if action in FROM_CENTRAL_SYSTEM:
                self._calls[action] = _compiled(document, formats=True)

    def is_request(self, action: str, payload: Mapping[str, Any]) -> bool:
        """Return whether a request that came in is valid."""
        return self._requests[action].is_valid(payload)

    def request_problems(self, action: str, payload: Mapping[str, Any]) -> list[Problem]:
        """Return what is wrong with a request that came in, worst first; empty when valid."""
        validator = self._requests[action]
        return [] if validator.is_valid(payload) else _problems(validator, payload)

    def response_problems(self, action: str, payload: object) -> list[Problem]:
        """Return what is wrong with the answer to a call of ours, worst first."""
        validator = self._responses[action]
        return [] if validator.is_valid(payload) else _problems(validator, payload)

    def actions(self) -> tuple[str, ...]:
        """Return the names of the 26 actions of a central system, sorted."""
        return tuple(sorted(self._calls))

    def document(self, action: str) -> Mapping[str, Any]:
        """Return the schema of an action's request, of whichever side, without references."""
        return self._resolved[action][0]

    def answer_document(self, action: str) -> Mapping[str, Any]:
        """Return the schema of an action's answer, without references."""
        return self._resolved[action][1]

    def request_schema(self, action: str) -> Mapping[str, Any]:
        """Return the JSON schema of an action's request; KeyError when there is no such action."""
        if action not in self._calls:
            raise KeyError(action)
        return self._documents[action]

    def problems(self, action: str, payload: object) -> dict[str, str]:
        """Return what breaks the request's schema: field path -> what is wrong; empty when valid.

        Times and URIs are checked too, and integers must fit into 64 bits.
        """
        validator = self._calls[action]
        found: dict[str, str] = {}
        if not validator.is_valid(payload):
            for problem in _problems(validator, payload):
                found.setdefault(problem.field, problem.text)
        for path in _wide_integers(payload, ()):
            found.setdefault(field_path(path), "must fit into 64 bits")
        return found


def _resolved(part: Any, document: Mapping[str, Any]) -> Any:
    """Return a schema with what its references name in their places; OCPP's are not recursive."""
    if isinstance(part, list):
        return [_resolved(item, document) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        target: Any = document
        for key in part["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        return _resolved(target, document)
    return {key: _resolved(item, document) for key, item in part.items() if key != "definitions"}


def _compiled(
    document: Mapping[str, Any], *, formats: bool = False
) -> jsonschema_rs.Draft4Validator:
    return jsonschema_rs.Draft4Validator(dict(document), validate_formats=formats)


def _problems(validator: jsonschema_rs.Draft4Validator, payload: object) -> list[Problem]:
    if _is_large(payload):
        try:
            validator.validate(payload)  # ends at the first; finding them all takes half a second
        except jsonschema_rs.ValidationError as first:
            return [_problem(first)]
        return []
    found: list[Problem] = []
    for error in validator.iter_errors(payload):
        found.append(_problem(error))
        if len(found) == _MOST_PROBLEMS:
            break
    found.sort(key=lambda problem: _RANK.index(problem.code))
    return found


def _is_large(value: object) -> bool:
    """Return whether a value has more parts than may be looked through for all problems."""
    parts = [value]
    for part in parts:  # grows meanwhile
        if isinstance(part, dict):
            parts += part.values()
        elif isinstance(part, list):
            parts += part
        if len(parts) > _LARGE:
            return True
    return False


def _problem(error: jsonschema_rs.ValidationError) -> Problem:
    keyword = type(error.kind).__name__
    kind: Any = error.kind
    path = tuple(error.instance_path)
    code = _CODES.get(keyword, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION)
    match keyword:
        case "Required":
            path = (*path, str(kind.property))
            text = "is missing"
        case "AdditionalProperties":
            path = (*path, str(kind.unexpected[0]))
            text = "is not a field of this message"
        case "Type":
            if not path:
                code = ErrorCode.FORMATION_VIOLATION
            text = f"must be of type {'/'.join(kind.types)}"
        case "Enum":
            text = f"must be one of {', '.join(map(str, kind.options))}"
        case "MaxLength":
            text = f"must have at most {kind.limit} characters"
        case "MinItems":
            text = f"must have at least {kind.limit} elements"
        case "MultipleOf":
            text = f"must be a multiple of {kind.multiple_of}"
        case "Format":
            text = f"must be a {kind.format}" + (
                ", such as 2026-03-01T12:00:00Z" if kind.format == "date-time" else ""
            )
        case _:
            text = f"breaks {keyword}"
    return Problem(code=code, path=path, keyword=keyword, text=text, value=error.instance)


def _wide_integers(value: object, path: tuple[str | int, ...]) -> Iterable[tuple[str | int, ...]]:
    match value:
        case bool():
            return
        case int() if not -LARGEST_INT - 1 <= value <= LARGEST_INT:
            yield path
        case dict():
            for key, item in value.items():
                yield from _wide_integers(item, (*path, str(key)))
        case list():
            for index, item in enumerate(value):
                yield from _wide_integers(item, (*path, index))
        case _:
            return
