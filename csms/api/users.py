"""Users, API keys and the audit trail: administration."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from csms.api import pages
from csms.api.fields import In, Out, Page, PageQuery, PreciseTime, Text, Time, When
from csms.api.routes import Route
from csms.services.access import Principal, Role
from csms.services.api_keys import ApiKeyService
from csms.services.audit import AuditTrail
from csms.services.ports.users import AuditFilter
from csms.services.records import ApiKey, User
from csms.services.users import UserService

_Password = Annotated[str, StringConstraints(min_length=10, max_length=256)]
_RoleText = Annotated[Role, Field(strict=False)]
_Number = Annotated[int, Field(ge=1, le=2**63 - 1)]


class UserIn(In):
    """A new user; without a password only API keys act for them."""

    name: Text
    role: _RoleText
    password: _Password | None = None


class UserPatch(In):
    """Changes of a user; a null password takes it away. All sessions of the user end."""

    name: Text | None = None
    role: _RoleText | None = None
    disabled: bool | None = None
    password: _Password | None = None

    @model_validator(mode="after")
    def _keeps_what_it_needs(self) -> Self:
        given = self.model_fields_set - {"password"}
        cleared = sorted(name for name in given if getattr(self, name) is None)
        if cleared:
            raise ValueError(f"cannot be cleared: {', '.join(cleared)}")
        return self


class UserOut(Out):
    """A user."""

    id: str
    name: str
    role: str
    disabled: bool
    has_password: bool
    created_at: Time

    @classmethod
    def of(cls, user: User) -> Self:
        """Return a user as the API spells it."""
        return cls(
            id=str(user.key),
            name=user.name,
            role=user.role,
            disabled=user.disabled,
            has_password=user.has_password,
            created_at=user.created_at,
        )


class ApiKeyIn(In):
    """A new API key."""

    name: Text
    role: _RoleText
    user_id: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,17}$")] | None = None
    expires_at: When | None = None


class ApiKeyOut(Out):
    """An API key, without its token."""

    id: str
    name: str
    role: str
    user_id: str | None
    expires_at: Time | None
    created_at: Time


class NewApiKeyOut(ApiKeyOut):
    """A new API key; the token is shown this once."""

    token: str


class AuditOut(Out):
    """Who did what to which object."""

    id: str
    at: PreciseTime
    actor: str
    action: str
    object_type: str
    object_id: str | None
    details: dict[str, Any]


class AuditQuery(PageQuery):
    """Filters, each an exact text; `from` is in, `to` is out."""

    actor: Text | None = None
    action: Text | None = None
    object_type: Text | None = None
    object_id: Text | None = None
    from_: Annotated[When | None, Field(alias="from")] = None
    to: When | None = None


def _key_fields(key: ApiKey) -> dict[str, Any]:
    return {
        "id": str(key.key),
        "name": key.name,
        "role": key.role,
        "user_id": None if key.user_key is None else str(key.user_key),
        "expires_at": key.expires_at,
        "created_at": key.created_at,
    }


class Users:
    """The operations on users."""

    def __init__(self, users: UserService) -> None:
        self._users = users

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        one = "/api/users/{user_id}"
        taken = {409: "A user of this name exists."}

        def route(method: str, path: str, handler: Any, **more: Any) -> Route:
            return Route(
                method=method,
                path=path,
                handler=handler,
                role=Role.ADMIN,
                tag="administration",
                **more,
            )

        return [
            route("GET", "/api/users", self.list_users),
            route("POST", "/api/users", self.create_user, status=201, refusals=taken),
            route("GET", one, self.get_user),
            route("PATCH", one, self.change_user, refusals=taken),
            route("DELETE", one, self.delete_user, status=204),
        ]

    async def list_users(self, query: PageQuery) -> Page[UserOut]:
        """Return users, the newest first."""
        before = None if query.cursor is None else pages.decode(query.cursor, int)[0]
        found = await self._users.page(query.limit, before)
        return Page[UserOut](
            items=[UserOut.of(user) for user in found],
            next_cursor=pages.encode(found[-1].key) if len(found) == query.limit else None,
        )

    async def create_user(self, body: UserIn, principal: Principal) -> UserOut:
        """Add a user."""
        user = await self._users.create(principal.name, body.name, body.role, body.password)
        return UserOut.of(user)

    async def get_user(self, user_id: _Number) -> UserOut:
        """Return one user."""
        return UserOut.of(await self._users.get(user_id))

    async def change_user(self, user_id: _Number, body: UserPatch, principal: Principal) -> UserOut:
        """Change what is given; all sessions of the user end."""
        given = body.model_fields_set
        values = {name: getattr(body, name) for name in given & {"name", "disabled"}}
        if body.role is not None:
            values["role"] = body.role.value
        user = await self._users.change(
            principal.name,
            user_id,
            values,
            password=body.password,
            password_given="password" in given,
        )
        return UserOut.of(user)

    async def delete_user(self, user_id: _Number, principal: Principal) -> None:
        """Remove a user with their API keys."""
        await self._users.delete(principal.name, user_id)


class ApiKeys:
    """The operations on API keys."""

    def __init__(self, keys: ApiKeyService) -> None:
        self._keys = keys

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        one = "/api/api-keys/{key_id}"

        def route(method: str, path: str, handler: Any, **more: Any) -> Route:
            return Route(
                method=method,
                path=path,
                handler=handler,
                role=Role.ADMIN,
                tag="administration",
                **more,
            )

        return [
            route("GET", "/api/api-keys", self.list_api_keys),
            route("POST", "/api/api-keys", self.create_api_key, status=201),
            route("GET", one, self.get_api_key),
            route("DELETE", one, self.delete_api_key, status=204),
        ]

    async def list_api_keys(self, query: PageQuery) -> Page[ApiKeyOut]:
        """Return API keys, the newest first."""
        before = None if query.cursor is None else pages.decode(query.cursor, int)[0]
        found = await self._keys.page(query.limit, before)
        return Page[ApiKeyOut](
            items=[ApiKeyOut(**_key_fields(key)) for key in found],
            next_cursor=pages.encode(found[-1].key) if len(found) == query.limit else None,
        )

    async def create_api_key(self, body: ApiKeyIn, principal: Principal) -> NewApiKeyOut:
        """Add an API key; its token is in this answer and never shown again."""
        key, token = await self._keys.create(
            principal.name,
            body.name,
            body.role,
            None if body.user_id is None else int(body.user_id),
            body.expires_at,
        )
        return NewApiKeyOut(**_key_fields(key), token=token)

    async def get_api_key(self, key_id: _Number) -> ApiKeyOut:
        """Return one API key."""
        return ApiKeyOut(**_key_fields(await self._keys.get(key_id)))

    async def delete_api_key(self, key_id: _Number, principal: Principal) -> None:
        """Remove an API key: its token is worth nothing from now on."""
        await self._keys.delete(principal.name, key_id)


class Audit:
    """The audit trail."""

    def __init__(self, audit: AuditTrail) -> None:
        self._audit = audit

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        return [
            Route(
                method="GET",
                path="/api/audit",
                handler=self.list_audit,
                role=Role.ADMIN,
                tag="administration",
            )
        ]

    async def list_audit(self, query: AuditQuery) -> Page[AuditOut]:
        """Return who did what, the newest first."""
        before = None if query.cursor is None else pages.decode(query.cursor, int)[0]
        wanted = AuditFilter(
            actor=query.actor,
            action=query.action,
            object_type=query.object_type,
            object_id=query.object_id,
            since=query.from_,
            until=query.to,
        )
        found = await self._audit.page(query.limit, before, wanted)
        return Page[AuditOut](
            items=[
                AuditOut(
                    id=str(entry.key),
                    at=entry.at,
                    actor=entry.actor,
                    action=entry.action,
                    object_type=entry.object_type,
                    object_id=entry.object_id,
                    details=dict(entry.details),
                )
                for entry in found
            ],
            next_cursor=pages.encode(found[-1].key) if len(found) == query.limit else None,
        )
