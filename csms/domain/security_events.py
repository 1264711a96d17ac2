"""Security events: what charge points report, and what this system notices itself.

(Improved security for OCPP 1.6-J, edition 3; M75.) Types are free text: unknown ones are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from csms.domain.ids import ChargePointKey

Source = Literal["station", "server"]

CRITICAL = frozenset(
    {
        "FirmwareUpdated",
        "SettingSystemTime",
        "StartupOfTheDevice",
        "ResetOrReboot",
        "SecurityLogWasCleared",
        "MemoryExhaustion",
        "TamperDetectionActivated",
    }
)
"""Types that charge points must push and operators must see."""

FOREIGN_TRANSACTION = "ForeignTransactionId"
"""Ours: a station has named the transaction of another one (M45)."""
CERTIFICATE_NOT_SIGNED = "CertificateNotSigned"
"""Ours: a station has asked for a certificate and does not get one; `tech_info` says why (M80)."""
CERTIFICATE_SUBJECT_ODD = "CertificateSubjectOdd"
"""Ours: a request that was signed, or a certificate in use, names somebody else than expected."""
CERTIFICATE_REJECTED = "CertificateRejected"
"""Ours: a station has refused a certificate that was made for it."""
CERTIFICATE_REVOKED = "CertificateRevoked"
"""Ours: an operator has taken a station's certificate back."""
CERTIFICATE_ENDS = "CertificateEndsSoon"
"""Ours: the certificate with which a station proves itself ends soon."""
PROFILE_OVERDUE = "SecurityProfileUpgradeOverdue"
"""Ours: a station was told a higher profile and has not come with it for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityEventFact:
    """A security event.

    Attributes:
        at: By the clock of its source; queued events are old.
        tech_info: Hostile text of up to 255 characters; None where there is none.
    """

    charge_point: ChargePointKey
    received_at: datetime
    type: str
    at: datetime
    tech_info: str | None = None
    source: Source = "station"

    @property
    def critical(self) -> bool:
        """Whether an operator must see it."""
        return self.type in CRITICAL
