"""Connection rows: who is connected where; see `csms.services.ports.connections`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from csms.domain.charge_points import ChargePointRecord, Registration
from csms.domain.ids import ChargePointKey, Identity
from csms.errors import Conflict
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
    t.c.strict,
    t.c.quiet,
    t.c.serial_number,
)


class SqlConnectionStore:
    """Each method is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, identity: str) -> ChargePointRecord | None:
        """See the port."""
        # lower() uses the unique index; the exact spelling decides
        query = select(*_RECORD).where(
            func.lower(t.c.identity) == func.lower(identity),
            t.c.identity == identity,
            t.c.deleted_at.is_(None),
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _record(row)

    async def create(self, identity: Identity, *, quiet: bool) -> ChargePointRecord | None:
        """See the port."""
        statement = (
            insert(t).values(identity=identity, name=identity, quiet=quiet).returning(*_RECORD)
        )
        try:
            async with self._database.transaction() as connection:
                return _record((await connection.execute(statement)).one())
        except Conflict:
            return await self.find(identity)

    async def opened(self, key: ChargePointKey, node: str, at: datetime) -> int:
        """See the port."""
        statement = (
            update(t)
            .where(t.c.id == key)
            .values(node=node, epoch=t.c.epoch + 1, connected_at=at, last_seen_at=at)
            .returning(t.c.epoch)
        )
        async with self._database.transaction() as connection:
            return int((await connection.execute(statement)).scalar_one())

    async def closed(self, key: ChargePointKey, epoch: int, at: datetime) -> None:
        """See the port."""
        statement = (
            update(t).where(t.c.id == key, t.c.epoch == epoch).values(node=None, disconnected_at=at)
        )
        async with self._database.transaction() as connection:
            await connection.execute(statement)

    async def settle_password(
        self, key: ChargePointKey, pending_digest: bytes, *, adopted: bool
    ) -> None:
        """See the port."""
        values: dict[str, object] = {"pending_password_digest": None}
        if adopted:
            values["password_digest"] = pending_digest
        statement = (
            update(t)
            .where(t.c.id == key, t.c.pending_password_digest == pending_digest)
            .values(values)
        )
        async with self._database.transaction() as connection:
            await connection.execute(statement)

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
    )
