"""The port of the store for what follows from calls and notices of charge points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from csms.domain.ids import ChargePointKey
from csms.domain.jobs import JobKind


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """One line in the history of a job."""

    status: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A firmware, diagnostics or log job with its reports, the oldest first."""

    key: int
    kind: str
    request_id: int | None
    state: str
    status: str | None
    file_name: str | None
    history: tuple[JobReport, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityEvent:
    """A security event as it is kept."""

    key: int
    type: str
    at: datetime
    tech_info: str | None
    critical: bool
    source: str


class Jobs(Protocol):
    """Jobs; one that is not accepted (yet) and has not reported is not seen."""

    async def begin(
        self,
        charge_point: ChargePointKey,
        kind: JobKind,
        *,
        call_id: str,
        request_id: int | None,
        at: datetime,
    ) -> None:
        """Add a job whose call is about to be sent, so that no report comes too early for it."""
        ...

    async def accept(
        self, call_id: str, *, status: str, file_name: str | None, at: datetime
    ) -> None:
        """Note that the charge point has accepted it, and which file it is about."""
        ...

    async def fail(self, call_id: str, status: str, at: datetime) -> None:
        """End a job that still runs."""
        ...

    async def cancel_earlier(self, call_id: str, status: str, at: datetime) -> None:
        """End what still runs of the same kind on the same charge point, begun before it."""
        ...

    async def forget(self, call_id: str) -> None:
        """Remove a job that never began: its call was refused or not sent."""
        ...

    async def page(
        self, charge_point: ChargePointKey, limit: int, *, before: int | None = None
    ) -> list[Job]:
        """Return one page, the newest first."""
        ...


class SecurityEvents(Protocol):
    """Security events; the newest is the one that came last."""

    async def page(
        self, charge_point: ChargePointKey, limit: int, *, before: int | None = None
    ) -> Sequence[SecurityEvent]:
        """Return one page, the newest first."""
        ...
