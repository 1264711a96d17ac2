"""One connection's OCPP-J conversation, on the ``ocpp`` package.

Adds to the package's charge point what a client needs: a call fails at once when the connection is
lost, work that follows an answer starts after the answer has left (never inside a handler, which
would wait for itself), odd frames do not end the connection, and frames are not logged.
"""

import asyncio
import functools
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any, TypeVar

from ocpp import exceptions, messages, routing
from ocpp.exceptions import OCPPError
from ocpp.v16 import ChargePoint, call
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from simulator.clock import parse_iso
from simulator.errors import CallRefused, NoAnswer
from simulator.oddities.sockets import OddConnection
from simulator.oddities.temper import Temper

# The package validates in a thread pool: two thread hops a message. Inline is cheaper.
messages.ASYNC_VALIDATION = False

FRAME_LOGGER = logging.getLogger("simulator.frames")
# The package logs each frame at INFO, keys and tags included, and each CALLERROR at WARNING.
FRAME_LOGGER.setLevel(logging.ERROR)

UNCHECKED = (call.MeterValues, call.Heartbeat)
"""Frequent calls, ours by construction; the schema check would be most of their cost."""

CODES_OF_16 = {
    "FormatViolation": "FormationViolation",
    "OccurrenceConstraintViolation": "OccurenceConstraintViolation",
}
"""The package writes error codes of OCPP 2; 1.6 spells them so (OCPP-J 1.6 table 7)."""

INVALID = frozenset(
    {
        "FormationViolation",
        "OccurenceConstraintViolation",
        "PropertyConstraintViolation",
        "ProtocolError",
        "TypeConstraintViolation",
    }
)
"""Errors of ours that say that the other side's message was none."""

MAX_SEEN = 64
"""Message ids that are remembered, to notice one that comes again."""

FollowUp = Callable[[], Coroutine[Any, Any, None]]
Handler = TypeVar("Handler", bound=Callable[..., Any])

_on: Any = routing.on


_errors: Any = exceptions


def not_supported(why: str) -> OCPPError:
    """Return what a handler raises for a call that it does not take."""
    error: OCPPError = _errors.NotSupportedError(description=why)
    return error


def too_many(why: str) -> OCPPError:
    """Return what a handler raises for a list that is too long."""
    error: OCPPError = _errors.OccurenceConstraintViolationError(description=why)
    return error


def moment(text: str) -> datetime:
    """Return the moment that a call's field names.

    Raises:
        OCPPError: PropertyConstraintViolation, it names none.
    """
    try:
        return parse_iso(text)
    except ValueError as error:
        refusal: OCPPError = _errors.PropertyConstraintViolationError(
            description=f"{text[:40]!r} is no date and time"
        )
        raise refusal from error


