"""Firmware, diagnostics and log jobs; see `csms.services.ports.state.Jobs`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import ChargePointKey
from csms.domain.jobs import JobKind
from csms.services.ports.state import Job, JobReport
from csms.store import state_tables

_T = state_tables.jobs
_S = state_tables.job_statuses
_MOST_REPORTS = 5_000  # on one page of jobs


class Jobs:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def begin(
        self,
        charge_point: ChargePointKey,
        kind: JobKind,
        *,
        call_id: str,
        request_id: int | None,
        at: datetime,
    ) -> None:
        """See the port."""
        await self._connection.execute(
            insert(_T).values(
                charge_point_id=charge_point,
                kind=kind,
                call_id=call_id,
                request_id=request_id,
                created_at=at,
            )
        )

    async def accept(
        self, call_id: str, *, status: str, file_name: str | None, at: datetime
    ) -> None:
        """See the port."""
        query = select(_T).where(_T.c.call_id == call_id).with_for_update()
        job = (await self._connection.execute(query)).one()
        await self._connection.execute(
            update(_T)
            .where(_T.c.id == job.id)
            .values(
                accepted_at=job.accepted_at or at,
                file_name=file_name,
                status=job.status or status,  # a report may have been quicker than the answer
            )
        )
        await self._connection.execute(
            insert(_S).values(
                charge_point_id=job.charge_point_id,
                kind=job.kind,
                status=status,
                received_at=at,
                request_id=job.request_id,
                job_id=job.id,
            )
        )

    async def fail(self, call_id: str, status: str, at: datetime) -> None:
        """See the port."""
        await self._connection.execute(
            update(_T)
            .where(_T.c.call_id == call_id, _T.c.state == "running")
            .values(state="failed", status=status, ended_at=at)
        )

    async def cancel_earlier(self, call_id: str, status: str, at: datetime) -> None:
        """See the port."""
        own = (await self._connection.execute(select(_T).where(_T.c.call_id == call_id))).one()
        await self._connection.execute(
            update(_T)
            .where(
                _T.c.charge_point_id == own.charge_point_id,
                _T.c.kind == own.kind,
                _T.c.id < own.id,
                _T.c.state == "running",
            )
            .values(state="failed", status=status, ended_at=at)
        )

    async def forget(self, call_id: str) -> None:
        """See the port."""
        # one that has reported was begun, whatever became of the answer
        await self._connection.execute(
            delete(_T).where(_T.c.call_id == call_id, _T.c.accepted_at.is_(None))
        )

    async def page(
        self, charge_point: ChargePointKey, limit: int, *, before: int | None = None
    ) -> list[Job]:
        """See the port."""
        query = (
            select(_T)
            .where(_T.c.charge_point_id == charge_point, _T.c.accepted_at.is_not(None))
            .order_by(_T.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(_T.c.id < before)
        rows = (await self._connection.execute(query)).all()
        reports: dict[int, list[JobReport]] = {row.id: [] for row in rows}
        if rows:
            told = (
                select(_S.c.job_id, _S.c.status, _S.c.received_at)
                .where(_S.c.job_id.in_(reports))
                .order_by(_S.c.received_at, _S.c.id)
                .limit(_MOST_REPORTS)
            )
            for job_id, status, at in await self._connection.execute(told):
                reports[job_id].append(JobReport(status=status, at=at))
        return [
            Job(
                key=row.id,
                call_id=row.call_id,
                kind=row.kind,
                request_id=row.request_id,
                state=row.state,
                status=row.status,
                file_name=row.file_name,
                history=tuple(reports[row.id]),
            )
            for row in rows
        ]
