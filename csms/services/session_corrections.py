"""Sessions that an operator ends or corrects by hand, with the reason and what it was before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csms.clock import Clock, wire_time
from csms.domain.events import SessionsChanged, SiteChanged, StationChanged
from csms.domain.transactions import MOST_ENERGY_WH, cost, findings_by_hand
from csms.errors import Conflict, Invalid, NotFound
from csms.services.audit import AuditTrail
from csms.services.ports.bus import Bus
from csms.services.ports.gateway import Gateway
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import Session

_AT_WORK = frozenset({"Charging", "SuspendedEV", "SuspendedEVSE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What an operator says of a session; None: nothing.

    Attributes:
        reason: Why, in the operator's words; goes into the audit trail.
        car_is_gone: Somebody has looked: nothing is drawn there any more.
        meter_stop_wh: Without one a session that is ended is not billed, and the charge point's
            own word still counts if it comes.
    """

    reason: str
    meter_start_wh: int | None = None
    meter_stop_wh: int | None = None
    stopped_at: datetime | None = None
    car_is_gone: bool = False


class SessionCorrections:
    """Ends and corrects."""

    def __init__(
        self, units: UnitsOfWork, gateway: Gateway, bus: Bus, clock: Clock, audit: AuditTrail
    ) -> None:
        self._units = units
        self._gateway = gateway
        self._bus = bus
        self._clock = clock
        self._audit = audit

    async def close(self, actor: str, transaction_id: int, correction: Correction) -> Session:
        """End a session that its charge point will not end any more; returns it.

        Raises:
            NotFound: There is no such session.
            Conflict: `session_completed`; `still_charging`: its charge point is connected and says
                that it charges, so it can be stopped; `may_still_charge`: it is away, charged when
                it was last heard of, and its load would be counted no more.
            Invalid: The values make no sense.
        """
        async with self._units() as unit:
            session = await _locked(unit, transaction_id)
            if not session.active:
                raise Conflict("session_completed", "This session has ended already.")
            await self._check_stuck(unit, session, car_is_gone=correction.car_is_gone)
            changes = self._changes(session, correction, closed=True)
            changes |= {
                "active": False,
                "power_w": None,
                "stop_received_at": self._clock.now(),
                "stop_reason": "Other",
            }
            changes.setdefault("stopped_at", self._clock.now())
            after = await self._amend(unit, actor, "close", session, correction, changes)
        self._publish(session)
        return after

    async def correct(self, actor: str, transaction_id: int, correction: Correction) -> Session:
        """Correct the values of a session that has ended; returns it.

        Raises:
            NotFound: There is no such session.
            Conflict: `session_active`.
            Invalid: Nothing is corrected, or the values make no sense.
        """
        async with self._units() as unit:
            session = await _locked(unit, transaction_id)
            if session.active:
                raise Conflict("session_active", "This session still runs; stop or close it first.")
            changes = self._changes(session, correction, closed=False)
            after = await self._amend(unit, actor, "correct", session, correction, changes)
        self._publish(session)
        return after

    async def _check_stuck(self, unit: UnitOfWork, session: Session, *, car_is_gone: bool) -> None:
        """Raise Conflict where the charge point is at work, or may be."""
        station = await unit.charge_points.get(session.identity)
        if station is None or station.key != session.charge_point:
            return
        status = next(
            (c.status for c in station.connectors if c.connector_id == session.connector_id), None
        )
        if status not in _AT_WORK:
            return
        if self._gateway.is_online(station.key):
            raise Conflict(
                "still_charging",
                f"The station is connected and says {status}: stop the session instead.",
            )
        if station.site_id is not None and not car_is_gone:
            raise Conflict(
                "may_still_charge",
                f"The station is offline and its last word was {status}: the car may still draw "
                "power that the site would count no more. Look, then say carIsGone: true.",
            )

    def _changes(self, session: Session, correction: Correction, *, closed: bool) -> dict[str, Any]:
        start_wh = session.meter_start_wh
        if correction.meter_start_wh is not None:
            start_wh = correction.meter_start_wh
        stop_wh = session.meter_stop_wh
        if correction.meter_stop_wh is not None:
            stop_wh = correction.meter_stop_wh
        self._check(session, correction, start_wh, stop_wh, closed=closed)
        findings = findings_by_hand(
            session.findings, meter_known=stop_wh is not None, closed=closed
        )
        changes: dict[str, Any] = {
            "findings": findings,
            "cost": None
            if stop_wh is None
            else cost(stop_wh - start_wh, session.price_per_kwh, findings),
        }
        for name in ("meter_start_wh", "meter_stop_wh", "stopped_at"):
            if getattr(correction, name) is not None:
                changes[name] = getattr(correction, name)
        return changes

    def _check(
        self,
        session: Session,
        correction: Correction,
        start_wh: int,
        stop_wh: int | None,
        *,
        closed: bool,
    ) -> None:
        wrong: dict[str, str] = {}
        given = (correction.meter_start_wh, correction.meter_stop_wh, correction.stopped_at)
        if not closed and all(value is None for value in given):
            wrong["meterStopWh"] = "say what is corrected: a meter value or the time of the end"
        if stop_wh is not None and stop_wh < start_wh:
            wrong["meterStopWh"] = f"lies below the start, {start_wh} Wh"
        elif stop_wh is not None and stop_wh - start_wh > MOST_ENERGY_WH:
            wrong["meterStopWh"] = f"is more than {MOST_ENERGY_WH // 1000:,} kWh above the start"
        at = correction.stopped_at
        if at is not None and at < min(session.started_at, session.start_received_at):
            wrong["stoppedAt"] = f"lies before the start, {wire_time(session.started_at)}"
        elif at is not None and at > self._clock.now():
            wrong["stoppedAt"] = "has not come yet"
        if wrong:
            raise Invalid("invalid_request", "The correction makes no sense.", wrong)

    async def _amend(
        self,
        unit: UnitOfWork,
        actor: str,
        action: str,
        session: Session,
        correction: Correction,
        changes: Mapping[str, Any],
    ) -> Session:
        await unit.sessions.amend(session.transaction_id, changes)
        after = await _locked(unit, session.transaction_id)
        details = {
            "reason": correction.reason,
            "before": _audited(session),
            "after": _audited(after),
        }
        await self._audit.note(unit, actor, action, "session", str(session.transaction_id), details)
        return after

    def _publish(self, session: Session) -> None:
        self._bus.publish(SessionsChanged(frozenset({session.transaction_id})))
        self._bus.publish(StationChanged(session.charge_point))
        if session.site_id is not None:
            self._bus.publish(SiteChanged(session.site_id))


async def _locked(unit: UnitOfWork, transaction_id: int) -> Session:
    session = await unit.sessions.get(transaction_id, lock=True)
    if session is None:
        raise NotFound("session_not_found", "There is no such session.")
    return session


def _audited(session: Session) -> dict[str, Any]:
    return {
        "meterStartWh": session.meter_start_wh,
        "meterStopWh": session.meter_stop_wh,
        "stoppedAt": None if session.stopped_at is None else wire_time(session.stopped_at),
        "cost": None if session.cost is None else str(session.cost),
        "flags": list(session.findings),
    }
