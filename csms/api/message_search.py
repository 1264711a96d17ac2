"""A search of the whole message log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from csms.api import pages
from csms.api.fields import Page, PageQuery, PreciseTime, Text, When
from csms.api.routes import Route
from csms.api.station_logs import MessageOut, message_out
from csms.services.access import Role
from csms.services.message_search import MessageSearch, Position
from csms.services.ports.messages import MessageFilter

_TYPES = {"call": 2, "callResult": 3, "callError": 4}


class SearchQuery(PageQuery):
    """Filters; `text`: anywhere in the frame, without case; `repair`: a name, or `any`."""

    station_id: Text | None = None
    action: Text | None = None
    direction: Literal["in", "out"] | None = None
    type: Literal["call", "callResult", "callError"] | None = None
    text: Annotated[str, Field(min_length=2, max_length=200)] | None = None
    repair: Text | None = None
    from_: Annotated[When | None, Field(alias="from")] = None
    to: When | None = None


class FoundMessageOut(MessageOut):
    """A frame of the log, with its station."""

    station_id: str | None


class FoundPage(Page[FoundMessageOut]):
    """Frames that were found; `searchedTo`: all newer ones are searched, null: all are."""

    searched_to: PreciseTime | None = None


class MessageSearches:
    """The operation."""

    def __init__(self, search: MessageSearch, settle_log: Callable[[], Awaitable[None]]) -> None:
        self._search = search
        self._settle_log = settle_log

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        return [
            Route(
                method="GET",
                path="/api/messages",
                handler=self.search_messages,
                role=Role.VIEWER,
                tag="messages",
            )
        ]

    async def search_messages(self, query: SearchQuery) -> FoundPage:
        """Search the messages of all stations, the newest first, for about two seconds.

        What is found by then is answered, with a cursor to go on where there is more to search.
        """
        position = None
        if query.cursor is None:
            await self._settle_log()
        else:
            position = _position(query.cursor)
        found = await self._search.search(
            MessageFilter(
                identity=query.station_id,
                action=query.action,
                direction=query.direction,
                type=None if query.type is None else _TYPES[query.type],
                text=query.text,
                repair=query.repair,
                since=query.from_,
                until=query.to,
            ),
            query.limit,
            position,
        )
        return FoundPage(
            items=[
                FoundMessageOut(station_id=identity, **dict(message_out(message)))
                for identity, message in found.messages
            ],
            next_cursor=None if found.next is None else _cursor(found.next),
            searched_to=found.searched_to,
        )


def _cursor(position: Position) -> str:
    at, key = position.before or (position.day, 0)
    return pages.encode(position.day, position.last + 1, position.before is not None, at, key + 1)


def _position(cursor: str) -> Position:
    day, last, has_before, at, key = pages.decode(cursor, datetime, int, bool, datetime, int)
    return Position(day=day, last=last - 1, before=(at, key - 1) if has_before else None)
