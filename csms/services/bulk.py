"""One call to many stations: seen before it is sent, some at a time, each outcome kept.

Each is a command as any other: sent once, never repeated. A job lives in the process that has
begun it, because its payload may hold secrets, which are stored nowhere; when that process stops,
the job is `interrupted` and those that were not reached are `notSent`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from csms.clock import Clock
from csms.domain import files
from csms.domain.jobs import KIND_OF_ACTION
from csms.errors import Conflict, CsmsError, DatabaseAway, Invalid, NotFound, Refusal
from csms.services.audit import AuditTrail
from csms.services.commands import CommandService, masked
from csms.services.ports.bulk import BulkJob, BulkStation, Selected, Selection
from csms.services.ports.gateway import CallSchemas, Gateway
from csms.services.ports.store import UnitsOfWork

_log = structlog.get_logger(__name__)

MOST_STATIONS = 10_000
MOST_AT_ONCE = 100
_MOST_JOBS = 20
_RETRY_S = 1.0
_CLOSE_TRIES = 30
_KEPT = timedelta(days=90)

_JOB_POLL_S = 2.0
_LONGEST_JOB_S = 3600.0

CANCELLED = "cancelled"
NOT_SENT = "notSent"
SESSION_RUNS = "sessionRuns"


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRequest:
    """What shall be sent to whom.

    Attributes:
        online: Only stations that are connected, or only others; None: all.
        skips_busy: A station is left out where a session runs when its turn has come.
        awaits_jobs: The next station's turn comes when the job of the one before has ended (an
            hour at most), so that no more than `concurrency` stations are at work at a time.
    """

    action: str
    payload: Mapping[str, Any]
    selection: Selection
    online: bool | None
    concurrency: int
    skips_busy: bool = False
    awaits_jobs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Who would get it: stations, and whether each is connected, by identity."""

    stations: tuple[tuple[Selected, bool], ...]

    @property
    def online(self) -> int:
        """How many are connected."""
        return sum(online for _, online in self.stations)

    @property
    def sessions(self) -> int:
        """How many sessions run there."""
        return sum(station.sessions for station, _ in self.stations)


