"""Times in forms that `csms.ocppj.timestamps` refuses, but that can mean one thing only."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from csms.ocppj import timestamps
from csms.ocppj.repairs import catalogue as names
from csms.ocppj.repairs.switches import Switches

_LONGEST = 64
_EMPTY = frozenset({"", "null", "none", "nil", "undefined", "n/a", "-"})
_EARLIEST_S = 0
_LATEST_S = 253_402_300_799  # the year 9999
_MILLISECONDS_FROM = 10_000_000_000  # in seconds that would be the year 2286
_EPOCH = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,6})?")
# year first with any separators; seconds and minutes of the zone may be missing
_YEAR_FIRST = re.compile(
    r"([0-9]{4})([-/.]?)([0-9]{1,2})\2([0-9]{1,2})[Tt_ ,]+([0-9]{1,2}):?([0-9]{2}|[0-9](?=:))"
    r"(?::?([0-9]{1,2})(?:[.,:]([0-9]{0,9}))?)?\s*(.*)"
)
# with dots the day comes first, everywhere; with slashes nobody knows
_DAY_FIRST = re.compile(
    r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})[T ,]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?\s*(.*)"
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_IN_WORDS = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?([0-9]{1,2})[ -]([A-Za-z]{3})[a-z]*[ -]([0-9]{4})\s+"
    r"([0-9]{1,2}):([0-9]{2}):([0-9]{2})\s*(.*)"
)
# what asctime and date write
_WORDS_FIRST = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?([A-Za-z]{3})[a-z]*\s+([0-9]{1,2}),?\s+"
    r"(?:([0-9]{4})\s+)?([0-9]{1,2}):([0-9]{2}):([0-9]{2})\s*([A-Za-z]{3})?(?:\s+([0-9]{4}))?"
)
# RFC 9557, `2026-03-01T12:00:00Z[Europe/Paris]`: beside an offset the region adds nothing
_WITH_REGION = re.compile(r"(.*(?:[Zz]|[+-][0-9]{2}:?[0-9]{2}))\[[^\[\]]*\]")
_ZONE = re.compile(r"([+-])([0-9]{1,2})(?::?([0-9]{2}))?")
_ENDS = ("0001", "9999")  # what .NET says where there is no time, often with its own offset
_UTC_NAMES = frozenset({"z", "utc", "gmt", "utc+0", "gmt+0", "+0", "-0", "z+00:00", "+00:00z"})


def read(
    text: str, received_at: datetime, switches: Switches
) -> tuple[datetime, tuple[str, ...]] | None:
    """Return the time that a text means, in UTC, and the repairs; None when none of them may help.

    Day and month are never guessed: `03/04/2026` is unreadable.

    Args:
        text: What is no time for `timestamps.parse`.
        received_at: When it came: the time of a text that is empty.
        switches: The repairs that are on.
    """
    bare = text.strip().strip("\"'").strip()
    if bare.lower() in _EMPTY:
        return (received_at, (names.TIME_MISSING,)) if names.TIME_MISSING in switches else None
    found = _understood(bare[:_LONGEST]) if names.TIME_FORM in switches else None
    if found is not None:
        at, no_zone = found
        return at, (names.TIME_FORM, names.TIME_WITHOUT_ZONE) if no_zone else (names.TIME_FORM,)
    if names.TIME_UNREADABLE in switches:
        return received_at, (names.TIME_UNREADABLE,)
    return None


def _understood(text: str) -> tuple[datetime, bool] | None:
    if _EPOCH.fullmatch(text):
        return _since_1970(float(text))
    if (form := _WITH_REGION.fullmatch(text)) is not None:
        text = form[1]
    fraction = None
    if (form := _YEAR_FIRST.fullmatch(text)) is not None:
        year, _, month, day, hour, minute, second, fraction, zone = form.groups()
    elif (form := _DAY_FIRST.fullmatch(text)) is not None:
        day, month, year, hour, minute, second, zone = form.groups()
    elif (form := _IN_WORDS.fullmatch(text)) is not None:
        day, word, year, hour, minute, second, zone = form.groups()
        if word.lower() not in _MONTHS:
            return None
        month = str(_MONTHS.index(word.lower()) + 1)
    elif (form := _WORDS_FIRST.fullmatch(text)) is not None:
        word, day, early, hour, minute, second, zone, late = form.groups(default="")
        year = early or late
        if word.lower() not in _MONTHS or bool(early) == bool(late):
            return None
        month = str(_MONTHS.index(word.lower()) + 1)
    else:
        return None
    suffix = _zone(zone, year)
    if suffix is None:
        return None
    extra = timedelta()
    if hour == "24" and minute == "00" and second in (None, "00"):  # ISO 8601's end of a day
        hour, extra = "00", timedelta(days=1)
    if second == "60":  # a leap second
        second, extra = "59", timedelta(seconds=1)
    plain = f"{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute:0>2}:{second or '0':0>2}"
    if fraction:
        plain += f".{fraction}"
    try:
        at, no_zone = timestamps.parse(plain + suffix)
        return at + extra, no_zone
    except (ValueError, OverflowError):
        return None


def _since_1970(seconds: float) -> tuple[datetime, bool] | None:
    if seconds >= _MILLISECONDS_FROM:
        seconds /= 1000
    if not _EARLIEST_S <= seconds <= _LATEST_S:
        return None
    return datetime.fromtimestamp(seconds, UTC), False


def _zone(text: str, year: str) -> str | None:
    """Return a zone as ISO 8601 has it; empty for none, None for one that nobody knows."""
    bare = text.strip().lower()
    if not bare:
        return ""
    if bare in _UTC_NAMES:
        return "Z"
    found = _ZONE.fullmatch(bare.removeprefix("utc").removeprefix("gmt").strip())
    if found is not None and year in _ENDS:
        return "Z"  # it leads out of the calendar, and of a clock that is not set it says nothing
    return None if found is None else f"{found[1]}{found[2]:0>2}:{found[3] or '00'}"
