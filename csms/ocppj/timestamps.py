"""Times as charge points write them (R29)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

NO_ZONE = "time_without_zone"

_DAY = timedelta(days=1)
_FORM = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:[.,]([0-9]{1,40}))?"
    r"(?:([Zz])|([+-])([0-9]{2})(?::?([0-5][0-9]))?)?"
)


def parse(text: str) -> tuple[datetime, bool]:
    """Return the time in UTC, and whether it had no zone (then it is taken as UTC).

    Takes any number of fraction digits (microseconds are kept, the rest is cut), any offset,
    ``Z``, and lower case.

    Raises:
        ValueError: It is no date and time, or not one that a calendar knows.

    >>> parse("2026-03-01T13:00:00.123456789+01:00")
    (datetime.datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=datetime.timezone.utc), False)
    >>> parse("2026-03-01t12:00:00")[1]
    True
    """
    # what nearly all send, parsed in C; the dashes keep out week dates, which C knows too
    if len(text) == 20 and text[4] == text[7] == "-" and text[10] == "T" and text[19] == "Z":
        return datetime.fromisoformat(text), False
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError("is no date and time")
    year, month, day, hour, minute, second = map(int, found.group(1, 2, 3, 4, 5, 6))
    microsecond = int((found[7] or "0")[:6].ljust(6, "0"))
    zone = UTC
    if found[9] is not None:
        offset = timedelta(hours=int(found[10]), minutes=int(found[11] or 0))
        if offset >= _DAY:
            raise ValueError("has an offset of a day or more")
        zone = timezone(-offset if found[9] == "-" else offset)
    at = datetime(year, month, day, hour, minute, second, microsecond, zone)
    try:
        return at.astimezone(UTC), found[8] is None and found[9] is None
    except OverflowError:
        raise ValueError("is outside the calendar") from None
