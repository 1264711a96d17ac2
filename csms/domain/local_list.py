"""Local authorization lists: what to send so that a charge point gets the desired one (N15).

Full first; further messages are Differential with rising versions where the station takes only so
many entries a message. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from csms.domain.ids import id_tag_key

ListState = Literal["unknown", "pending", "installed", "failed", "notSupported"]
Entry = Mapping[str, Any]
"""An entry as it goes out: `{"idTag": ..., "idTagInfo": {...}}`; without `idTagInfo`: delete it."""

LARGEST_VERSION = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalList:
    """What is known and wanted of one charge point's list.

    Attributes:
        installed_version: None: not known; -1: it has no lists; 0: empty.
        installed: Entries of the installed version; None: not known.
        desired_version: None: nothing is desired.
        force_full: A Differential has failed: the next one is Full.
        refused_status: Answer to the Full list of just this desired version.
    """

    installed_version: int | None = None
    installed: tuple[Entry, ...] | None = None
    desired_version: int | None = None
    desired: tuple[Entry, ...] = ()
    force_full: bool = False
    refused_status: str | None = None

    @property
    def state(self) -> ListState:
        """How far the charge point is from what is desired."""
        if self.refused_status == "NotSupported":
            return "notSupported"
        if self.desired_version is None:
            return "unknown" if self.installed_version is None else "installed"
        if self.installed_version == self.desired_version:
            return "installed"
        return "pending" if self.refused_status is None else "failed"


def next_version(known: LocalList, entries: int, most: int | None) -> int:
    """Return the version of a new desired list: above all that were used, never 0 or -1.

    There is room below it for the messages before the last.

    >>> next_version(LocalList(installed_version=-1), 3, None)
    1
    >>> next_version(LocalList(desired_version=7), 5, 2)
    10
    """
    count = 1 if most is None else max(-(-entries // max(most, 1)), 1)
    return max(known.installed_version or 0, known.desired_version or 0, 0) + count


def messages(known: LocalList, most: int | None) -> list[dict[str, Any]]:
    """Return the SendLocalList.req that lead to the desired list; none when it is there.

    The last one has the desired version. A Differential is made where the installed entries are
    known and it is the shorter one.

    Args:
        known: What is known and wanted.
        most: Entries a message (SendLocalListMaxLength); None: no limit is known.
    """
    version = known.desired_version
    if version is None or known.installed_version == version:
        return []
    size = max(len(known.desired), 1) if most is None else max(most, 1)
    base = known.installed_version
    if not known.force_full and known.installed is not None and base is not None and base > 0:
        changes = difference(known.installed, known.desired)
        parts = _parts(changes, size) or [[]]
        if len(changes) < len(known.desired) and base < version - len(parts) + 1:
            return _numbered("Differential", parts, version)
    return _numbered("Full", _parts(known.desired, size) or [[]], version)


def difference(before: Sequence[Entry], after: Sequence[Entry]) -> list[Entry]:
    """Return the entries of a Differential: changed and new ones, and deletions.

    >>> difference([{"idTag": "a", "idTagInfo": {"status": "Accepted"}}], [])
    [{'idTag': 'a'}]
    """
    old = {id_tag_key(entry["idTag"]): entry for entry in before}
    new = {id_tag_key(entry["idTag"]): entry for entry in after}
    gone: list[Entry] = [{"idTag": old[key]["idTag"]} for key in old if key not in new]
    return gone + [
        new[key] for key in new if key not in old or old[key]["idTagInfo"] != new[key]["idTagInfo"]
    ]


def applied(before: Sequence[Entry] | None, payload: Mapping[str, Any]) -> tuple[Entry, ...] | None:
    """Return the entries after an accepted SendLocalList.req; None when they are not known."""
    entries: Sequence[Entry] = payload.get("localAuthorizationList") or ()
    if payload["updateType"] == "Full":
        return tuple(entry for entry in entries if "idTagInfo" in entry)
    if before is None:
        return None
    merged = {id_tag_key(entry["idTag"]): entry for entry in before}
    for entry in entries:
        if "idTagInfo" in entry:
            merged[id_tag_key(entry["idTag"])] = entry
        else:
            merged.pop(id_tag_key(entry["idTag"]), None)
    return tuple(merged.values())


def _parts(entries: Sequence[Entry], size: int) -> list[list[Entry]]:
    return [list(entries[at : at + size]) for at in range(0, len(entries), size)]


def _numbered(kind: str, parts: list[list[Entry]], version: int) -> list[dict[str, Any]]:
    first = version - len(parts) + 1
    return [
        {
            "listVersion": first + place,
            "localAuthorizationList": part,
            "updateType": kind if place == 0 else "Differential",
        }
        for place, part in enumerate(parts)
    ]


def covers(known: LocalList, payload: Mapping[str, Any]) -> bool:
    """Return whether a Full list is (the first part of) the desired one."""
    if known.desired_version is None:
        return False
    entries = list(payload.get("localAuthorizationList") or ())
    wanted = [dict(entry) for entry in known.desired[: len(entries)]]
    return payload["listVersion"] <= known.desired_version and entries == wanted
