"""Reservations."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from csms.api import pages
from csms.api.fields import (
    ConnectorNumber,
    IdTagText,
    In,
    Out,
    Page,
    PageQuery,
    Query,
    Text,
    Time,
    When,
)
from csms.api.routes import Route
from csms.services.access import Principal, Role
from csms.services.ports.state import Reservation
from csms.services.reservations import ReservationService

_Number = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
_Path = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
_Status = Literal["active", "used", "expired", "cancelled", "dropped", "refused"]


class ReservationIn(In):
    """A new reservation.

    Connector 0 is the whole station; without `reservationId` one is taken that no other has;
    without `parentIdTag` that of the id tag is sent.
    """

    station_id: Text
    connector_id: ConnectorNumber = 0
    id_tag: IdTagText
    parent_id_tag: IdTagText | None = None
    expires_at: When
    reservation_id: _Number | None = None


class ReservationPatch(In):
    """Changes of an active reservation."""

    connector_id: ConnectorNumber | None = None
    id_tag: IdTagText | None = None
    expires_at: When | None = None

    @model_validator(mode="after")
    def _clears_nothing(self) -> Self:
        if any(getattr(self, name) is None for name in self.model_fields_set):
            raise ValueError("no field of a reservation can be cleared")
        return self


class StationQuery(Query):
    """Which station's, where several have a reservation of the same id."""

    station_id: Annotated[str, Field(max_length=255)] | None = None


class ReservationsQuery(PageQuery):
    """Which reservations; `pending`: also those that their station has not answered yet."""

    status: _Status | None = None
    station_id: Annotated[str, Field(max_length=255)] | None = None
    pending: bool = False


class ReservationOut(Out):
    """A reservation.

    `confirmed` is false while only we say so: the station's answer was lost. `sessionId` names the
    session that has used it. `status` is `pending` while the station is asked.
    """

    reservation_id: int
    station_id: str
    connector_id: int
    id_tag: str
    parent_id_tag: str | None
    expires_at: Time
    status: str
    confirmed: bool
    session_id: str | None

    @classmethod
    def of(cls, found: Reservation) -> Self:
        """Return a reservation as the contract spells it."""
        session = found.transaction_id
        return cls(
            reservation_id=found.reservation_id,
            station_id=found.identity,
            connector_id=found.connector_id,
            id_tag=found.id_tag,
            parent_id_tag=found.parent_id_tag,
            expires_at=found.expires_at,
            status="pending" if found.status == "requested" else found.status,
            confirmed=found.confirmed,
            session_id=None if session is None else str(session),
        )


class Reservations:
    """The operations; the path of a reservation is its id on the wire."""

    def __init__(self, reservations: ReservationService) -> None:
        self._reservations = reservations

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        one = "/api/reservations/{reservation_id}"
        sending = {
            403: "Not allowed to this role, or `refused_locally` for safety.",
            404: "There is no such station or reservation.",
            409: "`station_offline`, `not_active`, `several_stations` or `call_refused`.",
            502: "`invalid_response`: the answer breaks its schema.",
            504: "`call_timeout` or `connection_lost`: it may have been done.",
        }

        def route(method: str, path: str, handler: Any, **more: Any) -> Route:
            role = Role.VIEWER if method == "GET" else Role.OPERATOR
            return Route(
                method=method, path=path, handler=handler, role=role, tag="reservations", **more
            )

        return [
            route("GET", "/api/reservations", self.list_reservations),
            route(
                "POST",
                "/api/reservations",
                self.create_reservation,
                status=201,
                idempotent=True,
                refusals=sending,
            ),
            route("GET", one, self.get_reservation),
            route("PATCH", one, self.change_reservation, refusals=sending),
            route("DELETE", one, self.cancel_reservation, refusals=sending),
        ]

    async def list_reservations(self, query: ReservationsQuery) -> Page[ReservationOut]:
        """Return reservations, the newest first; also those made through `/calls`."""
        before = None if query.cursor is None else pages.decode(query.cursor, int)[0]
        found = await self._reservations.page(
            query.limit,
            before,
            status=query.status,
            identity=query.station_id,
            pending=query.pending,
        )
        return Page[ReservationOut](
            items=[ReservationOut.of(each) for each in found],
            next_cursor=pages.encode(found[-1].key) if len(found) == query.limit else None,
        )

    async def create_reservation(self, body: ReservationIn, principal: Principal) -> ReservationOut:
        """Send ReserveNow; `status` is `active`, or `refused` when the station said so."""
        made = await self._reservations.create(
            principal.name,
            body.station_id,
            connector_id=body.connector_id,
            id_tag=body.id_tag,
            parent_id_tag=body.parent_id_tag,
            expires_at=body.expires_at,
            reservation_id=body.reservation_id,
        )
        return ReservationOut.of(made)

    async def get_reservation(self, reservation_id: _Path, query: StationQuery) -> ReservationOut:
        """Return the newest reservation of this id."""
        return ReservationOut.of(await self._reservations.get(reservation_id, query.station_id))

    async def change_reservation(
        self,
        reservation_id: _Path,
        query: StationQuery,
        body: ReservationPatch,
        principal: Principal,
    ) -> ReservationOut:
        """Send ReserveNow with the same id, which takes the place of the earlier one."""
        changes = {name: getattr(body, name) for name in body.model_fields_set}
        changed = await self._reservations.change(
            principal.name, reservation_id, query.station_id, changes
        )
        return ReservationOut.of(changed)

    async def cancel_reservation(
        self, reservation_id: _Path, query: StationQuery, principal: Principal
    ) -> ReservationOut:
        """Send CancelReservation; `dropped` when the station does not know it."""
        return ReservationOut.of(
            await self._reservations.cancel(principal.name, reservation_id, query.station_id)
        )
