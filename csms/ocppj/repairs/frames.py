"""Frames that are JSON but not quite a message of OCPP-J, and texts that are not quite JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from csms.ocppj.repairs import catalogue as names
from csms.ocppj.repairs.json_text import Unmendable, mend
from csms.ocppj.repairs.spelling import fold
from csms.ocppj.repairs.switches import Switches

_TYPES = (2, 3, 4)
_CALL = 2
_CALL_RESULT = 3
_NO_ID = re.compile(r"[^0-9a-z]+")
_LEAST_OF_AN_ID = 8
_LONGEST_ID = 64

RETOLD = frozenset({"Authorize", "BootNotification", "Heartbeat", "StatusNotification"})
"""Calls that ask for or tell the present state. The same text again is a new question of a station
that has one id for all, and answering it anew does no harm if it was a repetition."""


@dataclass(frozen=True, slots=True)
class Mended:
    """A frame as it was meant, with the names of the repairs."""

    frame: list[Any]
    names: tuple[str, ...]


def mended_text(raw: str, switches: Switches) -> Mended | None:
    """Return the message that a text means which is no JSON; None when nobody can say."""
    try:
        frame, needed = mend(raw)
    except Unmendable:
        return None
    if len(frame) < 2 or not switches.all_on(needed):
        return None
    kind = frame[0]
    if type(kind) is not int or kind not in _TYPES:
        shaped = mended_shape(frame, switches)
        if shaped is None:
            return None
        frame, needed = shaped.frame, needed + shaped.names
    return Mended(frame, needed)


def mended_shape(frame: object, switches: Switches) -> Mended | None:
    """Return a frame with its elements put right; None when nothing can be done about it."""
    needed: list[str] = []
    bare = _unwrapped(frame)
    if bare is not None and names.FRAME_WRAPPED in switches:
        frame = bare
        needed.append(names.FRAME_WRAPPED)
    if not isinstance(frame, list) or len(frame) < 2:
        return None
    made = list(frame)

    def may(name: str) -> bool:
        if name not in switches:
            return False
        needed.append(name)
        return True

    kind = _message_type(made[0])
    if kind is None:
        return None
    if type(made[0]) is not int:
        if not may(names.MESSAGE_TYPE_TEXT):
            return None
        made[0] = kind
    if kind == _CALL:
        _mend_call(made, may)
    elif kind == _CALL_RESULT:
        _mend_answer(made, may)
    return Mended(made, tuple(needed)) if needed else None


def _unwrapped(frame: object) -> list[Any] | None:
    """Return the frame inside of something; None when there is none."""
    match frame:
        case [list() as only] if len(only) > 2:
            return only
        case str() if frame.lstrip().startswith("["):
            try:
                inside = orjson.loads(frame)
            except ValueError:
                return None
            return inside if isinstance(inside, list) and len(inside) > 2 else None
        case dict():
            return _of_object(frame)
        case _:
            return None


def _of_object(frame: dict[str, Any]) -> list[Any] | None:
    """Return the frame that an object with named elements means."""
    by_name = {fold(name): value for name, value in frame.items()}

    def element(*others: str) -> Any:
        return next((by_name[name] for name in others if name in by_name), None)

    kind = _message_type(element("messagetypeid", "messagetype", "type"))
    message_id = element("uniqueid", "messageid", "id")
    if kind is None or not isinstance(message_id, str):
        return None
    payload = element("payload", "data")
    return [kind, message_id, *([element("action")] if kind == _CALL else []), payload]


def _mend_call(made: list[Any], may: Callable[[str], bool]) -> None:
    if type(made[1]) is int and may(names.MESSAGE_ID_NUMBER):
        made[1] = str(made[1])
    if len(made) == 3 and isinstance(made[2], str) and may(names.PAYLOAD_MISSING):
        made.append({})
    if len(made) == 4:
        made[3] = _payload(made[3], may)


def same_id(given: object, ours: str) -> bool:
    """Return whether the id of an answer is that of our call, however the station spells it.

    >>> ours = "a1b2c3d4-0000-4000-8000-0123456789ab"
    >>> same_id("A1B2C3D4-0000-4000", ours), same_id(" {a1b2c3d4000040008000} ", ours)
    (True, True)
    >>> same_id("a1b2", ours), same_id("b2c3d4-0000-4000", ours), same_id(None, ours)
    (False, False, False)
    """
    if not isinstance(given, str) or len(given) > _LONGEST_ID:
        return False
    folded = _NO_ID.sub("", given.lower())
    return len(folded) >= _LEAST_OF_AN_ID and _NO_ID.sub("", ours.lower()).startswith(folded)


def _mend_answer(made: list[Any], may: Callable[[str], bool]) -> None:
    if len(made) == 2 and may(names.ANSWER_SHAPE):
        made.append({})
    elif len(made) == 4 and isinstance(made[2], str) and isinstance(made[3], dict):
        if may(names.ANSWER_SHAPE):
            del made[2]
    elif len(made) == 3 and isinstance(made[2], str):
        inside = _json_of(made[2])
        if isinstance(inside, dict) and may(names.ANSWER_SHAPE):
            made[2] = inside
    elif len(made) > 3 and isinstance(made[2], dict) and may(names.ANSWER_SHAPE):
        del made[3:]
    elif len(made) == 3 and made[2] == [] and may(names.ANSWER_SHAPE):
        made[2] = {}


def _message_type(value: object) -> int | None:
    match value:
        case bool():
            return None
        case int() | float() if value in _TYPES:
            return int(value)
        case str() if value.strip() in ("2", "3", "4"):
            return int(value)
        case _:
            return None


def _payload(value: object, may: Callable[[str], bool]) -> object:
    if isinstance(value, list) and not value and may(names.PAYLOAD_EMPTY_LIST):
        return {}
    if isinstance(value, str):
        inside = _json_of(value or "{}")
        if isinstance(inside, dict) and may(names.PAYLOAD_TEXT):
            return inside
    return value


def _json_of(text: str) -> object:
    try:
        return orjson.loads(text)
    except ValueError:
        return None
