"""The charge point's way to its central system: connect, serve, come back.

Owns reconnecting with back-off and jitter (OCPP-J errata 3.3), and the delivery of states,
transaction messages and security events while registered. After a mere reconnect it does not boot
again. BootNotification and Heartbeat stand in :mod:`simulator.boot`, what proves who is who in
:mod:`simulator.security`.
"""

import asyncio
import contextlib
import random
from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import CloseCode
from websockets.typing import Subprotocol

from simulator.basic_auth import basic
from simulator.boot import Boot
from simulator.errors import CallRefused, NoAnswer
from simulator.handlers import Session
from simulator.oddities.model import Door
from simulator.oddities.sockets import socket_for
from simulator.refusals import NO_SUBPROTOCOL, reason
from simulator.triggers import renew_certificate

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator

PING_TIMEOUT_S = 30.0


class Link:
    """One charge point's connection, and the connections that follow it.

    Args:
        station: the charge point.
        random_source: for jitter.
    """

    def __init__(self, station: "ChargePointSimulator", random_source: random.Random) -> None:
        self._station = station
        self._random = random_source
        self._session: Session | None = None
        self._websocket: ClientConnection | None = None
        self._online = asyncio.Event()
        self._online.set()
        self.boot = Boot(station)
        self.frames_sent = 0
        self.connections = 0
        self.is_impatient = False

    @property
    def needs_boot(self) -> bool:
        """Whether the next connection begins with a BootNotification."""
        return self.boot.is_due

    @needs_boot.setter
    def needs_boot(self, is_due: bool) -> None:
        self.boot.is_due = is_due

    @property
    def registration(self) -> str | None:
        """What BootNotification was answered last."""
        return self.boot.registration

    @property
    def is_connected(self) -> bool:
        """Whether a WebSocket is open."""
        return self._session is not None

    @property
    def may_connect(self) -> bool:
        """Whether the charge point has a network and no reason to stay away."""
        return self._online.is_set()

    @property
    def is_registered(self) -> bool:
        """Whether a WebSocket is open and the central system has accepted the charge point."""
        return self._session is not None and not self.needs_boot

    # Calls

    async def call(self, payload: Any) -> Any:
        """Send a call while registered and return its answer.

        Raises:
            NoAnswer: not registered, connection lost, or no answer in time.
            CallRefused: CALLERROR or an invalid answer.
        """
        if not self.is_registered or self._session is None:
            msg = "not registered with the central system"
            raise NoAnswer(msg)
        return await self._ask(self._session, payload)

    async def send_triggered(self, payload: Any) -> Any:
        """Send a call that the central system asked for, which it may while the boot is Pending.

        Raises:
            NoAnswer: not connected, connection lost, or no answer in time.
            CallRefused: CALLERROR or an invalid answer.
        """
        if self._session is None or self.registration not in ("Accepted", "Pending"):
            msg = "not registered with the central system"
            raise NoAnswer(msg)
        return await self._ask(self._session, payload)

    async def _ask(self, session: Session, payload: Any) -> Any:
        self.frames_sent += 1
        try:
            return await session.ask(payload)
        except CallRefused as error:
            action = type(payload).__name__
            self._station.emit("call_failed", action=action, error=str(error))
            raise
        except NoAnswer as error:
            if isinstance(error.__cause__, TimeoutError):
                waited = f"no answer in {self._station.response_timeout_s:g} s"
                action = type(payload).__name__
                self._station.emit("call_failed", action=action, error=waited)
            raise
        finally:
            self._station.wake_watchers()

    basic = staticmethod(basic)

    # Going away and coming back

    def drop(self) -> None:
        """Cut the connection as a network does: no close frame, no flush."""
        if self._websocket is not None:
            self._websocket.transport.abort()

    def fall_silent(self) -> None:
        """Have nothing pass any more although the connection looks open, until it is dropped."""
        if self._session is not None and self._websocket is not None:
            self._session.is_silent = True
            # Kept from reading pings too, as a cable that was cut somewhere does.
            self._websocket.transport.pause_reading()

    def go_offline(self) -> None:
        """Cut the connection and stay away until ``go_online``."""
        self._online.clear()
        self.drop()

    def go_online(self) -> None:
        """Connect again."""
        self._online.set()

    async def leave(self) -> None:
        """Close the connection with a close frame and stay away until ``go_online``."""
        self._online.clear()
        await self.reconnect()

    async def reconnect(self) -> None:
        """Close the connection with a close frame; the link comes back if it is online."""
        if self._websocket is not None:
            await self._websocket.close()

    async def run(self) -> None:
        """Connect, serve, and connect again, until cancelled."""
        failures = 0
        while True:
            await self._station.clock.wait(self._online, None)
            registered = await self._connect()
            if self.is_impatient:
                continue
            failures = 0 if registered else failures + 1
            settings = self._station.settings
            longest = min(
                settings.reconnect_max_s, settings.reconnect_min_s * 2 ** min(failures, 16)
            )
            await self._station.clock.sleep(longest * self._random.uniform(0.5, 1.0))

    async def _connect(self) -> bool:
        """Hold one connection until it ends; tell whether the charge point was registered on it."""
        station = self._station
        settings = station.settings
        ping = station.configuration.integer("WebSocketPingInterval") or None
        security = station.security
        tls = security.context() if security.url.startswith("wss:") else None
        door = Door(url=security.url, headers=security.headers(), tls=tls)
        if station.temper:
            station.temper.open_door(door)
        opened = connect(
            door.url,
            subprotocols=[Subprotocol("ocpp1.6")],
            compression=None,
            additional_headers={
                name: value for name, value in door.headers.items() if value is not None
            },
            proxy=None,
            ssl=(door.tls or True) if door.url.startswith("wss:") else None,
            create_connection=socket_for(door) if station.temper else None,
            ping_interval=ping,
            ping_timeout=PING_TIMEOUT_S,
            open_timeout=settings.response_timeout_s,
            close_timeout=2,
        )
        try:
            websocket = await opened
        except (OSError, TimeoutError, WebSocketException) as error:
            station.emit("not_connected", why=reason(error, door.url))
            status = error.response.status_code if isinstance(error, InvalidStatus) else None
            security.failed(error, status)
            return False
        if websocket.subprotocol is None and door.asks_for_subprotocol:
            # The rule for both ends: without an agreement nobody says a word (OCPP-J 3.2).
            station.emit("not_connected", why=NO_SUBPROTOCOL)
            await websocket.close(CloseCode.PROTOCOL_ERROR)
            return False
        security.connected()
        try:
            return await self._serve(websocket)
        finally:
            with contextlib.suppress(ConnectionClosed, OSError):
                await websocket.close()

    async def _serve(self, websocket: ClientConnection) -> bool:
        station = self._station
        session = Session(station, websocket)
        self._websocket, self._session = websocket, session
        self.connections += 1
        station.emit("connected")
        try:
            # Nothing in this group ends by an exception: Python 3.11's groups lose a cancellation
            # that comes in the moment in which they fail.
            async with asyncio.TaskGroup() as tasks:
                talk = tasks.create_task(self._talk(session), name=f"{station.identity} talk")
                with contextlib.suppress(ConnectionClosed):
                    await session.read()
                session.connection_lost()
                talk.cancel()
            return self.is_registered
        finally:
            self._websocket = self._session = None
            station.emit(
                "disconnected", code=websocket.close_code, reason=websocket.close_reason or ""
            )
            station.on_link_changed()

    async def _talk(self, session: Session) -> None:
        try:
            if self.needs_boot:
                await self.boot.register(partial(self._ask, session))
                # What a boot is followed by first (errata 3.22).
                await self._station.statuses.tell_all(self.call)
        except NoAnswer:
            self.drop()
            return
        self._station.on_link_changed()
        async with asyncio.TaskGroup() as tasks:
            for work in (
                self._station.queue.deliver(self.call),
                self._station.statuses.report(self.call),
                self._station.security_log.deliver(self.call),
                self.boot.keep_alive(self.call),
                renew_certificate(self._station),
                self.boot.repeat_when_asked(partial(self._ask, session)),
            ):
                tasks.create_task(self._until_unanswered(work))

    async def _until_unanswered(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` until a call gets no answer; the connection is of no use then."""
        try:
            await work
        except NoAnswer:
            self.drop()
