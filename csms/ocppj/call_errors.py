"""CALLERROR codes of OCPP-J 1.6, spelled as 1.6 spells them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ErrorCode(StrEnum):
    """Codes that we send (OCPP-J 1.6 table 7); what we receive may be any text (R18)."""

    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    INTERNAL_ERROR = "InternalError"
    PROTOCOL_ERROR = "ProtocolError"
    SECURITY_ERROR = "SecurityError"
    FORMATION_VIOLATION = "FormationViolation"
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    OCCURENCE_CONSTRAINT_VIOLATION = "OccurenceConstraintViolation"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that is a CALLERROR; `description` is for a person and never holds a secret."""

    code: ErrorCode
    description: str


class PayloadRefused(Exception):
    """A payload cannot be taken in; carries the answer. Never leaves `csms.ocppj`."""

    def __init__(self, code: ErrorCode, description: str) -> None:
        super().__init__(description)
        self.refused = Refused(code, description)
