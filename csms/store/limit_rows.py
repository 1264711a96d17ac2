"""Rows of the ledger of limits, as the database has them and as the domain does."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import orjson

from csms.domain.ids import TransactionId
from csms.domain.limit_rows import NOTHING_KNOWN, LimitRow
from csms.domain.pieces import Pieces, collected
from csms.domain.reclaim import HUNGRY, Appetite
from csms.domain.site_snapshot import RowKey

_SAME = (
    "desired_w",
    "desired_version",
    "desired_at",
    "reason",
    "acknowledged_w",
    "acknowledged_version",
    "acknowledged_at",
    "in_flight_w",
    "in_flight_version",
    "sent_at",
    "before_w",
    "drew_w",
    "ends_at",
    "doubtful",
    "may_be_unlimited",
    "refused_w",
    "refused_status",
    "refused_at",
    "refusals",
    "read_back_at",
    "judged_at",
    "over_readings",
    "follow_s",
    "raised_at",
    "writes",
    "written_on",
    "may_end_at",
)
_FIRST = -len(_SAME) - 3


def limit_row(row: Any) -> LimitRow:
    """Return the limit columns of a row that were outer-joined; all NULL is nothing known.

    They are the last ones, in the order of `control_sql.LIMIT`: a site has thousands of rows.
    """
    transaction_id, low, high, *same = row[_FIRST:]
    values = dict(zip(_SAME, same, strict=True))
    if values["desired_version"] is None:
        return NOTHING_KNOWN
    return LimitRow(
        transaction_id=None if transaction_id is None else TransactionId(transaction_id),
        earlier_w=frozenset(w for w in (low, high) if w is not None),
        **values,
    )


def appetite(row: Any) -> Appetite:
    """Return the appetite columns of a session's row, if they are its own."""
    if row["limit_tx"] != row["transaction_id"] or row["weighed_at"] is None:
        return HUNGRY
    return Appetite(
        cap_w=row["cap_w"],
        under=row["under_readings"],
        last_w=row["last_w"],
        weighed_at=row["weighed_at"],
    )


_all_of = attrgetter(*_SAME)


def rows_document(rows: Mapping[RowKey, LimitRow]) -> Pieces[str]:
    """Return rows as the JSON that `control_sql.ROWS` takes, in pieces."""
    found = yield from collected(_document(place, row) for place, row in rows.items())
    return orjson.dumps(found).decode()


def appetites_document(appetites: Mapping[RowKey, Appetite]) -> str:
    """Return appetites as the JSON that `control_sql.APPETITES` takes."""
    return orjson.dumps(
        [
            {
                "charge_point_id": place.key,
                "connector_id": place.connector_id,
                "cap_w": one.cap_w,
                "under_readings": one.under,
                "last_w": one.last_w,
                "weighed_at": one.weighed_at,
            }
            for place, one in appetites.items()
        ]
    ).decode()


def _document(place: RowKey, row: LimitRow) -> dict[str, Any]:
    """Return a row's columns; what is not there is NULL, and costs nothing on the way."""
    values = {
        "charge_point_id": place.key,
        "connector_id": place.connector_id,
        "purpose": place.purpose.value,
        "transaction_id": row.transaction_id,
        "earlier_low_w": min(row.earlier_w, default=None),
        "earlier_high_w": max(row.earlier_w, default=None),
        **dict(zip(_SAME, _all_of(row), strict=True)),
    }
    return {name: value for name, value in values.items() if value is not None}
