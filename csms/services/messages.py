"""Logged frames with their payload taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from csms.services.records import MessageRecord

_TYPES = {2: "call", 3: "callResult", 4: "callError"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedMessage:
    """A frame of the log.

    Attributes:
        type: call, callResult or callError; None when the frame could not be read.
        payload: As the repairs made it where there were some; of a call error its code, description
            and details; None when unreadable.
    """

    record: MessageRecord
    type: str | None
    payload: Any


def type_name(record: MessageRecord) -> str | None:
    """Return call, callResult or callError; None when the frame could not be read."""
    return None if record.type is None else _TYPES.get(record.type)


def logged_message(record: MessageRecord) -> LoggedMessage:
    """Return the record with its payload; a frame that cannot be read has none."""
    kind = type_name(record)
    try:
        frame = orjson.loads(record.raw)
    except orjson.JSONDecodeError:
        frame = None
    payload: Any = None
    match kind, frame:
        case "call", [_, _, _, content, *_]:
            payload = content
        case "callResult", [_, _, content, *_]:
            payload = content
        case "callError", [_, _, *rest]:
            names = ("errorCode", "errorDescription", "errorDetails")
            payload = dict(zip(names, rest, strict=False))
        case _:
            pass
    if record.repaired is not None:
        try:
            payload = orjson.loads(record.repaired)
        except orjson.JSONDecodeError:  # masked where nobody could tell what the secret is
            payload = record.repaired
    return LoggedMessage(record=record, type=kind, payload=payload)
