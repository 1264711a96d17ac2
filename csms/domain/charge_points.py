"""Charge points: registration, boot, and what each connection must know of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from csms.domain.ids import ChargePointKey, Identity


class Registration(StrEnum):
    """RegistrationStatus of BootNotification.conf; what the operator decided about the station."""

    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePointRecord:
    """What the edge needs to know of a charge point to let it in and serve it.

    Attributes:
        pending_password_digest: Of a new password that the station may know or not.
        pending_password_waits: The new password holds after a reboot only.
        serial_number: Of the asset data: what a client certificate must name.
        other_password_digests: Of earlier rotations whose outcome was never known.
        pending_security_profile: A higher one that it was told and has not come with yet.
        subject_check: Of its certificates: relaxed or strict.
    """

    key: ChargePointKey
    identity: Identity
    registration: Registration
    security_profile: int
    password_digest: bytes | None
    strict: bool
    quiet: bool
    pending_password_digest: bytes | None = None
    pending_password_waits: bool = False
    serial_number: str | None = None
    other_password_digests: tuple[bytes, ...] = ()
    pending_security_profile: int | None = None
    subject_check: str = "relaxed"


@dataclass(frozen=True, slots=True, kw_only=True)
class BootFact:
    """A BootNotification.req as it came (OCPP 1.6 4.2)."""

    charge_point: ChargePointKey
    received_at: datetime
    vendor: str
    model: str
    charge_point_serial_number: str | None = None
    charge_box_serial_number: str | None = None
    firmware_version: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    meter_type: str | None = None
    meter_serial_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BootOutcome:
    """What BootNotification.conf will say, but for the time.

    Attributes:
        interval_s: Heartbeat interval when accepted, else the least wait before the next try.
    """

    registration: Registration
    interval_s: int
