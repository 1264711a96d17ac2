"""What follows from a call to a charge point, beside its outcome.

`CommandService` tells each effect before a call is sent and once it has ended, in the transaction
that records just that: so state and outcome are never apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from csms.domain import jobs, reservations
from csms.domain.jobs import CANCELED, KIND_OF_ACTION, NOTHING_AVAILABLE
from csms.services.ports.store import UnitOfWork
from csms.services.records import Station

NOT_SENT = frozenset({"station_offline", "queue_full", "too_early"})
"""Outcomes of calls that never left; all other failures may have reached the charge point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A call that is about to be sent; `payload` holds its secrets."""

    id: str
    action: str
    payload: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A call that has ended.

    Attributes:
        outcome: accepted, rejected, callError, or the code of the failure.
        response: Payload of the CALLRESULT, with its secrets; None without one.
    """

    call: Sending
    at: datetime
    outcome: str
    status: str | None
    response: Mapping[str, Any] | None

    @property
    def refused(self) -> bool:
        """Whether the charge point has certainly not done it."""
        return self.outcome in {"rejected", "callError"} or self.outcome in NOT_SENT


class CallEffect(Protocol):
    """Keeps state that calls change."""

    async def sending(self, unit: UnitOfWork, station: Station, call: Sending) -> None:
        """Prepare for a call of any action."""
        ...

    async def ended(self, unit: UnitOfWork, station: Station, end: Ended) -> None:
        """Draw the conclusions."""
        ...


class CallAdviser(Protocol):
    """Knows what an operator should be told before a call is sent; it is sent all the same."""

    async def warnings(
        self,
        unit: UnitOfWork,
        station: Station,
        action: str,
        payload: Mapping[str, Any],
        now: datetime,
    ) -> list[str]:
        """Return sentences; [] for calls that are not its business."""
        ...


class JobEffect:
    """Firmware, diagnostics and log jobs: begun by a call, moved on by reports."""

    async def sending(self, unit: UnitOfWork, station: Station, call: Sending) -> None:
        """Begin the job: its first report may overtake the answer's record."""
        kind = KIND_OF_ACTION.get(call.action)
        if kind is not None:
            await unit.jobs.begin(
                station.key,
                kind,
                call_id=call.id,
                request_id=_storable(call.payload.get("requestId")),
                at=call.at,
            )

    async def ended(self, unit: UnitOfWork, station: Station, end: Ended) -> None:
        """Keep an accepted job; one with an unknown fate is seen once it reports."""
        action, call_id = end.call.action, end.call.id
        if action not in KIND_OF_ACTION:
            return
        if end.refused:
            await unit.jobs.forget(call_id)
        if end.outcome != "accepted":
            return
        name = jobs.file_name(action, dict(end.call.payload), dict(end.response or {}))
        name = None if name is None else name.replace("\0", "\N{REPLACEMENT CHARACTER}")
        status = end.status or "Accepted"
        await unit.jobs.accept(call_id, status=status, file_name=name, at=end.at)
        if end.status == "AcceptedCanceled":
            await unit.jobs.cancel_earlier(call_id, CANCELED, end.at)
        if action == "GetDiagnostics" and name is None:
            await unit.jobs.fail(call_id, NOTHING_AVAILABLE, end.at)


class ReservationEffect:
    """Reservations: ReserveNow makes them, CancelReservation ends them."""

    async def sending(self, unit: UnitOfWork, station: Station, call: Sending) -> None:
        """Keep the request: the transaction that uses it may overtake the answer's record."""
        if call.action == "ReserveNow":
            request = reservations.read(call.payload)
            if request is not None:
                await unit.reservations.request(station.key, request, call_id=call.id, at=call.at)

    async def ended(self, unit: UnitOfWork, station: Station, end: Ended) -> None:
        """Note what the charge point said."""
        call_id = end.call.id
        if end.call.action == "ReserveNow":
            if end.outcome in NOT_SENT:
                await unit.reservations.forget(call_id)
            elif end.refused:
                await unit.reservations.refuse(call_id, end.at)
            else:
                confirmed = end.outcome == "accepted"
                await unit.reservations.activate(call_id, confirmed=confirmed, at=end.at)
        elif end.call.action == "CancelReservation":
            number = _storable(end.call.payload["reservationId"])
            if number is not None and end.outcome in {"accepted", "rejected"}:
                # Rejected: the station does not know it, so there is nothing to cancel (N01)
                status = "cancelled" if end.outcome == "accepted" else "dropped"
                await unit.reservations.end(station.key, number, status, end.at)


def _storable(number: int | None) -> int | None:
    return number if number is not None and abs(number) < 2**63 else None
