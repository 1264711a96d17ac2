"""Id tags: who may charge, as the operator keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from csms.clock import Clock
from csms.domain.ids import id_tag_key
from csms.errors import NotFound
from csms.services.audit import AuditTrail, told, told_before
from csms.services.ports.id_tags import IdTagFilter, IdTagGroup
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import IdTag
from csms.services.rehearsal import rehearsal

BulkChange = Literal["accept", "block", "delete"]
_STATUS: Mapping[str, str] = {"accept": "Accepted", "block": "Blocked"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOutcome:
    """What has become, or would become, of one of many tags.

    Attributes:
        id_tag: As it is spelled; of one that is not there as it was asked for.
        detail: Why it was refused, or what else there is to know; None: nothing.
        sessions: How many run with it; they go on.
        members: How many tags name it as their parent.
    """

    id_tag: str
    outcome: Literal["changed", "unchanged", "refused"]
    detail: str | None = None
    sessions: int = 0
    members: int = 0


class IdTagService:
    """Creates, changes, shows and removes id tags."""

    def __init__(self, units: UnitsOfWork, audit: AuditTrail, clock: Clock) -> None:
        self._units = units
        self._audit = audit
        self._clock = clock

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
        await self._audit.note(unit, actor, "create", "id_tag", tag.id_tag, told(values))
        return tag

    async def get(self, id_tag: str) -> IdTag:
        """Return one tag. Raises NotFound."""
        async with self._units() as unit:
            return await _existing(unit, id_tag)

    async def page(self, limit: int, wanted: IdTagFilter, before: int | None = None) -> list[IdTag]:
        """Return tags that the filter lets through, the newest first."""
        async with self._units() as unit:
            return await unit.id_tags.page(limit, wanted, self._clock.now(), before=before)

    async def groups(
        self, limit: int, text: str | None = None, after: str | None = None
    ) -> list[IdTagGroup]:
        """Return what stands as parent at some tag and has `text` in it, by key."""
        async with self._units() as unit:
            return await unit.id_tags.groups(limit, text=text, after=after)

    async def change(self, actor: str, id_tag: str, values: Mapping[str, Any]) -> IdTag:
        """Change what is given and return the tag. Raises NotFound."""
        async with self._units() as unit:
            tag = await _existing(unit, id_tag)
            await unit.id_tags.update(tag.key, values)
            details = {**told(values), **told_before(tag, values)}
            await self._audit.note(unit, actor, "change", "id_tag", tag.id_tag, details)
            return await _existing(unit, id_tag)

    async def delete(self, actor: str, id_tag: str) -> None:
        """Remove a tag: it is Invalid from now on; its sessions stay. Raises NotFound."""
        async with self._units() as unit:
            tag = await _existing(unit, id_tag)
            await unit.id_tags.delete([tag.key])
            await self._audit.note(unit, actor, "delete", "id_tag", tag.id_tag)

    async def change_many(
        self, actor: str, id_tags: Sequence[str], change: BulkChange, *, preview: bool
    ) -> list[BulkOutcome]:
        """Accept, block or delete many tags in one transaction; each has its own outcome.

        Args:
            actor: Who asks.
            id_tags: Each counts once, whatever its case.
            change: What is done to all of them.
            preview: Say what would become of them, and change nothing.
        """
        asked: dict[str, str] = {}
        for id_tag in id_tags:
            asked.setdefault(id_tag_key(id_tag), id_tag)
        async with self._units() as unit:
            known = await unit.id_tags.many(asked, lock=not preview)
            running = await unit.id_tags.running(asked)
            members = await unit.id_tags.members(asked)
            outcomes = [
                self._outcome(
                    spelled, known.get(key), change, running.get(key, 0), members.get(key, 0)
                )
                for key, spelled in asked.items()
            ]
            if not preview:
                changed = [
                    known[id_tag_key(each.id_tag)] for each in outcomes if each.outcome == "changed"
                ]
                await self._apply(unit, actor, changed, change)
        return outcomes

    def _outcome(
        self, asked: str, tag: IdTag | None, change: BulkChange, sessions: int, members: int
    ) -> BulkOutcome:
        if tag is None:
            return BulkOutcome(
                id_tag=asked, outcome="refused", detail="There is no such id tag (any more)."
            )
        expired = tag.expires_at is not None and tag.expires_at <= self._clock.now()
        return BulkOutcome(
            id_tag=tag.id_tag,
            outcome="unchanged" if tag.status == _STATUS.get(change) else "changed",
            detail="It has expired, so it stays refused."
            if change == "accept" and expired
            else None,
            sessions=sessions,
            members=members,
        )

    async def _apply(
        self, unit: UnitOfWork, actor: str, tags: Sequence[IdTag], change: BulkChange
    ) -> None:
        keys = [tag.key for tag in tags]
        if change == "delete":
            await unit.id_tags.delete(keys)
        else:
            await unit.id_tags.set_status(keys, _STATUS[change])
        for tag in tags:
            if change == "delete":
                await self._audit.note(unit, actor, "delete", "id_tag", tag.id_tag)
            else:
                values = {"status": _STATUS[change]}
                details = {**values, **told_before(tag, values)}
                await self._audit.note(unit, actor, "change", "id_tag", tag.id_tag, details)


async def _existing(unit: UnitOfWork, id_tag: str) -> IdTag:
    tag = await unit.id_tags.get(id_tag)
    if tag is None:
        raise NotFound("id_tag_not_found", "There is no such id tag.")
    return tag
