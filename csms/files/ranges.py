"""Range, If-Range and Content-Range of HTTP (RFC 9110 14): pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)
_CONTENT = re.compile(r"bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Bytes of a file, from `start` on."""

    start: int
    length: int


class Unsatisfiable(Exception):
    """The file has no such bytes: 416."""


def wanted(header: str | None, if_range: str | None, etag: str, size: int) -> Slice | None:
    """Return the part that is asked for, None for the whole file.

    What cannot be read, several ranges at once, and a range of another version of the file get the
    whole, as the standard wants.

    Raises:
        Unsatisfiable: It lies behind the end.

    >>> wanted("bytes=5-", None, '"a"', 8), wanted("bytes=-3", None, '"a"', 8)
    (Slice(start=5, length=3), Slice(start=5, length=3))
    >>> wanted("bytes=0-99", None, '"a"', 8), wanted("bytes=5-", '"b"', '"a"', 8)
    (Slice(start=0, length=8), None)
    """
    found = None if header is None else _ONE.fullmatch(header.strip())
    if found is None or (if_range is not None and if_range.strip() != etag):
        return None
    first, last = found[1], found[2]
    if not first and not last:
        return None
    if not first:
        length = min(int(last), size)
        if length == 0:
            raise Unsatisfiable
        return Slice(start=size - length, length=length)
    start = int(first)
    end = int(last) if last else size - 1
    if last and end < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return Slice(start=start, length=min(end, size - 1) - start + 1)


def given(header: str) -> tuple[Slice, int | None] | None:
    """Return which part of a file a Content-Range names, and the size of the whole if known.

    >>> given("bytes 10-19/100"), given("bytes 10-19/*"), given("bytes 19-10/100")
    ((Slice(start=10, length=10), 100), (Slice(start=10, length=10), None), None)
    """
    found = _CONTENT.fullmatch(header.strip())
    if found is None:
        return None
    first, last = int(found[1]), int(found[2])
    total = None if found[3] == "*" else int(found[3])
    if last < first or (total is not None and last >= total):
        return None
    return Slice(start=first, length=last - first + 1), total


def matches(header: str | None, etag: str) -> bool:
    """Return whether an If-None-Match names this version.

    >>> matches('W/"a", "b"', '"a"'), matches("*", '"a"'), matches('"c"', '"a"')
    (True, True, False)
    """
    if header is None:
        return False
    names = [part.strip().removeprefix("W/") for part in header.split(",")]
    return "*" in names or etag in names
