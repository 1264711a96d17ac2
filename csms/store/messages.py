"""The message log, for reading; the OCPP edge writes it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import ChargePointKey
from csms.services.ports.messages import MessageFilter
from csms.services.records import ANY_REPAIR, MessageRecord
from csms.store import tables

_T = tables.ocpp_messages
_PLAN_EACH_TIME = text("SET LOCAL plan_cache_mode = force_custom_plan")
"""A plan for any moment expects one row behind it, and sorts all that there are, page by page."""


class Messages:
    """See `csms.services.ports.messages.Messages`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page(
        self,
        charge_point: ChargePointKey,
        limit: int,
        wanted: MessageFilter,
        *,
        before: tuple[datetime, int] | None = None,
    ) -> list[MessageRecord]:
        """Return frames that the filter lets through, the newest first.

        EXPLAIN: index scans backwards over (charge_point_id, at), one partition after the other.
        """
        statement = (
            select(_T)
            .where(_T.c.charge_point_id == charge_point, *_conditions(wanted))
            .order_by(_T.c.at.desc(), _T.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            await self._connection.execute(_PLAN_EACH_TIME)
            statement = statement.where(tuple_(_T.c.at, _T.c.id) < before, _T.c.at <= before[0])
        return [message_record(row) for row in await self._connection.execute(statement)]

    async def from_oldest(
        self,
        charge_point: ChargePointKey,
        limit: int,
        *,
        after: tuple[datetime, int] | None = None,
        at_from: datetime | None = None,
        at_to: datetime,
        without: Collection[str] = (),
    ) -> list[MessageRecord]:
        """Return frames, the oldest first; `at_from` is in, `at_to` is out; see the port.

        EXPLAIN: the same index scans as for `page`, forwards in time.
        """
        await self._connection.execute(_PLAN_EACH_TIME)
        statement = (
            select(_T)
            .where(_T.c.charge_point_id == charge_point, _T.c.at < at_to)
            .order_by(_T.c.at, _T.c.id)
            .limit(limit)
        )
        if after is not None:
            statement = statement.where(tuple_(_T.c.at, _T.c.id) > after, _T.c.at >= after[0])
        elif at_from is not None:
            statement = statement.where(_T.c.at >= at_from)
        if without:  # a frame that cannot be read has no action, and stays in
            statement = statement.where(func.coalesce(_T.c.action, "").not_in(sorted(without)))
        return [message_record(row) for row in await self._connection.execute(statement)]

    async def after(
        self,
        charge_points: Collection[ChargePointKey],
        key: int,
        limit: int,
        *,
        at_from: datetime,
    ) -> list[tuple[ChargePointKey, MessageRecord]]:
        """Return frames of these charge points with a higher key, the oldest first.

        EXPLAIN: one index scan a charge point over (charge_point_id, at) of the partitions from
        `at_from` on; the key is a filter on those rows.
        """
        statement = (
            select(_T)
            .where(
                _T.c.charge_point_id.in_(list(charge_points)),
                _T.c.at >= at_from,
                _T.c.id > key,
            )
            .order_by(_T.c.id)
            .limit(limit)
        )
        return [
            (ChargePointKey(row.charge_point_id), message_record(row))
            for row in await self._connection.execute(statement)
        ]


def _conditions(wanted: MessageFilter) -> list[ColumnElement[bool]]:
    """Return what frames have to fulfil, whosever they are."""
    equal = (
        (_T.c.action, wanted.action),
        (_T.c.direction, wanted.direction),
        (_T.c.type, wanted.type),
    )
    found: list[ColumnElement[bool]] = [
        column == value for column, value in equal if value is not None
    ]
    if wanted.text is not None:
        found.append(_T.c.raw.icontains(wanted.text, autoescape=True))
    if wanted.since is not None:
        found.append(_T.c.at >= wanted.since)
    if wanted.until is not None:
        found.append(_T.c.at < wanted.until)
    if wanted.repair == ANY_REPAIR:
        found.append(_T.c.repairs.is_not(None))
    elif wanted.repair is not None:
        found.append(_T.c.repairs.contains([wanted.repair]))
    return found


def message_record(row: Row[*tuple[Any, ...]]) -> MessageRecord:
    """Return a row of the log that has all columns but the charge point's."""
    return MessageRecord(
        key=row.id,
        at=row.at,
        direction=row.direction,
        type=row.type,
        action=row.action,
        message_id=row.message_id,
        raw=row.raw,
        repairs=tuple(row.repairs or ()),
        repaired=row.repaired,
        latency_ms=_latency_ms(row),
    )


def _latency_ms(row: Any) -> float | None:
    """Return the latency from the column of its time."""
    if row.latency_us is not None:
        return float(row.latency_us / 1000)
    return None if row.latency_ms is None else float(row.latency_ms)
