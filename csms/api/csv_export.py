"""Lists as CSV (RFC 4180), safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Any, get_args

import orjson
from aiohttp import web

from csms.api.fields import Out, Page

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00")


def cell(value: Any) -> str:
    """Return one cell; a text that a spreadsheet would take for a formula gets a quote before it.

    >>> cell(-1.5), cell("=1+1"), cell(" @x"), cell(None), cell([1])
    ('-1.5', "'=1+1", "' @x", '', '[1]')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    dangerous = text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    return f"'{text}" if dangerous else text


def response(page: Page[Any]) -> web.Response:
    """Return a page as CSV with a header line; the next cursor stands in `X-Next-Cursor`."""
    items = page.model_dump(mode="json", by_alias=True)["items"]
    item_type = get_args(type(page).model_fields["items"].annotation)[0]
    columns = _columns(item_type)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([cell(item[column]) for column in columns] for item in items)
    headers = {"Content-Disposition": 'attachment; filename="export.csv"'}
    if page.next_cursor is not None:
        headers["X-Next-Cursor"] = page.next_cursor
    return web.Response(
        text=out.getvalue(), content_type="text/csv", charset="utf-8", headers=headers
    )


def _columns(item_type: type[Out]) -> list[str]:
    return [field.alias or name for name, field in item_type.model_fields.items()]
