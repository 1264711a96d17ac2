"""The port of the store for calls to many stations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from csms.domain.ids import ChargePointKey, Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which stations; what is given holds all together, None asks nothing.

    Attributes:
        identities: These only.
        text: Part of the identity or the name, without case.
    """

    identities: tuple[str, ...] | None = None
    site_id: str | None = None
    vendor: str | None = None
    model: str | None = None
    firmware_version: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A station that a selection has found."""

    key: ChargePointKey
    identity: Identity
    name: str
    registration: str
    sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkJob:
    """One action to many stations.

    Attributes:
        payload: Without its secrets.
        state: running, done, cancelled or interrupted (its csms stopped meanwhile).
        outcomes: Outcome -> number of stations; those that wait are not in it.
    """

    id: str
    action: str
    payload: Mapping[str, Any]
    actor: str
    node: str
    concurrency: int
    state: str
    created_at: datetime
    ended_at: datetime | None = None
    total: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """How many stations have no outcome yet."""
        return self.total - sum(self.outcomes.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunJob:
    """What a call has begun: see `csms.services.ports.state.Job`; `at`: of its newest report."""

    kind: str
    state: str
    status: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkStation:
    """What has come of it at one station; `outcome` None: it waits or is on its way.

    Attributes:
        firmware_version: That the station runs now, as it says.
        job: Of a call that begins one: firmware, diagnostics, log.
    """

    place: int
    identity: Identity
    call_id: str | None
    outcome: str | None
    status: str | None
    detail: str | None
    ended_at: datetime | None
    firmware_version: str | None = None
    job: BegunJob | None = None


class BulkJobs(Protocol):
    """Jobs and their stations."""

    async def select(self, selection: Selection, limit: int) -> list[Selected]:
        """Return stations by identity."""
        ...

    async def insert(self, job: BulkJob, stations: Sequence[ChargePointKey]) -> None:
        """Add a job with its stations in the order of sending."""
        ...

    async def get(self, job_id: str) -> BulkJob | None:
        """Return one with its counts, or None."""
        ...

    async def page(
        self, limit: int, *, before: tuple[datetime, str] | None = None
    ) -> list[BulkJob]:
        """Return one page, the newest first."""
        ...

    async def stations(
        self, job_id: str, limit: int, *, after: int = -1, outcome: str | None = None
    ) -> list[BulkStation]:
        """Return one page of its stations in the order of sending."""
        ...

    async def ended(
        self,
        job_id: str,
        place: int,
        *,
        outcome: str,
        at: datetime,
        call_id: str | None = None,
        status: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Note what has come of it at one station."""
        ...

    async def close(self, job_id: str, state: str, outcome: str, at: datetime) -> None:
        """End a job that runs; those that still wait get this outcome."""
        ...

    async def forget(self, before: datetime) -> int:
        """Delete jobs that ended before that time; returns how many."""
        ...

    async def job_state(self, call_id: str) -> str | None:
        """Return the state of what a call has begun; None: nothing, or nothing any more."""
        ...

    async def running(self, node: str) -> list[str]:
        """Return jobs of this node that are not ended."""
        ...
