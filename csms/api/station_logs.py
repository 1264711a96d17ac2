"""What a station has done: the calls it got, its frames, its meter values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from csms.api import pages
from csms.api.fields import Out, Page, PageQuery, PreciseTime, Text, When
from csms.api.meter_values import MeterValuesOut
from csms.api.routes import Route
from csms.clock import Clock
from csms.services.access import Role
from csms.services.messages import LoggedMessage
from csms.services.ports.messages import MessageFilter
from csms.services.stations import StationService


class CallOut(Out):
    """A call that was sent; `outcome` is null while it is open."""

    call_id: str
    action: str
    payload: dict[str, Any]
    operator: str
    created_at: PreciseTime
    sent_at: PreciseTime | None
    ended_at: PreciseTime | None
    outcome: str | None
    status: str | None
    response: dict[str, Any] | None
    error_code: str | None
    error_description: str | None
    warnings: list[str]


class MessagesQuery(PageQuery):
    """Filters of the message log; `from` is in, `to` is out; `repair`: a name, or `any`."""

    action: Text | None = None
    direction: Literal["in", "out"] | None = None
    repair: Text | None = None
    from_: Annotated[When | None, Field(alias="from")] = None
    to: When | None = None


class MessageOut(Out):
    """One frame; of an answer `action` is that of its call.

    Where `repairs` names some, `payload` is what they made of `raw`.
    """

    direction: str
    type: str | None
    action: str | None
    message_id: str | None
    payload: Any
    raw: str
    at: PreciseTime
    repairs: list[str]
    latency_ms: float | None


class TimesQuery(PageQuery):
    """A span of time; `from` is in, `to` is out."""

    from_: Annotated[When | None, Field(alias="from")] = None
    to: When | None = None


def message_out(message: LoggedMessage) -> MessageOut:
    """Return a frame as the contract spells it."""
    record = message.record
    return MessageOut(
        direction=record.direction,
        type=message.type,
        action=record.action,
        message_id=record.message_id,
        payload=message.payload,
        raw=record.raw,
        at=record.at,
        repairs=list(record.repairs),
        latency_ms=record.latency_ms,
    )


class StationLogs:
    """The operations."""

    def __init__(
        self, stations: StationService, clock: Clock, settle_log: Callable[[], Awaitable[None]]
    ) -> None:
        self._stations = stations
        self._clock = clock
        self._settle_log = settle_log

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        one = "/api/stations/{station_id}"

        def route(path: str, handler: Any) -> Route:
            return Route(
                method="GET",
                path=path,
                handler=handler,
                role=Role.VIEWER,
                tag="stations",
                refusals={404: "There is no such station."},
            )

        return [
            route(f"{one}/calls", self.list_calls),
            route(f"{one}/messages", self.list_messages),
            route(f"{one}/meter-values", self.list_meter_values),
        ]

    async def list_calls(self, station_id: str, query: PageQuery) -> Page[CallOut]:
        """Return the calls that were sent to a station, the newest first."""
        before = None
        if query.cursor is not None:
            at, call_id = pages.decode(query.cursor, datetime, str)
            before = (at, call_id)
        found = await self._stations.calls(station_id, query.limit, before)
        return Page[CallOut](
            items=[
                CallOut(
                    call_id=call.id,
                    action=call.action,
                    payload=dict(call.payload),
                    operator=call.actor,
                    created_at=call.created_at,
                    sent_at=call.sent_at,
                    ended_at=call.ended_at,
                    outcome=call.outcome,
                    status=call.status,
                    response=None if call.response is None else dict(call.response),
                    error_code=call.error_code,
                    error_description=call.error_description,
                    warnings=list(call.warnings),
                )
                for call in found
            ],
            next_cursor=pages.encode(found[-1].created_at, found[-1].id)
            if len(found) == query.limit
            else None,
        )

    async def list_messages(self, station_id: str, query: MessagesQuery) -> Page[MessageOut]:
        """Return the OCPP frames of a station, the newest first; secrets are masked."""
        before = None
        if query.cursor is not None:
            at, key = pages.decode(query.cursor, datetime, int)
            before = (at, key)
        await self._settle_log()
        wanted = MessageFilter(
            action=query.action,
            direction=query.direction,
            repair=query.repair,
            since=query.from_,
            until=query.to,
        )
        found = await self._stations.messages(station_id, query.limit, wanted, before)
        last = found[-1].record if len(found) == query.limit else None
        return Page[MessageOut](
            items=[message_out(message) for message in found],
            next_cursor=None if last is None else pages.encode(last.at, last.key),
        )

    async def list_meter_values(self, station_id: str, query: TimesQuery) -> Page[MeterValuesOut]:
        """Return what a station measured, by the time of arrival, the newest first.

        Without `from` the last day is given.
        """
        until, offset = query.to or self._clock.now(), 0
        if query.cursor is not None:
            until, offset = pages.decode(query.cursor, datetime, int)
        found = await self._stations.meter_values(
            station_id,
            query.limit,
            offset,
            received_from=query.from_ or until - timedelta(days=1),
            received_to=until,
        )
        return Page[MeterValuesOut](
            items=[MeterValuesOut.of(reading) for reading in found],
            next_cursor=pages.encode(until, offset + len(found))
            if len(found) == query.limit
            else None,
        )
