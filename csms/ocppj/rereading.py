"""Logged frames, decoded once more by what decodes live ones; nothing is stored or counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from csms.clock import Clock
from csms.domain.charge_points import ChargePointRecord, Registration
from csms.domain.ids import ChargePointKey, Identity
from csms.ocppj import messages
from csms.ocppj.call_errors import ErrorCode, PayloadRefused
from csms.ocppj.conversation import (
    CALL_ERROR,
    CALL_RESULT,
    Answered,
    Call,
    Closing,
    Conversation,
    Dropped,
    Reply,
)
from csms.ocppj.messages import Source
from csms.ocppj.repairs.catalogue import CATALOGUE, COMPRESSED_FRAMES, MESSAGE_ID_REUSED
from csms.ocppj.repairs.tolerance import Repairs, Tolerance
from csms.ocppj.schemas import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Problem
from csms.services.ports.rereading import Reading, WrongField
from csms.services.records import MessageRecord

_NOBODY = ChargePointKey(0)

_FACTS: Mapping[str, Callable[[Mapping[str, Any], Source], object]] = {
    "Authorize": messages.authorize,
    "BootNotification": messages.boot,
    "DiagnosticsStatusNotification": messages.diagnostics_status,
    "FirmwareStatusNotification": messages.firmware_status,
    "LogStatusNotification": messages.log_status,
    "MeterValues": messages.meter_values,
    "SecurityEventNotification": messages.security_event,
    "SignedFirmwareStatusNotification": messages.signed_firmware_status,
    "StartTransaction": messages.start,
    "StatusNotification": messages.status,
    "StopTransaction": messages.stop,
}


@dataclass(slots=True, eq=False)
class _Owner:
    """Stands for a station of which only one thing counts here."""

    record: ChargePointRecord


class Rereading:
    """Implements `csms.services.ports.rereading.FrameReader`.

    Each frame is read as the first of a connection, with an allowance of its own; whether the
    station is accepted is not asked.
    """

    def __init__(self, repairs: Repairs, clock: Clock) -> None:
        self._repairs = repairs
        self._clock = clock
        self._beyond = frozenset(
            name for name, repair in CATALOGUE.items() if repair.family == "handshake"
        ) | {MESSAGE_ID_REUSED, COMPRESSED_FRAMES}

    @property
    def beyond_frame(self) -> frozenset[str]:
        """See the port."""
        return self._beyond

    def read(self, record: MessageRecord, *, strict: bool) -> Reading:
        """See the port."""
        tolerance = Tolerance(self._repairs, _Owner(_station(strict)), self._clock)
        conversation = Conversation(tolerance)
        is_answer = record.type in (CALL_RESULT, CALL_ERROR)
        if is_answer and record.message_id is not None and record.action is not None:
            conversation.open_call(record.message_id, record.action)
        match conversation.receive(record.raw):
            case Call() as call:
                return self._call(call, record, tolerance, strict=strict)
            case Answered() as answered:
                return self._answer(answered, tolerance)
            case Reply() as reply:
                refused = reply.refused
                return Reading(
                    verdict="refused",
                    action=reply.action,
                    repairs=reply.repairs,
                    code=None if refused is None else refused.code,
                    text=None if refused is None else refused.description,
                )
            case Dropped() as dropped:
                return Reading(verdict="dropped", text=dropped.reason)
            case Closing() as closing:
                return Reading(verdict="dropped", text=closing.reason)
            case event:
                assert_never(event)

    def _call(
        self, call: Call, record: MessageRecord, tolerance: Tolerance, *, strict: bool
    ) -> Reading:
        action = call.action
        if action not in FROM_CHARGE_POINT:
            known = action in FROM_CENTRAL_SYSTEM
            return Reading(
                verdict="refused",
                action=action,
                payload=call.payload,
                repairs=call.repairs,
                code=ErrorCode.NOT_SUPPORTED if known else ErrorCode.NOT_IMPLEMENTED,
                text="this action is for central systems to send"
                if known
                else "there is no such action",
            )
        source = Source(_NOBODY, record.at, strict)
        try:
            messages.check(tolerance, action, call.payload, record.raw, source)
            make = _FACTS.get(action)
            fact = None if make is None else make(call.payload, source)
        except PayloadRefused as error:
            return Reading(
                verdict="refused",
                action=action,
                payload=call.payload,
                repairs=call.repairs + source.repairs,
                code=error.refused.code,
                text=error.refused.description,
                problems=_wrong(self._problems(action, call.payload, record, strict=strict)),
            )
        return Reading(
            verdict="taken",
            action=action,
            payload=call.payload,
            repairs=call.repairs + source.repairs,
            doubts=tuple(str(each) for each in getattr(fact, "doubts", ())),
        )

    def _problems(
        self, action: str, payload: dict[str, Any], record: MessageRecord, *, strict: bool
    ) -> list[Problem]:
        if strict:
            return self._repairs.schemas.request_problems(action, payload)
        return self._repairs.payload(action, payload, len(record.raw), record.at).problems

    def _answer(self, answered: Answered, tolerance: Tolerance) -> Reading:
        action, repairs = answered.action, answered.repairs
        if answered.error_code is not None:
            # spelled as in the log
            error = {
                "errorCode": answered.error_code,
                "errorDescription": answered.error_description,
            }
            return Reading(verdict="taken", action=action, payload=error, repairs=repairs)
        payload = answered.payload
        if answered.broken or not isinstance(payload, dict):
            return Reading(
                verdict="refused",
                action=action,
                payload=None if answered.broken else payload,
                repairs=repairs,
                text="the answer cannot be read",
            )
        problems = self._repairs.schemas.response_problems(action, payload)
        if problems:
            repaired = tolerance.answer(action, payload)
            if repaired is not None and not repaired.problems:
                payload, repairs, problems = repaired.payload, repairs + repaired.names, []
        return Reading(
            verdict="refused" if problems else "taken",
            action=action,
            payload=payload,
            repairs=repairs,
            text="the answer breaks its schema" if problems else None,
            problems=_wrong(problems),
        )


def _wrong(problems: list[Problem]) -> tuple[WrongField, ...]:
    return tuple(WrongField(field=each.field, text=each.text) for each in problems)


def _station(strict: bool) -> ChargePointRecord:
    return ChargePointRecord(
        key=_NOBODY,
        identity=Identity(""),
        registration=Registration.ACCEPTED,
        security_profile=0,
        password_digest=None,
        strict=strict,
        quiet=True,
    )
