"""The HTTP(S) endpoint for charge points: its port, its bounds, what each request may do.

There is nothing here but ways: a path that holds no open token finds nothing. Each connection
serves one request, so a slow or silent client is bounded by that request's own bounds.
"""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import unquote

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from csms.clock import Clock
from csms.domain import files
from csms.errors import DatabaseAway, StartError
from csms.files.answers import Refused, refusal
from csms.files.downloads import hand_out
from csms.files.uploads import Receiver
from csms.proxies import TrustedProxies
from csms.services.files import FileService
from csms.services.ports.files import Grant

_log = structlog.get_logger(__name__)

_MOST_CONNECTIONS = 1024
_MOST_TRANSFERS = 512
_HANDSHAKE_S = 15.0
_HEADERS_S = 30.0
_HOLD_S = 1.0  # how long the answer to an unknown token takes
_MOST_HELD = 8  # of one address; more are not even looked up
_LONGEST_S = 6 * 3600.0
_SHUTDOWN_S = 3.0
_LINGER_S = 2.0  # for a client that sends on though it was refused
_UPLOAD = frozenset({"PUT", "POST"})
_DOWNLOAD = frozenset({"GET", "HEAD"})


class FilesServer:
    """Serves files to charge points over HTTP or HTTPS.

    Args:
        service: Knows tokens and keeps files.
        clock: Time.
        host: Address to listen on.
        port: 0 takes a free one.
        tls: None serves plain HTTP.
        proxies: Whose word counts on where a request comes from.
    """

    def __init__(
        self,
        service: FileService,
        clock: Clock,
        *,
        host: str,
        port: int,
        tls: ssl.SSLContext | None,
        proxies: TrustedProxies,
    ) -> None:
        self._service = service
        self._receiver = Receiver(service, clock, scheme="http" if tls is None else "https")
        self._host = host
        self._wanted_port = port
        self._tls = tls
        self._proxies = proxies
        self._clock = clock
        self._transfers = 0
        self._held: Counter[str] = Counter()
        self._runner: web.ServerRunner | None = None
        self._listening: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port that it listens on; the wanted one while it is not started."""
        if self._listening is None:
            return self._wanted_port
        return int(self._listening.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen.

        Raises:
            StartError: The port is in use, or the address is not ours.
        """
        runner = web.ServerRunner(_Bounded(self._handle), shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        if runner.server is None:
            raise TypeError("a runner that is set up has a server")
        try:
            self._listening = await asyncio.get_running_loop().create_server(
                runner.server,
                self._host,
                self._wanted_port,
                ssl=self._tls,
                ssl_handshake_timeout=None if self._tls is None else _HANDSHAKE_S,
                backlog=_MOST_CONNECTIONS,
            )
        except OSError as error:
            await runner.cleanup()
            why = "the port is in use" if error.errno == errno.EADDRINUSE else str(error)
            raise StartError(
                f"The file endpoint cannot listen on {self._host}:{self._wanted_port}: {why}; "
                "set CSMS_FILES_PORT to a free one."
            ) from error
        self._runner = runner

    async def stop(self) -> None:
        """Stop listening, let open transfers finish for three seconds, break off the rest."""
        if self._listening is not None and self._runner is not None:
            self._listening.close()
            await self._runner.cleanup()
            self._listening = self._runner = None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            async with asyncio.timeout(_LONGEST_S):
                response = await self._answer(request)
        except Refused as refused:
            _log.info(
                "file request refused",
                method=request.method,
                status=refused.status.value,
                reason=refused.text,
                peer=self._address(request),
            )
            response = refused.response()
        except DatabaseAway as error:
            _log.warning("file request without a database", error=str(error))
            response = refusal(HTTPStatus.SERVICE_UNAVAILABLE, "come again").response()
        response.force_close()
        return response

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        token, name = token_and_name(request.rel_url.raw_path)
        address = self._address(request)
        grant = await self._grant(request, token, address)
        if self._transfers >= _MOST_TRANSFERS:
            raise refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many transfers at once")
        self._transfers += 1
        try:
            if grant.direction == "download":
                return await hand_out(request, grant, self._service.blobs)
            return await self._receiver.receive(request, grant, name, address)
        finally:
            self._transfers -= 1

    async def _grant(self, request: web.BaseRequest, token: str, address: str) -> Grant:
        if self._held[address] >= _MOST_HELD:
            raise refusal(HTTPStatus.TOO_MANY_REQUESTS, "too many guesses")
        found = await self._service.way(token)
        if found == "unknown":
            self._held[address] += 1
            try:
                await self._clock.sleep(_HOLD_S)
            finally:
                self._held[address] -= 1
                if not self._held[address]:
                    del self._held[address]
            raise refusal(HTTPStatus.NOT_FOUND, "there is no such thing")
        if found == "spent":
            raise refusal(HTTPStatus.GONE, "the job of this address is over")
        allowed = _UPLOAD if found.direction == "upload" else _DOWNLOAD
        if request.method not in allowed:
            refused = refusal(HTTPStatus.METHOD_NOT_ALLOWED, "this address is for other methods")
            refused.headers["Allow"] = ", ".join(sorted(allowed))
            raise refused
        return found

    def _address(self, request: web.BaseRequest) -> str:
        headers = request.headers
        return self._proxies.peer(
            request.remote or "",
            forwarded_for=headers.getall("X-Forwarded-For", []),
            forwarded_proto=headers.getall("X-Forwarded-Proto", []),
            forwarded=headers.getall("Forwarded", []),
        ).address


def token_and_name(raw_path: str) -> tuple[str, str]:
    """Return the token in a path and what stands last behind it; empty where they are not there.

    Whatever a proxy or a charge point puts before, between and behind does not matter.

    >>> token = "0123456789abcdef" * 2
    >>> token_and_name(f"/files//{token}/a/b%2Fc.zip")[1], token_and_name(f"/{token}")[1]
    ('c.zip', '')
    """
    parts = raw_path.split("/")
    for place, part in enumerate(parts):
        if files.TOKEN.fullmatch(part) is not None:
            behind = unquote("/".join(parts[place + 1 :]), errors="replace")
            return part, files.label(behind)
    return "", ""


class _Bounded(web.Server):
    """An HTTP server with a limited number of connections, each of which has to say something."""

    def __init__(self, handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
        super().__init__(self._heard, access_log=None, lingering_time=_LINGER_S)
        self._handle = handle
        self._silent: dict[RequestHandler, asyncio.TimerHandle] = {}

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Let a connection in, if there is room, and give it some seconds for its request."""
        super().connection_made(handler, transport)
        if len(self._connections) > _MOST_CONNECTIONS:
            transport.abort()
            return
        loop = asyncio.get_running_loop()
        self._silent[handler] = loop.call_later(_HEADERS_S, transport.abort)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """Forget a connection."""
        self._heard_of(handler)
        super().connection_lost(handler, exc)

    async def _heard(self, request: web.BaseRequest) -> web.StreamResponse:
        self._heard_of(request.protocol)
        return await self._handle(request)

    def _heard_of(self, handler: RequestHandler) -> None:
        timer = self._silent.pop(handler, None)
        if timer is not None:
            timer.cancel()
