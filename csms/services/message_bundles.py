"""One station's part of the message log as a whole, from the oldest frame to the newest.

Read page by page, each in a transaction of its own: however long the log is, one page of it is in
memory, and no transaction stays open while a slow reader takes his time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from csms.clock import Clock
from csms.errors import NotFound
from csms.services.ports.store import UnitsOfWork
from csms.services.records import MessageRecord, Station

_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What is exported.

    Attributes:
        since: The first moment that is in; None: from the beginning of the log.
        until: The first moment that is out.
        first_page: Already read, so that a database that is away is told before anything else.
    """

    station: Station
    since: datetime | None
    until: datetime
    exported_at: datetime
    first_page: list[MessageRecord]


class MessageBundles:
    """Exports."""

    def __init__(self, units: UnitsOfWork, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def open(
        self, identity: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> Bundle:
        """Return the bundle of a station; without `until` it ends now.

        Raises:
            NotFound: There is no such station.
            DatabaseAway: It is not to be had.
        """
        now = self._clock.now()
        end = now if until is None else min(now, until)
        async with self._units() as unit:
            station = await unit.charge_points.get(identity)
            if station is None:
                raise NotFound("station_not_found", "There is no such station.")
            page = await unit.messages.from_oldest(station.key, _PAGE, at_from=since, at_to=end)
        return Bundle(
            station=station,
            since=since,
            until=end,
            exported_at=now,
            first_page=page,
        )

    async def pages(self, bundle: Bundle) -> AsyncIterator[list[MessageRecord]]:
        """Yield the frames, the oldest first, some at a time; none for an empty log.

        Raises:
            DatabaseAway: It went away in the middle.
        """
        page = bundle.first_page
        while page:
            yield page
            if len(page) < _PAGE:
                return
            last = page[-1]
            async with self._units() as unit:
                page = await unit.messages.from_oldest(
                    bundle.station.key, _PAGE, after=(last.at, last.key), at_to=bundle.until
                )
