"""The port of the store for what connectors have been."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from csms.domain.ids import ChargePointKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorStatus:
    """One change of a connector, as the charge point told it.

    Attributes:
        reported_at: By the charge point's clock; None where it sent no time.
        received_at: By ours: when it came.
        late: It came out of a queue after newer ones, and never was the present state.
    """

    key: int
    connector_id: int
    status: str
    error_code: str
    info: str | None
    vendor_id: str | None
    vendor_error_code: str | None
    reported_at: datetime | None
    received_at: datetime
    late: bool


class ConnectorHistory(Protocol):
    """Changes of connectors; the intake writes them. The newest is the one that came last."""

    async def page(
        self,
        charge_point: ChargePointKey,
        limit: int,
        *,
        connector_id: int | None = None,
        before: tuple[datetime, int] | None = None,
        received_from: datetime | None = None,
        received_to: datetime | None = None,
    ) -> list[ConnectorStatus]:
        """Return one page, the newest first; `received_from` is in, `received_to` is out."""
        ...

    async def known_at(self, charge_point: ChargePointKey, at: datetime) -> list[ConnectorStatus]:
        """Return the last change of each connector before that time, late ones left out."""
        ...
