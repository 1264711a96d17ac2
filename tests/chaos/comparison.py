"""Compares what charge points did with what the database says they did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import asyncpg

Entry = Mapping[str, Any]
"""A transaction in the words of the simulator's ledger; a stop that is missing is None."""

_QUERY = """
SELECT t.id, c.identity, t.connector_id, t.id_tag, t.started_at, t.meter_start_wh, t.stopped_at,
       t.meter_stop_wh, t.active, t.stop_reason, t.findings
FROM transactions t JOIN charge_points c ON c.id = t.charge_point_id ORDER BY t.id
"""


def differences(ledger: Iterable[Entry], stored: Iterable[Entry]) -> list[str]:
    """Return every difference as a line; [] when both tell the same transactions, each once.

    Energies must be equal to the Wh, times to the millisecond that the wire has. A transaction that
    the charge point knows by a number must stand under that number.
    """
    ledger, stored = list(ledger), list(stored)
    found = []
    for what, entries in (("the ledger", ledger), ("the database", stored)):
        times = Counter(entry["transactionId"] for entry in entries)
        found += [
            f"transaction {number} is {count} times in {what}"
            for number, count in times.items()
            if number is not None and count > 1
        ]
        starts = Counter(_start(entry) for entry in entries)
        found += [
            f"{_name(start)} is {count} times in {what}"
            for start, count in starts.items()
            if count > 1
        ]
    by_start = {_start(entry): entry for entry in stored}
    for entry in ledger:
        row = by_start.pop(_start(entry), None)
        if row is None:
            found.append(f"{_name(_start(entry))} is not in the database")
        else:
            found += _fields(entry, row)
    found += [f"{_name(start)} is not in the ledger" for start in by_start]
    return found


async def stored_transactions(sql: asyncpg.Connection) -> list[dict[str, Any]]:
    """Return the transactions of a database in the ledger's words."""
    return [
        {
            "transactionId": row["id"],
            "chargePoint": row["identity"],
            "connectorId": row["connector_id"],
            "idTag": row["id_tag"],
            "startTimestamp": row["started_at"],
            "meterStart": row["meter_start_wh"],
            "stopTimestamp": row["stopped_at"],
            "meterStop": row["meter_stop_wh"],
            "reason": row["stop_reason"],
            "active": row["active"],
            "findings": list(row["findings"]),
        }
        for row in await sql.fetch(_QUERY)
    ]


def _start(entry: Entry) -> tuple[Any, ...]:
    return (
        entry["chargePoint"],
        entry["connectorId"],
        entry["idTag"],
        _time(entry["startTimestamp"]),
        entry["meterStart"],
    )


def _name(start: tuple[Any, ...]) -> str:
    identity, connector, id_tag, at, meter = start
    return f"{identity}/{connector} by {id_tag} at {at:%H:%M:%S} from {meter} Wh"


def _fields(entry: Entry, row: Entry) -> list[str]:
    name = _name(_start(entry))
    found = []
    if entry["transactionId"] not in (None, row["transactionId"]):
        found.append(f"{name}: {entry['transactionId']} there, {row['transactionId']} here")
    for field in ("stopTimestamp", "meterStop", "reason"):
        ours, theirs = row[field], entry[field]
        if field == "stopTimestamp":
            ours, theirs = _time(ours), _time(theirs)
        if ours != theirs:
            found.append(f"{name}: {field} is {theirs} in the ledger, {ours} in the database")
    if row.get("active") and entry["stopTimestamp"] is not None:
        found.append(f"{name}: is stopped and still active in the database")
    if row.get("findings"):
        found.append(f"{name}: the database finds {', '.join(row['findings'])}")
    return found


def _time(at: str | datetime | None) -> datetime | None:
    if at is None:
        return None
    return datetime.fromisoformat(at) if isinstance(at, str) else at
