"""All rows into a backup, and back: a snapshot out, one transaction in.

Rows travel in the text format of COPY, which every version of Postgres reads; the schema comes
from the migrations. `pg_dump` would refuse servers newer than itself, and what it writes cannot be
taken to another revision within one transaction. A database is therefore restored wholly or not
at all: emptying it, its schema, its rows and the migrations to this version are one commit.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

import csms
from csms.errors import BadFact
from csms.store import control_sql, migrate, partitions
from csms.store.backup_file import (
    FORMAT,
    BackupFailed,
    BackupRefused,
    Manifest,
    Reader,
    TableEntry,
    Writer,
)
from csms.store.database import new_engine, translated
from csms.store.tables import metadata, transaction_ids

MESSAGE_LOG = "ocpp_messages"
_LEFT_OUT = frozenset({"leases"})  # of the nodes that run
_SKIPPED_IDS = 100_000
"""Transaction ids given out after the backup may still be in use at charge points."""

_TIME = r"'(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00)'"
_BOUND = re.compile(rf"FOR VALUES FROM \({_TIME}\)")

_USERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND application_name LIKE 'csms%'"
)


async def write(
    url: str,
    writer: Writer,
    *,
    made_at: datetime,
    secret_sha256: str,
    settings: Mapping[str, str],
    without: Collection[str] = (),
) -> Manifest:
    """Write all tables of one moment and return the manifest; any number of csms may run meanwhile.

    Args:
        url: Of the database.
        writer: Takes the rows; `Writer.finish` is left to the caller.
        made_at: Goes into the manifest, as do the two after it.
        secret_sha256: See `Manifest`.
        settings: See `Manifest`.
        without: Tables whose rows are left out.

    Raises:
        BackupFailed: The schema is not that of this version.
        DatabaseAway: Try again.
    """
    revision = await migrate.current(url)
    if revision is None or revision != migrate.head():
        raise BackupFailed(
            f"The database is at revision {revision or 'base'}, this csms works with"
            f" {migrate.head()}: back it up with the csms it belongs to, or run `csms migrate`."
        )
    with translated():
        connection = await asyncpg.connect(
            url,
            timeout=5,
            server_settings={"timezone": "UTC", "application_name": "csms backup"},
        )
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                entries = [
                    await _write_table(connection, writer, table, empty=table.name in without)
                    for table in metadata.sorted_tables
                    if table.name not in _LEFT_OUT
                ]
                sequences = await _sequences(connection)
        finally:
            await connection.close(timeout=5)
    return Manifest(
        format=FORMAT,
        csms=csms.__version__,
        revision=revision,
        made_at=made_at,
        tables=entries,
        sequences=sequences,
        settings=dict(settings),
        secret_sha256=secret_sha256,
    )


async def read(url: str, reader: Reader, *, force: bool, before_commit: Callable[[], None]) -> None:
    """Make the database what the backup holds, at this version's revision; all or nothing.

    Args:
        url: Of the database.
        reader: The backup.
        force: Whether what is in the database may be replaced.
        before_commit: Called when everything is written and can be committed.

    Raises:
        BackupRefused: Damaged, of a newer csms, or the database is not empty or in use.
        DatabaseAway: Nothing was changed.
    """
    manifest = reader.manifest
    if manifest.revision not in migrate.known():
        raise BackupRefused(
            f"The backup was made by csms {manifest.csms} at revision {manifest.revision}, which"
            " this version does not know: restore it with that csms or a newer one."
        )
    reader.verify()
    try:
        async with _transaction(url) as connection:
            await migrate.lock(connection)
            if await connection.scalar(_USERS):
                raise BackupRefused("A csms works on this database: stop it, then restore.")
            if not force and not await _is_empty(connection):
                raise BackupRefused(
                    "The database is not empty; `csms restore --force` replaces all that is in it."
                )
            await migrate.rebuild(connection, manifest.revision)
            await _read_tables(connection, reader)
            await migrate.finish(connection)
            await _forget_what_ran(connection)
            before_commit()
    except BadFact as error:
        raise BackupRefused(
            f"The backup does not fit the schema of its revision: {error}; nothing was changed."
        ) from error


@asynccontextmanager
async def _transaction(url: str) -> AsyncIterator[AsyncConnection]:
    engine = new_engine(
        url,
        poolclass=NullPool,
        connect={
            "timeout": 5,
            "server_settings": {"timezone": "UTC", "application_name": "csms restore"},
        },
    )
    try:
        with translated():
            async with engine.begin() as connection:
                yield connection
    finally:
        await engine.dispose()


async def _write_table(
    connection: asyncpg.Connection, writer: Writer, table: Table, *, empty: bool
) -> TableEntry:
    columns = [column.name for column in table.columns]
    # a partitioned table cannot be copied as such, a query over it can
    query = f"SELECT {', '.join(columns)} FROM {table.name}" + (" WHERE false" if empty else "")
    with writer.table(table.name) as sink:
        done = await connection.copy_from_query(query, output=sink.write)
    bounds = await connection.fetch(partitions.BOUNDS, table.name)
    return TableEntry(
        name=table.name,
        columns=columns,
        rows=int(done.split()[-1]),
        sha256=sink.sha256,
        partitions=[] if empty else _first_moments(row[0] for row in bounds),
    )


def _first_moments(bounds: Any) -> list[datetime]:
    found = (_BOUND.match(bound) for bound in bounds)
    return sorted(datetime.fromisoformat(match[1]) for match in found if match is not None)


async def _sequences(connection: asyncpg.Connection) -> dict[str, int]:
    names: list[str] = [transaction_ids.name]
    for table in metadata.sorted_tables:
        names += [f"{table.name}_{column.name}_seq" for column in table.columns if column.identity]
    found = await connection.fetch(
        "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()"
        " AND sequencename = ANY($1) AND last_value IS NOT NULL",
        names,
    )
    return {row[0]: row[1] for row in found}


async def _is_empty(connection: AsyncConnection) -> bool:
    """Return whether no table of ours holds a row; tables that are not there hold none."""
    for table in metadata.sorted_tables:
        there = await connection.scalar(text("SELECT to_regclass(:name)"), {"name": table.name})
        if there is not None and await connection.scalar(
            text(f"SELECT EXISTS (SELECT 1 FROM {table.name})")
        ):
            return False
    return True


async def _read_tables(connection: AsyncConnection, reader: Reader) -> None:
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    if not isinstance(driver, asyncpg.Connection):
        raise TypeError("not an asyncpg connection")
    for table in reader.manifest.tables:
        for first in table.partitions:
            await driver.execute(partitions.create_statement(table.name, first))
        done = await driver.copy_to_table(
            table.name, source=reader.rows(table), columns=table.columns
        )
        if int(done.split()[-1]) != table.rows:
            raise BackupRefused(f"The backup has lost rows of {table.name}; nothing was changed.")
    for name, last in reader.manifest.sequences.items():
        if name == transaction_ids.name:
            last = min(last + _SKIPPED_IDS, transaction_ids.maxvalue or last)
        await driver.execute("SELECT setval($1::text::regclass, $2)", name, last)


async def _forget_what_ran(connection: AsyncConnection) -> None:
    """Take back what the rows say of sockets and limits: both went on after the backup.

    The statements are this version's, so the database must be at the head.
    """
    await connection.execute(
        text("UPDATE charge_points SET node = NULL, disconnected_at = now() WHERE node IS NOT NULL")
    )
    await connection.execute(
        text(control_sql.FORGET),
        {"keys": list(await connection.scalars(text("SELECT id FROM charge_points")))},
    )
    # what was told after the backup may be more or less than all that the rows say, and end later
    await connection.execute(
        text(
            "UPDATE charging_limits SET earlier_low_w = 0,"
            " earlier_high_w = coalesce(earlier_high_w, 0), ends_at = NULL, may_end_at = NULL"
        )
    )
