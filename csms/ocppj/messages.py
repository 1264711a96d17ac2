"""From payloads of charge points to typed facts: schema, times, ranges, then the dataclass.

What is refused here is refused with the exact code of OCPP-J 1.6 (R10-R15) before the database
sees it; what is merely odd is a fact, and the services decide (OCPP 1.6 4.7, 4.8, 4.10).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csms.domain import metering
from csms.domain.authorization import AuthorizeFact
from csms.domain.charge_points import BootFact
from csms.domain.connectors import StatusFact
from csms.domain.ids import ChargePointKey
from csms.domain.jobs import JobStatusFact
from csms.domain.metering import MeterValuesFact, Reading
from csms.domain.security_events import CERTIFICATE_NOT_SIGNED, SecurityEventFact
from csms.domain.transactions import (
    CLOCK_UNSET_BEFORE_YEAR,
    Finding,
    StartFact,
    StopFact,
)
from csms.ocppj import timestamps
from csms.ocppj.call_errors import ErrorCode, PayloadRefused
from csms.ocppj.repairs import TIME_WITHOUT_ZONE, times
from csms.ocppj.repairs.catalogue import (
    ESCAPED_NUL,
    NUMBER_CAPPED,
    TIME_MISSING,
    TIME_UNREADABLE,
)
from csms.ocppj.repairs.scalars import without_padding
from csms.ocppj.repairs.tolerance import Known
from csms.ocppj.schemas import LARGEST_INT

_TIMES_MADE = frozenset({TIME_MISSING, TIME_UNREADABLE})


@dataclass(slots=True, eq=False)
class Source:
    """From whom and when a payload came, and the repairs it has needed so far.

    Attributes:
        defaulted: Required fields that were missing and have a harmless default now.
        known_repairs: Those of this process; set by `check`.
    """

    charge_point: ChargePointKey
    received_at: datetime
    strict: bool
    repairs: tuple[str, ...] = ()
    defaulted: frozenset[str] = frozenset()
    known_repairs: Known | None = None


def check(known: Known, action: str, payload: dict[str, Any], raw: str, source: Source) -> None:
    """Check a request against its schema and what schemas cannot say; repair it where that may be.

    Args:
        known: The repairs, over all schemas of OCPP 1.6; a connection's own have an allowance.
        action: One that charge points send.
        payload: The decoded payload; a repaired one is changed in its place.
        raw: The frame that holds it.
        source: Gets the names of the repairs that were needed.

    Raises:
        PayloadRefused: With the code of the worst problem.
    """
    source.known_repairs = known
    if not known.schemas.is_request(action, payload):
        if source.strict:
            problems = known.schemas.request_problems(action, payload)
        else:
            repaired = known.payload(action, payload, len(raw), source.received_at)
            problems = repaired.problems
            if not problems:
                payload.clear()
                payload.update(repaired.payload)
                source.repairs += repaired.names
                source.defaulted = repaired.defaulted
        if problems:
            worst = problems[0]
            raise PayloadRefused(worst.code, f"{worst.field} {worst.text}")
    # the text is searched first because hardly any frame has an escaped NUL
    if "\\u0000" in raw and _has_nul(payload):
        if not source.strict and ESCAPED_NUL in known.switches:
            bare = without_padding(payload)
            payload.clear()
            payload.update(bare)
            _note(source, ESCAPED_NUL)
        if _has_nul(payload):
            raise PayloadRefused(
                ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "texts must not hold the character NUL"
            )


def boot(payload: Mapping[str, Any], source: Source) -> BootFact:
    """Return the fact of a BootNotification.req."""
    return BootFact(
        charge_point=source.charge_point,
        received_at=source.received_at,
        vendor=payload["chargePointVendor"],
        model=payload["chargePointModel"],
        charge_point_serial_number=payload.get("chargePointSerialNumber"),
        charge_box_serial_number=payload.get("chargeBoxSerialNumber"),
        firmware_version=payload.get("firmwareVersion"),
        iccid=payload.get("iccid"),
        imsi=payload.get("imsi"),
        meter_type=payload.get("meterType"),
        meter_serial_number=payload.get("meterSerialNumber"),
    )


def status(payload: Mapping[str, Any], source: Source) -> StatusFact:
    """Return the fact of a StatusNotification.req; a negative connector is refused (M11)."""
    connector_id = _integer(payload, "connectorId")
    if connector_id < 0:
        raise PayloadRefused(
            ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "connectorId must not be negative"
        )
    reported_at = payload.get("timestamp")
    return StatusFact(
        charge_point=source.charge_point,
        received_at=source.received_at,
        connector_id=connector_id,
        status=payload["status"],
        error_code=payload["errorCode"],
        info=payload.get("info"),
        vendor_id=payload.get("vendorId"),
        vendor_error_code=payload.get("vendorErrorCode"),
        reported_at=None if reported_at is None else _time(reported_at, "timestamp", source),
    )


def authorize(payload: Mapping[str, Any], source: Source) -> AuthorizeFact:
    """Return the fact of an Authorize.req."""
    return AuthorizeFact(
        charge_point=source.charge_point,
        received_at=source.received_at,
        id_tag=payload["idTag"],
    )


def start(payload: Mapping[str, Any], source: Source) -> StartFact:
    """Return the fact of a StartTransaction.req; odd connectors and meters are facts too (M37)."""
    return StartFact(
        charge_point=source.charge_point,
        received_at=source.received_at,
        connector_id=_integer(payload, "connectorId"),
        id_tag=payload["idTag"],
        meter_start_wh=_integer(payload, "meterStart", source),
        started_at=_time(payload["timestamp"], "timestamp", source),
        reservation_id=_optional_integer(payload, "reservationId"),
        doubts=_doubts(source),
    )


def stop(payload: Mapping[str, Any], source: Source) -> StopFact:
    """Return the fact of a StopTransaction.req; never refused for its content (M40)."""
    return StopFact(
        charge_point=source.charge_point,
        received_at=source.received_at,
        transaction_id=_integer(payload, "transactionId", source),
        meter_stop_wh=_integer(payload, "meterStop", source),
        stopped_at=_time(payload["timestamp"], "timestamp", source),
        id_tag=payload.get("idTag"),
        reason=payload.get("reason"),
        readings=_readings(payload.get("transactionData", ()), "transactionData", source),
        doubts=_doubts(source),
    )


def meter_values(payload: Mapping[str, Any], source: Source) -> MeterValuesFact:
    """Return the fact of a MeterValues.req."""
    readings = _readings(payload["meterValue"], "meterValue", source)
    fact = MeterValuesFact(
        charge_point=source.charge_point,
        received_at=source.received_at,
        connector_id=_integer(payload, "connectorId"),
        transaction_id=_optional_integer(payload, "transactionId", source),
        readings=readings,
    )
    for reading in readings:
        if reading.odd and Finding.UNIT_SUSPECT not in fact.doubts:
            fact.doubts += (Finding.UNIT_SUSPECT,)
        if reading.measured_at.year < CLOCK_UNSET_BEFORE_YEAR and not fact.doubts:
            fact.doubts = (Finding.TIME_SUSPECT,)
    return fact


def firmware_status(payload: Mapping[str, Any], source: Source) -> JobStatusFact:
    """Return the fact of a FirmwareStatusNotification.req."""
    return JobStatusFact(
        charge_point=source.charge_point,
        received_at=source.received_at,
        kind="firmware",
        status=payload["status"],
    )


def diagnostics_status(payload: Mapping[str, Any], source: Source) -> JobStatusFact:
    """Return the fact of a DiagnosticsStatusNotification.req."""
    return JobStatusFact(
        charge_point=source.charge_point,
        received_at=source.received_at,
        kind="diagnostics",
        status=payload["status"],
    )


def log_status(payload: Mapping[str, Any], source: Source) -> JobStatusFact:
    """Return the fact of a LogStatusNotification.req."""
    return JobStatusFact(
        charge_point=source.charge_point,
        received_at=source.received_at,
        kind="log",
        status=payload["status"],
        request_id=_optional_integer(payload, "requestId"),
        by_request=True,
    )


def signed_firmware_status(payload: Mapping[str, Any], source: Source) -> JobStatusFact:
    """Return the fact of a SignedFirmwareStatusNotification.req."""
    return JobStatusFact(
        charge_point=source.charge_point,
        received_at=source.received_at,
        kind="firmware",
        status=payload["status"],
        request_id=_optional_integer(payload, "requestId"),
        by_request=True,
    )


def security_event(payload: Mapping[str, Any], source: Source) -> SecurityEventFact:
    """Return the fact of a SecurityEventNotification.req; any type will do (M75)."""
    return SecurityEventFact(
        charge_point=source.charge_point,
        received_at=source.received_at,
        type=payload["type"],
        at=_time(payload["timestamp"], "timestamp", source),
        tech_info=payload.get("techInfo"),
    )


def unsigned_certificate(source: Source) -> SecurityEventFact:
    """Return the event of a SignCertificate.req that nobody here can serve (M80)."""
    return SecurityEventFact(
        charge_point=source.charge_point,
        received_at=source.received_at,
        type=CERTIFICATE_NOT_SIGNED,
        at=source.received_at,
        tech_info="There is no certificate authority here: SignCertificate was answered Rejected.",
        source="server",
    )


_DOUBTS = {
    "connectorId": Finding.CONNECTOR_SUSPECT,
    "meterStart": Finding.METER_SUSPECT,
    "meterStop": Finding.METER_SUSPECT,
    "timestamp": Finding.TIME_SUSPECT,
}


def _doubts(source: Source) -> tuple[Finding, ...]:
    """Return what is doubtful because the station has left it out."""
    if not source.repairs:  # nearly always
        return ()
    found = {_DOUBTS[name]: None for name in sorted(source.defaulted) if name in _DOUBTS}
    if not _TIMES_MADE.isdisjoint(source.repairs):
        found[Finding.TIME_SUSPECT] = None
    return tuple(found)


def _readings(
    elements: list[Mapping[str, Any]] | tuple[()], name: str, source: Source
) -> tuple[Reading, ...]:
    return tuple(
        [
            metering.read(
                _time(element["timestamp"], f"{name}.timestamp", source), element["sampledValue"]
            )
            for element in elements
        ]
    )


def _time(text: str, name: str, source: Source) -> datetime:
    try:
        at, no_zone = timestamps.parse(text)
    except ValueError as error:
        known = source.known_repairs
        if known is not None and not source.strict:
            read = times.read(text, source.received_at, known.switches)
            if read is not None:
                _note(source, *read[1])
                return read[0]
        raise PayloadRefused(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, f"{name}: {error}") from error
    if no_zone:
        _note(source, TIME_WITHOUT_ZONE)
    return at


def _note(source: Source, *names: str) -> None:
    source.repairs += tuple(name for name in names if name not in source.repairs)


def _integer(payload: Mapping[str, Any], name: str, source: Source | None = None) -> int:
    value: int = payload[name]
    # the decoder reads up to 2^64-1; larger ones are floats and have failed the schema (R32)
    if value > LARGEST_INT:
        known = None if source is None else source.known_repairs
        if source and known and not source.strict and NUMBER_CAPPED in known.switches:
            _note(source, NUMBER_CAPPED)
            return LARGEST_INT
        raise PayloadRefused(
            ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, f"{name} must fit into 64 bits"
        )
    return value


def _optional_integer(
    payload: Mapping[str, Any], name: str, source: Source | None = None
) -> int | None:
    return _integer(payload, name, source) if name in payload else None


def _has_nul(value: object) -> bool:
    match value:
        case str():
            return "\0" in value
        case dict():
            return any("\0" in key or _has_nul(item) for key, item in value.items())
        case list():
            return any(map(_has_nul, value))
        case _:
            return False
