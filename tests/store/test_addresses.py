"""What an address of a database may say holds for all connections: of the pool, of migrations."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from csms.errors import StartError
from csms.store import migrate
from csms.store.database import Database


async def ask(url, what):
    database = Database(url)
    try:
        async with database.transaction() as connection:
            return (await connection.execute(text(what))).scalar_one()
    finally:
        await database.close()


@pytest.mark.parametrize("query", ["sslmode=prefer", "sslmode=disable&target_session_attrs=any"])
async def test_what_libpq_knows_is_known(database_url, query):
    url = f"{database_url}?{query}"
    assert await migrate.current(url) == migrate.head()
    assert await ask(url, "SELECT 1") == 1


async def test_of_several_hosts_one_that_answers_is_taken(database_url, free_port):
    before, _, after = database_url.partition("@")
    url = f"{before}@127.0.0.1:{free_port},{after}"
    assert await migrate.current(url) == migrate.head()
    assert await ask(url, "SELECT 1") == 1


async def test_our_own_settings_hold_besides(database_url):
    assert await ask(f"{database_url}?sslmode=prefer", "SHOW application_name") == "csms"


@pytest.mark.parametrize("query", ["sslmode=maybe", "connect_timeou=3"])
async def test_what_nobody_knows_is_told_in_a_sentence(database_url, query):
    with pytest.raises(StartError, match="CSMS_DATABASE_URL"):
        await migrate.current(f"{database_url}?{query}")
