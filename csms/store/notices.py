"""Notices of charge points; see `csms.services.ports.notices`.

Statements go one a notice: these messages are rare, and what a report means depends on the
reports before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain import jobs
from csms.domain.jobs import JobStatusFact
from csms.domain.reservations import ConnectorDownFact
from csms.domain.security_events import SecurityEventFact
from csms.services.ports.notices import Notice
from csms.store import state_tables
from csms.store.database import Database

_JOBS = state_tables.jobs
_STATUSES = state_tables.job_statuses
_EVENTS = state_tables.security_events
_RESERVATIONS = state_tables.reservations

_LATE = timedelta(hours=1)
"""How long after its end a job still gets reports that do not say which job they mean."""
_KEPT = 2_000
"""Newest events and reports of one charge point: it must not fill the tables."""

_PRUNE_EVENTS = text("""
DELETE FROM security_events WHERE charge_point_id = :key AND id <= (
    SELECT id FROM security_events WHERE charge_point_id = :key
    ORDER BY id DESC OFFSET :kept LIMIT 1
)
""")

_PRUNE_STATUSES = text("""
DELETE FROM job_statuses WHERE charge_point_id = :key AND received_at <= (
    SELECT received_at FROM job_statuses WHERE charge_point_id = :key
    ORDER BY received_at DESC OFFSET :kept LIMIT 1
)
""")


class SqlNoticeStore:
    """Each `keep` is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, notices: Sequence[Notice]) -> list[SecurityEventFact]:
        """See the port."""
        fresh = []
        async with self._database.transaction() as connection:
            for notice in notices:
                match notice:
                    case SecurityEventFact():
                        if await _keep_event(connection, notice):
                            fresh.append(notice)
                    case JobStatusFact():
                        await _keep_status(connection, notice)
                    case ConnectorDownFact():
                        await _drop_reservations(connection, notice)
        return fresh


async def _keep_event(connection: AsyncConnection, event: SecurityEventFact) -> bool:
    """Store an event unless it is there; returns whether it was new (at least once, M75)."""
    statement = (
        insert(_EVENTS)
        .values(
            charge_point_id=event.charge_point,
            source=event.source,
            type=event.type,
            at=event.at,
            received_at=event.received_at,
            tech_info=event.tech_info or "",
            critical=event.critical,
        )
        .on_conflict_do_nothing(constraint="uq_security_events_content")
        .returning(_EVENTS.c.id)
    )
    fresh = (await connection.execute(statement)).first() is not None
    if fresh:
        await connection.execute(_PRUNE_EVENTS, {"key": event.charge_point, "kept": _KEPT})
    return fresh


async def _keep_status(connection: AsyncConnection, fact: JobStatusFact) -> None:
    """Append a report to its job, if it has one, and move the job on."""
    job = await _job_of(connection, fact)
    await connection.execute(
        insert(_STATUSES).values(
            charge_point_id=fact.charge_point,
            kind=fact.kind,
            status=fact.status,
            received_at=fact.received_at,
            request_id=fact.request_id,
            job_id=None if job is None else job.id,
            finding=_finding(fact, job),
        )
    )
    await connection.execute(_PRUNE_STATUSES, {"key": fact.charge_point, "kept": _KEPT})
    if job is None:
        return
    values: dict[str, object] = {}
    if job.accepted_at is None:  # it reports, so it works: the answer to the call comes later
        values["accepted_at"] = fact.received_at
    state = jobs.advance(job.state, fact.status)
    if state is not None:
        values |= {"state": state, "status": fact.status}
        if state != "running":
            values["ended_at"] = fact.received_at
    if values:
        await connection.execute(update(_JOBS).where(_JOBS.c.id == job.id).values(values))


async def _job_of(connection: AsyncConnection, fact: JobStatusFact) -> Row[Any] | None:
    """Return the job that a report is about, locked.

    Without a request id that is the newest of its kind that runs, or has just ended.
    """
    query = (
        select(_JOBS)
        .where(_JOBS.c.charge_point_id == fact.charge_point, _JOBS.c.kind == fact.kind)
        .limit(1)
        .with_for_update()
    )
    if fact.request_id is not None:
        query = query.where(_JOBS.c.request_id == fact.request_id).order_by(_JOBS.c.id.desc())
    elif fact.is_idle:
        return None
    else:
        query = query.where(
            (_JOBS.c.state == "running") | (_JOBS.c.ended_at > fact.received_at - _LATE)
        ).order_by((_JOBS.c.state == "running").desc(), _JOBS.c.id.desc())
    return (await connection.execute(query)).first()


def _finding(fact: JobStatusFact, job: Row[Any] | None) -> str | None:
    if fact.request_id is not None and job is None:
        return "requestIdUnknown"
    if fact.request_id is None and fact.by_request and not fact.is_idle:
        return "requestIdMissing"
    return None


async def _drop_reservations(connection: AsyncConnection, fact: ConnectorDownFact) -> None:
    """End the reservations of a connector that can no longer be kept (M14)."""
    statement = (
        update(_RESERVATIONS)
        .where(
            _RESERVATIONS.c.charge_point_id == fact.charge_point,
            _RESERVATIONS.c.status == "active",
        )
        .values(status="dropped", ended_at=fact.received_at)
    )
    if fact.connector_id != 0:
        statement = statement.where(_RESERVATIONS.c.connector_id == fact.connector_id)
    await connection.execute(statement)
