"""Lists that come as CSV: read into rows of texts, by the names of the fields in JSON.

Columns may be named in any case, with blanks or underscores; separated by comma, semicolon (then
numbers may have a decimal comma) or tab. What our own export has put before a formula is taken off.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aiohttp import web

from csms.api.problems import UnsupportedMediaType, in_time
from csms.errors import Invalid, Refusal

MOST_ROWS = 2_000
MOST_BYTES = 2_000_000
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
_QUOTED_FORMULA = re.compile(r"'\s*[=+\-@\t\r\n]")


class TooLarge(Refusal):
    """The file is too large: 413."""

    status = 413


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the file.

    Attributes:
        line: Its number; the header is line 1.
        values: Name of the field -> text; empty ones are left out.
        extra: Whether it has more cells than the header has columns.
    """

    line: int
    values: Mapping[str, str]
    extra: bool


async def read_csv(
    request: web.Request, names: Collection[str], ignored: Collection[str]
) -> list[Row]:
    """Return the rows of a request's body.

    Args:
        request: With a body of type text/csv.
        names: Fields that may stand in the header.
        ignored: Others that may stand there, such as what an export tells beside them.

    Raises:
        UnsupportedMediaType: It is no text/csv.
        TooLarge: More than two megabytes.
        Invalid: It is no UTF-8, has no header, unknown columns or too many rows.
    """
    if request.content_type not in ("text/csv", "text/plain"):
        raise UnsupportedMediaType("unsupported_media_type", "Send the file as text/csv.")
    content = await in_time(_content(request))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _wrong("The file is not UTF-8: save it as CSV UTF-8.", "file") from None
    return parse_csv(text, names, ignored)


async def _content(request: web.Request) -> bytes:
    content = bytearray()
    async for piece in request.content.iter_any():
        content += piece
        if len(content) > MOST_BYTES:
            raise TooLarge("body_too_large", f"At most {MOST_BYTES // 10**6} MB at a time.")
    return bytes(content)


def parse_csv(text: str, names: Collection[str], ignored: Collection[str]) -> list[Row]:
    """Return the rows of a text; see `read_csv`."""
    header_line = text.split("\n", 1)[0]
    separator = max(",;\t", key=header_line.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        header = _columns(next(reader, []), names, ignored)
        rows: list[Row] = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) == MOST_ROWS:
                raise _wrong(f"At most {MOST_ROWS:,} rows at a time: send it in parts.", "file")
            values = {
                name: value
                for name, cell in zip(header, cells, strict=False)
                if name is not None and (value := _cell(cell, separator))
            }
            extra = any(cell.strip() for cell in cells[len(header) :])
            rows.append(Row(line=reader.line_num, values=values, extra=extra))
    except csv.Error as error:
        raise _wrong(f"The file is no CSV: {error}.", "file") from None
    return rows


def _columns(
    cells: list[str], names: Collection[str], ignored: Collection[str]
) -> list[str | None]:
    """Return the field of each column; None of those that are ignored."""
    known: dict[str, str | None] = {_plain(name): None for name in ignored}
    known |= {_plain(name): name for name in names}
    unknown = [cell.strip()[:40] or "an empty one" for cell in cells if _plain(cell) not in known]
    if unknown or not cells:
        wanted = ", ".join(sorted(names))
        raise _wrong(
            f"Unknown columns: {', '.join(unknown[:10])}. Known are {wanted}."
            if cells
            else f"The first line names the columns, such as {wanted}.",
            "header",
        )
    columns = [known[_plain(cell)] for cell in cells]
    twice = sorted({name for name in columns if name is not None and columns.count(name) > 1})
    if twice:
        raise _wrong(f"Columns that are there twice: {', '.join(twice)}.", "header")
    return columns


def _plain(name: str) -> str:
    """Return the spelling under which columns are compared.

    >>> _plain(" Max kW "), _plain("max_kw")
    ('maxkw', 'maxkw')
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _cell(cell: str, separator: str) -> str:
    text = cell.strip()
    if _QUOTED_FORMULA.match(text):
        text = text[1:].strip()
    if separator == ";" and _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    return text


def _wrong(sentence: str, field: str) -> Invalid:
    return Invalid("invalid_file", sentence, {field: sentence})
