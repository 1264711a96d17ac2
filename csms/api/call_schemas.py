"""What forms for calls are made of: the 26 actions and the schemas of their payloads."""

from __future__ import annotations

from csms.api.fields import JsonObject, Out, Page
from csms.api.routes import Route
from csms.errors import NotFound
from csms.services.access import Role
from csms.services.call_catalogue import CALLS
from csms.services.ports.gateway import CallSchemas


class ActionOut(Out):
    """A call; `disrupts`: it may end a session or take the station out of service."""

    action: str
    profile: str
    title: str
    about: str
    disrupts: bool


class CallForms:
    """The operations."""

    def __init__(self, schemas: CallSchemas) -> None:
        self._schemas = schemas

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        return [
            Route(
                method="GET",
                path="/api/calls",
                handler=self.list_actions,
                role=Role.VIEWER,
                tag="stations",
            ),
            Route(
                method="GET",
                path="/api/calls/{action}/schema",
                handler=self.get_call_schema,
                role=Role.VIEWER,
                tag="stations",
                refusals={404: "`action_not_found`."},
            ),
        ]

    async def list_actions(self) -> Page[ActionOut]:
        """Return the 26 calls of a central system, by name, in plain words."""
        return Page[ActionOut](
            items=[
                ActionOut(
                    action=action,
                    profile=CALLS[action].profile,
                    title=CALLS[action].title,
                    about=CALLS[action].about,
                    disrupts=CALLS[action].disrupts,
                )
                for action in self._schemas.actions()
            ]
        )

    async def get_call_schema(self, action: str) -> JsonObject:
        """Return the JSON schema of a call's payload, as POST checks it."""
        if action not in self._schemas.actions():
            raise NotFound("action_not_found", f"There is no call {action[:50]!r}.")
        return dict(self._schemas.request_schema(action))
