"""Connectors and what StatusNotification says of them (OCPP 1.6 4.9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from csms.domain.ids import ChargePointKey

MOST_CONNECTORS = 256
"""Highest connector number that is stored; more would let one station fill the table (M12)."""

STATUS_OF_CONNECTOR_0 = frozenset({"Available", "Unavailable", "Faulted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFact:
    """A StatusNotification.req; `reported_at` is the charge point's clock, if it sent one."""

    charge_point: ChargePointKey
    received_at: datetime
    connector_id: int
    status: str
    error_code: str
    info: str | None = None
    vendor_id: str | None = None
    vendor_error_code: str | None = None
    reported_at: datetime | None = None


def is_storable(connector_id: int) -> bool:
    """Return whether a connector of this number may have a row.

    >>> is_storable(0), is_storable(MOST_CONNECTORS), is_storable(-1)
    (True, True, False)
    """
    return 0 <= connector_id <= MOST_CONNECTORS
