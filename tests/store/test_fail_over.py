"""The pool after a fail-over: one writer finds the standby, and nobody after it."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from sqlalchemy import text

from csms.errors import DatabaseAway
from csms.store.database import Database

_WRITE = text("CREATE TABLE written (n int)")


async def test_all_connections_to_a_standby_are_given_up_when_one_is_found_out(database_url):
    database = Database(database_url)
    admin = await asyncpg.connect(
        database_url, server_settings={"default_transaction_read_only": "off"}
    )
    name = await admin.fetchval("SELECT current_database()")
    await admin.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    all_are_open = asyncio.Barrier(3)

    async def look():
        async with database.transaction() as connection:
            await connection.execute(text("SELECT 1"))
            await all_are_open.wait()

    async def write():
        async with database.transaction() as connection:
            await connection.execute(_WRITE)

    try:
        await asyncio.gather(*[look() for _ in range(3)])
        await admin.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        with pytest.raises(DatabaseAway, match="read-only"):
            await write()
        await write()
    finally:
        await admin.close()
        await database.close()
