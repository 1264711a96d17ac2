"""Calls to many stations; see `csms.services.ports.bulk`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Text, any_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import ChargePointKey, Identity
from csms.services.ports.bulk import BegunJob, BulkJob, BulkStation, Selected, Selection
from csms.store import bulk_tables, state_tables, tables

_T = bulk_tables.bulk_jobs
_S = bulk_tables.bulk_stations
_P = tables.charge_points
_TX = tables.transactions
_J = state_tables.jobs
_R = state_tables.job_statuses


class BulkJobs:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def select(self, selection: Selection, limit: int) -> list[Selected]:
        """See the port. EXPLAIN: a scan of charge points; running sessions by their index."""
        sessions = (
            select(func.count())
            .where(_TX.c.charge_point_id == _P.c.id, _TX.c.active)
            .scalar_subquery()
        )
        statement = (
            select(_P.c.id, _P.c.identity, _P.c.name, _P.c.registration, sessions.label("sessions"))
            .where(_P.c.deleted_at.is_(None))
            .order_by(_P.c.identity)
            .limit(limit)
        )
        rows = await self._connection.execute(_selected(statement, selection))
        return [
            Selected(
                key=ChargePointKey(row.id),
                identity=Identity(row.identity),
                name=row.name,
                registration=row.registration,
                sessions=row.sessions,
            )
            for row in rows
        ]

    async def insert(self, job: BulkJob, stations: Sequence[ChargePointKey]) -> None:
        """See the port."""
        await self._connection.execute(
            insert(_T).values(
                id=job.id,
                action=job.action,
                payload=dict(job.payload),
                actor=job.actor,
                node=job.node,
                concurrency=job.concurrency,
                state=job.state,
                created_at=job.created_at,
            )
        )
        rows = [
            {"job_id": job.id, "place": place, "charge_point_id": key}
            for place, key in enumerate(stations)
        ]
        if rows:
            await self._connection.execute(insert(_S), rows)

    async def get(self, job_id: str) -> BulkJob | None:
        """See the port."""
        found = await self._with_counts(select(_T).where(_T.c.id == job_id))
        return found[0] if found else None

    async def page(
        self, limit: int, *, before: tuple[datetime, str] | None = None
    ) -> list[BulkJob]:
        """See the port."""
        statement = select(_T).order_by(_T.c.created_at.desc(), _T.c.id.desc()).limit(limit)
        if before is not None:
            at, job_id = before
            statement = statement.where(
                or_(_T.c.created_at < at, (_T.c.created_at == at) & (_T.c.id < job_id))
            )
        return await self._with_counts(statement)

    async def stations(
        self, job_id: str, limit: int, *, after: int = -1, outcome: str | None = None
    ) -> list[BulkStation]:
        """See the port. EXPLAIN: by primary key; jobs by their calls, reports by their jobs."""
        told = select(func.max(_R.c.received_at)).where(_R.c.job_id == _J.c.id).scalar_subquery()
        statement = (
            select(
                _S,
                _P.c.identity,
                _P.c.firmware_version,
                _J.c.kind.label("job_kind"),
                _J.c.state.label("job_state"),
                _J.c.status.label("job_status"),
                told.label("job_at"),
            )
            .join(_P, _P.c.id == _S.c.charge_point_id)
            .outerjoin(_J, (_J.c.call_id == _S.c.call_id) & _J.c.accepted_at.is_not(None))
            .where(_S.c.job_id == job_id, _S.c.place > after)
            .order_by(_S.c.place)
            .limit(limit)
        )
        if outcome == "waiting":
            statement = statement.where(_S.c.outcome.is_(None))
        elif outcome is not None:
            statement = statement.where(_S.c.outcome == outcome)
        return [
            BulkStation(
                place=row.place,
                identity=Identity(row.identity),
                call_id=row.call_id,
                outcome=row.outcome,
                status=row.status,
                detail=row.detail,
                ended_at=row.ended_at,
                firmware_version=row.firmware_version,
                job=None
                if row.job_kind is None
                else BegunJob(
                    kind=row.job_kind,
                    state=row.job_state,
                    status=row.job_status,
                    at=row.job_at,
                ),
            )
            for row in await self._connection.execute(statement)
        ]

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
        """See the port."""
        await self._connection.execute(
            update(_S)
            .where(_S.c.job_id == job_id, _S.c.place == place)
            .values(outcome=outcome, status=status, detail=detail, call_id=call_id, ended_at=at)
        )

    async def close(self, job_id: str, state: str, outcome: str, at: datetime) -> None:
        """See the port."""
        await self._connection.execute(
            update(_S)
            .where(_S.c.job_id == job_id, _S.c.outcome.is_(None))
            .values(outcome=outcome, ended_at=at)
        )
        await self._connection.execute(
            update(_T)
            .where(_T.c.id == job_id, _T.c.state == "running")
            .values(state=state, ended_at=at)
        )

    async def forget(self, before: datetime) -> int:
        """See the port; their stations go with them."""
        result = await self._connection.execute(delete(_T).where(_T.c.ended_at < before))
        return int(result.rowcount)

    async def job_state(self, call_id: str) -> str | None:
        """See the port. EXPLAIN: by the calls of jobs."""
        statement = select(_J.c.state).where(_J.c.call_id == call_id)
        return (await self._connection.execute(statement)).scalar_one_or_none()

    async def running(self, node: str) -> list[str]:
        """See the port."""
        statement = select(_T.c.id).where(_T.c.node == node, _T.c.state == "running").limit(1000)
        return list((await self._connection.execute(statement)).scalars())

    async def _with_counts(self, statement: Select[Any]) -> list[BulkJob]:
        rows = (await self._connection.execute(statement)).all()
        counts = await self._counts([row.id for row in rows])
        return [_job(row, counts.get(row.id, {})) for row in rows]

    async def _counts(self, ids: Collection[str]) -> Mapping[str, Mapping[str | None, int]]:
        """Return by job: outcome -> number, None for those that wait. EXPLAIN: primary key."""
        found: defaultdict[str, dict[str | None, int]] = defaultdict(dict)
        if ids:
            statement = (
                select(_S.c.job_id, _S.c.outcome, func.count().label("number"))
                .where(_S.c.job_id.in_(ids))
                .group_by(_S.c.job_id, _S.c.outcome)
            )
            for row in await self._connection.execute(statement):
                found[row.job_id][row.outcome] = row.number
        return found


def _selected(statement: Select[Any], selection: Selection) -> Select[Any]:
    if selection.identities is not None:
        names = [name.lower() for name in selection.identities]
        wanted = bindparam(None, names, type_=ARRAY(Text))
        statement = statement.where(func.lower(_P.c.identity) == any_(wanted))
    for column, value in (
        (_P.c.site_id, selection.site_id),
        (_P.c.vendor, selection.vendor),
        (_P.c.model, selection.model),
        (_P.c.firmware_version, selection.firmware_version),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if selection.text is not None:
        statement = statement.where(
            or_(
                _P.c.identity.icontains(selection.text, autoescape=True),
                _P.c.name.icontains(selection.text, autoescape=True),
            )
        )
    return statement


def _job(row: Any, counts: Mapping[str | None, int]) -> BulkJob:
    return BulkJob(
        id=row.id,
        action=row.action,
        payload=row.payload,
        actor=row.actor,
        node=row.node,
        concurrency=row.concurrency,
        state=row.state,
        created_at=row.created_at,
        ended_at=row.ended_at,
        total=sum(counts.values()),
        outcomes={name: counts[name] for name in sorted(filter(None, counts))},
    )
