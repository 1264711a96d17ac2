"""Cursors: where the next page begins, opaque to the caller."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import orjson

from csms.errors import Invalid


def encode(*position: int | str | datetime) -> str:
    """Return a cursor for this position."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def decode(cursor: str, *kinds: type[Any]) -> tuple[Any, ...]:
    """Return the position in a cursor.

    Args:
        cursor: As `encode` made it.
        kinds: Type of each part: int, str or datetime.

    Raises:
        Invalid: It is not one of ours, or one of another list.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = orjson.loads(base64.b64decode(padded.encode("ascii"), b"-_", validate=True))
        if not isinstance(parts, list) or len(parts) != len(kinds):
            raise ValueError("another list's cursor")
        return tuple(_part(part, kind) for part, kind in zip(parts, kinds, strict=True))
    except (ValueError, OverflowError):
        raise Invalid(
            "invalid_request", "The cursor is not one of this list.", {"cursor": "unknown"}
        ) from None


def _part(part: object, kind: type[Any]) -> object:
    if kind is datetime:
        at = datetime.fromisoformat(part) if isinstance(part, str) else None
        if at is None or at.tzinfo is None or not 1970 <= at.year <= 9998:
            raise ValueError("no time")
        return at
    if type(part) is not kind or (isinstance(part, int) and not 0 <= part < 2**63):
        raise ValueError("wrong type")
    if isinstance(part, str) and "\x00" in part:
        raise ValueError("wrong text")
    return part
