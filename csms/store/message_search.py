"""Searches of the whole message log; see `csms.services.ports.message_search`.

The log is written at a rate that allows no index for this. But a day of it is only ever appended
to, so its blocks are in the order of time: a piece of it is read by its block numbers (a TID range
scan), and where a moment lies is found by halving.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import Identity
from csms.services.ports.message_search import Day, Found
from csms.services.ports.messages import MessageFilter
from csms.services.records import ANY_REPAIR
from csms.store.messages import message_record

_NAME = re.compile(r"ocpp_messages_(\d{8})")
_DAY = timedelta(days=1)
_DAYS = text("""
SELECT c.relname AS name,
       pg_relation_size(c.oid) / CAST(current_setting('block_size') AS bigint) AS blocks
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = CAST('ocpp_messages' AS regclass) AND c.relname ~ '^ocpp_messages_[0-9]{8}$'
ORDER BY c.relname DESC
""")
_COLUMNS = """
    m.id, m.at, m.direction, m.type, m.action, m.message_id, m.raw, m.repairs, m.repaired,
    m.latency_ms, m.latency_us, c.identity
"""
_OF_STATION = """
m.charge_point_id IN (SELECT id FROM charge_points WHERE lower(identity) = lower(:identity))
"""


class MessageSearch:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def days(self, since: datetime | None, until: datetime | None) -> list[Day]:
        """See the port."""
        found = []
        for row in await self._connection.execute(_DAYS):
            name = _NAME.fullmatch(row.name)
            if name is None or not row.blocks:
                continue
            begin = datetime.strptime(name[1], "%Y%m%d").replace(tzinfo=UTC)
            if (until is None or begin < until) and (since is None or begin + _DAY > since):
                found.append(Day(name=row.name, begin=begin, blocks=row.blocks))
        return found

    async def block_at(self, day: Day, moment: datetime) -> int:
        """See the port: some ten probes of one row."""
        low, high = 0, day.blocks
        while low < high:
            middle = (low + high) // 2
            at = await self._first_at(day, middle)
            if at is None or at >= moment:
                high = middle
            else:
                low = middle + 1
        return max(0, low - 1)  # the moment may lie within the block before

    async def piece(
        self,
        day: Day,
        first: int,
        last: int,
        wanted: MessageFilter,
        limit: int,
        *,
        before: tuple[datetime, int] | None = None,
    ) -> list[Found]:
        """See the port. EXPLAIN: a TID range scan, sorted."""
        clauses, values = _conditions(wanted)
        clauses += [f"m.ctid >= '({first},0)'::tid", f"m.ctid < '({last},0)'::tid"]
        return await self._found(day.name, clauses, values, limit, before)

    async def of_station(
        self,
        wanted: MessageFilter,
        limit: int,
        *,
        since: datetime,
        before: tuple[datetime, int],
    ) -> Sequence[Found]:
        """See the port. EXPLAIN: index scans backwards over (charge_point_id, at)."""
        clauses, values = _conditions(wanted)
        clauses += ["m.at >= :oldest", "m.at <= :newest"]
        values |= {"oldest": since, "newest": before[0]}
        return await self._found("ocpp_messages", clauses, values, limit, before)

    async def _found(
        self,
        table: str,
        clauses: Sequence[str],
        values: dict[str, Any],
        limit: int,
        before: tuple[datetime, int] | None,
    ) -> list[Found]:
        if before is not None:
            clauses = [*clauses, "(m.at, m.id) < (:before_at, :before_id)"]
            values |= {"before_at": before[0], "before_id": before[1]}
        where = " AND ".join(clauses) or "true"
        statement = text(
            f"SELECT {_COLUMNS} FROM {table} m"
            f" LEFT JOIN charge_points c ON c.id = m.charge_point_id WHERE {where}"
            " ORDER BY m.at DESC, m.id DESC LIMIT :limit"
        )
        rows = await self._connection.execute(statement, {**values, "limit": limit})
        return [
            Found(
                identity=None if row.identity is None else Identity(row.identity),
                record=message_record(row),
            )
            for row in rows
        ]

    async def _first_at(self, day: Day, block: int) -> datetime | None:
        """Return the time of the first frame of a block or of those behind it."""
        statement = text(f"SELECT at FROM {day.name} WHERE ctid >= '({block},0)'::tid LIMIT 1")
        at: datetime | None = (await self._connection.execute(statement)).scalar_one_or_none()
        return at


def _conditions(wanted: MessageFilter) -> tuple[list[str], dict[str, Any]]:
    """Return what frames have to fulfil; values stand beside the text, never in it."""
    clauses, values = [], {}
    for clause, name, value in (
        (_OF_STATION, "identity", wanted.identity),
        ("m.action = :action", "action", wanted.action),
        ("m.direction = :direction", "direction", wanted.direction),
        ("m.type = :type", "type", wanted.type),
        ("m.raw ILIKE :text", "text", None if wanted.text is None else _pattern(wanted.text)),
        ("m.at >= :since", "since", wanted.since),
        ("m.at < :until", "until", wanted.until),
    ):
        if value is not None:
            clauses.append(clause)
            values[name] = value
    if wanted.repair == ANY_REPAIR:
        clauses.append("m.repairs IS NOT NULL")
    elif wanted.repair is not None:
        clauses.append("m.repairs @> ARRAY[CAST(:repair AS text)]")
        values["repair"] = wanted.repair
    return clauses, values


def _pattern(part: str) -> str:
    r"""Return a LIKE pattern for a text anywhere.

    >>> _pattern("50%_\\")
    '%50\\%\\_\\\\%'
    """
    escaped = re.sub(r"([\\%_])", r"\\\1", part)
    return f"%{escaped}%"
