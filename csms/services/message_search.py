"""The whole message log searched backwards, for as long as one request may take.

A search that has not found enough by then says how far it has come, and is continued from there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from csms.clock import Clock
from csms.domain.ids import Identity
from csms.errors import Invalid
from csms.services.messages import LoggedMessage, logged_message
from csms.services.ports.message_search import Day, Found
from csms.services.ports.messages import MessageFilter
from csms.services.ports.store import UnitOfWork, UnitsOfWork

_BUDGET_S = 2.0
_PIECE = 2_048  # blocks of 8 kB: some ten thousand frames
_STEP = timedelta(days=2)
_NO_KEY = -1  # lower than any: with a time beside it, all of that moment are left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a search goes on.

    Attributes:
        day: First moment of the day of the log.
        last: Block of that day before which is to be read; -1: it was not begun yet.
        before: Frames of that piece have to be older; None: all are wanted.
    """

    day: datetime
    last: int
    before: tuple[datetime, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """What a search has found.

    Attributes:
        messages: The newest first, with the stations' identities.
        next: Where to go on; None: that was all.
        searched_to: Everything newer is searched; None: all is.
    """

    messages: list[tuple[Identity | None, LoggedMessage]]
    next: Position | None
    searched_to: datetime | None


class MessageSearch:
    """Searches."""

    def __init__(self, units: UnitsOfWork, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def search(
        self, wanted: MessageFilter, limit: int, position: Position | None = None
    ) -> SearchResult:
        """Return frames, the newest first, as many as are found in time.

        Raises:
            Invalid: The times make no sense.
        """
        if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
            raise Invalid("invalid_request", "There is no such time.", {"to": "must be after from"})
        deadline = self._clock.monotonic() + _BUDGET_S
        found: list[Found] = []
        if wanted.identity is not None:
            place = await self._of_station(wanted, limit, position, found, deadline)
        else:
            place = await self._of_all(wanted, limit, position, found, deadline)
        reached = None if place is None else place.day
        if place is not None and found and len(found) == limit:
            reached = found[-1].record.at
        return SearchResult(
            messages=[(one.identity, logged_message(one.record)) for one in found],
            next=place,
            searched_to=reached,
        )

    async def _of_all(
        self,
        wanted: MessageFilter,
        limit: int,
        position: Position | None,
        found: list[Found],
        deadline: float,
    ) -> Position | None:
        async with self._units() as unit:
            days = await unit.message_search.days(wanted.since, wanted.until)
        days = [day for day in days if position is None or day.begin <= position.day]
        for day in days:
            resumed = position is not None and position.day == day.begin and position.last >= 0
            async with self._units() as unit:
                first, last = await self._bounds(unit, day, wanted)
            before = None
            if resumed and position is not None:
                last, before = min(last, position.last), position.before
            while last > first:
                low = max(first, last - _PIECE)
                async with self._units() as unit:
                    piece = await unit.message_search.piece(
                        day, low, last, wanted, limit - len(found), before=before
                    )
                found += piece
                if len(found) == limit:
                    record = piece[-1].record
                    return Position(day=day.begin, last=last, before=(record.at, record.key))
                last, before = low, None
                if self._clock.monotonic() >= deadline and (last > first or day is not days[-1]):
                    return Position(day=day.begin, last=last)
        return None

    @staticmethod
    async def _bounds(unit: UnitOfWork, day: Day, wanted: MessageFilter) -> tuple[int, int]:
        """Return the blocks of a day that may hold frames of the times that are wanted."""
        first, last = 0, day.blocks
        if wanted.since is not None and wanted.since > day.begin:
            first = await unit.message_search.block_at(day, wanted.since)
        if wanted.until is not None and wanted.until < day.begin + timedelta(days=1):
            # rows of one moment may stand in several blocks
            last = min(last, await unit.message_search.block_at(day, wanted.until) + 2)
        return first, last

    async def _of_station(
        self,
        wanted: MessageFilter,
        limit: int,
        position: Position | None,
        found: list[Found],
        deadline: float,
    ) -> Position | None:
        """Search one station's frames, some days at a time."""
        async with self._units() as unit:
            days = await unit.message_search.days(wanted.since, wanted.until)
        if not days:
            return None
        begin = max(days[-1].begin, wanted.since or days[-1].begin)
        end = days[0].begin + timedelta(days=1)
        before = (min(end, wanted.until or end), _NO_KEY)
        if position is not None and position.before is not None:
            before = position.before
        while before[0] >= begin:
            since = max(begin, before[0] - _STEP)
            async with self._units() as unit:
                found += await unit.message_search.of_station(
                    replace(wanted, since=None, until=None),
                    limit - len(found),
                    since=since,
                    before=before,
                )
            if len(found) == limit:
                record = found[-1].record
                return Position(day=since, last=-1, before=(record.at, record.key))
            before = (since, _NO_KEY)
            if since <= begin:
                break
            if self._clock.monotonic() >= deadline:
                return Position(day=since, last=-1, before=before)
        return None
