"""Sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from csms.api import pages
from csms.api.fields import (
    IdTagText,
    In,
    Out,
    Page,
    PageQuery,
    Text,
    Time,
    When,
    amperes,
    kilo,
)
from csms.api.meter_values import MeterValuesOut
from csms.api.routes import Reply, Route
from csms.clock import Clock
from csms.domain.ids import TransactionId
from csms.errors import NotFound
from csms.services.access import Principal, Role
from csms.services.ports.sessions import SessionFilter
from csms.services.records import Session
from csms.services.sessions import SessionService, cost, energy_wh

_MOST_ID = 2**31 - 1
_Wait = Annotated[float, Field(ge=0, le=60)]


class SessionOut(Out):
    """A session; `cost` is the price so far while it is active, null when it is not billable."""

    id: str
    transaction_id: int
    station_id: str
    connector_id: int
    id_tag: str
    vehicle_id: str | None
    status: Literal["active", "completed"]
    started_at: Time
    stopped_at: Time | None
    meter_start_wh: int
    meter_stop_wh: int | None
    energy_kwh: float
    power_kw: float | None
    soc_percent: float | None
    limit_a: float | None
    limit_kw: float | None
    stop_reason: str | None
    cost: float | None
    currency: str
    price_per_kwh: float
    flags: list[str]
    eta_at: Time | None


class SessionsQuery(PageQuery):
    """Filters of sessions; `from` (in) and `to` (out) are about the start.

    `siteId`: where the station stood at the start.
    """

    status: Literal["active", "completed"] | None = None
    station_id: Text | None = None
    id_tag: Text | None = None
    site_id: Text | None = None
    from_: Annotated[When | None, Field(alias="from")] = None
    to: When | None = None


class StartIn(In):
    """A remote start; without `idTag` one is used that is made for the caller."""

    station_id: Text
    connector_id: Annotated[int, Field(ge=1, le=_MOST_ID)] | None = None
    id_tag: IdTagText | None = None
    vehicle_id: Text | None = None
    wait_s: _Wait = 15


class StopIn(In):
    """A remote stop."""

    wait_s: _Wait = 15


class StartPending(Out):
    """The station has accepted; its StartTransaction has not come yet."""

    status: Literal["accepted"] = "accepted"
    call_id: str
    station_id: str
    id_tag: str
    session: None = None


Etas = Callable[[Sequence[Session]], Awaitable[Mapping[TransactionId, datetime]]]
"""Tells when the vehicles of sessions will be full, of those where somebody can tell."""


def session_out(session: Session, eta_at: datetime | None = None) -> SessionOut:
    """Return a session as the contract spells it; `eta_at`: when its vehicle will be full."""
    price = cost(session)
    soc = session.soc_percent
    return SessionOut(
        id=str(session.transaction_id),
        transaction_id=session.transaction_id,
        station_id=session.identity,
        connector_id=session.connector_id,
        id_tag=session.id_tag,
        vehicle_id=session.vehicle_id,
        status="active" if session.active else "completed",
        started_at=session.started_at,
        stopped_at=None if session.active else session.stopped_at,
        meter_start_wh=session.meter_start_wh,
        meter_stop_wh=session.meter_stop_wh,
        energy_kwh=energy_wh(session) / 1000,
        power_kw=kilo(session.power_w) if session.active else None,
        soc_percent=None if soc is None else float(soc),
        limit_a=amperes(
            session.limit_w,
            current_type=session.current_type,
            phases=session.phases,
            voltage_v=session.voltage_v,
        ),
        limit_kw=kilo(session.limit_w),
        stop_reason=_stop_reason(session),
        cost=None if price is None else float(price),
        currency=session.currency,
        price_per_kwh=float(session.price_per_kwh),
        flags=list(session.findings),
        eta_at=eta_at,
    )


def _stop_reason(session: Session) -> str | None:
    """Return the reason of the stop; OCPP 1.6 4.8: none sent means Local."""
    if session.active or session.meter_stop_wh is None:
        return session.stop_reason
    return session.stop_reason or "Local"


def session_number(session_id: str) -> int:
    """Return the transaction id of a session's id. Raises NotFound."""
    if not (session_id.isascii() and session_id.isdigit()) or len(session_id) > 10:
        raise NotFound("session_not_found", "There is no such session.")
    number = int(session_id)
    if not 1 <= number <= _MOST_ID:
        raise NotFound("session_not_found", "There is no such session.")
    return number


