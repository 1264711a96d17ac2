"""The connection diary of stations."""

from __future__ import annotations

from csms.api import pages
from csms.api.fields import Out, Page, PageQuery, PreciseTime
from csms.api.routes import Route
from csms.errors import NotFound
from csms.services.access import Role
from csms.services.diary import Diary, fix
from csms.services.ports.store import UnitsOfWork


class AttemptOut(Out):
    """An attempt to connect.

    `outcome` is `connected`, `tookOver` (from a connection that was still there) or `refused`;
    `fix` says what would let it in.
    """

    at: PreciseTime
    outcome: str
    status: int
    reason: str | None
    fix: str | None
    identity: str
    address: str


class ConnectionAttempts:
    """The operations."""

    def __init__(self, diary: Diary, units: UnitsOfWork) -> None:
        self._diary = diary
        self._units = units

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        return [
            Route(
                method="GET",
                path="/api/stations/{station_id}/connections",
                handler=self.list_connections,
                role=Role.VIEWER,
                tag="stations",
                refusals={404: "There is no such station, and nobody came who said to be it."},
            )
        ]

    async def list_connections(self, station_id: str, query: PageQuery) -> Page[AttemptOut]:
        """Return who has tried to connect as this station, the newest first.

        Refused identities that are no stations (yet) have a diary too.
        """
        before = None if query.cursor is None else int(pages.decode(query.cursor, int)[0])
        found = await self._diary.page(station_id, query.limit, before)
        if not found:
            async with self._units() as unit:
                if await unit.charge_points.get(station_id) is None:
                    raise NotFound("station_not_found", "There is no such station.")
        return Page[AttemptOut](
            items=[
                AttemptOut(
                    at=attempt.at,
                    outcome=attempt.outcome,
                    status=attempt.status,
                    reason=attempt.reason,
                    fix=fix(attempt),
                    identity=attempt.identity,
                    address=attempt.address,
                )
                for _, attempt in found
            ],
            next_cursor=pages.encode(found[-1][0]) if len(found) == query.limit else None,
        )
