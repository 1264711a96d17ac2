"""The OCPP-J listener: opens sockets to stations that are let in and runs their sessions.

One websockets server; a failing connection never touches another one.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable
from http import HTTPStatus

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from csms.clock import Clock
from csms.errors import DatabaseAway, StartError
from csms.ocppj import repairs
from csms.ocppj.gateway import LocalGateway
from csms.ocppj.handlers import Handlers, Station
from csms.ocppj.handshake import Admission, Refusal, admit
from csms.ocppj.refresh import Refresher
from csms.ocppj.registry import Registry
from csms.ocppj.schemas import Schemas
from csms.ocppj.session import Services, Session
from csms.services.connections import Connections
from csms.services.intake import Intake
from csms.services.ports.bus import Bus

_log = structlog.get_logger(__name__)

LARGEST_MESSAGE = 2**20
_OPEN_TIMEOUT_S = 10.0
_CLOSE_TIMEOUT_S = 5.0
_ADMISSION_TIMEOUT_S = 8.0
_BACKLOG = 4096
_GOING_AWAY = 1001
_INTERNAL_ERROR = 1011
_TRY_AGAIN_LATER = 1013
_REASONS = {
    errno.EADDRINUSE: "another program listens there already",
    errno.EACCES: "this user may not listen there",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


class _Connection(ServerConnection):
    """A websockets connection that carries who was let in."""

    admission: Admission | None = None


class OcppServer:
    """Listens for charge points.

    Use `start`, `run` as a loop beside it, then `stop`; each once. `registry` and `gateway` work
    before, in between and after: without a socket every station is offline.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        connections: Connections,
        intake: Intake,
        schemas: Schemas,
        clock: Clock,
        bus: Bus | None = None,
        call_timeout_s: float = 30.0,
        ping_interval_s: float | None = 30.0,
        ping_timeout_s: float | None = 30.0,
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        """Put the parts together; nothing listens yet.

        Args:
            host: Address or name to listen on; an empty one means all.
            port: 0 takes a free one, see `port`.
            connections: Knows the stations and notes who is connected.
            intake: Makes facts durable.
            schemas: All of OCPP 1.6.
            clock: Time.
            bus: Brings word of changed stations to live sessions, while `run` runs.
            call_timeout_s: For calls that name none.
            ping_interval_s: Silence after which a station is pinged (H13); None: never.
            ping_timeout_s: A pong later than this ends the connection; None: never.
            ready: While it is False, handshakes get 503.
        """
        self._host = host
        self._wanted_port = port
        self._connections = connections
        self._ping_interval_s = ping_interval_s
        self._ping_timeout_s = ping_timeout_s
        self._ready = ready
        self._services = Services(
            handlers=Handlers(intake, schemas, clock),
            schemas=schemas,
            intake=intake,
            connections=connections,
            clock=clock,
        )
        self._server: Server | None = None
        self.registry = Registry()
        self.gateway = LocalGateway(self.registry, call_timeout_s=call_timeout_s)
        self._refresher = None if bus is None else Refresher(self.registry, connections, bus, clock)

    @property
    def port(self) -> int:
        """The port that is listened on; only between `start` and `stop`."""
        if self._server is None:
            raise RuntimeError("the server has not been started")
        port: int = next(iter(self._server.sockets)).getsockname()[1]
        return port

    async def start(self) -> None:
        """Listen.

        Raises:
            StartError: The address cannot be listened on.
        """
        try:
            self._server = await serve(
                self._serve,
                self._host or None,
                self._wanted_port,
                process_request=self._process_request,
                process_response=self._process_response,
                create_connection=_Connection,
                compression=None,
                max_size=LARGEST_MESSAGE,
                open_timeout=_OPEN_TIMEOUT_S,
                close_timeout=_CLOSE_TIMEOUT_S,
                ping_interval=self._ping_interval_s,
                ping_timeout=self._ping_timeout_s,
                server_header=None,
                logger=_quiet_logger(),
                backlog=_BACKLOG,
            )
        except OSError as error:
            why = _REASONS.get(error.errno or 0, error.strerror or str(error))
            where = f"{self._host or '*'}:{self._wanted_port}"
            raise StartError(f"Cannot listen for charge points on {where}: {why}.") from error

    async def run(self) -> None:
        """Let live sessions see what operators change; a supervised loop of the program.

        Returns at once without a bus.

        Raises:
            DatabaseAway: Run it again.
        """
        if self._refresher is not None:
            await self._refresher.run()

    async def stop(self, *, grace_s: float = 5.0) -> None:
        """Stop accepting, let running handlers finish, close all sockets with 1001 (H17).

        Args:
            grace_s: How long handlers may take to answer what was received.

        Cancellation: sockets may be left open until the loop ends.
        """
        if self._server is None:
            return
        self._server.close(close_connections=False)
        sessions = self.registry.sessions()
        if sessions:
            try:
                async with asyncio.timeout(grace_s):
                    await asyncio.gather(*(session.drain() for session in sessions))
            except TimeoutError:
                _log.warning("handlers did not finish in time", grace_s=grace_s)
            await asyncio.gather(
                *(
                    session.close(_GOING_AWAY, "the central system stops")
                    for session in self.registry.sessions()
                )
            )
        try:
            async with asyncio.timeout(grace_s):
                await self._server.wait_closed()
        except TimeoutError:
            _log.warning("connections did not end in time", open=len(self._server.handler_tasks))
            for task in list(self._server.handler_tasks):
                task.cancel()
            await self._server.wait_closed()

    # -- handshake

    async def _process_request(
        self, connection: ServerConnection, request: Request
    ) -> Response | None:
        if not self._ready():
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "")
        secure = connection.transport.get_extra_info("sslcontext") is not None
        try:
            async with asyncio.timeout(_ADMISSION_TIMEOUT_S):
                decision = await admit(
                    request.path, request.headers, self._connections, secure=secure
                )
        except (DatabaseAway, TimeoutError):
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "")
        if isinstance(decision, Refusal):
            _log.warning(
                "handshake refused",
                status=decision.status.value,
                reason=decision.reason,
                station=decision.identity,
                peer=connection.remote_address,
            )
            response = connection.respond(decision.status, "")
            if decision.status is HTTPStatus.UNAUTHORIZED:
                response.headers["WWW-Authenticate"] = 'Basic realm="ocpp"'
            return response
        if isinstance(connection, _Connection):
            connection.admission = decision
        return None

    def _process_response(
        self, connection: ServerConnection, request: Request, response: Response
    ) -> None:
        admission = getattr(connection, "admission", None)
        if (
            response.status_code == HTTPStatus.SWITCHING_PROTOCOLS
            and isinstance(admission, Admission)
            and admission.subprotocol is not None
        ):
            response.headers["Sec-WebSocket-Protocol"] = admission.subprotocol

    # -- connection

    async def _serve(self, connection: ServerConnection) -> None:
        """Run one connection; the border that keeps its failures from all others."""
        admission = getattr(connection, "admission", None)
        if not isinstance(admission, Admission):
            return
        record = admission.record
        structlog.contextvars.bind_contextvars(station=record.identity)
        repairs.count(admission.repairs)
        try:
            epoch = await self._connections.opened(record.key)
        except DatabaseAway:
            await connection.close(_TRY_AGAIN_LATER, "the database is away")
            return
        session = Session(
            connection, Station(record), epoch, self._services, repairs=admission.repairs
        )
        former = self.registry.add(session)
        if former is not None:
            _log.warning("connection replaced by a newer one", epoch=former.epoch)
        await session.run(self._ended, former)

    async def _ended(self, session: Session) -> None:
        self.registry.remove(session)
        key = session.station.record.key
        try:
            await self._connections.closed(key, session.epoch)
        except DatabaseAway:
            # the epoch's row is corrected by the next connection or the next start of this node
            _log.warning("end of a connection not noted: the database is away")


def _quiet_logger() -> logging.Logger:
    """Return the logger of websockets, without its lines for each connection."""
    logger = logging.getLogger("csms.ocppj.websockets")
    logger.setLevel(logging.WARNING)
    return logger
