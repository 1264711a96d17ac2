"""The HTTP server: start on a port, stop gracefully."""

from __future__ import annotations

import errno
import logging
import ssl

import structlog
from aiohttp import web
from aiohttp.http import HttpProcessingError

from csms.errors import StartError

_log = structlog.get_logger(__name__)

_SHUTDOWN_S = 10.0
IDLE_S = 120.0
"""Without a request, or between two: silent sockets would take all that a process may open."""


class _Unreadable(logging.Filter):
    """Turns requests that are no HTTP, which anybody may send, from errors of ours into a word."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = None if record.exc_info is None else record.exc_info[1]
        if not isinstance(error, HttpProcessingError):
            return True
        _log.info("request is no HTTP", status=error.code, reason=type(error).__name__)
        return False


_UNREADABLE = _Unreadable()


class ApiServer:
    """Serves one aiohttp application.

    Args:
        app: The application.
        host: Address to listen on.
        port: 0 takes a free one.
        tls: None serves plain http.
        idle_s: Connections that ask nothing for so long are closed.
    """

    def __init__(
        self,
        app: web.Application,
        *,
        host: str,
        port: int,
        tls: ssl.SSLContext | None = None,
        idle_s: float = IDLE_S,
    ) -> None:
        self._app = app
        self._idle_s = idle_s
        self._host = host
        self._wanted_port = port
        self._tls = tls
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The port that it listens on; the wanted one while it is not started."""
        if self._runner is None or not self._runner.addresses:
            return self._wanted_port
        return int(self._runner.addresses[0][1])

    async def start(self) -> None:
        """Listen.

        Raises:
            StartError: The port is in use, or the address is not ours.
        """
        logging.getLogger("aiohttp.server").addFilter(_UNREADABLE)  # the same one is added once
        runner = web.AppRunner(
            self._app, access_log=None, shutdown_timeout=_SHUTDOWN_S, keepalive_timeout=self._idle_s
        )
        await runner.setup()
        site = web.TCPSite(
            runner, self._host, self._wanted_port, ssl_context=self._tls, backlog=1024
        )
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            where = f"{self._host}:{self._wanted_port}"
            if error.errno == errno.EADDRINUSE:
                raise StartError(
                    f"The operator API cannot listen on {where}: the port is in use; "
                    "set CSMS_HTTP_PORT to a free one."
                ) from error
            raise StartError(f"The operator API cannot listen on {where}: {error}.") from error
        self._runner = runner

    async def stop(self) -> None:
        """Stop listening, let open requests finish within ten seconds, close the rest."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
