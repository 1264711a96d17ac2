"""One connection's frames on their way into the message log: masked and storable."""

from __future__ import annotations

from datetime import datetime

import orjson

from csms.domain import masking
from csms.domain.ids import ChargePointKey
from csms.domain.messages import Direction, LoggedFrame
from csms.metrics import METRICS
from csms.ocppj.conversation import CALL, CALL_ERROR, CALL_RESULT, Answered, Call
from csms.ocppj.outgoing import PendingCall
from csms.ocppj.repairs import count
from csms.services.intake import Intake

_TYPES = (CALL, CALL_RESULT, CALL_ERROR)
_LONGEST_NAME = 64
_LARGEST_TYPE = 2**15 - 1
_PLAIN = (None, None, None)
_frame = tuple.__new__  # without the Python function that a named tuple has for it


class FrameLog:
    """Hands frames over to the intake, which never blocks."""

    __slots__ = ("_key", "_take")

    def __init__(self, intake: Intake, key: ChargePointKey) -> None:
        self._take = intake.log
        self._key = key

    def exchange(
        self, call: Call, received_at: datetime, answered_at: datetime, text: str, took_s: float
    ) -> None:
        """Log a call that was served just as it came, and its CALLRESULT.

        Both at once and the short way, because these are nearly all frames. What was served so is
        valid JSON with an action of a charge point: only its id may hold what is not storable.
        """
        METRICS.frames_in[CALL] += 1
        METRICS.frames_out[CALL_RESULT] += 1
        key, action, number, raw = self._key, call.action, call.message_id, call.raw
        if "\0" in number:
            number, text = storable(number), storable(text)
        if action in masking.WATCHED:
            raw, text = masking.mask(action, raw), masking.mask(action, text)
        take = self._take
        take(_frame(LoggedFrame, (received_at, key, "in", CALL, action, number, raw, *_PLAIN)))
        latency_us = int(took_s * 1_000_000)
        take(
            _frame(
                LoggedFrame,
                (
                    answered_at,
                    key,
                    "out",
                    CALL_RESULT,
                    action,
                    number,
                    text,
                    latency_us,
                    None,
                    None,
                ),
            )
        )

    def add(
        self,
        direction: Direction,
        at: datetime,
        kind: int | None,
        action: str | None,
        message_id: str | None,
        raw: str,
        latency_ms: float | None = None,
        repairs: tuple[str, ...] = (),
        repaired: object = None,
    ) -> None:
        """Log one frame; `action` decides what is masked, None masks all that may be secret.

        `repaired` is the payload that was made of it, where repairs were needed.
        """
        self._put(
            direction,
            at,
            kind,
            action,
            message_id,
            masking.mask(action, raw),
            latency_ms,
            repairs,
            None if repaired is None else masking.mask(action, orjson.dumps(repaired).decode()),
        )

    def our_call(self, pending: PendingCall, at: datetime) -> None:
        """Log a call of ours that leaves now; marks it when it holds a secret."""
        masked = masking.mask(pending.action, pending.text)
        pending.has_secret = masked != pending.text
        self._put("out", at, CALL, pending.action, pending.message_id, masked, None, ())

    def answer_to_us(
        self, pending: PendingCall, event: Answered, raw: str, at: datetime, latency_ms: float
    ) -> None:
        """Log the answer to a call of ours."""
        action = pending.action
        if pending.has_secret and event.error_code is not None:
            # the description may repeat what it complains of
            raw = f'[4,"{pending.message_id}","GenericError","{masking.MASK}",{{}}]'
        count(event.repairs)
        self.add(
            "in",
            at,
            event.type,
            action,
            pending.message_id,
            raw,
            latency_ms,
            event.repairs,
            event.payload if event.repairs else None,
        )

    def _put(
        self,
        direction: Direction,
        at: datetime,
        kind: int | None,
        action: str | None,
        message_id: str | None,
        raw: str,
        latency_ms: float | None,
        repairs: tuple[str, ...],
        repaired: str | None = None,
    ) -> None:
        counts = METRICS.frames_in if direction == "in" else METRICS.frames_out
        counts[kind if kind in _TYPES else 0] += 1
        self._take(
            LoggedFrame(
                at,
                self._key,
                direction,
                kind if kind is None or abs(kind) <= _LARGEST_TYPE else None,
                None if action is None else _name(action),
                None if message_id is None else _name(message_id),
                storable(raw),
                None if latency_ms is None else int(latency_ms * 1000),
                repairs or None,
                None if repaired is None else storable(repaired),
            )
        )


def storable(text: str) -> str:
    """Return a text that Postgres stores: without NUL.

    Valid JSON has them only as escapes; but what is logged need not be valid.
    """
    if "\0" in text:
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text


def _name(text: str) -> str:
    return storable(text if len(text) <= _LONGEST_NAME else text[:_LONGEST_NAME])
