"""Id tags."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from csms.api import pages
from csms.api.fields import IdTagText, In, Out, Page, PageQuery, Text, Time, When, clean
from csms.api.routes import Route
from csms.services.access import Principal, Role
from csms.services.id_tags import BulkChange, BulkOutcome, IdTagService
from csms.services.ports.id_tags import IdTagFilter, IdTagGroup
from csms.services.records import IdTag

_Most = Annotated[int, Field(ge=0, le=1_000_000)]
_Part = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(clean)]
_MOST_AT_ONCE = 1000


class IdTagIn(In):
    """A new id tag; `maxActiveSessions` null is no limit."""

    id_tag: IdTagText
    status: Literal["Accepted", "Blocked"] = "Accepted"
    expires_at: When | None = None
    parent_id_tag: IdTagText | None = None
    max_active_sessions: _Most | None = None
    name: Text | None = None


class IdTagPatch(In):
    """Changes of an id tag; null clears a field."""

    status: Literal["Accepted", "Blocked"] | None = None
    expires_at: When | None = None
    parent_id_tag: IdTagText | None = None
    max_active_sessions: _Most | None = None
    name: Text | None = None

    @model_validator(mode="after")
    def _keeps_a_status(self) -> Self:
        if "status" in self.model_fields_set and self.status is None:
            raise ValueError("status cannot be cleared")
        return self


class IdTagOut(Out):
    """An id tag."""

    id_tag: str
    status: str
    expires_at: Time | None
    parent_id_tag: str | None
    max_active_sessions: int | None
    name: str | None

    @classmethod
    def of(cls, tag: IdTag) -> Self:
        """Return a tag as the contract spells it."""
        return cls(
            id_tag=tag.id_tag,
            status=tag.status,
            expires_at=tag.expires_at,
            parent_id_tag=tag.parent_id_tag,
            max_active_sessions=tag.max_active_sessions,
            name=tag.name,
        )


class IdTagsQuery(PageQuery):
    """Filters of id tags.

    `q` stands anywhere in the tag or its name, without case; `expired`: whether `expiresAt` has
    passed; `parentIdTag`: the members of that group.
    """

    q: _Part | None = None
    status: Literal["Accepted", "Blocked"] | None = None
    expired: bool | None = None
    parent_id_tag: IdTagText | None = None


class IdTagGroupsQuery(PageQuery):
    """Filter of groups: `q` stands anywhere in their names, without case."""

    q: _Part | None = None


class IdTagGroupOut(Out):
    """A parent id tag and how many tags name it."""

    parent_id_tag: str
    members: int

    @classmethod
    def of(cls, group: IdTagGroup) -> Self:
        """Return a group as the contract spells it."""
        return cls(parent_id_tag=group.parent_id_tag, members=group.members)


class IdTagsBulkIn(In):
    """What is done to many id tags at once; `preview`: say what would become of them."""

    id_tags: Annotated[list[IdTagText], Field(min_length=1, max_length=_MOST_AT_ONCE)]
    change: BulkChange
    preview: bool = False


class IdTagOutcomeOut(Out):
    """What has become of one tag; `detail`: why it was refused, or what else there is to know."""

    id_tag: str
    outcome: Literal["changed", "unchanged", "refused"]
    detail: str | None
    sessions: int
    members: int

    @classmethod
    def of(cls, outcome: BulkOutcome) -> Self:
        """Return an outcome as the contract spells it."""
        return cls(
            id_tag=outcome.id_tag,
            outcome=outcome.outcome,
            detail=outcome.detail,
            sessions=outcome.sessions,
            members=outcome.members,
        )


class IdTagsBulkOut(Out):
    """What has become of many id tags, or with `preview` would."""

    preview: bool
    changed: int
    unchanged: int
    refused: int
    items: list[IdTagOutcomeOut]


class IdTags:
    """The operations; the path of an id tag is the tag itself, in any case of letters."""

    def __init__(self, id_tags: IdTagService) -> None:
        self._id_tags = id_tags

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        one = "/api/id-tags/{id_tag}"

        def route(method: str, path: str, handler: Any, **more: Any) -> Route:
            role = Role.VIEWER if method == "GET" else Role.OPERATOR
            return Route(
                method=method, path=path, handler=handler, role=role, tag="id tags", **more
            )

        return [
            route("GET", "/api/id-tags", self.list_id_tags),
            route(
                "POST",
                "/api/id-tags",
                self.create_id_tag,
                status=201,
                refusals={409: "This id tag is there already."},
            ),
            route("POST", "/api/id-tags/bulk", self.change_id_tags),
            route("GET", "/api/id-tag-groups", self.list_id_tag_groups),
            route("GET", one, self.get_id_tag),
            route("PATCH", one, self.change_id_tag),
            route("DELETE", one, self.delete_id_tag, status=204),
        ]

    async def list_id_tags(self, query: IdTagsQuery) -> Page[IdTagOut]:
        """Return id tags that pass the filters, the newest first."""
        before = None if query.cursor is None else pages.decode(query.cursor, int)[0]
        wanted = IdTagFilter(
            text=query.q, status=query.status, expired=query.expired, parent=query.parent_id_tag
        )
        found = await self._id_tags.page(query.limit, wanted, before)
        return Page[IdTagOut](
            items=[IdTagOut.of(tag) for tag in found],
            next_cursor=pages.encode(found[-1].key) if len(found) == query.limit else None,
        )

    async def list_id_tag_groups(self, query: IdTagGroupsQuery) -> Page[IdTagGroupOut]:
        """Return what stands as parent at some id tag, by name, with how many tags name it."""
        after = None if query.cursor is None else pages.decode(query.cursor, str)[0]
        found = await self._id_tags.groups(query.limit, query.q, after)
        return Page[IdTagGroupOut](
            items=[IdTagGroupOut.of(group) for group in found],
            next_cursor=pages.encode(found[-1].key) if len(found) == query.limit else None,
        )

    async def change_id_tags(self, body: IdTagsBulkIn, principal: Principal) -> IdTagsBulkOut:
        """Accept, block or delete many id tags; each has its own outcome.

        One that is refused keeps none of the others. Sessions that run go on.
        """
        outcomes = await self._id_tags.change_many(
            principal.name, body.id_tags, body.change, preview=body.preview
        )
        counts = Counter(each.outcome for each in outcomes)
        return IdTagsBulkOut(
            preview=body.preview,
            changed=counts["changed"],
            unchanged=counts["unchanged"],
            refused=counts["refused"],
            items=[IdTagOutcomeOut.of(each) for each in outcomes],
        )

    async def create_id_tag(self, body: IdTagIn, principal: Principal) -> IdTagOut:
        """Add an id tag."""
        values = {name: getattr(body, name) for name in IdTagIn.model_fields}
        return IdTagOut.of(await self._id_tags.create(principal.name, values))

    async def get_id_tag(self, id_tag: str) -> IdTagOut:
        """Return one id tag."""
        return IdTagOut.of(await self._id_tags.get(id_tag))

    async def change_id_tag(self, id_tag: str, body: IdTagPatch, principal: Principal) -> IdTagOut:
        """Change what is given; null clears a field."""
        values = {name: getattr(body, name) for name in body.model_fields_set}
        return IdTagOut.of(await self._id_tags.change(principal.name, id_tag, values))

    async def delete_id_tag(self, id_tag: str, principal: Principal) -> None:
        """Remove an id tag: it is Invalid from now on."""
        await self._id_tags.delete(principal.name, id_tag)
