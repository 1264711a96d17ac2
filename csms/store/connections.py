"""Connection rows: who is connected where; see `csms.services.ports.connections`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, cast, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from csms.domain.charge_points import ChargePointRecord, Registration
from csms.domain.ids import ChargePointKey, Identity
from csms.services.ports.connections import ConnectionEnd
from csms.store.audit import Audit
from csms.store.database import Database
from csms.store.tables import charge_points as t

_RECORD = (
    t.c.id,
    t.c.identity,
    t.c.registration,
    t.c.security_profile,
    t.c.password_digest,
    t.c.pending_password_digest,
    t.c.pending_password_waits,
    t.c.other_password_digests,
    t.c.pending_security_profile,
    t.c.strict,
    t.c.quiet,
    t.c.serial_number,
    t.c.subject_check,
)

# Rows are locked in the order of their keys, as `seen` does: batches that overlap never deadlock.
_LOCKED = """
locked AS (
    SELECT c.id FROM charge_points c WHERE c.id = ANY(CAST(:keys AS bigint[]))
    ORDER BY c.id FOR NO KEY UPDATE
)
"""

_OPENED = text(f"""
WITH come AS (
    SELECT * FROM unnest(CAST(:keys AS bigint[]), CAST(:counts AS int[])) AS u(id, count)
), {_LOCKED}
UPDATE charge_points c SET
    node = :node, epoch = c.epoch + come.count, connected_at = :at, last_seen_at = :at
FROM come JOIN locked USING (id)
WHERE c.id = come.id
RETURNING c.id, c.epoch
""")

_CLOSED = text(f"""
WITH gone AS (
    SELECT * FROM unnest(
        CAST(:keys AS bigint[]), CAST(:epochs AS bigint[]), CAST(:times AS timestamptz[])
    ) AS u(id, epoch, at)
), {_LOCKED}
UPDATE charge_points c SET node = NULL, disconnected_at = gone.at
FROM gone JOIN locked USING (id)
WHERE c.id = gone.id AND c.epoch = gone.epoch
""")


class SqlConnectionStore:
    """Each method is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, identities: Collection[str]) -> dict[str, ChargePointRecord]:
        """See the port."""
        # lower() uses the unique index; the exact spelling decides
        spelled = select(func.unnest(_texts(identities)).label("identity")).subquery()
        query = select(*_RECORD).where(
            func.lower(t.c.identity).in_(select(func.lower(spelled.c.identity))),
            t.c.deleted_at.is_(None),
        )
        async with self._database.transaction() as connection:
            rows = (await connection.execute(query)).all()
        wanted = set(identities)
        return {row.identity: _record(row) for row in rows if row.identity in wanted}

    async def create(
        self, identities: Collection[str], *, quiet: bool
    ) -> dict[str, ChargePointRecord]:
        """See the port."""
        statement = (
            insert(t)
            .values([{"identity": each, "name": each, "quiet": quiet} for each in identities])
            .on_conflict_do_nothing()
            .returning(*_RECORD)
        )
        async with self._database.transaction() as connection:
            rows = (await connection.execute(statement)).all()
        return {row.identity: _record(row) for row in rows}

    async def opened(
        self, counts: Mapping[ChargePointKey, int], node: str, at: datetime
    ) -> dict[ChargePointKey, int]:
        """See the port."""
        values = {"keys": list(counts), "counts": list(counts.values()), "node": node, "at": at}
        async with self._database.transaction() as connection:
            rows = (await connection.execute(_OPENED, values)).all()
        return {ChargePointKey(row.id): row.epoch for row in rows}

    async def closed(self, ends: Collection[ConnectionEnd]) -> None:
        """See the port."""
        keys, epochs, times = zip(*ends, strict=True)
        values = {"keys": list(keys), "epochs": list(epochs), "times": list(times)}
        async with self._database.transaction() as connection:
            await connection.execute(_CLOSED, values)

    async def settle_password(
        self, before: ChargePointRecord, used: bytes, *, pending: bytes | None
    ) -> None:
        """See the port."""
        statement = (
            update(t)
            .where(
                t.c.id == before.key,
                t.c.password_digest.is_not_distinct_from(before.password_digest),
                t.c.pending_password_digest.is_not_distinct_from(before.pending_password_digest),
            )
            .values(
                password_digest=used, pending_password_digest=pending, other_password_digests=[]
            )
        )
        async with self._database.transaction() as connection:
            await connection.execute(statement)

    async def settle_profile(self, before: ChargePointRecord, profile: int, at: datetime) -> bool:
        """See the port."""
        statement = (
            update(t)
            .where(
                t.c.id == before.key,
                t.c.pending_security_profile == profile,
                t.c.security_profile < profile,
            )
            .values(security_profile=profile, pending_security_profile=None, profile_told_at=None)
            .returning(t.c.id)
        )
        async with self._database.transaction() as connection:
            if (await connection.execute(statement)).first() is None:
                return False
            await Audit(connection).append(
                at=at,
                actor="system",
                action="security profile reached",
                object_type="station",
                object_id=before.identity,
                details={"from": before.security_profile, "to": profile},
            )
        return True

    async def release_node(self, node: str, at: datetime) -> None:
        """See the port."""
        statement = update(t).where(t.c.node == node).values(node=None, disconnected_at=at)
        async with self._database.transaction() as connection:
            await connection.execute(statement)

    async def seen(self, times: Mapping[ChargePointKey, datetime]) -> None:
        """See the port."""
        statement = (
            update(t)
            .where(t.c.id == bindparam("key"))
            .values(last_seen_at=func.greatest(t.c.last_seen_at, bindparam("at")))
        )
        async with self._database.transaction() as connection:
            await connection.execute(
                statement, [{"key": key, "at": at} for key, at in sorted(times.items())]
            )


def _texts(values: Collection[str]) -> ColumnElement[Any]:
    return cast(bindparam(None, list(values)), ARRAY(Text))


def _record(row: Any) -> ChargePointRecord:
    return ChargePointRecord(
        key=ChargePointKey(row.id),
        identity=Identity(row.identity),
        registration=Registration(row.registration),
        security_profile=row.security_profile,
        password_digest=row.password_digest,
        pending_password_digest=row.pending_password_digest,
        pending_password_waits=row.pending_password_waits,
        strict=row.strict,
        quiet=row.quiet,
        serial_number=row.serial_number,
        other_password_digests=tuple(row.other_password_digests),
        pending_security_profile=row.pending_security_profile,
        subject_check=row.subject_check,
    )