class BulkService:
    """Starts, shows and cancels jobs. Concurrency: one task runs `run`, any may call the rest."""

    def __init__(
        self,
        units: UnitsOfWork,
        commands: CommandService,
        schemas: CallSchemas,
        gateway: Gateway,
        clock: Clock,
        audit: AuditTrail,
        *,
        node: str,
    ) -> None:
        self._units = units
        self._commands = commands
        self._schemas = schemas
        self._gateway = gateway
        self._clock = clock
        self._audit = audit
        self._node = node
        self._new: asyncio.Queue[tuple[BulkJob, BulkRequest, Sequence[Selected]]]
        self._new = asyncio.Queue()
        self._open: dict[str, asyncio.Event] = {}  # jobs of this process; set: cancelled

    async def preview(self, request: BulkRequest) -> Preview:
        """Return who would get it; nothing is sent.

        Raises:
            NotFound: `action_not_found`.
            Invalid: The payload breaks its schema, or too many stations are selected.
        """
        self._check(request)
        async with self._units() as unit:
            found = await unit.bulk.select(request.selection, MOST_STATIONS + 1)
        stations = [(station, self._gateway.is_online(station.key)) for station in found]
        if len(stations) > MOST_STATIONS:
            raise Invalid(
                "too_many_stations",
                f"At most {MOST_STATIONS:,} stations at a time.",
                {"stations": f"match more than {MOST_STATIONS:,}"},
            )
        return Preview(
            stations=tuple(pair for pair in stations if request.online in (None, pair[1]))
        )

    async def start(self, actor: str, request: BulkRequest) -> BulkJob:
        """Begin a job and return it.

        Raises:
            NotFound, Invalid: As `preview`; or nobody is selected.
            Conflict: `too_many_jobs` run already.
        """
        preview = await self.preview(request)
        if not preview.stations:
            raise Invalid("nobody_selected", "No station matches.", {"stations": "match none"})
        if len(self._open) >= _MOST_JOBS:
            raise Conflict("too_many_jobs", f"{_MOST_JOBS} jobs run already; wait for one to end.")
        stations = [station for station, _ in preview.stations]
        job = BulkJob(
            id=str(uuid.uuid4()),
            action=request.action,
            payload=masked(request.action, request.payload),
            actor=actor,
            node=self._node,
            concurrency=request.concurrency,
            state="running",
            created_at=self._clock.now(),
            total=len(stations),
        )
        async with self._units() as unit:
            await unit.bulk.forget(job.created_at - _KEPT)
            await unit.bulk.insert(job, [station.key for station in stations])
            details = {"action": job.action, "stations": job.total}
            await self._audit.note(unit, actor, "bulk call", "bulk", job.id, details)
        self._open[job.id] = asyncio.Event()
        self._new.put_nowait((job, request, stations))
        return job

    async def get(self, job_id: str) -> BulkJob:
        """Return one job with its counts. Raises NotFound."""
        async with self._units() as unit:
            job = await unit.bulk.get(job_id)
        if job is None:
            raise NotFound("job_not_found", "There is no such job.")
        return job

    async def page(self, limit: int, before: tuple[datetime, str] | None = None) -> list[BulkJob]:
        """Return jobs, the newest first."""
        async with self._units() as unit:
            return await unit.bulk.page(limit, before=before)

    async def stations(
        self, job_id: str, limit: int, *, after: int = -1, outcome: str | None = None
    ) -> list[BulkStation]:
        """Return the stations of a job in the order of sending. Raises NotFound."""
        await self.get(job_id)
        async with self._units() as unit:
            return await unit.bulk.stations(job_id, limit, after=after, outcome=outcome)

    async def cancel(self, actor: str, job_id: str) -> BulkJob:
        """Send to nobody more and return the job; what is on its way is waited for.

        Raises:
            NotFound: No such job.
            Conflict: `not_running`, or it runs on another node.
        """
        job = await self.get(job_id)
        cancelled = self._open.get(job_id)
        if job.state != "running" or cancelled is None:
            raise Conflict("not_running", f"This job is {job.state} already, or another node's.")
        async with self._units() as unit:
            await self._audit.note(unit, actor, "cancel", "bulk", job_id)
        cancelled.set()
        return await self.get(job_id)

    async def run(self) -> None:
        """Send until cancelled. Raises DatabaseAway: start it again.

        Cancellation: jobs that run are ended as interrupted at the next start.
        """
        async with self._units() as unit:
            for job_id in await unit.bulk.running(self._node):
                if job_id not in self._open:
                    await unit.bulk.close(job_id, "interrupted", NOT_SENT, self._clock.now())
        async with asyncio.TaskGroup() as tasks:
            while True:
                job, request, stations = await self._new.get()
                tasks.create_task(self._send_all(job, request, stations), name=f"bulk {job.id}")

    def _check(self, request: BulkRequest) -> None:
        if request.action not in self._schemas.actions():
            raise NotFound("action_not_found", f"There is no call {request.action[:50]!r}.")
        whole = files.with_stand_ins(request.action, request.payload)
        problems = self._schemas.problems(request.action, whole)
        if problems:
            fields = {f"payload.{path}": problem for path, problem in problems.items()}
            raise Invalid("invalid_payload", f"This is no valid {request.action}.req.", fields)

    async def _send_all(
        self, job: BulkJob, request: BulkRequest, stations: Collection[Selected]
    ) -> None:
        cancelled = self._open[job.id]
        places = iter(enumerate(stations))

        async def work() -> None:
            for place, station in places:  # shared: each takes the next one
                if cancelled.is_set():
                    return
                begun = await self._send(job, place, station, request)
                if begun is not None and request.awaits_jobs:
                    await self._job_ended(begun, cancelled)

        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(min(job.concurrency, len(stations))):
                    workers.create_task(work(), name=f"bulk {job.id}")
            await self._close(job.id, "cancelled" if cancelled.is_set() else "done")
        finally:
            self._open.pop(job.id, None)

    async def _send(
        self, job: BulkJob, place: int, station: Selected, request: BulkRequest
    ) -> str | None:
        """Send to one station and record what comes of it; returns the call that begins a job."""
        values: dict[str, Any]
        begun: str | None = None
        try:
            if request.skips_busy and await self._is_busy(station):
                values = {"outcome": SESSION_RUNS, "detail": "A session runs there."}
            else:
                call = await self._commands.send(
                    job.actor, station.identity, job.action, request.payload
                )
                values = {
                    "outcome": str(call.outcome),
                    "status": call.status or call.error_code,
                    "detail": call.error_description,
                    "call_id": call.id,
                }
                if job.action in KIND_OF_ACTION and call.outcome == "accepted":
                    begun = call.id
        except Refusal as refusal:
            values = {"outcome": refusal.code, "detail": refusal.detail}
        except CsmsError as error:  # the database is away: nothing is sent that is not stored
            _log.warning("bulk call not sent", job=job.id, place=place, error=str(error))
            values = {"outcome": NOT_SENT, "detail": "It could not be stored."}
        try:
            async with self._units() as unit:
                await unit.bulk.ended(job.id, place, at=self._clock.now(), **values)
        except DatabaseAway:
            _log.warning("outcome of a bulk call could not be recorded", job=job.id, place=place)
        return begun

    async def _is_busy(self, station: Selected) -> bool:
        async with self._units() as unit:
            found = await unit.bulk.select(Selection(identities=(station.identity,)), 1)
        return any(each.sessions for each in found)

    async def _job_ended(self, call_id: str, cancelled: asyncio.Event) -> None:
        """Wait until what a call has begun has ended, for an hour at most."""
        until = self._clock.monotonic() + _LONGEST_JOB_S
        while not cancelled.is_set() and self._clock.monotonic() < until:
            try:
                async with self._units() as unit:
                    state = await unit.bulk.job_state(call_id)
            except DatabaseAway:
                state = "running"
            if state != "running":
                return
            await self._clock.sleep(_JOB_POLL_S)

    async def _close(self, job_id: str, state: str) -> None:
        """End a job; a database that is away is waited for, for a while."""
        for _ in range(_CLOSE_TRIES):
            try:
                async with self._units() as unit:
                    outcome = CANCELLED if state == "cancelled" else NOT_SENT
                    await unit.bulk.close(job_id, state, outcome, self._clock.now())
            except DatabaseAway:
                await self._clock.sleep(_RETRY_S)
            else:
                return
