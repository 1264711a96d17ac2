"""Reservations, from our side of the wire (OCPP 1.6 5.11, 5.13).

requested -> active | refused; active -> used | expired | cancelled | dropped. *Requested* is never
shown: the call is on its way. A call with an unknown fate makes an active one that is not
confirmed, because the charge point may hold the connector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from csms.domain.ids import ChargePointKey

ENDING_STATUSES = frozenset({"Faulted", "Unavailable"})
"""Connector statuses that end its reservations (M14)."""

_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorDownFact:
    """A connector can no longer be kept for anybody; 0: the whole charge point."""

    charge_point: ChargePointKey
    received_at: datetime
    connector_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationRequest:
    """What a ReserveNow.req asks for."""

    reservation_id: int
    connector_id: int
    id_tag: str
    parent_id_tag: str | None
    expires_at: datetime


def read(payload: Mapping[str, Any]) -> ReservationRequest | None:
    """Return what a ReserveNow.req asks for; None when its numbers or time cannot be kept.

    >>> read({"connectorId": 1, "expiryDate": "2026-03-01T12:00:00+01:00", "idTag": "A",
    ...       "reservationId": 7}).expires_at.hour
    11
    """
    try:
        at = datetime.fromisoformat(payload["expiryDate"].upper())
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    numbers = (payload["reservationId"], payload["connectorId"])
    if any(not -_LARGEST <= number <= _LARGEST for number in numbers):
        return None
    return ReservationRequest(
        reservation_id=int(numbers[0]),
        connector_id=int(numbers[1]),
        id_tag=payload["idTag"],
        parent_id_tag=payload.get("parentIdTag"),
        expires_at=at,
    )
