"""Id tags: who may charge, as the operator keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csms.errors import NotFound
from csms.services.audit import AuditTrail
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import IdTag
from csms.services.rehearsal import rehearsal


class IdTagService:
    """Creates, changes, shows and removes id tags."""

    def __init__(self, units: UnitsOfWork, audit: AuditTrail) -> None:
        self._units = units
        self._audit = audit

    async def create(self, actor: str, values: Mapping[str, Any]) -> IdTag:
        """Add a tag and return it. Raises Conflict `id_tag_exists`."""
        async with self._units() as unit:
            return await self._create(unit, actor, values)

    async def try_create(self, actor: str, values: Mapping[str, Any]) -> None:
        """Do as `create` would, and keep nothing of it. Raises as `create`."""
        async with rehearsal(self._units) as unit:
            await self._create(unit, actor, values)

    async def _create(self, unit: UnitOfWork, actor: str, values: Mapping[str, Any]) -> IdTag:
        await unit.id_tags.insert(values)
        tag = await _existing(unit, values["id_tag"])
        await self._audit.note(unit, actor, "create", "id_tag", tag.id_tag, _shown(values))
        return tag

    async def get(self, id_tag: str) -> IdTag:
        """Return one tag. Raises NotFound."""
        async with self._units() as unit:
            return await _existing(unit, id_tag)

    async def page(self, limit: int, before: int | None = None) -> list[IdTag]:
        """Return tags, the newest first."""
        async with self._units() as unit:
            return await unit.id_tags.page(limit, before=before)

    async def change(self, actor: str, id_tag: str, values: Mapping[str, Any]) -> IdTag:
        """Change what is given and return the tag. Raises NotFound."""
        async with self._units() as unit:
            tag = await _existing(unit, id_tag)
            await unit.id_tags.update(tag.key, values)
            await self._audit.note(unit, actor, "change", "id_tag", tag.id_tag, _shown(values))
            return await _existing(unit, id_tag)

    async def delete(self, actor: str, id_tag: str) -> None:
        """Remove a tag: it is Invalid from now on; its sessions stay. Raises NotFound."""
        async with self._units() as unit:
            tag = await _existing(unit, id_tag)
            await unit.id_tags.delete(tag.key)
            await self._audit.note(unit, actor, "delete", "id_tag", tag.id_tag)


async def _existing(unit: UnitOfWork, id_tag: str) -> IdTag:
    tag = await unit.id_tags.get(id_tag)
    if tag is None:
        raise NotFound("id_tag_not_found", "There is no such id tag.")
    return tag


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as JSON for the audit trail."""
    return {
        name: value.isoformat() if name == "expires_at" and value is not None else value
        for name, value in values.items()
    }
