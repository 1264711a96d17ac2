"""A connection to Postgres that is kept, and made again when it is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg

from csms.errors import DatabaseAway
from csms.store.database import translated


class ContentRefused(Exception):
    """What is raised over a held connection without harm to it; never leaves the store."""


_CONNECT_S = 5.0
_STATEMENT_S = 12.0
_ROUND_TRIP_S = 3.0
_SESSION = {
    "timezone": "UTC",
    # the server gives up before we do, so that we know how it ended
    "statement_timeout": str(round(_STATEMENT_S * 1000)),
    # where we have vanished without a word, our locks go
    "idle_in_transaction_session_timeout": "30000",
}
_REFUSED = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    ValueError,  # asyncpg's own, for a parameter
    ContentRefused,
)
_NOT_OURS = (  # tables or rights are not what they should be; the statements are constant
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.InsufficientPrivilegeError,
)

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_DAY_US, _SECOND_US = 86_400_000_000, 1_000_000

_OWN_BACKEND = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"

# By its time of birth too: a process id may be another one's by now. NULL (no row): it is gone.
_END_BACKEND = """
SELECT pg_terminate_backend(pid, $3::bigint) FROM pg_stat_activity
WHERE pid = $1 AND backend_start = $2
"""


class HeldConnection:
    """One connection that is kept, and made again when it is lost.

    Before that its former server process is ended for certain: cut off from us in the middle, it
    may still be at work on a statement, and what it commits later would stand there twice with what
    is tried again meanwhile.
    """

    def __init__(self, url: str, settings: dict[str, str]) -> None:
        self._url = url
        self._settings = {**_SESSION, **settings}
        self._connection: asyncpg.Connection | None = None
        self._backend: asyncpg.Record | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """Give the connection for one use; closed when what happens may have broken it.

        Raises:
            DatabaseAway, BadFact: See `translated`.
        """
        with translated():
            connection = self._connection
            if connection is None or connection.is_closed():
                connection = self._connection = await self._connect()
            try:
                yield connection
            except BaseException as error:
                # a refused content leaves the connection as it was; anything else may not, or it
                # leads to a server that takes no writes any more
                if not isinstance(error, _REFUSED):
                    connection.terminate()
                if isinstance(error, _NOT_OURS):
                    raise DatabaseAway(f"{type(error).__name__}: {error}") from error
                raise

    async def _connect(self) -> asyncpg.Connection:
        connection: asyncpg.Connection = await asyncpg.connect(
            self._url,
            timeout=_CONNECT_S,
            command_timeout=_STATEMENT_S + _ROUND_TRIP_S,
            server_settings=self._settings,
        )
        try:
            # half of what asyncpg's own takes, which turns each time into UTC first
            await connection.set_type_codec(
                "timestamptz",
                schema="pg_catalog",
                format="tuple",
                encoder=_microseconds,
                decoder=_time,
            )
            if self._backend is not None:
                ended = await connection.fetchval(
                    _END_BACKEND, *self._backend, round(_CONNECT_S * 1000)
                )
                if ended is False:
                    raise DatabaseAway("the former connection is still at work")
            self._backend = await connection.fetchrow(_OWN_BACKEND)
        except BaseException:
            connection.terminate()
            raise
        return connection

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _microseconds(at: datetime) -> tuple[int]:
    """Return a time as Postgres counts it, in microseconds since the year 2000."""
    since = at - _EPOCH
    return (since.days * _DAY_US + since.seconds * _SECOND_US + since.microseconds,)


def _time(microseconds: tuple[int]) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=microseconds[0])
    except OverflowError:  # infinity, as asyncpg's own reads it
        return _LATEST if microseconds[0] > 0 else _EARLIEST
