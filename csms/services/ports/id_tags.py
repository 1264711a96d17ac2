"""The port of the store for id tags."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from csms.services.ports.charge_points import Changes
from csms.services.records import IdTag


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTagFilter:
    """Which tags; what is given holds all together.

    Attributes:
        text: Stands somewhere in the tag or its name, without case.
        status: Accepted or Blocked.
        expired: Whether their end has passed.
        parent: Their parent id tag, without case.
    """

    text: str | None = None
    status: str | None = None
    expired: bool | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTagGroup:
    """A parent id tag; `members` are the tags that name it, `key` is what groups are sorted by."""

    key: str
    parent_id_tag: str
    members: int


class IdTags(Protocol):
    """Id tags, compared without case."""

    async def insert(self, values: Changes) -> None:
        """Add a tag. Raises Conflict `id_tag_exists`."""
        ...

    async def insert_if_missing(self, id_tag: str, name: str) -> None:
        """Add it unless it is there."""
        ...

    async def get(self, id_tag: str) -> IdTag | None:
        """Return one, or None."""
        ...

    async def many(self, id_tags: Collection[str], *, lock: bool = False) -> dict[str, IdTag]:
        """Return those of these that exist, by `id_tag_key`; `lock`: nobody else changes them."""
        ...

    async def page(
        self, limit: int, wanted: IdTagFilter, now: datetime, *, before: int | None = None
    ) -> list[IdTag]:
        """Return one page of those that the filter lets through, the newest first."""
        ...

    async def groups(
        self, limit: int, *, text: str | None = None, after: str | None = None
    ) -> list[IdTagGroup]:
        """Return groups whose parent id tag has `text` in it, by key, after that key."""
        ...

    async def members(self, id_tags: Collection[str]) -> Mapping[str, int]:
        """Return how many tags name each of these as parent, by `id_tag_key`; without zeros."""
        ...

    async def running(self, id_tags: Collection[str]) -> Mapping[str, int]:
        """Return how many sessions run with each of these, by `id_tag_key`; without zeros."""
        ...

    async def update(self, key: int, changes: Changes) -> None:
        """Change some columns of one row."""
        ...

    async def set_status(self, keys: Collection[int], status: str) -> None:
        """Accept or block many."""
        ...

    async def delete(self, keys: Collection[int]) -> None:
        """Remove these."""
        ...
