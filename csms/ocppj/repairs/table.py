"""The table of all repairs, as it stands in `docs/repairs.md`; a test compares them.

Print it: ``python -m csms.ocppj.repairs.table``.
"""

from __future__ import annotations

import sys
from itertools import groupby

from csms.ocppj.repairs.catalogue import CATALOGUE

_TITLES = {
    "handshake": "Handshake",
    "frame": "Frame",
    "json": "JSON text",
    "payload": "Payload",
    "time": "Time",
}


def table() -> str:
    """Return the table in Markdown, a section a family."""
    parts = []
    for family, repairs in groupby(CATALOGUE.values(), key=lambda repair: repair.family):
        rows = [
            f"| `{repair.name}` | {repair.text} | {repair.seen} | {'on' if repair.on else 'off'} |"
            for repair in repairs
        ]
        head = [f"## {_TITLES[family]}", "", "| repair | what is done | seen at | default |"]
        parts.append("\n".join([*head, "|---|---|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
