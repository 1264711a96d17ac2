"""What the connectors of a station have been: each change, and how long it lasted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from csms.api import pages
from csms.api.fields import ConnectorNumber, Out, Page, PreciseTime, Query, When
from csms.api.routes import Route
from csms.api.station_logs import TimesQuery
from csms.clock import Clock
from csms.errors import Invalid
from csms.services.access import Role
from csms.services.connector_history import ConnectorHistories
from csms.services.ports.connector_history import ConnectorStatus

_DEFAULT_SPAN = timedelta(days=30)


class ConnectorChangeOut(Out):
    """A change of a connector.

    `receivedAt` is when it came, `reportedAt` what the station's clock said (null: no time was
    sent). `late`: it came after newer ones, out of a queue, and never was the present state.
    """

    connector_id: int
    status: str
    error_code: str
    info: str | None
    vendor_id: str | None
    vendor_error_code: str | None
    reported_at: PreciseTime | None
    received_at: PreciseTime
    late: bool

    @classmethod
    def of(cls, change: ConnectorStatus) -> ConnectorChangeOut:
        """Return it as the contract spells it."""
        return cls(
            connector_id=change.connector_id,
            status=change.status,
            error_code=change.error_code,
            info=change.info,
            vendor_id=change.vendor_id,
            vendor_error_code=change.vendor_error_code,
            reported_at=change.reported_at,
            received_at=change.received_at,
            late=change.late,
        )


class SpanQuery(Query):
    """A span of time; without `to` until now, without `from` the 30 days before."""

    from_: Annotated[When | None, Field(alias="from")] = None
    to: When | None = None


class ConnectorAvailabilityOut(Out):
    """How long one connector was what.

    `secondsByStatus` has `Unknown` for the time before its first report; `upPercent` is the share
    of the known time in which it was neither Faulted nor Unavailable, null where none is known.
    """

    connector_id: int
    seconds_by_status: dict[str, int]
    up_percent: float | None
    changes: int


class AvailabilityOut(Out):
    """The availability of a station by connector; 0 is the station as a whole."""

    from_: Annotated[PreciseTime, Field(alias="from")]
    to: PreciseTime
    connectors: list[ConnectorAvailabilityOut]


class ConnectorHistoryApi:
    """The operations."""

    def __init__(self, histories: ConnectorHistories, clock: Clock) -> None:
        self._histories = histories
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        one = "/api/stations/{station_id}"

        def route(path: str, handler: Any, missing: str) -> Route:
            return Route(
                method="GET",
                path=path,
                handler=handler,
                role=Role.VIEWER,
                tag="stations",
                refusals={404: missing},
            )

        no_station = "There is no such station."
        return [
            route(f"{one}/history", self.list_station, no_station),
            route(
                f"{one}/connectors/{{connector_id}}/history",
                self.list_connector,
                "There is no such station, or it has no such connector.",
            ),
            route(f"{one}/availability", self.availability, no_station),
        ]

    async def list_station(self, station_id: str, query: TimesQuery) -> Page[ConnectorChangeOut]:
        """Return the changes of all connectors of a station, the one that came last first."""
        return await self._page(station_id, None, query)

    async def list_connector(
        self, station_id: str, connector_id: ConnectorNumber, query: TimesQuery
    ) -> Page[ConnectorChangeOut]:
        """Return the changes of a connector, the one that came last first; 0: the station."""
        return await self._page(station_id, connector_id, query)

    async def availability(self, station_id: str, query: SpanQuery) -> AvailabilityOut:
        """Return how long each connector was what, by what the station has told."""
        now = self._clock.now()
        end = min(query.to or now, now)
        start = query.from_ or end - _DEFAULT_SPAN
        if start >= end:
            raise Invalid("invalid_request", "The span is empty.", {"from": "is not before to"})
        found = await self._histories.availability(station_id, start, end)
        return AvailabilityOut(
            from_=start,
            to=end,
            connectors=[
                ConnectorAvailabilityOut(
                    connector_id=number,
                    seconds_by_status=dict(each.seconds),
                    up_percent=each.up_percent,
                    changes=each.changes,
                )
                for number, each in found.items()
            ],
        )

    async def _page(
        self, station_id: str, connector_id: int | None, query: TimesQuery
    ) -> Page[ConnectorChangeOut]:
        before = None
        if query.cursor is not None:
            at, key = pages.decode(query.cursor, datetime, int)
            before = (at, key)
        found = await self._histories.changes(
            station_id,
            query.limit,
            connector_id=connector_id,
            before=before,
            received_from=query.from_,
            received_to=query.to,
        )
        return Page[ConnectorChangeOut](
            items=[ConnectorChangeOut.of(change) for change in found],
            next_cursor=pages.encode(found[-1].received_at, found[-1].key)
            if len(found) == query.limit
            else None,
        )
