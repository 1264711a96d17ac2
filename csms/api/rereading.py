"""Messages of stations read once more, with nothing stored."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from csms.api.fields import In, Out, When
from csms.api.message_search import FoundMessageOut
from csms.api.routes import Route
from csms.api.station_logs import message_out
from csms.services.access import Role
from csms.services.ports.rereading import Reading
from csms.services.rereading import MessageRereading


class RereadIn(In):
    """Which message: its time and id as the log tells them."""

    at: When
    message_id: Annotated[str, Field(max_length=64)] | None = None


class WrongFieldOut(Out):
    """One thing that breaks the schema."""

    field: str
    text: str


class ReadingOut(Out):
    """What decoding makes of a frame.

    `verdict`: `taken`, `refused` (`code` and `text` of the CALLERROR; of an answer `text` alone)
    or `dropped`; `doubts`: findings that a session would get of it.
    """

    verdict: Literal["taken", "refused", "dropped"]
    action: str | None
    payload: Any
    repairs: list[str]
    doubts: list[str]
    code: str | None
    text: str | None
    problems: list[WrongFieldOut]

    @classmethod
    def of(cls, reading: Reading) -> ReadingOut:
        """Return a reading as the contract spells it."""
        return cls(
            verdict=reading.verdict,
            action=reading.action,
            payload=reading.payload,
            repairs=list(reading.repairs),
            doubts=list(reading.doubts),
            code=reading.code,
            text=reading.text,
            problems=[WrongFieldOut(field=each.field, text=each.text) for each in reading.problems],
        )


class RereadOut(Out):
    """A message and what is made of it today.

    `asThen`: what holds for the station now (`stationStrict`) says the same as the log; repairs of
    the connection do not count. `masked`: where the log has `***` in the place of a secret;
    `maskedWhole`: nobody could tell what the secret is, so nothing is left to be read.
    """

    message: FoundMessageOut
    strict: ReadingOut
    repaired: ReadingOut
    station_strict: bool
    as_then: bool
    masked: list[str]
    masked_whole: bool


class Rereadings:
    """The operation."""

    def __init__(self, rereading: MessageRereading) -> None:
        self._rereading = rereading

    def routes(self) -> list[Route]:
        """Return the operation."""
        return [
            Route(
                method="POST",
                path="/api/stations/{station_id}/messages/reread",
                handler=self.reread_message,
                role=Role.VIEWER,
                tag="messages",
                refusals={404: "There is no such station, or no such message of it (any more)."},
            )
        ]

    async def reread_message(self, station_id: str, body: RereadIn) -> RereadOut:
        """Decode a message of a station once more, strictly and with the repairs; a dry run.

        Nothing is stored, answered or counted.
        """
        found = await self._rereading.read(station_id, body.at, body.message_id)
        return RereadOut(
            message=FoundMessageOut(station_id=station_id, **dict(message_out(found.message))),
            strict=ReadingOut.of(found.strict),
            repaired=ReadingOut.of(found.repaired),
            station_strict=found.station_is_strict,
            as_then=found.as_then,
            masked=list(found.masked),
            masked_whole=found.is_unreadable_by_masking,
        )
