"""The engine and the one border where Postgres errors become ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import asyncpg
from asyncpg.exceptions import (
    ClientConfigurationError,
    InterfaceError,
    InternalClientError,
    PostgresError,
)
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from csms.errors import BadFact, Conflict, DatabaseAway, StartError

_AWAY = (
    OSError,
    TimeoutError,
    InterfaceError,
    InternalClientError,  # asyncpg lost track while its connection was dying
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shut down, starting up, a statement cancelled
    asyncpg.InsufficientResourcesError,  # disk full, out of memory, too many connections
    asyncpg.PostgresSystemError,  # a disk that fails
    asyncpg.ReadOnlySQLTransactionError,  # a standby after a fail-over
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,  # no such database (yet)
    asyncpg.ObjectNotInPrerequisiteStateError,  # no connections now, a lock not to be had
    asyncpg.TransactionRollbackError,  # a deadlock
    exc.TimeoutError,  # no connection of the pool became free, though there was a turn for it
)

_POOL_S = 5.0
_MOST_WAITING = 1_000
_CONNECT_S = 5.0
_CLOSE_S = 2.0
_STATEMENT_S = 15.0

# constraint name -> (code, sentence)
_CONFLICTS = {
    "pk_dialects": ("dialect_exists", "A dialect of this id exists already."),
    "uq_charge_points_identity": ("station_exists", "A station with this identity exists already."),
    "uq_id_tags_id_tag_key": ("id_tag_exists", "This id tag exists already."),
    "uq_users_name": ("user_exists", "A user of this name exists already."),
    "pk_sites": ("site_exists", "A site with this id exists already."),
    "uq_managed_loads_busy": ("connector_busy", "This connector is busy already."),
}


@contextmanager
def translated() -> Iterator[None]:
    """Turn the errors of asyncpg and SQLAlchemy that are raised inside into errors of ours.

    Raises:
        DatabaseAway: Postgres cannot be reached, is full or read-only; try again later.
        Conflict: A named constraint says that the thing is there already.
        BadFact: Postgres refuses the content.
    """
    try:
        yield
    except exc.DBAPIError as error:
        _raise_translated(_original(error), error)
    except (PostgresError, *_AWAY) as error:
        _raise_translated(error, error)


def _raise_translated(cause: BaseException, error: BaseException) -> None:
    # asyncpg refuses a parameter with an InterfaceError that is a ValueError too
    if isinstance(cause, asyncpg.DataError | ValueError | OverflowError):
        raise BadFact(str(cause)) from error
    if isinstance(cause, _AWAY):
        raise DatabaseAway(f"{type(cause).__name__}: {cause}") from error
    if isinstance(cause, asyncpg.UniqueViolationError):
        known = _CONFLICTS.get(getattr(cause, "constraint_name", None) or "")
        if known is not None:
            raise Conflict(*known) from error
    if isinstance(cause, PostgresError):
        raise BadFact(str(cause)) from error
    raise error


def _original(error: exc.DBAPIError) -> BaseException:
    """Return the driver's error inside one of SQLAlchemy's."""
    return getattr(error.orig, "__cause__", None) or error.orig or error


def new_engine(url: str, *, connect: dict[str, Any] | None = None, **options: Any) -> AsyncEngine:
    """Return an engine for an address as libpq knows it.

    asyncpg reads the address by itself: all that it may say (``?sslmode=require``, several hosts,
    ...) holds for every connection of ours alike, and SQLAlchemy's reading knows less of it.

    Args:
        url: ``postgresql://...``.
        connect: What `asyncpg.connect` is told besides.
        options: Of SQLAlchemy.
    """

    async def connection() -> asyncpg.Connection:
        try:
            made: asyncpg.Connection = await asyncpg.connect(url, **(connect or {}))
            return made
        except (ClientConfigurationError, asyncpg.UndefinedObjectError) as error:
            raise StartError(f"CSMS_DATABASE_URL cannot be used: {error}.") from error

    return create_async_engine("postgresql+asyncpg://", async_creator=connection, **options)


class Turns:
    """Lets so many work at once; the others wait their turn, in the order they came.

    The pool alone would not do: a connection that comes back may be taken by whoever asks in that
    moment, and who has waited longest waits on until its time is over.

    Concurrency: any number of tasks.
    """

    def __init__(self, count: int, *, wait_s: float = _POOL_S, most: int = _MOST_WAITING) -> None:
        """Give turns.

        Args:
            count: How many may work at once.
            wait_s: The longest that anybody waits.
            most: How many may wait; who comes then is told so at once.
        """
        self._free = asyncio.Semaphore(count)
        self._wait_s, self._most, self._waiting = wait_s, most, 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and hold it.

        Raises:
            DatabaseAway: It takes too long, or too many wait already.

        Cancellation: the place in the queue is given up.
        """
        if self._waiting >= self._most:
            raise DatabaseAway(f"{self._waiting} wait for a connection already")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                await self._free.acquire()
        except TimeoutError:
            raise DatabaseAway(f"no connection was free within {self._wait_s:g} s") from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()


class Database:
    """One engine with its pool.

    Concurrency: any number of tasks may open transactions; the pool bounds them, and they get its
    connections in the order they came.
    """

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = url
        self._turns = Turns(2 * pool_size)
        self.engine = new_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=_POOL_S,
            pool_pre_ping=True,
            connect={
                "timeout": _CONNECT_S,
                "command_timeout": _STATEMENT_S,
                "server_settings": {
                    "timezone": "UTC",
                    "application_name": "csms",
                    # where we have vanished without a word, our locks go
                    "idle_in_transaction_session_timeout": "60000",
                },
            },
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction: committed at the end, rolled back on an error.

        Raises:
            DatabaseAway, Conflict, BadFact: See `translated`.

        Cancellation: rolled back.
        """
        with translated():
            async with self._turns.turn(), self.engine.begin() as connection:
                try:
                    yield connection
                except exc.DBAPIError as error:
                    if isinstance(_original(error), asyncpg.ReadOnlySQLTransactionError):
                        # after a fail-over it leads to a standby, and so does whatever else is in
                        # the pool; new ones lead to the primary
                        await connection.invalidate()
                        await self.close()
                    raise

    async def close(self) -> None:
        """Close the connections of the pool; a database that hangs is not waited for.

        Those that are in use close when they are given back. Who comes later gets new ones.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self.engine.dispose()
