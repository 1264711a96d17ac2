"""The OCPP-J listener: opens sockets to stations that are let in and runs their sessions.

One server behind a plain and a TLS port; a failing connection never touches another one.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
import sys
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus

import structlog
from websockets.http11 import Request, Response

from csms.clock import Clock
from csms.domain.ids import ChargePointKey
from csms.errors import DatabaseAway
from csms.metrics import METRICS
from csms.ocppj import repairs
from csms.ocppj.client_certificates import ClientCertificates, Verifier
from csms.ocppj.connection import Connection
from csms.ocppj.door import OPEN_TIMEOUT_S, Door, Pings
from csms.ocppj.gate import Gate
from csms.ocppj.gateway import LocalGateway
from csms.ocppj.handlers import Handlers
from csms.ocppj.handshake import (
    Admission,
    Refusal,
    Transport,
    admit,
    identity_of,
)
from csms.ocppj.leaky import LeakyCounts
from csms.ocppj.opening import OpeningProtocol
from csms.ocppj.refresh import Refresher
from csms.ocppj.registry import Registry
from csms.ocppj.repairs.catalogue import COMPRESSED_FRAMES, PINGS_UNANSWERED, REQUEST_SYNTAX
from csms.ocppj.repairs.pings import UnansweredPings, probe_instead
from csms.ocppj.repairs.requests import put_right
from csms.ocppj.repairs.tolerance import Repairs
from csms.ocppj.schemas import Schemas
from csms.ocppj.serving import Station
from csms.ocppj.session import Services, Session
from csms.proxies import Peer, TrustedProxies
from csms.services.connections import Connections
from csms.services.diary import Diary
from csms.services.intake import Intake
from csms.services.notices import Notices
from csms.services.ports.bus import Bus
from csms.services.ports.dialects import Paces
from csms.services.ports.diary import Attempt, Outcome
from csms.services.shown_certificates import ShownCertificates
from csms.services.signing import Signing

_log = structlog.get_logger(__name__)

MOST_ADMITTING = 4_096
"""Handshakes that wait for our database at once; the next ones get 503 and come again."""

FREE_TAKE_OVERS = 5
_TAKE_OVERS_FORGOTTEN_PER_S = 1 / 30
_FORMER_ANSWERS_WITHIN_S = 2.0
_COME_AGAIN_S = 30
_LONGEST_HOST = 300

CLOSED_AT_ONCE = 50
"""Stations that may all come back in the same moment after a stop."""

_CLOSED_PER_S = 500.0
_LONGEST_CLOSING_S = 2.0

_ADMISSION_TIMEOUT_S = 5.0  # well within the time for a whole handshake, to be told by a 503
_GOING_AWAY = 1001
_TRY_AGAIN_LATER = 1013


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
        tls: ssl.SSLContext | None = None,
        tls_port: int = 0,
        proxies: TrustedProxies | None = None,
        open_timeout_s: float = OPEN_TIMEOUT_S,
        notices: Notices | None = None,
        diary: Diary | None = None,
        known_repairs: Repairs | None = None,
        paces: Paces | None = None,
        signing: Signing | None = None,
        verifier: Verifier | None = None,
        shown: ShownCertificates | None = None,
        organization: str | None = None,
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
            tls: Opens a second listener, for wss; None: there is none.
            tls_port: Of that one; 0 takes a free one, see `tls_port`.
            proxies: Whose forwarding headers count; None: nobody's.
            open_timeout_s: For a whole handshake, TLS included.
            notices: Makes durable what is reported beside charging; None: that is NotSupported.
            diary: Takes notes of who has tried to connect; None: nobody does.
            known_repairs: For stations that are not strict; None: those of the catalogue.
            paces: Which charge points want their calls spaced; None: nobody does.
            signing: Takes certificate requests; None: they are Rejected.
            verifier: Knows client certificates; None: there are none.
            shown: Keeps which certificates stations have come with; None: nobody does.
            organization: That client certificates should name; None: any will do.
        """
        self._organization = organization
        self._host = host
        self._wanted_port = port
        self._wanted_tls_port = tls_port
        self._tls = tls
        self._connections = connections
        self._clock = clock
        self._diary = diary
        known_repairs = known_repairs or Repairs(schemas)
        self._switches = known_repairs.switches
        self._unanswered = UnansweredPings()
        self._ready = ready
        self._proxies = proxies or TrustedProxies()
        self._gate = Gate(clock, self._proxies)
        self._admitting = 0
        self._take_overs: LeakyCounts[ChargePointKey] = LeakyCounts(
            clock, forgotten_per_s=_TAKE_OVERS_FORGOTTEN_PER_S
        )
        self._services = Services(
            handlers=Handlers(intake, schemas, clock, notices, known_repairs, signing),
            schemas=schemas,
            intake=intake,
            connections=connections,
            clock=clock,
        )
        self._port: int | None = None
        self._tls_port: int | None = None
        self._door = Door(
            gate=self._gate,
            clock=clock,
            pings=Pings(interval_s=ping_interval_s, timeout_s=ping_timeout_s),
            check=self._check,
            finish=_finish,
            serve=self._serve,
            open_timeout_s=open_timeout_s,
        )
        self.registry = Registry()
        self.gateway = LocalGateway(
            self.registry, call_timeout_s=call_timeout_s, paces=paces, clock=clock
        )
        self._hosts: dict[ChargePointKey, str] = {}
        self.certificates = None if verifier is None else self._looks_at(verifier, shown)
        self._refresher = None if bus is None else Refresher(self.registry, connections, bus, clock)

    @property
    def port(self) -> int:
        """The port of plain ws; only after `start`."""
        if self._port is None:
            raise RuntimeError("the server has not been started")
        return self._port

    @property
    def tls_port(self) -> int | None:
        """The port of wss, if there is one; only after `start`."""
        return self._tls_port

    async def start(self) -> None:
        """Listen.

        Raises:
            StartError: An address cannot be listened on.
        """
        try:
            self._port = await self._door.listen(self._host, self._wanted_port)
            if self._tls is not None:
                self._tls_port = await self._door.listen(
                    self._host, self._wanted_tls_port, self._tls
                )
        except BaseException:
            self._door.shut()
            raise

    async def listen_tls(
        self, tls: ssl.SSLContext, verifier: Verifier, shown: ShownCertificates
    ) -> None:
        """Open the listener for wss, of a server that was started without one.

        Raises:
            StartError: The address cannot be listened on.
        """
        self.certificates = self._looks_at(verifier, shown)
        self._tls_port = await self._door.listen(self._host, self._wanted_tls_port, tls)

    def _looks_at(self, verifier: Verifier, shown: ShownCertificates | None) -> ClientCertificates:
        return ClientCertificates(
            verifier, self.registry, self._clock, shown, organization=self._organization
        )

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
        self._door.shut()
        sessions = list(self.registry.sessions())
        if sessions:
            try:
                async with asyncio.timeout(grace_s):
                    await asyncio.gather(*(session.drain() for session in sessions))
            except TimeoutError:
                _log.warning("handlers did not finish in time", grace_s=grace_s)
            await self._send_away(list(self.registry.sessions()))
        await self._door.close(grace_s)

    async def _send_away(self, sessions: list[Session]) -> None:
        """Close sockets in random order over a while, so that they come back like that."""
        secrets.SystemRandom().shuffle(sessions)
        count = len(sessions)
        spread_s = 0.0
        if count > CLOSED_AT_ONCE:
            spread_s = min(_LONGEST_CLOSING_S, count / _CLOSED_PER_S)

        async def close(session: Session, after_s: float) -> None:
            if after_s:
                await self._clock.sleep(after_s)
            await session.close(_GOING_AWAY, "the central system stops")

        await asyncio.gather(
            *(close(session, spread_s * i / count) for i, session in enumerate(sessions))
        )

    # -- handshake

    async def _check(self, connection: Connection, request: Request) -> Response | None:
        """Return the response that refuses a request, or None when it is let in."""
        if not self._ready() or self._admitting >= MOST_ADMITTING:
            METRICS.handshakes_refused["not ready, or too many at once"] += 1
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "")
        peer = self._peer(connection, request)
        self._gate.leave(connection.arrival)  # it waits for us from here on, not for its peer
        self._admitting += 1
        try:
            async with asyncio.timeout(_ADMISSION_TIMEOUT_S):
                decision = await admit(
                    request.path,
                    request.headers,
                    self._connections,
                    self._transport(connection, peer),
                    self._switches,
                )
                if isinstance(decision, Admission) and await self._must_wait(decision):
                    METRICS.handshakes_refused["two clients of one identity"] += 1
                    self._note(decision.record.identity, peer, 503, "two clients of one identity")
                    return _come_again(connection)
                if isinstance(decision, Admission) and _is_mended(connection):
                    decision = self._tolerated(decision)
                if isinstance(decision, Admission):
                    await self._connections.settle(decision.record.key)
        except (DatabaseAway, TimeoutError):
            METRICS.handshakes_refused["the database is away"] += 1
            self._note(identity_of(request.path), peer, 503, "the database is away")
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "")
        finally:
            self._admitting -= 1
            self._gate.wait(connection.arrival)
        if isinstance(decision, Refusal):
            return await self._refuse(connection, decision, peer)
        self._gate.let_in(connection.arrival.address, decision.record.identity)
        record = decision.record
        took_over = self.registry.get(record.key) is not None
        self._note(record.identity, peer, 101, None, took_over=took_over)
        self._hosts[record.key] = _host(connection, request)
        if not record.strict:
            done = put_right(request, self._switches)
            if done:
                decision = replace(decision, repairs=decision.repairs + done)
            if self._unanswered.answers_none(record.key) and PINGS_UNANSWERED in self._switches:
                probe_instead(connection)
                decision = replace(decision, repairs=(*decision.repairs, PINGS_UNANSWERED))
            connection.inflates = COMPRESSED_FRAMES in self._switches
        connection.admission = decision
        return None

    def _tolerated(self, admission: Admission) -> Admission | Refusal:
        """Return what becomes of a station whose request had to be put right to be read."""
        if admission.record.strict or REQUEST_SYNTAX not in self._switches:
            return Refusal(
                status=HTTPStatus.BAD_REQUEST,
                reason="the request is no HTTP/1.1",
                identity=admission.record.identity,
            )
        return replace(admission, repairs=(REQUEST_SYNTAX, *admission.repairs))

    async def _refuse(self, connection: Connection, refusal: Refusal, peer: Peer) -> Response:
        METRICS.handshakes_refused[refusal.reason] += 1
        _log.warning(
            "handshake refused",
            status=refusal.status.value,
            reason=refusal.reason,
            station=refusal.identity,
            peer=peer.address,
        )
        self._note(refusal.identity, peer, refusal.status, refusal.reason)
        hold_s = self._gate.failed_s(peer.address, refusal.identity)
        if hold_s:
            await self._clock.sleep(hold_s)
        response = connection.respond(refusal.status, "")
        if refusal.status is HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = 'Basic realm="ocpp"'
        return response

    def _note(
        self,
        identity: str | None,
        peer: Peer,
        status: int,
        reason: str | None,
        *,
        took_over: bool = False,
    ) -> None:
        """Note an attempt to connect in the diary, if it named somebody."""
        if self._diary is None or identity is None:
            return
        let_in: Outcome = "tookOver" if took_over else "connected"
        self._diary.add(
            Attempt(
                identity=identity,
                at=self._clock.now(),
                outcome=let_in if reason is None else "refused",
                status=int(status),
                reason=reason,
                address=peer.address,
            )
        )

    def _peer(self, connection: Connection, request: Request) -> Peer:
        headers = request.headers
        return self._proxies.peer(
            connection.arrival.address,
            forwarded_for=headers.get_all("X-Forwarded-For"),
            forwarded_proto=headers.get_all("X-Forwarded-Proto"),
            forwarded=headers.get_all("Forwarded"),
        )

    def _transport(self, connection: Connection, peer: Peer) -> Transport:
        transport = connection.transport
        secure = transport.get_extra_info("sslcontext") is not None
        return Transport(
            secure=secure if peer.secure is None else peer.secure,
            certificate=None if self.certificates is None else self.certificates.of(transport),
        )

    async def _must_wait(self, admission: Admission) -> bool:
        """Return whether a newcomer may not take over: two clients of one identity flap (H11).

        The newest wins a few times; then the present one stays as long as it answers pings.
        """
        record = admission.record
        former = self.registry.get(record.key)
        if former is None or self._take_overs.level(record.key) < FREE_TAKE_OVERS:
            return False
        if not await former.answers_ping(_FORMER_ANSWERS_WITHIN_S):
            return False
        _log.warning("take-over refused: two clients use one identity", station=record.identity)
        return True

    # -- connection

    async def _serve(self, connection: Connection, admission: Admission) -> None:
        """Run one connection that was let in."""
        record = admission.record
        structlog.contextvars.bind_contextvars(station=record.identity)
        repairs.count(admission.repairs)
        with self.registry.opening(record.key):
            try:
                epoch = await self._connections.opened(record.key)
            except DatabaseAway:
                await connection.close(_TRY_AGAIN_LATER, "the database is away")
                return
            if self.certificates is not None:
                self.certificates.entered(record, connection.transport, admission.certificate)
            METRICS.connections_opened += 1
            session = Session(
                connection, Station(record), epoch, self._services, repairs=admission.repairs
            )
            former = self.registry.add(session)
        if former is not None:
            self._take_overs.add(record.key)
            _log.warning("connection replaced by a newer one", epoch=former.epoch)
        try:
            await session.run(self._ended, former)
        finally:
            self._unanswered.ended(record.key, connection, spoke=session.heard)

    def reached_at(self, charge_point: ChargePointKey) -> str | None:
        """Return the host, as text of its header, by which a charge point has found us last."""
        return self._hosts.get(charge_point)

    async def _ended(self, session: Session) -> None:
        self.registry.remove(session)
        key = session.station.record.key
        self.gateway.lost(key)
        try:
            await self._connections.closed(key, session.epoch)
        except DatabaseAway:
            _log.warning("end of a connection noted later: the database is away")


def _host(connection: Connection, request: Request) -> str:
    """Return by which name a station has found us; where it does not say, by which address."""
    given = request.headers.get_all("Host")
    if given and len(given[0]) <= _LONGEST_HOST:
        return sys.intern(given[0])  # nearly all say the same
    address = connection.transport.get_extra_info("sockname")
    host = str(address[0]) if address else ""
    return sys.intern(f"[{host}]" if ":" in host else host)


def _finish(connection: Connection, response: Response) -> None:
    """Name the subprotocol that was chosen, as the station spells it; prepare what it may send."""
    admission = connection.admission
    if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS or admission is None:
        return
    if admission.subprotocol is not None:
        response.headers["Sec-WebSocket-Protocol"] = admission.subprotocol
    if connection.inflates:
        connection.inflate()


def _is_mended(connection: Connection) -> bool:
    return isinstance(connection.protocol, OpeningProtocol) and connection.protocol.mended


def _come_again(connection: Connection) -> Response:
    response = connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "")
    response.headers["Retry-After"] = str(_COME_AGAIN_S)
    return response
