"""Calls to many stations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from csms.api import pages
from csms.api.fields import In, JsonObject, Out, Page, PageQuery, PreciseTime, Text
from csms.api.routes import Reply, Route
from csms.services.access import Principal, Role
from csms.services.bulk import MOST_AT_ONCE, MOST_STATIONS, BulkRequest, BulkService, Preview
from csms.services.call_catalogue import CALLS
from csms.services.ports.bulk import BulkJob, Selection

_MOST_SHOWN = 1_000


class SelectionIn(In):
    """Which stations: what is given holds all together; `all` where nothing else is given.

    `text` is a part of the identity or the name; `online`: only connected ones, or only others.
    """

    all: bool = False
    ids: Annotated[list[Text], Field(min_length=1, max_length=MOST_STATIONS)] | None = None
    site_id: Text | None = None
    vendor: Text | None = None
    model: Text | None = None
    firmware_version: Text | None = None
    text: Text | None = None
    online: bool | None = None

    @model_validator(mode="after")
    def _says_whom(self) -> Self:
        given = self.model_dump(exclude_none=True, exclude={"all"})
        if not given and not self.all:
            raise ValueError("say which stations, or all: true")
        if given.keys() - {"online"} and self.all:
            raise ValueError("all: true stands alone, or with online")
        return self


class BulkIn(In):
    """A call to many stations; with `preview` nothing is sent.

    `skipBusy`: stations where a session runs when their turn comes get the outcome `sessionRuns`;
    `awaitJobs`: with a call that begins a job (firmware, diagnostics, log) the next station waits
    until the job of the one before has ended.
    """

    action: Text
    payload: JsonObject = Field(default_factory=dict)
    stations: SelectionIn
    concurrency: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] = 10
    preview: bool = False
    skip_busy: bool = False
    await_jobs: bool = False


class MatchedOut(Out):
    """A station that would get it; `sessions` run there."""

    station_id: str
    name: str
    online: bool
    registration: str
    sessions: int


class PreviewOut(Out):
    """Who would get it; `stations` are the first thousand."""

    action: str
    disrupts: bool
    matched: int
    online: int
    sessions: int
    stations: list[MatchedOut]


class BulkOut(Out):
    """A job; `outcomes` counts stations by outcome, `waiting` are those without one."""

    id: str
    action: str
    payload: dict[str, Any]
    operator: str
    state: str
    concurrency: int
    created_at: PreciseTime
    ended_at: PreciseTime | None
    total: int
    waiting: int
    outcomes: dict[str, int]


class BegunJobOut(Out):
    """What a call has begun: `state` `running`, `done` or `failed`, `at` of its newest report."""

    kind: str
    state: str
    status: str | None
    at: PreciseTime | None


class BulkStationOut(Out):
    """What has come of it at one station; `outcome` as of calls, or the code of a refusal.

    `job`: of calls that begin one; `firmwareVersion`: what the station says that it runs now.
    """

    station_id: str
    call_id: str | None
    outcome: str | None
    status: str | None
    detail: str | None
    ended_at: PreciseTime | None
    firmware_version: str | None
    job: BegunJobOut | None


class BulkStationsQuery(PageQuery):
    """`outcome`: only these; `waiting` are those without one."""

    outcome: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class BulkCalls:
    """The operations."""

    def __init__(self, bulk: BulkService) -> None:
        self._bulk = bulk

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        one = "/api/bulk/{job_id}"
        absent = {404: "There is no such job."}

        def route(method: str, path: str, handler: Any, **more: Any) -> Route:
            role = Role.VIEWER if method == "GET" else Role.OPERATOR
            return Route(method=method, path=path, handler=handler, role=role, tag="bulk", **more)

        return [
            route(
                "POST",
                "/api/bulk",
                self.start_bulk,
                status=202,
                also={200: PreviewOut},
                idempotent=True,
                refusals={404: "`action_not_found`.", 409: "`too_many_jobs`."},
            ),
            route("GET", "/api/bulk", self.list_bulk),
            route("GET", one, self.get_bulk, refusals=absent),
            route("GET", f"{one}/stations", self.list_bulk_stations, refusals=absent),
            route(
                "POST",
                f"{one}/cancel",
                self.cancel_bulk,
                refusals=absent | {409: "`not_running`."},
            ),
        ]

    async def start_bulk(self, body: BulkIn, principal: Principal) -> Reply[BulkOut]:
        """Send a call to many stations, some at a time; or with `preview` say to whom.

        Each station gets it once; those that are offline are not waited for. 202 with the job.
        """
        chosen = body.stations
        request = BulkRequest(
            action=body.action,
            payload=body.payload,
            selection=Selection(
                identities=None if chosen.ids is None else tuple(chosen.ids),
                site_id=chosen.site_id,
                vendor=chosen.vendor,
                model=chosen.model,
                firmware_version=chosen.firmware_version,
                text=chosen.text,
            ),
            online=chosen.online,
            concurrency=body.concurrency,
            skips_busy=body.skip_busy,
            awaits_jobs=body.await_jobs,
        )
        if body.preview:
            shown: Any = _preview(body.action, await self._bulk.preview(request))
            return Reply(body=shown, status=200)
        return Reply(body=_job(await self._bulk.start(principal.name, request)), status=202)

    async def list_bulk(self, query: PageQuery) -> Page[BulkOut]:
        """Return jobs, the newest first."""
        before = None
        if query.cursor is not None:
            at, job_id = pages.decode(query.cursor, datetime, str)
            before = (at, job_id)
        found = await self._bulk.page(query.limit, before)
        last = found[-1] if len(found) == query.limit else None
        return Page[BulkOut](
            items=[_job(job) for job in found],
            next_cursor=None if last is None else pages.encode(last.created_at, last.id),
        )

    async def get_bulk(self, job_id: str) -> BulkOut:
        """Return one job with its counts."""
        return _job(await self._bulk.get(job_id))

    async def list_bulk_stations(
        self, job_id: str, query: BulkStationsQuery
    ) -> Page[BulkStationOut]:
        """Return the stations of a job in the order of sending."""
        after = -1 if query.cursor is None else int(pages.decode(query.cursor, int)[0])
        found = await self._bulk.stations(job_id, query.limit, after=after, outcome=query.outcome)
        return Page[BulkStationOut](
            items=[
                BulkStationOut(
                    station_id=row.identity,
                    call_id=row.call_id,
                    outcome=row.outcome,
                    status=row.status,
                    detail=row.detail,
                    ended_at=row.ended_at,
                    firmware_version=row.firmware_version,
                    job=None
                    if row.job is None
                    else BegunJobOut(
                        kind=row.job.kind,
                        state=row.job.state,
                        status=row.job.status,
                        at=row.job.at,
                    ),
                )
                for row in found
            ],
            next_cursor=pages.encode(found[-1].place) if len(found) == query.limit else None,
        )

    async def cancel_bulk(self, job_id: str, principal: Principal) -> BulkOut:
        """Send to nobody more; what is on its way is waited for."""
        return _job(await self._bulk.cancel(principal.name, job_id))


def _job(job: BulkJob) -> BulkOut:
    return BulkOut(
        id=job.id,
        action=job.action,
        payload=dict(job.payload),
        operator=job.actor,
        state=job.state,
        concurrency=job.concurrency,
        created_at=job.created_at,
        ended_at=job.ended_at,
        total=job.total,
        waiting=job.waiting,
        outcomes=dict(job.outcomes),
    )


def _preview(action: str, preview: Preview) -> PreviewOut:
    return PreviewOut(
        action=action,
        disrupts=CALLS[action].disrupts,
        matched=len(preview.stations),
        online=preview.online,
        sessions=preview.sessions,
        stations=[
            MatchedOut(
                station_id=station.identity,
                name=station.name,
                online=online,
                registration=station.registration,
                sessions=station.sessions,
            )
            for station, online in preview.stations[:_MOST_SHOWN]
        ],
    )
