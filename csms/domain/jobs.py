"""Firmware and diagnostics jobs, as far as charge points report on them (OCPP 1.6 4.4, 4.5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from csms.domain.ids import ChargePointKey

JobKind = Literal["firmware", "diagnostics"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatusFact:
    """A FirmwareStatusNotification.req or DiagnosticsStatusNotification.req, solicited or not."""

    charge_point: ChargePointKey
    received_at: datetime
    kind: JobKind
    status: str
