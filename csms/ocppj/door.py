"""The sockets of the listener: accepted one by one, opened within a bound of time, served.

websockets has a server of its own, which learns of a TLS peer only when its handshake is over, so
it can bound neither how many of them stand open nor the time of a whole handshake. This one accepts
by itself and asks the `Gate` first. Plain and TLS listeners share it.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

import structlog
from websockets.asyncio.server import Server, ServerConnection
from websockets.http11 import Request, Response
from websockets.protocol import State

from csms.clock import Clock
from csms.errors import StartError
from csms.ocppj.connection import LARGEST_MESSAGE, Connection
from csms.ocppj.gate import Arrival, Gate
from csms.ocppj.handshake import Admission
from csms.ocppj.opening import OpeningProtocol

_log = structlog.get_logger(__name__)

OPEN_TIMEOUT_S = 10.0
_CLOSE_TIMEOUT_S = 5.0
_BACKLOG = 4096
_MOST_A_ROUND = (
    32  # sockets accepted in one round of the loop: 15 ms, then live stations have turns
)
_PAUSE_S = 0.5
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_REASONS = {
    errno.EADDRINUSE: "another program listens there already",
    errno.EACCES: "this user may not listen there",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}

Check = Callable[[Connection, Request], Awaitable[Response | None]]
Finish = Callable[[Connection, Response], None]
Serve = Callable[[Connection, Admission], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pings:
    """How half-open sockets are found (H13).

    Attributes:
        interval_s: Silence after which a station is pinged; None: never.
        timeout_s: A pong later than this ends the connection; None: never.
    """

    interval_s: float | None = 30.0
    timeout_s: float | None = 30.0


class Door:
    """Listeners with all connections that came in through them.

    Use `listen` once or more, then `shut` and `close`.
    """

    def __init__(
        self,
        *,
        gate: Gate,
        clock: Clock,
        pings: Pings,
        check: Check,
        finish: Finish,
        serve: Serve,
        open_timeout_s: float = OPEN_TIMEOUT_S,
    ) -> None:
        """Put the parts together; nothing listens yet.

        Args:
            gate: Decides about strangers.
            clock: Time.
            pings: Of all connections.
            check: Answers a request with a response that refuses it, or None.
            finish: Sees each response before it leaves.
            serve: Runs a connection that was let in, until its end.
            open_timeout_s: For the whole handshake, TLS included.
        """
        self._gate = gate
        self._clock = clock
        self._pings = pings
        self._check = check
        self._finish = finish
        self._serve = serve
        self._open_timeout_s = open_timeout_s
        self._logger = _quiet_logger()
        self._listeners: list[socket.socket] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._shut = False

    def __len__(self) -> int:
        """Return how many connections there are, open and opening."""
        return len(self._connections)

    def is_serving(self) -> bool:
        """Return whether new stations may come in; websockets asks this too."""
        return bool(self._listeners) and not self._shut

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen on an address and return the port.

        Args:
            host: Address or name; an empty one means all.
            port: 0 takes a free one.
            tls: None serves plain ws.

        Raises:
            StartError: The address cannot be listened on.
        """
        loop = asyncio.get_running_loop()
        try:
            opened = await _listeners(host, port)
        except OSError as error:
            why = _REASONS.get(error.errno or 0, error.strerror or str(error))
            where = f"{host or '*'}:{port}"
            raise StartError(f"Cannot listen for charge points on {where}: {why}.") from error
        for listener in opened:
            self._listeners.append(listener)
            loop.add_reader(listener.fileno(), self._accept, listener, tls)
        return int(opened[0].getsockname()[1])

    def shut(self) -> None:
        """Accept no more; who stands at the door gets 503."""
        self._shut = True
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            loop.remove_reader(listener.fileno())
            listener.close()
        self._listeners.clear()

    async def close(self, grace_s: float) -> None:
        """Wait until all connections have ended; cancel those that take longer than `grace_s`.

        Cancellation: connections may be left open until the loop ends.
        """
        self.shut()
        if not self._connections:
            return
        _, late = await asyncio.wait(self._connections, timeout=grace_s)
        if late:
            _log.warning("connections did not end in time", open=len(late))
            for task in late:
                task.cancel()
            await asyncio.wait(late)

    # -- accepting

    def _accept(self, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(_MOST_A_ROUND):
            try:
                accepted, address = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                # a listener that cannot accept stays readable: without a pause it would spin
                _log.error("no socket can be accepted", reason=error.strerror)
                loop.remove_reader(listener.fileno())
                loop.call_later(_PAUSE_S, self._resume, listener, tls)
                return
            turn_s = self._gate.turn_s(address[0])
            accepted.setblocking(False)
            # owned by `close`; its failures end in `_arrive`, which lets nothing out
            task = loop.create_task(self._arrive(accepted, address[0], turn_s, tls))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

    def _resume(self, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        if listener in self._listeners:
            asyncio.get_running_loop().add_reader(listener.fileno(), self._accept, listener, tls)

    # -- one connection

    async def _arrive(
        self, accepted: socket.socket, address: str, turn_s: float, tls: ssl.SSLContext | None
    ) -> None:
        """Open and serve one socket; the border that keeps its failures from all others."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        arrival = Arrival(address, task.cancel)
        opened: list[Connection] = []
        try:
            async with asyncio.timeout(self._open_timeout_s):
                if turn_s and not await self._has_turn(arrival, turn_s):
                    return
                self._gate.wait(arrival)
                await self._open(accepted, arrival, tls, opened)
            self._gate.leave(arrival)
            for connection in opened:
                await self._run(connection)
        except TimeoutError:
            _log.info("handshake not finished in time", peer=address)
        except Exception:
            _log.exception("connection failed", peer=address)
        finally:
            self._gate.leave(arrival)
            if opened:
                opened[0].transport.abort()
            else:
                accepted.close()

    async def _has_turn(self, arrival: Arrival, turn_s: float) -> bool:
        """Wait for an arrival's turn; return False when it is turned away."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()

        def go() -> None:
            if not turn.done():
                turn.set_result(None)

        arrival.go = go
        if not self._gate.park(arrival):
            return False
        timer = loop.call_later(turn_s, go)
        try:
            await turn
        finally:
            timer.cancel()
            self._gate.unpark(arrival)
        return True

    async def _open(
        self,
        accepted: socket.socket,
        arrival: Arrival,
        tls: ssl.SSLContext | None,
        opened: list[Connection],
    ) -> None:
        """Shake hands; `opened` gets the connection as soon as it owns the socket."""
        try:
            connection = await self._connect(accepted, tls)
        except (ssl.SSLError, OSError) as error:
            _log.info("TLS handshake failed", peer=arrival.address, reason=_reason(error))
            return
        opened.append(connection)
        connection.arrival = arrival
        await connection.handshake(self._asked, self._answered, None)

    async def _run(self, connection: Connection) -> None:
        admission = connection.admission
        if connection.protocol.state is State.OPEN and admission is not None:
            connection.start_keepalive()
            async with connection:
                await self._serve(connection, admission)

    async def _connect(self, accepted: socket.socket, tls: ssl.SSLContext | None) -> Connection:
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # with TLS, uvloop returns its own protocol instead of this one
        connection = Connection(
            OpeningProtocol(max_size=LARGEST_MESSAGE, logger=self._logger),
            cast("Server", self),  # it is only asked whether it is serving
            ping_interval=self._pings.interval_s,
            ping_timeout=self._pings.timeout_s,
            close_timeout=_CLOSE_TIMEOUT_S,
        )
        loop = asyncio.get_running_loop()
        if tls is None:
            await loop.connect_accepted_socket(lambda: connection, accepted)
        else:
            await loop.connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=tls,
                ssl_handshake_timeout=self._open_timeout_s,
                ssl_shutdown_timeout=_CLOSE_TIMEOUT_S,
            )
        return connection

    async def _asked(self, connection: ServerConnection, request: Request) -> Response | None:
        return await self._check(cast("Connection", connection), request)

    def _answered(self, connection: ServerConnection, _: Request, response: Response) -> None:
        self._finish(cast("Connection", connection), response)


async def _listeners(host: str, port: int) -> list[socket.socket]:
    """Return listening sockets for each address of a host, all on the same port."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    opened: list[socket.socket] = []
    missing: OSError | None = None
    for family, kind, protocol, _, address in dict.fromkeys(found):
        if opened and not port:
            address = (address[0], opened[0].getsockname()[1], *address[2:])
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
            listener.setblocking(False)
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRNOTAVAIL:  # such as ::1 where there is no IPv6
                for other in opened:
                    other.close()
                raise
            missing = error
            continue
        opened.append(listener)
    if not opened:
        raise missing or OSError(errno.EADDRNOTAVAIL, "no address")
    return opened


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        # whose it is nobody knows yet: this line is all that an operator will find
        return f"the client certificate is refused: {error.verify_message}"
    return getattr(error, "reason", None) or error.strerror or type(error).__name__


def _quiet_logger() -> logging.Logger:
    """Return the logger of websockets, without its lines for each connection."""
    logger = logging.getLogger("csms.ocppj.websockets")
    logger.setLevel(logging.WARNING)
    return logger