class Sessions:
    """The operations."""

    def __init__(self, sessions: SessionService, clock: Clock, etas: Etas) -> None:
        self._sessions = sessions
        self._clock = clock
        self._etas = etas

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        one = "/api/sessions/{session_id}"
        failed = {
            403: "Not allowed to this role, or `refused_locally`: the station is not accepted.",
            404: "There is no such station or session.",
            409: "Rejected, offline or (a stop) ended before.",
            502: "`invalid_response`: the answer breaks its schema.",
            504: "`call_timeout` or `connection_lost`.",
        }

        def route(method: str, path: str, handler: Any, **more: Any) -> Route:
            role = Role.VIEWER if method == "GET" else Role.OPERATOR
            return Route(
                method=method, path=path, handler=handler, role=role, tag="sessions", **more
            )

        return [
            route("GET", "/api/sessions", self.list_sessions),
            route(
                "POST",
                "/api/sessions/start",
                self.start_session,
                status=201,
                also={202: StartPending},
                refusals=failed,
                idempotent=True,
            ),
            route("GET", one, self.get_session),
            route(
                "POST",
                f"{one}/stop",
                self.stop_session,
                also={202: SessionOut},
                refusals=failed,
                idempotent=True,
            ),
            route("GET", f"{one}/meter-values", self.list_session_meter_values),
        ]

    async def list_sessions(self, query: SessionsQuery) -> Page[SessionOut]:
        """Return sessions, the newest first: by transaction id, for chargers' clocks lie."""
        before = None if query.cursor is None else pages.decode(query.cursor, int)[0]
        wanted = SessionFilter(
            active=None if query.status is None else query.status == "active",
            identity=query.station_id,
            id_tag=query.id_tag,
            site=query.site_id,
            since=query.from_,
            until=query.to,
        )
        found = await self._sessions.page(query.limit, wanted, before)
        etas = await self._etas(found)
        return Page[SessionOut](
            items=[session_out(session, etas.get(session.transaction_id)) for session in found],
            next_cursor=pages.encode(found[-1].transaction_id)
            if len(found) == query.limit
            else None,
        )

    async def get_session(self, session_id: str) -> SessionOut:
        """Return one session."""
        session = await self._sessions.get(session_number(session_id))
        etas = await self._etas([session])
        return session_out(session, etas.get(session.transaction_id))

    async def start_session(self, body: StartIn, principal: Principal) -> Reply[SessionOut]:
        """Start a session from afar and wait for it.

        201 with the session; 202 when the station has accepted and not started within `waitS`.
        """
        started = await self._sessions.start(
            principal.name,
            body.station_id,
            connector_id=body.connector_id,
            id_tag=body.id_tag,
            vehicle_id=body.vehicle_id,
            wait_s=body.wait_s,
        )
        if started.session is None:
            pending: Any = StartPending(
                call_id=str(started.call_id), station_id=body.station_id, id_tag=started.id_tag
            )
            return Reply(body=pending, status=202)
        return Reply(body=session_out(started.session), status=201)

    async def stop_session(
        self, session_id: str, body: StopIn, principal: Principal
    ) -> Reply[SessionOut]:
        """Stop a session from afar and wait for it; 202 when it still runs after `waitS`."""
        session = await self._sessions.stop(
            principal.name, session_number(session_id), wait_s=body.wait_s
        )
        return Reply(body=session_out(session), status=202 if session.active else 200)

    async def list_session_meter_values(
        self, session_id: str, query: PageQuery
    ) -> Page[MeterValuesOut]:
        """Return what was measured during a session, the newest first."""
        until, offset = self._clock.now(), 0
        if query.cursor is not None:
            until, offset = pages.decode(query.cursor, datetime, int)
        found = await self._sessions.meter_values(
            session_number(session_id), query.limit, offset, until
        )
        return Page[MeterValuesOut](
            items=[MeterValuesOut.of(reading) for reading in found],
            next_cursor=pages.encode(until, offset + len(found))
            if len(found) == query.limit
            else None,
        )
