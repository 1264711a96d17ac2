"""Answers by idempotency key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.services.records import StoredAnswer
from csms.store import tables

_T = tables.idempotency_keys


class IdempotencyKeys:
    """See `csms.services.ports.users.IdempotencyKeys`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def claim(self, actor: str, key: str, digest: bytes) -> StoredAnswer | None:
        """Take the key, or return what is stored under it.

        Concurrency: of two claims at once one waits for the other's commit and sees its row.
        """
        taken = await self._connection.execute(
            insert(_T)
            .values(actor=actor, key=key, request_digest=digest)
            .on_conflict_do_nothing()
            .returning(_T.c.key)
        )
        if taken.first() is not None:
            return None
        statement = select(_T.c.request_digest, _T.c.status, _T.c.body).where(
            _T.c.actor == actor, _T.c.key == key
        )
        row = (await self._connection.execute(statement)).one()
        return StoredAnswer(request_digest=row.request_digest, status=row.status, body=row.body)

    async def finish(self, actor: str, key: str, status: int, body: str) -> None:
        """Store the answer."""
        await self._connection.execute(
            update(_T).where(_T.c.actor == actor, _T.c.key == key).values(status=status, body=body)
        )

    async def release(self, actor: str, key: str) -> None:
        """Give the key back: nothing was done."""
        await self._connection.execute(delete(_T).where(_T.c.actor == actor, _T.c.key == key))

    async def forget(self, before: datetime) -> int:
        """Delete keys made before that time; returns how many."""
        gone = await self._connection.execute(delete(_T).where(_T.c.created_at < before))
        return gone.rowcount
