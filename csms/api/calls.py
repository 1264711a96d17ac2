"""Calls to charge points."""

from __future__ import annotations

from typing import Any

from csms.api.fields import JsonObject, Out
from csms.api.routes import Route
from csms.services.access import Principal, Role
from csms.services.commands import CommandService


class CallResult(Out):
    """What a call has led to.

    `accepted` and `rejected` follow from the answer's status; `callError` is the protocol's
    refusal, with code and description.
    """

    call_id: str
    outcome: str
    status: str | None
    response: dict[str, Any] | None
    error_code: str | None = None
    error_description: str | None = None
    warnings: list[str]


class Calls:
    """The operations."""

    def __init__(self, commands: CommandService) -> None:
        self._commands = commands

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        return [
            Route(
                method="POST",
                path="/api/stations/{station_id}/calls/{action}",
                handler=self.send_call,
                role=Role.OPERATOR,
                tag="stations",
                idempotent=True,
                refusals={
                    403: "Not allowed to this role, or `refused_locally` for safety.",
                    404: "There is no such station or action.",
                    409: "`station_offline`, `too_early` (its dialect wants calls spaced), or the "
                    "first request with this key is at work.",
                    502: "`invalid_response`: the answer breaks its schema.",
                    504: "`call_timeout` or `connection_lost`.",
                },
            )
        ]

    async def send_call(
        self, station_id: str, action: str, body: JsonObject, principal: Principal
    ) -> CallResult:
        """Send an OCPP call and wait for its answer.

        The body is the OCPP payload of any of the 26 actions of a central system. It goes out as
        it came. What merely looks wrong is sent, with a text in `warnings`.
        """
        call = await self._commands.send(principal.name, station_id, action, body)
        return CallResult(
            call_id=call.id,
            outcome=str(call.outcome),
            status=call.status,
            response=None if call.response is None else dict(call.response),
            error_code=call.error_code,
            error_description=call.error_description,
            warnings=list(call.warnings),
        )
