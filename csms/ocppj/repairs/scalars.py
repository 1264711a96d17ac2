"""Numbers, texts and booleans out of what stands in their place."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import orjson

_NUMBER = re.compile(
    r"([+-]?[0-9]{1,19}(?:[.,][0-9]{0,12})?(?:[eE][+-]?[0-9]{1,2})?)\s*([A-Za-z]*)"
)
_AMBIGUOUS = re.compile(r"[+-]?[0-9]{1,3},[0-9]{3}")  # thousands, or a fraction?
_WRAPS = frozenset({"idToken", "idTag", "id", "uid", "value", "$date"})
_SCALES = {"": 1, "wh": 1, "kwh": 1000, "w": 1, "a": 1, "s": 1, "sec": 1}
_TRUE = frozenset({"true", "1", "yes", "y", "on"})
_FALSE = frozenset({"false", "0", "no", "n", "off", ""})
_WIDEST = 2**63


def as_text(value: object) -> str | None:
    """Return a value as text, as JSON where it has parts; None for null and what JSON cannot say.

    >>> as_text(12.0), as_text(True), as_text({"a": 1})
    ('12.0', 'true', '{"a":1}')
    """
    match value:
        case str():
            return value
        case None:
            return None
        case [str() as only]:
            return only
        case dict() if (inside := wrapped_text(value)) is not None:
            return inside
        case _:
            try:
                return orjson.dumps(value).decode()
            except TypeError:  # an integer over 64 bits, or too many levels
                return None


def wrapped_text(value: Mapping[str, object]) -> str | None:
    """Return the text that an object is about, as in OCPP 2.0's ``{"idToken": "A", "type": "x"}``.

    >>> wrapped_text({"idToken": "A", "type": "x"}), wrapped_text({"a": 1})
    ('A', None)
    """
    if len(value) == 1:
        only = next(iter(value.values()))
        return only if isinstance(only, str) else None
    return next((v for key, v in value.items() if key in _WRAPS and isinstance(v, str)), None)


def without_padding(value: Any) -> Any:
    r"""Return a value whose texts do not end with the characters NUL behind them.

    >>> without_padding({"serial": "A1\0\0", "parts": ["\0", "a\0b", 1]})
    {'serial': 'A1', 'parts': ['\x00', 'a\x00b', 1]}
    """
    match value:
        case str():
            return value.rstrip("\0") or value
        case dict():
            return {key: without_padding(item) for key, item in value.items()}
        case list():
            return [without_padding(item) for item in value]
        case _:
            return value


def as_number(value: object) -> float | int | None:
    """Return the number that a value means, or None.

    >>> as_number(" 12 "), as_number("1,5 kWh"), as_number("12 apples")
    (12, 1500.0, None)
    """
    match value:
        case bool():
            return int(value)
        case int() | float():
            return value
        case str():
            found = _NUMBER.fullmatch(value.strip().strip("\"'"))
            if found is None or _AMBIGUOUS.fullmatch(found[1]) or found[2].lower() not in _SCALES:
                return None
            digits, scale = found[1].replace(",", "."), _SCALES[found[2].lower()]
            try:
                return int(digits) * scale
            except ValueError:
                return float(digits) * scale
        case [only] if not isinstance(only, list):
            return as_number(only)
        case _:
            return None


def as_integer(value: float) -> int | None:
    """Return the nearest integer; None when it does not fit into 64 bits.

    >>> as_integer(12.6), as_integer(1e300)
    (13, None)
    """
    if not math.isfinite(value) or abs(value) >= _WIDEST:
        return None
    return round(value)


def capped(value: object) -> int | None:
    """Return the end of the 64 bits that a number lies beyond; None when it lies within them.

    >>> capped(2**64 - 1) == 2**63 - 1, capped(-1e300) == -(2**63), capped(5), capped("5")
    (True, True, None, None)
    """
    if isinstance(value, int | float):
        if value >= _WIDEST:
            return _WIDEST - 1
        if value < -_WIDEST:
            return -_WIDEST
    return None


def as_boolean(value: object) -> bool | None:
    """Return the boolean that a value means, or None.

    >>> as_boolean("True"), as_boolean(0), as_boolean("maybe")
    (True, False, None)
    """
    match value:
        case bool():
            return value
        case int() | float() if value in (0, 1):
            return bool(value)
        case str():
            bare = value.strip().lower()
            return True if bare in _TRUE else False if bare in _FALSE else None
        case _:
            return None
