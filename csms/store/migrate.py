"""The schema's revisions: alembic in this process, over a connection of ours.

Any number of nodes may call `upgrade` at once: an advisory lock of the database lets one through
after the other, and the later ones find nothing to do. Within one process alembic is not reentrant
(its operations act on a global context), so calls also wait for each other here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import SchemaItem

import csms
from csms.errors import BadFact, StartError
from csms.store.database import new_engine, translated
from csms.store.tables import metadata

_LOCK = 727_001
_one_at_a_time: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

_PARTITIONS = text(
    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relispartition AND n.nspname = current_schema()"
)


class MigrationFailed(StartError):
    """Postgres refuses a statement of a migration, which was rolled back."""


class UnknownRevision(StartError):
    """The database is at a revision that this version of csms does not have."""


async def upgrade(url: str, revision: str = "head") -> None:
    """Bring the schema to `revision`, each migration in its own transaction.

    Raises:
        UnknownRevision: The database was migrated by a newer csms.
        MigrationFailed: A migration does not fit what is in the database.
        DatabaseAway: Postgres cannot be reached, or a lock was not to be had in time.

    Cancellation: the migration that runs is rolled back, those before it stay.
    Concurrency: any number of tasks and nodes.
    """
    await _alembic(url, lambda config: command.upgrade(config, revision))


async def downgrade(url: str, revision: str) -> None:
    """Take the schema back to `revision`; ``base`` is the empty database.

    Raises:
        UnknownRevision, MigrationFailed, DatabaseAway: As in `upgrade`.
    """
    await _alembic(url, lambda config: command.downgrade(config, revision))


async def current(url: str) -> str | None:
    """Return the revision of the database, or None when it is empty.

    Raises:
        UnknownRevision, DatabaseAway: As in `upgrade`.
    """
    async with _connected(url) as connection:
        return await connection.run_sync(_known_revision)


async def check(url: str) -> list[str]:
    """Return where the database differs from the tables in the code, a line each; empty is well.

    Raises:
        UnknownRevision, DatabaseAway: As in `upgrade`.
    """
    async with _connected(url) as connection:
        return await connection.run_sync(_differences)


async def lock(connection: AsyncConnection) -> None:
    """Keep all migrations of other nodes out until the transaction of `connection` ends."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


async def rebuild(connection: AsyncConnection, revision: str) -> None:
    """Empty the database and bring it to `revision`, all in the transaction of `connection`.

    Raises:
        UnknownRevision: As in `upgrade`.
    """

    def run(sync: Connection) -> None:
        config = _config(sync, one_transaction=True)
        if _known_revision(sync) is not None:
            command.downgrade(config, "base")
        command.upgrade(config, revision)

    await connection.run_sync(run)


async def finish(connection: AsyncConnection) -> None:
    """Bring the database to the head, in the transaction of `connection`."""
    await connection.run_sync(
        lambda sync: command.upgrade(_config(sync, one_transaction=True), "head")
    )


def known() -> frozenset[str]:
    """Return the revisions that this version of csms has."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return frozenset(script.revision for script in scripts)


def head() -> str | None:
    """Return the newest revision of this version of csms."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def folder() -> Path:
    """Return the folder of the migrations: in the installed package, else in the checkout."""
    package = Path(csms.__file__).parent
    for candidate in (package / "_migrations", package.parent / "migrations"):
        if (candidate / "env.py").exists():
            return candidate
    raise StartError(f"The migrations are missing beside {package}: install csms again.")


def compare_options(connection: Connection) -> dict[str, Any]:
    """Return how the database and the tables in the code are compared.

    Partitions are made at run time and stand in no metadata; they are left out.
    """
    partitions = set(connection.scalars(_PARTITIONS))

    def include(
        item: SchemaItem, name: str | None, kind: str, reflected: bool, other: SchemaItem | None
    ) -> bool:
        return not (kind == "table" and reflected and other is None and name in partitions)

    return {
        "target_metadata": metadata,
        "include_object": include,
        "compare_type": True,
        "compare_server_default": True,
    }


async def _alembic(url: str, run: Callable[[Config], None]) -> None:
    lock = _one_at_a_time.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    async with lock, _connected(url) as connection:
        # A lock of the session, not of a transaction: each migration commits. It ends with the
        # connection, also when this process is killed.
        await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        await connection.commit()
        await connection.run_sync(_known_revision)
        await connection.commit()
        await connection.run_sync(lambda sync: run(_config(sync)))


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[AsyncConnection]:
    engine = new_engine(url, poolclass=NullPool)
    try:
        with translated():
            async with engine.connect() as connection:
                yield connection
    except BadFact as error:
        raise MigrationFailed(f"A migration failed and was rolled back: {error}") from error
    finally:
        await engine.dispose()


def _config(connection: Connection | None = None, *, one_transaction: bool = False) -> Config:
    attributes = {"connection": connection, "one_transaction": one_transaction}
    config = Config(attributes=attributes)
    # A percent sign would be an interpolation in the configuration.
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _known_revision(connection: Connection) -> str | None:
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in known():
        raise UnknownRevision(
            f"The database is at revision {found}, which this version of csms does not know:"
            " it was migrated by a newer csms."
        )
    return found


def _differences(connection: Connection) -> list[str]:
    _known_revision(connection)
    options = compare_options(connection)
    context = MigrationContext.configure(
        connection, opts={key: value for key, value in options.items() if key != "target_metadata"}
    )
    return [repr(difference) for difference in compare_metadata(context, metadata)]
