"""One connection's RPC as a state machine without I/O and without a clock (OCPP-J 1.6 section 4).

Text goes in, exactly one event comes out; nothing that a peer sends makes it raise. It knows which
calls of the peer wait for our answer, what was answered last, and which call of ours is open. Who
reads, writes, waits and measures time is `csms.ocppj.session`.

Rules R01-R10 and R18-R24 of the requirements stand here; what a payload means does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from csms.ocppj.call_errors import ErrorCode, Refused
from csms.ocppj.repairs.catalogue import ANSWER_ID, MESSAGE_ID_REUSED
from csms.ocppj.repairs.tolerance import Tolerance

CALL = 2
CALL_RESULT = 3
CALL_ERROR = 4

LONGEST_ID = 36
LONGEST_READABLE_ID = 256
"""Ids between the two are answered with an error; longer ones are dropped (R03)."""

MOST_UNREADABLE = 10
"""So many unreadable frames in a row end the connection (R09)."""

_REMEMBERED = 4
_LONGEST_DESCRIPTION = 255
_LONGEST_RECEIVED_TEXT = 1000

_POLICY_VIOLATION = 1008

_START = re.compile(
    r"[\s\ufeff\x00]*\[\s*[\"']?([234])[\"']?\s*,\s*"
    r"(\"(?:[^\"\\]|\\.){0,256}\"|'[^'\"\\]{0,256}'|-?[0-9]{1,36}(?=\s*[,\]]))"
    r"(?:\s*,\s*\"([A-Za-z]{1,50})\")?"
)


TAKEN: dict[str, Any] = {}
"""In place of a payload that nobody needs any more. Never changed."""


@dataclass(slots=True, eq=False)
class Call:
    """A call of the peer, to be answered with `Conversation.result` or `.error`.

    Attributes:
        payload: `TAKEN` once it is a fact that waits for its commit: a thousand calls in flight
            are then a third of the memory, and of what the garbage collector looks through.
        repairs: Names of those that were needed to read it.
    """

    message_id: str
    action: str
    payload: dict[str, Any]
    raw: str
    repairs: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Reply:
    """A frame that answers the received one without anybody's help: an error, or a repetition.

    Attributes:
        action: Action of the received call, where it could be read.
        refused: What is wrong with the frame; None for a repetition.
    """

    text: str
    type: int
    message_id: str
    action: str | None
    refused: Refused | None
    repairs: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Answered:
    """The answer to our open call, which is no longer open.

    Attributes:
        payload: Payload of the CALLRESULT (any JSON value; its schema is not checked here).
        error_code: Set when it is a CALLERROR; the peer's own spelling.
        broken: The frame cannot be read, but for its id.
    """

    message_id: str
    action: str
    type: int
    payload: object = None
    error_code: str | None = None
    error_description: str = ""
    broken: bool = False
    repairs: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Dropped:
    """A frame that gets no answer; `reason` is one of a few constant texts."""

    reason: str
    type: int | None = None
    message_id: str | None = None


@dataclass(slots=True, eq=False)
class Closing:
    """The connection must be closed with this code."""

    code: int
    reason: str


Event = Call | Reply | Answered | Dropped | Closing


_UNREAD = (Reply, Dropped)


class Conversation:
    """The RPC state of one connection.

    Invariants: `_waiting` counts by id exactly those calls that were returned as `Call` and not
    answered yet; at most one call of ours is open (R22).
    """

    __slots__ = ("_answered", "_open_action", "_open_id", "_tolerance", "_unreadable", "_waiting")

    def __init__(self, tolerance: Tolerance | None = None) -> None:
        """Start; `tolerance` has the repairs of this connection, None: there are none."""
        self._tolerance = tolerance
        self._waiting: dict[str, int] = {}
        self._answered: dict[str, tuple[int, int, str]] = {}
        self._open_id: str | None = None
        self._open_action = ""
        self._unreadable = 0

    @property
    def waiting(self) -> int:
        """How many calls of the peer wait for our answer."""
        return sum(self._waiting.values())

    @property
    def open_id(self) -> str | None:
        """Message id of our open call, if there is one."""
        return self._open_id

    def receive(self, raw: str) -> Event:
        """Take one text frame and return what it means. Never raises."""
        try:
            frame = orjson.loads(raw)
        except ValueError:
            mended = None if self._tolerance is None else self._tolerance.text(raw)
            if mended is None:
                return self._receive_unreadable(raw)
            return _repaired(self._receive_frame(mended.frame, raw), mended.names)
        event = self._receive_frame(frame, raw)
        if self._tolerance is not None and type(event) in _UNREAD:
            mended = self._tolerance.shape(frame)
            if mended is not None:
                return _repaired(self._receive_frame(mended.frame, raw), mended.names)
        return event

    def _receive_frame(self, frame: Any, raw: str) -> Event:
        if type(frame) is not list or len(frame) < 2:
            return self._unreadable_frame("not a message of OCPP-J")
        kind = frame[0]
        if kind == CALL and type(kind) is int:
            return self._receive_call(frame, raw)
        if type(kind) is not int:
            if len(frame) == 4 and isinstance(frame[1], str) and isinstance(frame[2], str):
                return self._shape_error(frame[1], frame[2], "message type must be 2, 3 or 4")
            return self._unreadable_frame("not a message of OCPP-J")
        if kind in (CALL_RESULT, CALL_ERROR):
            return self._receive_answer(kind, frame)
        self._unreadable = 0
        return Dropped("unknown message type", kind, _short(frame[1]))  # R06

    def result(self, call: Call, payload: Mapping[str, Any]) -> str:
        """Return the CALLRESULT of a call; remembers it for a repetition (R05)."""
        return self._answer(call, CALL_RESULT, [CALL_RESULT, call.message_id, payload])

    def error(self, call: Call, refused: Refused) -> str:
        """Return the CALLERROR of a call; remembers it for a repetition (R05)."""
        return self._answer(call, CALL_ERROR, _error(call.message_id, refused))

    def open_call(self, message_id: str, action: str) -> None:
        """Note that a call of ours goes out now.

        Raises:
            RuntimeError: Another one is open (R22); the caller's fault.
        """
        if self._open_id is not None:
            raise RuntimeError("a call is open already")
        self._open_id = message_id
        self._open_action = action

    def give_up(self) -> None:
        """Close our open call without an answer; a late one will be dropped (R19)."""
        self._open_id = None

    # -- calls of the peer

    def _receive_call(self, frame: list[Any], raw: str) -> Event:
        message_id = frame[1]
        action = frame[2] if len(frame) > 2 and isinstance(frame[2], str) else None
        if type(message_id) is not str:
            if type(message_id) not in (int, float):
                return self._unreadable_frame("message id cannot be read")
            return self._shape_error(
                orjson.dumps(message_id).decode(), action, "message id must be a text"
            )
        if not 0 < len(message_id) <= LONGEST_ID:
            if len(message_id) > LONGEST_READABLE_ID:
                return self._unreadable_frame("message id is far too long")
            return self._shape_error(
                message_id, action, f"message id must have 1 to {LONGEST_ID} characters"
            )
        if len(frame) != 4:
            return self._shape_error(message_id, action, "a call has 4 elements")
        if action is None:
            return self._shape_error(message_id, None, "action must be a text")
        payload = frame[3]
        if payload is None:
            payload = {}  # R02
        elif type(payload) is not dict:
            return self._shape_error(message_id, action, "payload must be an object")
        self._unreadable = 0
        reused: tuple[str, ...] = ()
        if message_id in self._waiting or message_id in self._answered:
            found = self._used_before(message_id, action, raw)
            if found is not None:
                return found
            reused = (MESSAGE_ID_REUSED,)
        self._waiting[message_id] = self._waiting.get(message_id, 0) + 1
        return Call(message_id, action, payload, raw, reused)

    def _used_before(self, message_id: str, action: str, raw: str) -> Reply | None:
        """Answer a call whose id was used before (R04, R05); None when it is served as a new one.

        Some stations have one id for all their calls, so that their Heartbeats are all equal.
        """
        tolerance = self._tolerance
        if message_id in self._waiting:
            if tolerance is not None and tolerance.takes_used_ids():
                return None
            return _reply(
                message_id,
                action,
                Refused(ErrorCode.PROTOCOL_ERROR, "message id is in use by an open call"),
            )
        fingerprint, kind, text = self._answered[message_id]
        if fingerprint == hash(raw):
            if tolerance is not None and tolerance.asks_anew(action):
                return None
            return Reply(text, kind, message_id, action, None)
        if tolerance is not None and tolerance.takes_used_ids():
            return None
        return _reply(
            message_id,
            action,
            Refused(ErrorCode.PROTOCOL_ERROR, "message id was used for another call"),
        )

    def _answer(self, call: Call, kind: int, frame: list[Any]) -> str:
        text = orjson.dumps(frame).decode()
        open_calls = self._waiting.pop(call.message_id, 0)
        if open_calls > 1:
            self._waiting[call.message_id] = open_calls - 1
        if len(self._answered) >= _REMEMBERED:
            del self._answered[next(iter(self._answered))]
        self._answered[call.message_id] = (hash(call.raw), kind, text)
        return text

    # -- answers of the peer

    def _receive_answer(self, kind: int, frame: list[Any]) -> Event:
        self._unreadable = 0
        message_id = frame[1]
        ours = self._open_id
        needed: tuple[str, ...] = ()
        if message_id != ours or type(message_id) is not str:
            if ours is None or self._tolerance is None:
                return Dropped("answer to no open call", kind, _short(message_id))  # R19
            if not self._tolerance.answers(message_id, ours):
                return Dropped("answer to no open call", kind, _short(message_id))
            message_id, needed = ours, (ANSWER_ID,)
        self._open_id = None
        event = Answered(message_id, self._open_action, kind, repairs=needed)
        if kind == CALL_ERROR:  # R18, R21: any code, 3 to 5 elements
            event.error_code = _text(frame, 2) or "GenericError"
            event.error_description = _text(frame, 3)
            return event
        if len(frame) != 3 or type(frame[2]) in (list, str):
            mended = None if self._tolerance is None else self._tolerance.shape(frame)
            if mended is not None:
                frame, event.repairs = mended.frame, event.repairs + mended.names
        if len(frame) != 3:
            event.broken = True
        else:
            event.payload = {} if frame[2] is None else frame[2]
        return event

    # -- frames that break the rules

    def _receive_unreadable(self, raw: str) -> Event:
        """Answer what is no JSON, if its message id can still be read (R09, R30)."""
        found = _START.match(raw)
        if found is None:
            if not raw.strip():
                return Dropped("empty frame")  # some stations keep the line alive so
            return self._unreadable_frame("not JSON")
        kind, action = int(found[1]), found[3]
        try:
            message_id = orjson.loads(
                found[2].replace("'", '"') if found[2][0] == "'" else found[2]
            )
        except ValueError:
            return self._unreadable_frame("not JSON")
        if not isinstance(message_id, str):
            message_id = found[2]
        if kind != CALL:
            if message_id == self._open_id:
                self._open_id = None
                return Answered(message_id, self._open_action, kind, broken=True)
            return self._unreadable_frame("not JSON", kind, message_id)
        closing = self._count_unreadable()
        return closing or _reply(
            message_id, action, Refused(ErrorCode.FORMATION_VIOLATION, "not readable as JSON")
        )

    def _shape_error(self, message_id: str, action: str | None, text: str) -> Event:
        if len(message_id) > LONGEST_READABLE_ID:
            return self._unreadable_frame("message id is far too long")
        self._unreadable = 0
        return _reply(message_id, action, Refused(ErrorCode.FORMATION_VIOLATION, text))

    def _unreadable_frame(
        self, reason: str, kind: int | None = None, message_id: str | None = None
    ) -> Event:
        return self._count_unreadable() or Dropped(reason, kind, message_id)

    def _count_unreadable(self) -> Closing | None:
        self._unreadable += 1
        if self._unreadable < MOST_UNREADABLE:
            return None
        return Closing(_POLICY_VIOLATION, "too many unreadable messages")


def call_text(message_id: str, action: str, payload: Mapping[str, Any]) -> str:
    """Return the frame of a call of ours: compact, keys in their order.

    Raises:
        TypeError: The payload cannot be written as JSON (an integer over 64 bits, say).
    """
    return orjson.dumps([CALL, message_id, action, payload]).decode()


def _reply(message_id: str, action: str | None, refused: Refused) -> Reply:
    text = orjson.dumps(_error(message_id, refused)).decode()
    return Reply(text, CALL_ERROR, message_id, action, refused)


def _error(message_id: str, refused: Refused) -> list[Any]:
    return [CALL_ERROR, message_id, refused.code, refused.description[:_LONGEST_DESCRIPTION], {}]


def _repaired(event: Event, names: tuple[str, ...]) -> Event:
    if isinstance(event, Call | Reply | Answered):
        event.repairs = names + event.repairs
    return event


def _short(message_id: object) -> str | None:
    return message_id[:LONGEST_READABLE_ID] if isinstance(message_id, str) else None


def _text(frame: list[Any], place: int) -> str:
    if len(frame) <= place or not isinstance(frame[place], str):
        return ""
    # Postgres keeps no NUL, and an outcome that is not kept would be lost for one
    return str(frame[place])[:_LONGEST_RECEIVED_TEXT].replace("\0", "\N{REPLACEMENT CHARACTER}")