def handles(action: str) -> Callable[[Handler], Handler]:
    """Mark a method as the handler of ``action``; it gets the payload's fields in snake case."""

    def mark(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def watched(session: "RpcSession", **payload: Any) -> Any:
            session.on_call(action)
            return handler(session, **payload)

        marked: Handler = _on(action)(watched)
        return marked

    return mark


class _Closed:
    """Stands in the answers' queue for the end of the connection."""

    unique_id = None


class RpcSession(ChargePoint):
    """Calls and handlers on one open WebSocket.

    Args:
        identity: the charge point's identity.
        connection: the open WebSocket.
        response_timeout_s: how long a call waits for its answer.
        give_way: lets the other tasks that are ready run.
        spawn: starts work that follows an answer, in a task somebody owns.
        on_call: told the action of each call of the central system; may raise an ``OCPPError``.
        on_suspicion: told a security event, and why, for frames that no central system sends.
        send: puts a frame on the connection.
        temper: what the charge point's oddities make of frames.
        sleep: waits, for frames that are late.
    """

    def __init__(
        self,
        identity: str,
        connection: ClientConnection,
        *,
        response_timeout_s: float,
        spawn: Callable[[FollowUp], None],
        give_way: Callable[[], Awaitable[None]],
        on_call: Callable[[str], None],
        on_suspicion: Callable[[str, str], None],
        send: Callable[[ClientConnection, str], Awaitable[None]],
        temper: Temper,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        untyped: Any = super()
        untyped.__init__(
            identity, connection, response_timeout=response_timeout_s, logger=FRAME_LOGGER
        )
        self._answers: asyncio.Queue[Any] = asyncio.Queue()
        self._response_queue = self._answers
        self._websocket = connection
        self._spawn = spawn
        self._put = send
        self._give_way = give_way
        self.on_call = on_call
        self._on_suspicion = on_suspicion
        self._seen: deque[str] = deque(maxlen=MAX_SEEN)
        self._followups: list[FollowUp] = []
        self._temper = temper
        self._sleep = sleep
        self._answering: str | None = None
        self.is_silent = False

    async def ask(self, payload: Any) -> Any:
        """Send a call and return its answer, a payload class of ``ocpp.v16.call_result``.

        Raises:
            NoAnswer: the connection is lost, or no answer in time (which ends it).
            CallRefused: CALLERROR, or an answer that breaks the schema.
        """
        untyped: Any = self
        try:
            return await untyped.call(
                payload, suppress=False, skip_schema_validation=isinstance(payload, UNCHECKED)
            )
        except TimeoutError as error:
            self._websocket.transport.abort()
            msg = f"no answer to {type(payload).__name__} in time"
            raise NoAnswer(msg) from error
        except ConnectionClosed as error:
            raise NoAnswer(str(error)) from error
        except (OCPPError, TypeError) as error:
            msg = f"the answer breaks the schema: {error}"
            raise CallRefused("FormationViolation", msg) from error

    def connection_lost(self) -> None:
        """Fail the call that waits for an answer; later ones fail by themselves."""
        self._answers.put_nowait(_Closed())

    def follow_up(self, work: FollowUp) -> None:
        """Have ``work`` started once the answer to the call being handled has left."""
        self._followups.append(work)

    async def route_message(self, raw_msg: str | bytes) -> None:
        """Handle one frame; one that nobody can read is dropped, the connection goes on."""
        self._followups.clear()
        try:
            self._look_at(raw_msg)
            await self._route(raw_msg)
        except (TypeError, ValueError, RecursionError) as error:
            FRAME_LOGGER.error("%s: unreadable frame: %s", self.id, type(error).__name__)
            self._on_suspicion("InvalidMessages", "unreadable frame")
        for work in self._followups:
            self._spawn(work)
        # Whoever waited for this answer acts on it before the next frame is looked at: a profile
        # may arrive right behind the StartTransaction.conf that names its transaction.
        await self._give_way()

    def _look_at(self, raw_msg: str | bytes) -> None:
        """Notice what is no OCPP-J message, and a call that comes a second time."""
        if isinstance(raw_msg, bytes) or not raw_msg.lstrip().startswith("["):
            self._on_suspicion("InvalidMessages", "not an OCPP-J message")
            return
        if not raw_msg.startswith("[2,"):
            return
        message_id = str(json.loads(raw_msg)[1])
        if message_id in self._seen:
            self._on_suspicion("AttemptedReplayAttacks", f"message id {message_id}")
        self._seen.append(message_id)

    async def _route(self, raw_msg: str | bytes) -> None:
        untyped: Any = super()
        if not self._temper:
            await untyped.route_message(raw_msg)
            return
        await self._sleep(self._temper.delay_s())
        if self._swallows():
            return
        text = self._temper.incoming(raw_msg if isinstance(raw_msg, str) else raw_msg.decode())
        frame = json.loads(text)
        if isinstance(frame, list) and len(frame) == 4 and frame[0] == 2:
            answer = self._temper.answer_for(frame[2], frame[3])
            if answer is not None:
                self.on_call(frame[2])
                await self._put(self._websocket, json.dumps([3, frame[1], answer]))
                return
            self._answering = frame[2]
        await untyped.route_message(text)
        self._answering = None

    def _swallows(self) -> bool:
        """Whether the next frame gets nowhere."""
        return self.is_silent or self._temper.loses()

    async def _get_specific_response(self, unique_id: str, timeout: float) -> Any:
        async with asyncio.timeout(timeout):
            while True:
                answer = await self._answers.get()
                if isinstance(answer, _Closed):
                    msg = "the connection was lost before the answer came"
                    raise NoAnswer(msg)
                if answer.unique_id != unique_id:
                    continue
                if isinstance(answer, messages.CallError):
                    # The package knows only its own codes; ours says what really came.
                    code, text = str(answer.error_code), str(answer.error_description)
                    raise CallRefused(code, text)
                return answer

    async def _send(self, message: str) -> None:
        """Send a frame; a CALLERROR in the spelling of 1.6, without an echo of what it refuses."""
        if message.startswith("[4,"):
            _, unique_id, code, description, _ = json.loads(message)
            code = CODES_OF_16.get(code, code)
            if code in INVALID:
                self._on_suspicion("InvalidMessages", code)
            message = json.dumps([4, unique_id, code, description[:255], {}])
        if self.is_silent:
            return
        if not self._temper:
            await self._put(self._websocket, message)
            return
        answered = self._answering if message.startswith("[3,") else None
        for wire in self._temper.outgoing(message, answered):
            await self._sleep(self._temper.delay_s())
            if self._swallows():
                continue
            if isinstance(wire, str):
                await self._put(self._websocket, wire)
            elif isinstance(self._websocket, OddConnection):
                self._websocket.send_compressed(wire.text)
