"""What a charge point knows of id tags by itself: local list and cache (OCPP 1.6 3.5, 4.1).

Pure state; the Authorize call stands in :mod:`simulator.reader`. Tags compare without case. The
local list wins over the cache.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from simulator.clock import parse_iso

UpdateStatus = Literal["Accepted", "Failed", "VersionMismatch"]


MAX_CACHED = 1_000


class KnownTags:
    """Local authorization list and cache of one charge point."""

    def __init__(self, *, max_entries: int = 1_000) -> None:
        self._max_entries = max_entries
        self.list_version = 0
        self._listed: dict[str, Mapping[str, Any]] = {}
        self._cached: dict[str, Mapping[str, Any]] = {}
        self.revision = 0

    def memo(self) -> dict[str, Any]:
        """Return all that is known, JSON-ready; ``revision`` tells whether it is something new."""
        return {"version": self.list_version, "listed": self._listed, "cached": self._cached}

    def recall(self, memo: Mapping[str, Any]) -> None:
        """Know what ``memo`` says."""
        self.list_version = memo["version"]
        self._listed, self._cached = dict(memo["listed"]), dict(memo["cached"])

    def update_list(
        self, version: int, update_type: str, entries: Sequence[Mapping[str, Any]]
    ) -> UpdateStatus:
        """Carry out SendLocalList; the list changes as a whole or not at all."""
        listed = {} if update_type == "Full" else dict(self._listed)
        if update_type == "Differential" and version <= self.list_version:
            return "VersionMismatch"
        tags = [entry["id_tag"].lower() for entry in entries]
        if len(set(tags)) < len(tags):
            return "Failed"
        for entry in entries:
            info = entry.get("id_tag_info")
            if info is not None:
                listed[entry["id_tag"].lower()] = info
            elif update_type == "Full":
                return "Failed"
            else:
                listed.pop(entry["id_tag"].lower(), None)
        if len(listed) > self._max_entries or version <= 0:
            return "Failed"
        self._listed = listed
        self.list_version = version
        self.revision += 1
        return "Accepted"

    def remember(self, id_tag: str, info: Mapping[str, Any]) -> None:
        """Put an answer of the central system into the cache; the oldest makes room.

        A group that was told once stays known when a later answer does not name it.
        """
        self.revision += 1
        before = self._cached.pop(id_tag.lower(), {})
        if "parent_id_tag" in before:
            info = {"parent_id_tag": before["parent_id_tag"], **info}
        while len(self._cached) >= MAX_CACHED:
            self._cached.pop(next(iter(self._cached)))
        self._cached[id_tag.lower()] = info

    def clear_cache(self) -> None:
        """Forget the cache; the local list stays."""
        self._cached.clear()
        self.revision += 1

    def verdict(self, id_tag: str, at: datetime, *, use_list: bool, use_cache: bool) -> str | None:
        """Return the authorization status that is known of a tag, or None for an unknown one."""
        info: Mapping[str, Any] | None = None
        if use_list:
            info = self._listed.get(id_tag.lower())
        if info is None and use_cache:
            info = self._cached.get(id_tag.lower())
        if info is None:
            return None
        expiry = info.get("expiry_date")
        if info["status"] == "Accepted" and expiry is not None and parse_iso(expiry) <= at:
            return "Expired"
        return str(info["status"])

    def parent(self, id_tag: str) -> str | None:
        """Return the group that is known of a tag."""
        info = self._listed.get(id_tag.lower()) or self._cached.get(id_tag.lower())
        parent = info.get("parent_id_tag") if info is not None else None
        return str(parent) if parent is not None else None
