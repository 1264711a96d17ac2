"""Sessions: transactions from the driver's side; starting and stopping them from afar."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from csms.aio import Hint
from csms.clock import Clock
from csms.domain import transactions
from csms.domain.events import SessionsChanged
from csms.domain.registers import taken_wh
from csms.errors import CallFailed, Conflict, DatabaseAway, NotFound
from csms.services.commands import CommandService
from csms.services.credentials import tag_of_user
from csms.services.ports.bus import Bus
from csms.services.ports.sessions import SessionFilter
from csms.services.ports.store import UnitsOfWork
from csms.services.records import CallRecord, MeterReading, Session, Station

_POLL_S = 1.0
_LATE_VALUES = timedelta(days=2)
_SENT = frozenset({"call_timeout", "connection_lost", "invalid_response"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What a remote start has led to; `session` None: accepted, not started yet.

    Attributes:
        call_id: None where the session has started although the call got no usable answer.
    """

    call_id: str | None
    id_tag: str
    session: Session | None


def energy_wh(session: Session) -> int:
    """Return what a session has taken so far; a register that runs backwards counts as nothing."""
    if session.meter_stop_wh is not None:
        return max(session.meter_stop_wh - session.meter_start_wh, 0)
    return taken_wh(session.meter_start_wh, session.register_wh)


def cost(session: Session) -> Decimal | None:
    """Return what a session costs so far or in the end; None when it is not billable."""
    if not session.active:
        return session.cost
    return transactions.cost(energy_wh(session), session.price_per_kwh, list(session.findings))


