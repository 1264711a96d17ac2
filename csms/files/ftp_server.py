"""The FTP server for charge points: pyftpdlib in a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from csms.clock import Clock
from csms.errors import StartError
from csms.files.folder import Folder
from csms.files.ftp_bridge import Bridge
from csms.files.ftp_session import JobSession
from csms.services.files import FileService

with warnings.catch_warnings():
    # see `csms.files.ftp_transfer`
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

_log = structlog.get_logger(__name__)

_MOST_SOCKETS = 1024  # control and data connections together
_MOST_OF_ONE_ADDRESS = 256  # many charge points may share one
_LOOK_S = 0.2
_STOP_S = 15.0


class FtpServer:
    """Serves files to charge points over FTP.

    Args:
        service: Knows tokens and keeps files.
        folder: Where the bytes are.
        clock: Time.
        host: Address to listen on.
        port: 0 takes a free one.
        public: Address that passive connections are told; None: the one that the client came to.
        passive_ports: For data connections; empty: any free one.
        tls: Returns the context of the day for clients that want TLS; None: there is none.
    """

    def __init__(
        self,
        service: FileService,
        folder: Folder,
        clock: Clock,
        *,
        host: str,
        port: int,
        public: str | None,
        passive_ports: Sequence[int] = (),
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        self._service = service
        self._folder = folder
        self._clock = clock
        self._address = (host, port)
        self._public = public
        self._passive_ports = list(passive_ports)
        self._tls = tls
        self._server: Any = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that it listens on; the wanted one while it is not started."""
        return self._address[1] if self._server is None else int(self._server.address[1])

    async def start(self) -> None:
        """Listen.

        Raises:
            StartError: The port is in use, the address is not ours, or the public one is unknown.
        """
        # without a handler the package makes one that writes to stderr, and tells of every command
        logger = logging.getLogger("pyftpdlib")
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
        logger.setLevel(logging.WARNING)
        bridge = Bridge(
            service=self._service,
            folder=self._folder,
            clock=self._clock,
            loop=asyncio.get_running_loop(),
        )
        session = type(
            "Session",
            (JobSession,),
            {
                "bridge": bridge,
                "tls": None if self._tls is None else staticmethod(self._tls),
                "masquerade_address": await self._public_address(),
                "passive_ports": self._passive_ports or None,
            },
        )
        try:
            self._server = FTPServer(self._address, session, ioloop=IOLoop())
        except OSError as error:
            why = "the port is in use" if error.errno == errno.EADDRINUSE else str(error)
            raise StartError(
                f"The FTP server cannot listen on {self._address[0]}:{self._address[1]}: {why}; "
                "set CSMS_FTP_PORT to a free one."
            ) from error
        self._server.max_cons = _MOST_SOCKETS
        self._server.max_cons_per_ip = _MOST_OF_ONE_ADDRESS
        self._stopping.clear()
        self._thread = threading.Thread(target=self._serve, name="ftp", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Break off all sessions and stop listening; what came of open transfers is kept."""
        if self._thread is None:
            return
        self._stopping.set()
        # not by waiting here: sessions that end want to be recorded by this loop
        await asyncio.to_thread(self._thread.join, _STOP_S)
        if self._thread.is_alive():
            _log.warning("the FTP server does not end")
        self._thread = None

    def _serve(self) -> None:
        server = self._server
        try:
            while not self._stopping.is_set():
                try:
                    server.ioloop.loop(_LOOK_S, blocking=False)
                except OSError as error:  # one socket's, that went away meanwhile
                    _log.warning("FTP goes on after an error", error=str(error))
        finally:
            server.close_all()

    async def _public_address(self) -> str | None:
        """Return the public name as the IPv4 address that PASV has to tell."""
        if self._public is None:
            return None
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                self._public, None, family=socket.AF_INET, type=socket.SOCK_STREAM
            )
        except OSError as error:
            raise StartError(
                f"CSMS_FTP_URL: {self._public} has no IPv4 address ({error.strerror})."
            ) from error
        return str(found[0][4][0])
