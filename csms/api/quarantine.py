"""Refused messages of charge points: list, retry, dismiss."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field

from csms.api import pages
from csms.api.fields import Out, Page, PageQuery, PreciseTime, Time
from csms.api.routes import Route
from csms.services.access import Principal, Role
from csms.services.quarantine import QuarantineService
from csms.services.records import RefusedMessage

_State = Literal["open", "resolved", "dismissed"]
_Number = Annotated[int, Field(ge=1, le=2**63 - 1)]


class QuarantineQuery(PageQuery):
    """Which messages."""

    state: _State | None = None
    station_id: Annotated[str, Field(max_length=255)] | None = None


class QuarantineOut(Out):
    """A refused message; `raw` is the frame as it came, `endedAt` when it was settled."""

    id: str
    station_id: str
    action: str
    reason: str
    raw: str
    received_at: PreciseTime
    state: _State
    ended_at: Time | None

    @classmethod
    def of(cls, message: RefusedMessage) -> Self:
        """Return a message as the API spells it."""
        return cls.model_validate(
            {
                "id": str(message.key),
                "stationId": message.identity,
                "action": message.action,
                "reason": message.reason,
                "raw": message.raw,
                "receivedAt": message.received_at,
                "state": message.state,
                "endedAt": message.ended_at,
            }
        )


class Quarantine:
    """The operations."""

    def __init__(self, quarantine: QuarantineService) -> None:
        self._quarantine = quarantine

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        one = "/api/quarantine/{message_id}"
        return [
            Route(
                method="GET",
                path="/api/quarantine",
                handler=self.list_quarantine,
                role=Role.VIEWER,
                tag="stations",
            ),
            Route(
                method="POST",
                path=f"{one}/retry",
                handler=self.retry_message,
                role=Role.OPERATOR,
                tag="stations",
                refusals={409: "It is settled already, cannot be retried, or is refused again."},
            ),
            Route(
                method="DELETE",
                path=one,
                handler=self.dismiss_message,
                role=Role.OPERATOR,
                tag="stations",
                status=204,
                refusals={409: "It is settled already."},
            ),
        ]

    async def list_quarantine(self, query: QuarantineQuery) -> Page[QuarantineOut]:
        """Return messages that were refused, the newest first."""
        before = None if query.cursor is None else pages.decode(query.cursor, int)[0]
        found = await self._quarantine.page(
            query.limit, before, state=query.state, identity=query.station_id
        )
        return Page[QuarantineOut](
            items=[QuarantineOut.of(message) for message in found],
            next_cursor=pages.encode(found[-1].key) if len(found) == query.limit else None,
        )

    async def retry_message(self, message_id: _Number, principal: Principal) -> QuarantineOut:
        """Decode and store a message once more, as received when it came."""
        return QuarantineOut.of(await self._quarantine.retry(principal.name, message_id))

    async def dismiss_message(self, message_id: _Number, principal: Principal) -> None:
        """Settle a message without storing what it says; it stays in the list."""
        await self._quarantine.dismiss(principal.name, message_id)
