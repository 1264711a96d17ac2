"""Reservations for operators, and the loop that draws conclusions for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from csms.aio import Hint
from csms.clock import Clock, wire_time
from csms.domain.events import SessionsChanged, StationChanged
from csms.errors import Conflict, NotFound
from csms.services.commands import CommandService
from csms.services.ports.bus import Bus
from csms.services.ports.state import Reservation
from csms.services.ports.store import UnitsOfWork
from csms.services.records import CallRecord

_POLL_S = 5.0
_PAUSE_S = 0.5


class ReservationService:
    """Makes, shows, changes and cancels reservations.

    What is shown is as new as the transactions and statuses that are stored.
    """

    def __init__(self, units: UnitsOfWork, commands: CommandService, clock: Clock) -> None:
        self._units = units
        self._commands = commands
        self._clock = clock

    async def create(
        self,
        actor: str,
        identity: str,
        *,
        connector_id: int,
        id_tag: str,
        parent_id_tag: str | None,
        expires_at: datetime,
        reservation_id: int | None,
    ) -> Reservation:
        """Send ReserveNow and return the reservation: active or refused.

        Without `parent_id_tag` that of the id tag is sent, where it has one (N13).

        Raises:
            NotFound: No such station.
            CallFailed, Forbidden: See `CommandService.send`.
        """
        async with self._units() as unit:
            if reservation_id is None:
                reservation_id = await unit.reservations.next_id()
            if parent_id_tag is None:
                tag = await unit.id_tags.get(id_tag)
                parent_id_tag = None if tag is None else tag.parent_id_tag
        payload: dict[str, Any] = {
            "connectorId": connector_id,
            "expiryDate": wire_time(expires_at),
            "idTag": id_tag,
            "reservationId": reservation_id,
        }
        if parent_id_tag is not None:
            payload["parentIdTag"] = parent_id_tag
        call = await self._commands.send(actor, identity, "ReserveNow", payload)
        return await self._made_by(call)

    async def change(
        self,
        actor: str,
        reservation_id: int,
        identity: str | None,
        changes: Mapping[str, Any],
    ) -> Reservation:
        """Send ReserveNow with the same id, which replaces; returns the new reservation.

        Raises:
            NotFound: No such reservation.
            Conflict: `not_active`, `several_stations`.
            CallFailed, Forbidden: See `CommandService.send`.
        """
        found = await self.active(reservation_id, identity)
        return await self.create(
            actor,
            found.identity,
            connector_id=changes.get("connector_id", found.connector_id),
            id_tag=changes.get("id_tag", found.id_tag),
            parent_id_tag=None if "id_tag" in changes else found.parent_id_tag,
            expires_at=changes.get("expires_at", found.expires_at),
            reservation_id=reservation_id,
        )

    async def cancel(self, actor: str, reservation_id: int, identity: str | None) -> Reservation:
        """Send CancelReservation and return the reservation: cancelled, or dropped (N01).

        Raises:
            NotFound: No such reservation.
            Conflict: `not_active`, `several_stations`; `call_refused` by a CALLERROR.
            CallFailed, Forbidden: See `CommandService.send`.
        """
        found = await self.active(reservation_id, identity)
        call = await self._commands.send(
            actor, found.identity, "CancelReservation", {"reservationId": reservation_id}
        )
        if call.outcome == "callError":
            raise Conflict("call_refused", f"The station answered {call.error_code}.")
        return await self.get(reservation_id, found.identity)

    async def get(self, reservation_id: int, identity: str | None = None) -> Reservation:
        """Return the newest reservation of this id.

        Raises:
            NotFound: There is none.
            Conflict: `several_stations` have one, of which one and no other must be active.
        """
        await self._follow()
        async with self._units() as unit:
            found = await unit.reservations.of_id(reservation_id, identity)
        if not found:
            raise NotFound("reservation_not_found", "There is no such reservation.")
        if len(found) > 1:
            found = [each for each in found if each.status == "active"] or found
        if len(found) > 1:
            raise Conflict(
                "several_stations", "Several stations have a reservation of this id: add stationId."
            )
        return found[0]

    async def active(self, reservation_id: int, identity: str | None) -> Reservation:
        """Return an active reservation. Raises NotFound, and Conflict `not_active` too."""
        found = await self.get(reservation_id, identity)
        if found.status != "active":
            raise Conflict("not_active", f"The reservation is {found.status} already.")
        return found

    async def page(
        self,
        limit: int,
        before: int | None = None,
        *,
        status: str | None = None,
        identity: str | None = None,
        pending: bool = False,
    ) -> Sequence[Reservation]:
        """Return reservations, the newest first; `pending`: also those asked for right now."""
        await self._follow()
        async with self._units() as unit:
            return await unit.reservations.page(
                limit, before=before, status=status, identity=identity, pending=pending
            )

    async def _made_by(self, call: CallRecord) -> Reservation:
        async with self._units() as unit:
            made = await unit.reservations.by_call(call.id)
        if made is None:  # the database was away when the outcome came
            raise NotFound("reservation_not_found", "The reservation could not be recorded.")
        return made

    async def _follow(self) -> None:
        async with self._units() as unit:
            await unit.reservations.follow(self._clock.now())


class StateWatch:
    """Follows transactions, statuses and time, by hint or poll: reservations, security events.

    Concurrency: one task runs `run`; several nodes may, each conclusion is drawn once.
    """

    def __init__(self, units: UnitsOfWork, bus: Bus, clock: Clock) -> None:
        self._units = units
        self._bus = bus
        self._clock = clock
        self._orphan = 0
        self._hint = Hint()
        bus.subscribe(SessionsChanged, lambda _: self._hint.give())
        bus.subscribe(StationChanged, lambda _: self._hint.give())

    async def run(self) -> None:
        """Draw conclusions, for ever."""
        while True:
            await self.follow()
            await self._clock.sleep(_PAUSE_S)  # not for each meter value
            await self._hint.taken(_POLL_S)

    async def follow(self) -> None:
        """Draw what conclusions there are."""
        now = self._clock.now()
        async with self._units() as unit:
            changed = await unit.reservations.follow(now)
            orphan = await unit.security_events.note_foreign_transactions(self._orphan, now)
        self._orphan = orphan
        if changed:
            self._bus.publish(SessionsChanged(frozenset(changed)))
