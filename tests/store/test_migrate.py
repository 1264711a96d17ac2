"""The migrations: both ways, without drift, by several nodes at once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import zipfile
from pathlib import Path

import asyncpg
import pytest

from csms.errors import DatabaseAway
from csms.store import migrate

_TABLES = (
    "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    " AND relname <> 'alembic_version'"
)


async def query(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_empty_to_head_to_base_to_head(postgres_url):
    assert await migrate.current(postgres_url) is None
    await migrate.upgrade(postgres_url)
    assert await migrate.current(postgres_url) == migrate.head()
    tables = await query(postgres_url, _TABLES)
    assert tables > 0

    await migrate.downgrade(postgres_url, "base")
    assert await migrate.current(postgres_url) is None
    assert await query(postgres_url, _TABLES) == 0
    left = "SELECT count(*) FROM pg_class WHERE relkind = 'S' OR relname LIKE '%\\_pkey'"
    assert await query(postgres_url, left + " AND relnamespace = 'public'::regnamespace") == 0

    await migrate.upgrade(postgres_url)
    assert await query(postgres_url, _TABLES) == tables


@pytest.mark.smoke
async def test_the_tables_in_the_code_are_those_of_the_migrations(database_url):
    assert await migrate.check(database_url) == []


async def test_check_sees_drift(database_url):
    await query(database_url, "ALTER TABLE sites ADD COLUMN by_hand int")
    await query(database_url, "ALTER TABLE sites ALTER COLUMN policy SET DEFAULT 'unfair'")
    drift = "\n".join(await migrate.check(database_url))
    assert "by_hand" in drift
    assert "modify_default" in drift


async def test_a_migration_that_does_not_fit_is_rolled_back(postgres_url):
    await query(postgres_url, "CREATE TABLE stations_of_another_program (id int)")
    await query(postgres_url, "CREATE TABLE transactions (id int)")
    with pytest.raises(migrate.MigrationFailed, match='"transactions" already exists'):
        await migrate.upgrade(postgres_url)
    assert await migrate.current(postgres_url) is None
    assert await query(postgres_url, _TABLES) == 2


async def test_check_leaves_partitions_out(database_url):
    await query(
        database_url,
        "DO $$ DECLARE p text; BEGIN FOR p IN SELECT relname FROM pg_class WHERE relkind = 'p'"
        " AND relnamespace = 'public'::regnamespace LOOP EXECUTE format("
        "'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', p || '_2030', p,"
        " '2030-01-01', '2031-01-01'); END LOOP; END $$",
    )
    assert await query(database_url, "SELECT count(*) FROM pg_class WHERE relname LIKE '%_2030'")
    assert await migrate.check(database_url) == []


async def test_several_tasks_upgrade_at_once(postgres_url):
    async with asyncio.timeout(100), asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(migrate.upgrade(postgres_url))
    assert await migrate.current(postgres_url) == migrate.head()


def test_two_processes_upgrade_at_once(postgres_url):
    code = (
        "import asyncio, sys; from csms.store import migrate;"
        "asyncio.run(migrate.upgrade(sys.argv[1]))"
    )
    nodes = [
        subprocess.Popen([sys.executable, "-c", code, postgres_url], stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [node.communicate(timeout=100)[1] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], said
    assert asyncio.run(migrate.current(postgres_url)) == migrate.head()


async def test_a_waiting_upgrade_waits_for_the_lock(postgres_url):
    holder = await asyncpg.connect(postgres_url)
    try:
        await holder.execute("SELECT pg_advisory_lock(727001)")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await migrate.upgrade(postgres_url)
        assert await holder.fetchval("SELECT to_regclass('alembic_version')") is None
    finally:
        await holder.close()
    await migrate.upgrade(postgres_url)


@pytest.mark.parametrize("call", [migrate.upgrade, migrate.current, migrate.check])
async def test_a_database_of_a_newer_csms_is_refused(database_url, call):
    await query(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(migrate.UnknownRevision) as refusal:
        await call(database_url)
    assert str(refusal.value) == (
        "The database is at revision 9999, which this version of csms does not know:"
        " it was migrated by a newer csms."
    )


async def test_a_database_that_is_away(free_port):
    with pytest.raises(DatabaseAway):
        await migrate.upgrade(f"postgresql://csms:x@127.0.0.1:{free_port}/csms")


def test_the_migrations_are_in_the_wheel(tmp_path):
    checkout = migrate.folder().parent
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=checkout,
        check=True,
        capture_output=True,
    )
    names = set(zipfile.ZipFile(next(Path(tmp_path).glob("*.whl"))).namelist())
    ours = {
        f"csms/_migrations/{path.relative_to(migrate.folder()).as_posix()}"
        for path in migrate.folder().rglob("*")
        if path.suffix in {".py", ".mako"}
    }
    assert "csms/_migrations/env.py" in ours
    assert ours <= names
