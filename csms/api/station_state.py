"""What a station's calls and notices have led to: jobs, security events."""

from __future__ import annotations

from typing import Any

from csms.api import pages
from csms.api.fields import Out, Page, PageQuery, PreciseTime
from csms.api.files import StationFileOut
from csms.api.routes import Route
from csms.services.access import Role
from csms.services.files import FileService, is_missing
from csms.services.station_state import StationState


class JobReportOut(Out):
    """One report of a job; the first is the answer to its call."""

    status: str
    at: PreciseTime


class JobOut(Out):
    """A firmware, diagnostics or log job.

    `status` is the newest report that counted: after the end of a job reports go to `history` only.
    `files` are those that came to our own file endpoint; `fileMissing`: the station says that it
    has sent one there, and none has come.
    """

    job_id: str
    kind: str
    request_id: int | None
    state: str
    status: str | None
    file_name: str | None
    history: list[JobReportOut]
    files: list[StationFileOut]
    file_missing: bool


class SecurityEventOut(Out):
    """A security event; `at` is the time of its source, critical ones need an operator."""

    type: str
    at: PreciseTime
    tech_info: str | None
    critical: bool
    source: str


class StationStates:
    """The operations."""

    def __init__(self, state: StationState, files: FileService | None) -> None:
        self._state = state
        self._files = files

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
            route(f"{one}/jobs", self.list_jobs),
            route(f"{one}/security-events", self.list_security_events),
        ]

    async def list_jobs(self, station_id: str, query: PageQuery) -> Page[JobOut]:
        """Return the jobs of a station, the newest first."""
        found = await self._state.jobs(station_id, query.limit, _before(query))
        beside = {} if self._files is None else await self._files.beside(found)
        came = {call_id: each.files for call_id, each in beside.items()}
        return Page[JobOut](
            items=[
                JobOut(
                    job_id=str(job.key),
                    kind=job.kind,
                    request_id=job.request_id,
                    state=job.state,
                    status=job.status,
                    file_name=job.file_name,
                    history=[
                        JobReportOut(status=report.status, at=report.at) for report in job.history
                    ],
                    files=[StationFileOut.of(file) for file in came.get(job.call_id, ())],
                    file_missing=is_missing(job, beside.get(job.call_id)),
                )
                for job in found
            ],
            next_cursor=pages.encode(found[-1].key) if len(found) == query.limit else None,
        )

    async def list_security_events(
        self, station_id: str, query: PageQuery
    ) -> Page[SecurityEventOut]:
        """Return the security events of a station, the one that came last first."""
        found = await self._state.security_events(station_id, query.limit, _before(query))
        return Page[SecurityEventOut](
            items=[
                SecurityEventOut(
                    type=event.type,
                    at=event.at,
                    tech_info=event.tech_info,
                    critical=event.critical,
                    source=event.source,
                )
                for event in found
            ],
            next_cursor=pages.encode(found[-1].key) if len(found) == query.limit else None,
        )


def _before(query: PageQuery) -> int | None:
    return None if query.cursor is None else int(pages.decode(query.cursor, int)[0])
