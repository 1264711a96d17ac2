"""The port of the store for id tags."""

from __future__ import annotations

from typing import Protocol

from csms.services.ports.charge_points import Changes
from csms.services.records import IdTag


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

    async def page(self, limit: int, *, before: int | None = None) -> list[IdTag]:
        """Return one page, the newest first."""
        ...

    async def update(self, key: int, changes: Changes) -> None:
        """Change some columns of one row."""
        ...

    async def delete(self, key: int) -> None:
        """Remove one."""
        ...
