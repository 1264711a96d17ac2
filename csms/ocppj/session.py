"""One connection at work: reads frames, serves calls in order, sends our calls one at a time.

Two tasks: the *reader* takes frames as they come and settles answers to our calls at once, even
while a call of the station waits for a commit; the *worker* is the only one that writes. It serves
the station's calls one after the other and sends our calls between them, so an answer always
leaves before a call that its commit has provoked (R25), and no handler can wait for itself (R23).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from csms.clock import Clock
from csms.domain import masking
from csms.domain.messages import Direction, LoggedFrame
from csms.errors import CallFailed, DatabaseAway
from csms.ocppj import conversation
from csms.ocppj.call_errors import Refused
from csms.ocppj.conversation import Answered, Call, Closing, Conversation, Dropped, Reply
from csms.ocppj.handlers import KEPT_WHEN_REFUSED, TRIGGERED_FOR_S, Handlers, Station
from csms.ocppj.schemas import Schemas
from csms.services.connections import Connections
from csms.services.intake import Intake
from csms.services.ports.gateway import Answer

_log = structlog.get_logger(__name__)

MOST_QUEUED_CALLS = 64
"""Calls of ours that may wait for one station; one more is refused."""

MOST_WAITING_CALLS = 64
"""Calls of a station that may wait to be served; then its socket is not read for a while (R24)."""

_TRY_AGAIN_LATER = 1013
_UNSUPPORTED_DATA = 1003
_LONGEST_LOGGED_NAME = 64


@dataclass(slots=True, eq=False)
class Services:
    """What all sessions share."""

    handlers: Handlers
    schemas: Schemas
    intake: Intake
    connections: Connections
    clock: Clock


@dataclass(slots=True, eq=False)
class PendingCall:
    """A call of ours, from its submission to its end.

    Attributes:
        sent_at: None while it waits in the queue.
        has_secret: The frame held something that was masked; then an error's text is masked too.
    """

    action: str
    text: str
    message_id: str
    timeout_s: float
    future: asyncio.Future[Answer]
    timer: asyncio.TimerHandle | None = None
    sent_at: datetime | None = None
    sent_monotonic: float = 0.0
    has_secret: bool = False


@dataclass(slots=True, eq=False)
class _Received:
    """A frame that waits for the worker."""

    event: Call | Reply
    raw: str
    at: datetime
    monotonic: float
    repairs: tuple[str, ...] = field(default=())


class Session:
    """One live connection of one charge point."""

    __slots__ = (
        "_conversation",
        "_draining",
        "_ended",
        "_idle",
        "_inbox",
        "_open",
        "_outbox",
        "_repairs",
        "_room",
        "_services",
        "_socket",
        "_woken",
        "epoch",
        "station",
    )

    def __init__(
        self,
        socket: ServerConnection,
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
            repairs: Repairs of the handshake; logged with the first frame.
        """
        self.station = station
        self.epoch = epoch
        self._socket = socket
        self._services = services
        self._repairs = repairs
        self._conversation = Conversation()
        self._inbox: deque[_Received] = deque()
        self._outbox: deque[PendingCall] = deque()
        self._open: PendingCall | None = None
        self._woken: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._idle: asyncio.Future[None] | None = None
        self._draining = False
        self._ended = False

    async def run(self, ended: Callable[[Session], Awaitable[None]]) -> None:
        """Serve the connection until its socket is closed by either side.

        Args:
            ended: Called once the socket is closed, before what is still being committed is
                waited for.

        Cancellation: open calls fail as lost; what is being committed may still be stored.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._work(), name=f"ocpp worker {self.station.record.identity}")
                try:
                    await self._read()
                finally:
                    self._end()
                    await ended(self)
        finally:
            for received in self._inbox:  # never served: the station will send them again
                self._log_received(received)
            self._inbox.clear()

    async def close(self, code: int, reason: str) -> None:
        """Close the socket; calls that are open or queued fail as lost. Never raises.

        Cancellation: the socket is closed hard.
        """
        self._end()
        with suppress(ConnectionClosed, OSError):
            await self._socket.close(code, reason)

    async def drain(self) -> None:
        """Take no more calls from the station and wait until those already taken are answered."""
        self._draining = True
        if self._ended:
            return
        self._idle = asyncio.get_running_loop().create_future()
        self._wake()
        await self._idle

    # -- calls of ours

    async def call(
        self, action: str, payload: Mapping[str, Any], *, message_id: str, timeout_s: float
    ) -> Answer:
        """Queue a call, wait for its answer and return it.

        Raises:
            CallFailed: `queue_full`, `call_timeout`, `connection_lost` or `invalid_response`.

        Cancellation: a queued call is withdrawn; a sent one stays open until its answer or
            time-out, and its answer is dropped.
        """
        if self._ended:
            raise _lost()
        if len(self._outbox) >= MOST_QUEUED_CALLS:
            raise CallFailed(
                "queue_full", f"{MOST_QUEUED_CALLS} calls wait for this station already"
            )
        loop = asyncio.get_running_loop()
        text = conversation.call_text(message_id, action, payload)
        pending = PendingCall(action, text, message_id, timeout_s, loop.create_future())
        pending.timer = loop.call_later(timeout_s, self._time_out, pending)
        self._outbox.append(pending)
        self._wake()
        try:
            return await pending.future
        finally:
            if pending.sent_at is None and pending in self._outbox:
                self._outbox.remove(pending)
                self._settle(pending)

    async def _send_call(self, pending: PendingCall) -> None:
        services = self._services
        self._conversation.open_call(pending.message_id, pending.action)
        self._open = pending
        pending.sent_at = services.clock.now()
        pending.sent_monotonic = services.clock.monotonic()
        if pending.timer is not None:
            pending.timer.cancel()
        loop = asyncio.get_running_loop()
        pending.timer = loop.call_later(pending.timeout_s, self._time_out, pending)
        if pending.action in ("TriggerMessage", "ExtendedTriggerMessage"):
            self.station.triggered_until = pending.sent_monotonic + TRIGGERED_FOR_S
        masked = masking.mask(pending.action, pending.text)
        pending.has_secret = masked != pending.text
        self._log("out", pending.sent_at, 2, pending.action, pending.message_id, masked)
        await self._socket.send(pending.text)

    def _time_out(self, pending: PendingCall) -> None:
        if pending is self._open:
            self._open = None
            self._conversation.give_up()
            detail = f"no answer within {pending.timeout_s:g} s"
        else:
            self._outbox.remove(pending)
            detail = f"not sent within {pending.timeout_s:g} s: other calls were open"
        self._settle(pending, CallFailed("call_timeout", detail))
        self._wake()

    def _answered(self, event: Answered, raw: str, at: datetime) -> None:
        pending = self._open
        if pending is None:  # the conversation and this session open and close calls together
            return
        self._open = None
        clock = self._services.clock
        latency_ms = (clock.monotonic() - pending.sent_monotonic) * 1000
        if pending.has_secret and event.error_code is not None:
            raw = f'[4,"{pending.message_id}","{event.error_code}","{masking.MASK}",{{}}]'
        else:
            raw = masking.mask(pending.action, raw)
        self._log("in", at, event.type, pending.action, pending.message_id, raw, latency_ms)
        self._settle(pending, self._outcome(event, pending, at))
        self._wake()

    def _outcome(self, event: Answered, pending: PendingCall, at: datetime) -> Answer | CallFailed:
        payload = event.payload
        if event.error_code is not None:
            payload = {}
        elif event.broken:
            return CallFailed("invalid_response", "the station's answer cannot be read")
        else:
            problems = self._services.schemas.response_problems(pending.action, payload)
            if problems:
                return CallFailed(
                    "invalid_response",
                    f"the station's answer is not valid: {problems[0].field} {problems[0].text}",
                )
        if pending.sent_at is None or not isinstance(payload, dict):
            return CallFailed("invalid_response", "the station's answer is not valid")
        return Answer(
            payload=payload,
            sent_at=pending.sent_at,
            answered_at=at,
            error_code=event.error_code,
            error_description=event.error_description if event.error_code is not None else None,
        )

    @staticmethod
    def _settle(pending: PendingCall, outcome: Answer | CallFailed | None = None) -> None:
        if pending.timer is not None:
            pending.timer.cancel()
            pending.timer = None
        if pending.future.done():  # whoever waited has gone
            return
        match outcome:
            case Answer():
                pending.future.set_result(outcome)
            case CallFailed():
                pending.future.set_exception(outcome)
            case None:
                pending.future.cancel()

    # -- reader

    async def _read(self) -> None:
        socket = self._socket
        services = self._services
        key = self.station.record.key
        while True:
            try:
                raw = await socket.recv()
            except ConnectionClosed:
                return
            if isinstance(raw, bytes):
                await socket.close(_UNSUPPORTED_DATA, "text frames only")
                return
            at = services.clock.now()
            services.connections.seen(key, at)
            event = self._conversation.receive(raw)
            match event:
                case Call() | Reply():
                    if self._draining:
                        continue
                    received = _Received(event, raw, at, services.clock.monotonic(), self._repairs)
                    self._repairs = ()
                    self._inbox.append(received)
                    self._wake()
                    if len(self._inbox) >= MOST_WAITING_CALLS:
                        self._room = asyncio.get_running_loop().create_future()
                        await self._room
                case Answered():
                    self._answered(event, raw, at)
                case Dropped():
                    self._log("in", at, event.type, None, event.message_id, masking.mask(None, raw))
                case Closing():
                    self._log("in", at, None, None, None, masking.mask(None, raw))
                    await socket.close(event.code, event.reason)
                    return

    # -- worker

    async def _work(self) -> None:
        try:
            while not self._ended:
                if self._outbox and self._open is None and not self._draining:
                    await self._send_call(self._outbox.popleft())
                elif self._inbox:
                    received = self._inbox.popleft()
                    if self._room is not None and len(self._inbox) < MOST_WAITING_CALLS // 2:
                        self._make_room()
                    await self._serve(received)
                else:
                    if self._idle is not None and not self._idle.done():
                        self._idle.set_result(None)
                    self._woken = asyncio.get_running_loop().create_future()
                    await self._woken
        except ConnectionClosed:
            return
        except DatabaseAway:
            await self.close(_TRY_AGAIN_LATER, "the database is away")

    async def _serve(self, received: _Received) -> None:
        event = received.event
        if isinstance(event, Reply):
            self._log_received(received)
            if event.refused is not None and event.action in KEPT_WHEN_REFUSED:
                self._services.handlers.keep_refused(
                    self.station, event.action, received.raw, event.refused
                )
            await self._send(received, event.text, event.type)
            return
        handled = await self._services.handlers.handle(self.station, event, received.at)
        received.repairs += handled.repairs
        self._log_received(received)
        answer = handled.answer
        if isinstance(answer, Refused):
            text, kind = self._conversation.error(event, answer), conversation.CALL_ERROR
        else:
            text, kind = self._conversation.result(event, answer), conversation.CALL_RESULT
        await self._send(received, text, kind)

    async def _send(self, received: _Received, text: str, kind: int) -> None:
        clock = self._services.clock
        event = received.event
        self._log(
            "out",
            clock.now(),
            kind,
            event.action,
            event.message_id,
            text,
            (clock.monotonic() - received.monotonic) * 1000,
        )
        await self._socket.send(text)

    # -- both

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def _make_room(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room = None

    def _end(self) -> None:
        """Let the worker stop and all calls of ours fail; the socket is closed or about to be."""
        if self._ended:
            return
        self._ended = True
        pending, self._open = self._open, None
        for call in ([pending] if pending is not None else []) + list(self._outbox):
            self._settle(call, _lost())
        self._outbox.clear()
        self._make_room()
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)
        self._wake()

    def _log_received(self, received: _Received) -> None:
        event = received.event
        kind = conversation.CALL if isinstance(event, Call) or event.action else None
        raw = masking.mask(event.action, received.raw)
        self._log(
            "in",
            received.at,
            kind,
            event.action,
            event.message_id,
            raw,
            repairs=received.repairs,
        )

    def _log(
        self,
        direction: Direction,
        at: datetime,
        kind: int | None,
        action: str | None,
        message_id: str | None,
        raw: str,
        latency_ms: float | None = None,
        repairs: tuple[str, ...] = (),
    ) -> None:
        # Postgres stores no NUL; in valid JSON it stands only as an escape, but ids are decoded
        if "\0" in raw:
            raw = raw.replace("\0", "\N{REPLACEMENT CHARACTER}")
        self._services.intake.log(
            LoggedFrame(
                charge_point=self.station.record.key,
                at=at,
                direction=direction,
                type=kind if kind is None or -(2**15) <= kind < 2**15 else None,
                action=_storable(action),
                message_id=_storable(message_id),
                raw=raw,
                latency_ms=latency_ms,
                repairs=repairs,
            )
        )


def _storable(text: str | None) -> str | None:
    if text is None:
        return None
    return text[:_LONGEST_LOGGED_NAME].replace("\0", "\N{REPLACEMENT CHARACTER}")


def _lost() -> CallFailed:
    return CallFailed("connection_lost", "the connection was lost while the call was open")
