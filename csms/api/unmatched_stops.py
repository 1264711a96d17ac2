"""Stops that fit no session."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field

from csms.api import pages
from csms.api.fields import Out, Page, PageQuery, PreciseTime
from csms.api.routes import Route
from csms.services.access import Role
from csms.services.ports.unmatched_stops import UnmatchedStop
from csms.services.unmatched_stops import TEXTS, UnmatchedStopService


class UnmatchedStopQuery(PageQuery):
    """Whose."""

    station_id: Annotated[str, Field(max_length=255)] | None = None


class UnmatchedStopOut(Out):
    """A StopTransaction that was answered and has changed nothing; `text` says what it may mean."""

    id: str
    station_id: str
    reason: Literal["unknownTransaction", "foreignTransaction", "duplicateStop"]
    text: str
    payload: dict[str, Any]
    received_at: PreciseTime

    @classmethod
    def of(cls, stop: UnmatchedStop) -> Self:
        """Return a stop as the API spells it."""
        return cls.model_validate(
            {
                "id": str(stop.key),
                "stationId": stop.identity,
                "reason": stop.reason,
                "text": TEXTS.get(stop.reason, ""),
                "payload": dict(stop.payload),
                "receivedAt": stop.received_at,
            }
        )


class UnmatchedStops:
    """The operations."""

    def __init__(self, stops: UnmatchedStopService) -> None:
        self._stops = stops

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        return [
            Route(
                method="GET",
                path="/api/unmatched-stops",
                handler=self.list_unmatched_stops,
                role=Role.VIEWER,
                tag="sessions",
            ),
        ]

    async def list_unmatched_stops(self, query: UnmatchedStopQuery) -> Page[UnmatchedStopOut]:
        """Return stops that fit no session, the newest first: they may tell of energy."""
        before = None if query.cursor is None else pages.decode(query.cursor, int)[0]
        found = await self._stops.page(query.limit, before, identity=query.station_id)
        return Page[UnmatchedStopOut](
            items=[UnmatchedStopOut.of(stop) for stop in found],
            next_cursor=pages.encode(found[-1].key) if len(found) == query.limit else None,
        )
