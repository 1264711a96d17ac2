"""Our calls on one connection: one open, the rest in a bounded queue, each with its time limits.

Does not write: the session's worker asks `next_call` what may leave, and tells of answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csms.errors import CallFailed
from csms.ocppj.conversation import Answered, Conversation, call_text
from csms.ocppj.repairs.tolerance import Tolerance
from csms.ocppj.schemas import Schemas
from csms.services.ports.gateway import Answer

MOST_QUEUED_CALLS = 64
"""Calls that may wait for one station; one more is refused."""


@dataclass(slots=True, eq=False)
class PendingCall:
    """A call of ours, from its submission to its end.

    Attributes:
        sent_at: None while it waits in the queue.
        sent_monotonic: The same moment in the clock's seconds.
        has_secret: The log shows it masked; then the text of a CALLERROR is masked too.
        is_first: A limit: it goes before whatever else waits.
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
    is_first: bool = False


class Outgoing:
    """The queue and the open call of one connection (R19, R20, R22, R26)."""

    __slots__ = ("_conversation", "_lost", "_open", "_queue", "_schemas", "_tolerance", "_wake")

    def __init__(
        self,
        conversation: Conversation,
        schemas: Schemas,
        wake: Callable[[], None],
        tolerance: Tolerance | None = None,
    ) -> None:
        """Start empty.

        Args:
            conversation: Of this connection.
            schemas: All of OCPP 1.6.
            wake: Called whenever `next_call` may have something new.
            tolerance: The repairs of this connection; None: there are none.
        """
        self._conversation = conversation
        self._tolerance = tolerance
        self._schemas = schemas
        self._wake = wake
        self._queue: list[PendingCall] = []
        self._open: PendingCall | None = None
        self._lost = False

    async def call(
        self,
        action: str,
        payload: Mapping[str, Any],
        *,
        message_id: str,
        timeout_s: float,
        first: bool = False,
    ) -> Answer:
        """Queue a call, wait for its answer and return it; `first` goes before all others.

        Raises:
            CallFailed: `queue_full`, `call_timeout`, `connection_lost` or `invalid_response`.
            TypeError: The payload cannot be written as JSON.

        Cancellation: a queued call is withdrawn; a sent one stays open until its answer or
            time-out, and its answer is dropped.
        """
        if self._lost:
            raise _connection_lost()
        if len(self._queue) >= MOST_QUEUED_CALLS and not first:
            raise CallFailed(
                "queue_full", f"{MOST_QUEUED_CALLS} calls wait for this station already"
            )
        text = call_text(message_id, action, payload)
        loop = asyncio.get_running_loop()
        pending = PendingCall(action, text, message_id, timeout_s, loop.create_future())
        pending.timer = loop.call_later(timeout_s, self._time_out, pending)
        pending.is_first = first
        ahead = sum(each.is_first for each in self._queue) if first else len(self._queue)
        self._queue.insert(ahead, pending)
        self._wake()
        try:
            return await pending.future
        finally:
            if pending.sent_at is None and pending in self._queue:  # cancelled
                self._queue.remove(pending)
                _settle(pending, None)
            del pending  # an error that it holds has this frame in its traceback

    def next_call(self, at: datetime, monotonic: float) -> PendingCall | None:
        """Return the call that must be written now; it is open from here on.

        Args:
            at: Now.
            monotonic: Now, in the clock's seconds.
        """
        if not self.has_next:
            return None
        pending = self._queue.pop(0)
        self._conversation.open_call(pending.message_id, pending.action)
        self._open = pending
        pending.sent_at = at
        pending.sent_monotonic = monotonic
        if pending.timer is not None:
            pending.timer.cancel()
        loop = asyncio.get_running_loop()
        pending.timer = loop.call_later(pending.timeout_s, self._time_out, pending)
        return pending

    @property
    def has_next(self) -> bool:
        """Whether `next_call` would return one."""
        if self._open is not None:
            return False
        # cancelled a moment ago: whoever waited has had no turn yet to withdraw it
        while self._queue and self._queue[0].future.done():
            _settle(self._queue.pop(0), None)
        return bool(self._queue)

    def answered(self, event: Answered, at: datetime) -> PendingCall | None:
        """Settle the open call with its answer and return it."""
        pending, self._open = self._open, None
        if pending is None:
            return None
        _settle(pending, self._outcome(event, pending, at))
        self._wake()
        return pending

    def lose(self) -> None:
        """Fail all calls: the connection is gone. Later calls fail at once."""
        self._lost = True
        self._wake = _nobody  # frees who has ended
        pending, self._open = self._open, None
        if pending is not None:
            self._conversation.give_up()
            _settle(pending, _connection_lost())
        while self._queue:
            _settle(self._queue.pop(0), _connection_lost())

    def _time_out(self, pending: PendingCall) -> None:
        if pending is self._open:
            self._open = None
            self._conversation.give_up()
            detail = f"the station did not answer within {pending.timeout_s:g} s"
        else:
            self._queue.remove(pending)
            detail = f"not sent within {pending.timeout_s:g} s: other calls were open"
        _settle(pending, CallFailed("call_timeout", detail))
        self._wake()

    def _outcome(self, event: Answered, pending: PendingCall, at: datetime) -> Answer | CallFailed:
        if pending.sent_at is None:
            raise RuntimeError("an open call has been sent")
        if event.error_code is not None:
            return Answer(
                payload={},
                sent_at=pending.sent_at,
                answered_at=at,
                error_code=event.error_code,
                error_description=event.error_description,
            )
        payload = event.payload
        if event.broken or not isinstance(payload, dict):
            return CallFailed("invalid_response", "the station's answer cannot be read")
        problems = self._schemas.response_problems(pending.action, payload)
        if problems and self._tolerance is not None:
            repaired = self._tolerance.answer(pending.action, payload)
            if repaired is not None and not repaired.problems:
                event.payload = payload = repaired.payload
                event.repairs += repaired.names
                problems = []
        if problems:
            return CallFailed(
                "invalid_response",
                f"the station's answer is not valid: {problems[0].field} {problems[0].text}",
            )
        return Answer(payload=payload, sent_at=pending.sent_at, answered_at=at)


def _settle(pending: PendingCall, outcome: Answer | CallFailed | None) -> None:
    """End a call; None when nobody waits for it any more."""
    if pending.timer is not None:
        pending.timer.cancel()
        pending.timer = None
    if pending.future.done():  # whoever waited was cancelled
        return
    if isinstance(outcome, Answer):
        pending.future.set_result(outcome)
    elif outcome is not None:
        pending.future.set_exception(outcome)


def _nobody() -> None:
    """Stand where nobody is to be woken any more."""


def _connection_lost() -> CallFailed:
    return CallFailed("connection_lost", "the connection was lost while the call was open")
