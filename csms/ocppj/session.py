"""One connection at work: reads frames, serves calls in order, sends our calls one at a time.

Frames are taken in the socket's callback, answers leave from the callback of the commit: no task is
woken for a message, which was a fifth of its cost. Answers to our calls are settled at once, even
while a call of the station waits for a commit. One thing at a time is under way (`_busy`): a call
of the station that is being served, or a text that is being written. What comes next is decided by
`_pump`, so the station's calls are served in order, our calls leave between them, an answer always
leaves before a call that its commit has provoked (R25), and no handler can wait for itself (R23).

Two tasks: the *reader*, for what the socket does not hand over itself, and the *worker*, for the
few things that must be waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from websockets.exceptions import ConnectionClosed

from csms.clock import Clock
from csms.errors import DatabaseAway
from csms.ocppj.call_errors import Refused
from csms.ocppj.connection import Connection
from csms.ocppj.conversation import (
    CALL,
    CALL_ERROR,
    CALL_RESULT,
    TAKEN,
    Answered,
    Call,
    Closing,
    Conversation,
    Dropped,
    Reply,
)
from csms.ocppj.frame_log import FrameLog
from csms.ocppj.handlers import KEPT_WHEN_REFUSED, TRIGGERED_FOR_S, Handlers
from csms.ocppj.outgoing import Outgoing
from csms.ocppj.pace import WAITING, Pace
from csms.ocppj.repairs import count
from csms.ocppj.schemas import Schemas
from csms.ocppj.serving import Station
from csms.services.connections import Connections
from csms.services.intake import Intake
from csms.services.ports.gateway import Answer

MOST_WAITING_CALLS = 64
"""Calls of a station that may wait to be served; then its socket is not read for a while (R24)."""

_TRY_AGAIN_LATER = 1013
_UNSUPPORTED_DATA = 1003
_POLICY_VIOLATION = 1008
Job = Callable[[], Coroutine[Any, Any, None]]

_TRIGGERS = frozenset({"TriggerMessage", "ExtendedTriggerMessage"})


@dataclass(slots=True, eq=False)
class Services:
    """What all sessions share."""

    handlers: Handlers
    schemas: Schemas
    intake: Intake
    connections: Connections
    clock: Clock


@dataclass(slots=True, eq=False)
class _Received:
    """A frame that waits to be served."""

    event: Call | Reply
    raw: str
    at: datetime
    monotonic: float
    repairs: tuple[str, ...]


class Session:
    """One live connection of one charge point."""

    __slots__ = (
        "_busy",
        "_closing",
        "_conversation",
        "_draining",
        "_ended",
        "_idle",
        "_inbox",
        "_job",
        "_log",
        "_outgoing",
        "_pace",
        "_pumping",
        "_repairs",
        "_room",
        "_served",
        "_services",
        "_socket",
        "_woken",
        "epoch",
        "heard",
        "station",
    )

    def __init__(
        self,
        socket: Connection,
        station: Station,
        epoch: int,
        services: Services,
        *,
        repairs: tuple[str, ...] = (),
    ) -> None:
        """Take over an open socket.

        Args:
            socket: After its handshake.
            station: Whose socket it is.
            epoch: Number of this connection; a later one of the same station is higher.
            services: Shared by all sessions.
            repairs: Repairs of the handshake; logged with the first call.
        """
        self.station = station
        self.epoch = epoch
        self.heard = False
        self._socket = socket
        self._services = services
        self._repairs = repairs
        self._log = FrameLog(services.intake, station.record.key)
        tolerance = services.handlers.tolerance(station)
        self._conversation = Conversation(tolerance)
        self._pace = Pace(services.clock)
        self._outgoing = Outgoing(self._conversation, services.schemas, self._pump, tolerance)
        self._inbox: list[_Received] = []  # short; a deque costs 600 bytes a connection
        self._served: _Received | None = None
        self._busy = False
        self._pumping = False
        self._job: Job | None = None
        self._woken: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._idle: asyncio.Future[None] | None = None
        self._closing: Closing | None = None
        self._draining = False
        self._ended = False

    async def run(
        self, ended: Callable[[Session], Awaitable[None]], former: Session | None = None
    ) -> None:
        """Serve the connection until its socket is closed by either side.

        Args:
            ended: Called once the connection has ended, before what is still being committed is
                waited for.
            former: A connection that this one has replaced; it is closed beside.

        Cancellation: open calls fail as lost; what is being committed may still be stored.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._work(), name=f"worker {self.station.record.identity}")
                if former is not None:
                    group.create_task(former.close(_POLICY_VIOLATION, "replaced by a newer one"))
                try:
                    await self._read()
                finally:
                    self._end()
                    await ended(self)
        finally:
            for received in self._inbox:  # never served: the station will send them again
                self._log_received(received)
            self._inbox.clear()
            # what has ended is freed at once, not when the garbage collector finds the circle
            self._socket.let_go()
            self._services.handlers.let_go(self.station)

    async def call(
        self,
        action: str,
        payload: Mapping[str, Any],
        *,
        message_id: str,
        timeout_s: float,
        first: bool = False,
    ) -> Answer:
        """Send a call of ours when its turn comes and return its answer; see `Outgoing.call`."""
        return await self._outgoing.call(
            action, payload, message_id=message_id, timeout_s=timeout_s, first=first
        )

    async def close(self, code: int, reason: str) -> None:
        """Close the socket; calls that are open or queued fail as lost. Never raises.

        Cancellation: the closing handshake is not waited for.
        """
        self._end()
        with suppress(ConnectionClosed, OSError):
            await self._socket.close(code, reason)

    async def answers_ping(self, within_s: float) -> bool:
        """Return whether the other end is alive: it answers a ping in time."""
        try:
            async with asyncio.timeout(within_s):
                await (await self._socket.ping())
        except (ConnectionClosed, OSError):  # a TimeoutError is one
            return False
        return True

    async def drain(self) -> None:
        """Take no more calls from the station and wait until those already taken are answered."""
        self._draining = True
        if self._ended:
            return
        self._idle = asyncio.get_running_loop().create_future()
        self._pump()
        await self._idle

    # -- reader

    async def _read(self) -> None:
        """Take texts as they come; what the socket does not hand over itself comes by `recv`."""
        socket = self._socket
        socket.on_repair = self._note_repair
        socket.take_texts(self._take)
        while True:
            try:
                raw = await socket.recv()
            except ConnectionClosed:
                return
            if self._ended:  # being closed: read on, or the end of the socket would not be seen
                continue
            if isinstance(raw, bytes):
                await self.close(_UNSUPPORTED_DATA, "text frames only")
                return
            self._take(raw)
            waiting = len(self._inbox) + socket.waiting
            if waiting > WAITING and not await self._keeps_pace():
                return
            if len(self._inbox) >= MOST_WAITING_CALLS:
                self._room = asyncio.get_running_loop().create_future()
                await self._room

    def _take(self, raw: str) -> None:
        """Take one text: settle an answer, or serve a call when its turn has come."""
        if self._ended:
            return
        clock = self._services.clock
        at = clock.now()
        self.heard = True
        self._services.connections.seen(self.station.record.key, at)
        event = self._conversation.receive(raw)
        match event:
            case Call() | Reply():
                needed = self._repairs + event.repairs
                received = _Received(event, raw, at, clock.monotonic(), needed)
                self._repairs = ()
                if self._draining:
                    self._log_received(received)
                    return
                self._inbox.append(received)
                self._pump()
                if len(self._inbox) > WAITING:
                    self._socket.use_recv()  # it sends without waiting; there it can be held up
            case Answered():
                self._answered(event, raw, at)
            case Dropped():
                self._log.add("in", at, event.type, None, event.message_id, raw)
            case Closing():
                self._log.add("in", at, None, None, None, raw)
                self._closing = event
                self._pump()

    def _note_repair(self, name: str) -> None:
        """Let the next call of the station be logged with a repair of its frame."""
        count((name,))
        self._repairs += (name,)

    async def _keeps_pace(self) -> bool:
        """Read on later when the station sends too much; return False when it was closed for it."""
        pause_s = self._pace.pushed()
        if pause_s is None:
            await self.close(_POLICY_VIOLATION, "too many messages")
            return False
        if pause_s:
            await self._services.clock.sleep(pause_s)
        return True

    def _answered(self, event: Answered, raw: str, at: datetime) -> None:
        pending = self._outgoing.answered(event, at)
        if pending is not None:
            took_ms = (self._services.clock.monotonic() - pending.sent_monotonic) * 1000
            self._log.answer_to_us(pending, event, raw, at, took_ms)

    # -- one thing after the other

    def _pump(self) -> None:
        """Begin what comes next, unless something is under way. Never blocks."""
        if self._pumping:
            return
        self._pumping = True
        try:
            while not (self._busy or self._ended):
                if self._closing is not None:
                    self._hand_over(partial(self.close, self._closing.code, self._closing.reason))
                elif self._outgoing.has_next and not self._draining:
                    self._send_call()
                elif self._inbox:
                    self._serve_next()
                else:
                    _resolve(self._idle)
                    return
        finally:
            self._pumping = False
        if self._ended:
            _resolve(self._woken)

    def _serve_next(self) -> None:
        received = self._inbox.pop(0)
        if len(self._inbox) == MOST_WAITING_CALLS // 2:
            _resolve(self._room)
        event = received.event
        handlers = self._services.handlers
        if isinstance(event, Reply):
            self._log_received(received)
            if event.refused is not None and event.action in KEPT_WHEN_REFUSED:
                handlers.keep_refused(self.station, event.action, received.raw, event.refused)
            self._answer(received, event.text, event.type)
            return
        self._busy = True
        self._served = received
        slow = handlers.handle(self.station, event, received.at, self._handled)
        if slow is not None:
            self._hand_over(slow)

    def _handled(
        self, answer: dict[str, Any] | Refused | DatabaseAway, repairs: tuple[str, ...]
    ) -> None:
        """Answer the call that is being served and go on."""
        received, self._served = self._served, None
        if received is None:
            raise RuntimeError("a call is answered once")
        self._busy = False
        event = received.event
        if type(event) is not Call:
            raise TypeError("a reply is not handled")
        received.repairs += repairs
        if type(answer) is dict and not received.repairs:  # nearly always
            text = self._conversation.result(event, answer)
            clock = self._services.clock
            took_s = clock.monotonic() - received.monotonic
            self._log.exchange(event, received.at, clock.now(), text, took_s)
            self._write(text)
        elif isinstance(answer, DatabaseAway):
            self._log_received(received)
            self._hand_over(partial(self.close, _TRY_AGAIN_LATER, "the database is away"))
            return
        else:
            self._log_received(received)
            if isinstance(answer, Refused):
                self._answer(received, self._conversation.error(event, answer), CALL_ERROR)
            else:
                self._answer(received, self._conversation.result(event, answer), CALL_RESULT)
        self._pump()

    def _answer(self, received: _Received, text: str, kind: int) -> None:
        clock = self._services.clock
        event = received.event
        took_ms = (clock.monotonic() - received.monotonic) * 1000
        self._log.add("out", clock.now(), kind, event.action, event.message_id, text, took_ms)
        self._write(text)

    def _send_call(self) -> None:
        clock = self._services.clock
        at = clock.now()
        pending = self._outgoing.next_call(at, clock.monotonic())
        if pending is None:
            return
        if pending.action in _TRIGGERS:
            self.station.triggered_until = pending.sent_monotonic + TRIGGERED_FOR_S
        self._log.our_call(pending, at)
        self._write(pending.text)

    def _write(self, text: str) -> None:
        if not self._socket.write_now(text):
            self._hand_over(partial(self._send, text))

    async def _send(self, text: str) -> None:
        await self._socket.send(text)
        self._busy = False
        self._pump()

    # -- worker

    def _hand_over(self, job: Job) -> None:
        """Let the worker do what must be waited for; nothing else begins until it is done."""
        self._busy = True
        if self._job is not None:
            raise RuntimeError("one job at a time")
        self._job = job
        _resolve(self._woken)

    async def _work(self) -> None:
        """Do one job after the other until the connection has ended and nothing is under way."""
        try:
            while True:
                job, self._job = self._job, None
                if job is not None:
                    await job()
                elif self._ended and self._served is None:
                    return
                else:
                    self._woken = asyncio.get_running_loop().create_future()
                    await self._woken
        except ConnectionClosed:
            return
        finally:
            self._end()

    # -- both

    def _log_received(self, received: _Received) -> None:
        event = received.event
        repaired = None
        if received.repairs:
            count(event.repairs)  # those of the handshake and of the payload were counted there
            if isinstance(event, Call) and event.payload is not TAKEN:
                repaired = event.payload
        self._log.add(
            "in",
            received.at,
            CALL,
            event.action,
            event.message_id,
            received.raw,
            repairs=received.repairs,
            repaired=repaired,
        )

    def _end(self) -> None:
        """Let the tasks stop and all calls of ours fail: the socket is closed or about to be."""
        if self._ended:
            return
        self._ended = True
        self._outgoing.lose()
        _resolve(self._room)
        _resolve(self._idle)
        _resolve(self._woken)


def _resolve(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)