class SessionService:
    """Shows, starts and stops sessions."""

    def __init__(
        self,
        units: UnitsOfWork,
        commands: CommandService,
        bus: Bus,
        clock: Clock,
        *,
        secret: bytes,
    ) -> None:
        self._units = units
        self._commands = commands
        self._bus = bus
        self._clock = clock
        self._secret = secret

    async def get(self, transaction_id: int) -> Session:
        """Return one session. Raises NotFound."""
        async with self._units() as unit:
            session = await unit.sessions.get(transaction_id)
        if session is None:
            raise NotFound("session_not_found", "There is no such session.")
        return session

    async def page(
        self, limit: int, wanted: SessionFilter, before: int | None = None
    ) -> list[Session]:
        """Return sessions that the filter lets through, the newest (highest id) first."""
        async with self._units() as unit:
            return await unit.sessions.page(limit, wanted, before=before)

    async def meter_values(
        self, transaction_id: int, limit: int, offset: int, until: datetime | None
    ) -> list[MeterReading]:
        """Return the readings of a session received until `until`, the newest first.

        Raises:
            NotFound: No such session.
        """
        async with self._units() as unit:
            session = await unit.sessions.get(transaction_id)
            if session is None:
                raise NotFound("session_not_found", "There is no such session.")
            end = self._clock.now()
            if session.stopped_at is not None and not session.active:
                end = min(end, max(session.stopped_at, session.start_received_at) + _LATE_VALUES)
            return await unit.sessions.meter_values(
                session.charge_point,
                transaction_id=transaction_id,
                received_from=session.start_received_at,
                received_to=end if until is None else min(until, end),
                offset=offset,
                limit=limit,
            )

    async def start(
        self,
        actor: str,
        identity: str,
        *,
        connector_id: int | None,
        id_tag: str | None,
        vehicle_id: str | None,
        wait_s: float,
    ) -> Started:
        """Send RemoteStartTransaction and wait up to `wait_s` seconds for its StartTransaction.

        Without an id tag one is used that is made for this user, and accepted in Authorize too.
        Without a connector that of a station which has only one: some demand it (Phoenix CHARX).

        Raises:
            NotFound: No such station.
            Forbidden: `refused_locally`.
            Conflict: The station has rejected it.
            CallFailed: Offline, or no usable answer.

        Cancellation: the charge point may start all the same.
        """
        tag = id_tag or tag_of_user(self._secret, actor)
        async with self._units() as unit:
            if connector_id is None:
                connector_id = only_connector(await unit.charge_points.get(identity))
            if id_tag is None:
                await unit.id_tags.insert_if_missing(tag, f"Remote starts of {actor}"[:255])
            # ids come from one sequence: whatever starts from now on has a higher one
            newest = await unit.sessions.newest_id()
        payload: dict[str, Any] = {} if connector_id is None else {"connectorId": connector_id}
        payload["idTag"] = tag
        hint, seen = Hint(), set[int]()

        def receive(event: SessionsChanged) -> None:
            new = {number for number in event.transaction_ids if number > newest} - seen
            if new:
                seen.update(new)
                hint.give()

        async def started() -> Session | None:
            async with self._units() as unit:
                return await unit.sessions.started_after(
                    identity, newest, id_tag=tag, connector_id=connector_id
                )

        call_id: str | None
        session: Session | None
        unsubscribe = self._bus.subscribe(SessionsChanged, receive)
        try:
            try:
                call = await self._commands.send(actor, identity, "RemoteStartTransaction", payload)
            except CallFailed as error:
                call_id, session = None, await self._all_the_same(error, started, hint, wait_s)
            else:
                _require_accepted(call)
                call_id = call.id
                session = await self._waited(started, hint, wait_s)
        finally:
            unsubscribe()
        if session is not None and vehicle_id is not None:
            async with self._units() as unit:
                await unit.sessions.set_vehicle(session.transaction_id, vehicle_id)
            session = replace(session, vehicle_id=vehicle_id)
        return Started(call_id=call_id, id_tag=tag, session=session)

    async def stop(self, actor: str, transaction_id: int, *, wait_s: float) -> Session:
        """Send RemoteStopTransaction and wait up to `wait_s` seconds for its StopTransaction.

        Returns the session, which is still active when it has not stopped in time.

        Raises:
            NotFound: No such session.
            Conflict: It has ended before, or the station has rejected the stop.
            Forbidden, CallFailed: As `start`.
        """
        session = await self.get(transaction_id)
        if not session.active:
            raise Conflict("session_completed", "This session has ended already.")
        hint = Hint()

        def receive(event: SessionsChanged) -> None:
            if transaction_id in event.transaction_ids:
                hint.give()

        async def stopped() -> Session | None:
            found = await self.get(transaction_id)
            return None if found.active else found

        unsubscribe = self._bus.subscribe(SessionsChanged, receive)
        try:
            try:
                call = await self._commands.send(
                    actor,
                    session.identity,
                    "RemoteStopTransaction",
                    {"transactionId": transaction_id},
                )
            except CallFailed as error:
                return await self._all_the_same(error, stopped, hint, wait_s)
            if call.outcome != "accepted":
                over = await stopped()  # it may have ended by itself meanwhile
                if over is not None:
                    return over
                _require_accepted(call)
            found = await self._waited(stopped, hint, wait_s)
        finally:
            unsubscribe()
        return session if found is None else found

    async def _all_the_same(
        self,
        error: CallFailed,
        look: Callable[[], Awaitable[Session | None]],
        hint: Hint,
        wait_s: float,
    ) -> Session:
        """Return the session where a station has done what it was asked for, but not said so.

        Raises:
            CallFailed: It has not, as far as is known.
        """
        if error.code not in _SENT:
            raise error
        # nothing more is to be waited for where the time for an answer has passed
        answered = error.code == "invalid_response"
        found = await self._waited(look, hint, wait_s if answered else 0.0)
        if found is None:
            raise error
        return found

    async def _waited(
        self, look: Callable[[], Awaitable[Session | None]], hint: Hint, wait_s: float
    ) -> Session | None:
        """Look at each hint, and each second in case one is lost, until something is found."""
        deadline = self._clock.monotonic() + wait_s
        while True:
            try:
                found = await look()
            except DatabaseAway:  # the call was sent: only the waiting can end in vain
                found = None
            left = deadline - self._clock.monotonic()
            if found is not None or left <= 0:
                return found
            await hint.taken(min(left, _POLL_S))


def _require_accepted(call: CallRecord) -> None:
    if call.outcome == "callError":
        raise Conflict("call_error", f"The station answered {call.action} with {call.error_code}.")
    if call.outcome != "accepted":
        raise Conflict("rejected", f"The station answered {call.action} with {call.status}.")


def only_connector(station: Station | None) -> int | None:
    """Return the number of the only connector that a station has, as far as is known."""
    if station is None:
        return None
    numbers = [each.connector_id for each in station.connectors if each.connector_id > 0]
    return numbers[0] if len(numbers) == 1 else None
