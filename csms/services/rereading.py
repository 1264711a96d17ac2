"""Frames of the log read once more: what strict decoding and the repairs make of them today.

A dry run: nothing is stored, answered or counted. The log has no secrets, so what stands for them
is read in their place, and named.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from csms.domain.masking import MASK
from csms.errors import NotFound
from csms.services.messages import LoggedMessage, logged_message
from csms.services.ports.messages import MessageFilter
from csms.services.ports.rereading import FrameReader, Reading
from csms.services.ports.store import UnitsOfWork
from csms.services.records import MessageRecord

_MOMENT = timedelta(milliseconds=1)
"""Times of frames are told to the millisecond."""

_MOST_AT_ONCE = 200
_MOST_MASKED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAgain:
    """A frame, and what is made of it.

    Attributes:
        message: As it stands in the log, with what was made of it then.
        strict: What strict decoding makes of it; `repaired` alike with the repairs that are on.
        station_is_strict: Which of the two holds for its station at present.
        as_then: Whether that one says the same as the log, but for repairs that belong to the
            connection.
        masked: Where in the payload the log has put `***` in the place of a secret.
        is_unreadable_by_masking: The whole of it was masked.
    """

    message: LoggedMessage
    strict: Reading
    repaired: Reading
    station_is_strict: bool
    as_then: bool
    masked: tuple[str, ...]
    is_unreadable_by_masking: bool


class MessageRereading:
    """Reads once more."""

    def __init__(
        self,
        units: UnitsOfWork,
        reader: FrameReader,
        settle_log: Callable[[], Awaitable[None]],
    ) -> None:
        self._units = units
        self._reader = reader
        self._settle_log = settle_log

    async def read(self, identity: str, at: datetime, message_id: str | None) -> ReadAgain:
        """Return what is made of the frame that came in at this moment with this message id.

        Args:
            identity: Of its station.
            at: As the log tells it, to the millisecond.
            message_id: None: a frame without one.

        Raises:
            NotFound: `station_not_found`, or `message_not_found`: it is kept no longer, or it is
                one of ours.
        """
        await self._settle_log()
        async with self._units() as unit:
            station = await unit.charge_points.get(identity)
            if station is None:
                raise NotFound("station_not_found", "There is no such station.")
            found = await unit.messages.page(
                station.key,
                _MOST_AT_ONCE,
                MessageFilter(direction="in", since=at, until=at + _MOMENT),
            )
        record = next((each for each in found if each.message_id == message_id), None)
        if record is None:
            raise NotFound(
                "message_not_found", "No such message of the station is in the log (any more)."
            )
        strict = self._reader.read(record, strict=True)
        repaired = self._reader.read(record, strict=False)
        then = logged_message(record)
        today = strict if station.strict else repaired
        masked = tuple(_masked(today.payload))[:_MOST_MASKED]
        return ReadAgain(
            message=then,
            strict=strict,
            repaired=repaired,
            station_is_strict=station.strict,
            as_then=self._is_as_then(record, then, today),
            masked=masked,
            is_unreadable_by_masking=MASK in record.raw and today.payload is None,
        )

    def _is_as_then(self, record: MessageRecord, then: LoggedMessage, today: Reading) -> bool:
        beyond = self._reader.beyond_frame
        before = {name for name in record.repairs if name not in beyond}
        told = then.payload
        if then.type == "callError" and isinstance(told, dict):
            told = {name: told.get(name) or "" for name in ("errorCode", "errorDescription")}
        return before == set(today.repairs) - beyond and (told or {}) == (today.payload or {})


def _masked(value: Any, path: str = "") -> Iterator[str]:
    """Yield the places of a payload that the log has masked, as ``configurationKey[2].value``."""
    match value:
        case str() if MASK in value:
            yield path or "payload"
        case dict():
            for name, item in value.items():
                yield from _masked(item, f"{path}.{name}" if path else str(name))
        case list():
            for index, item in enumerate(value):
                yield from _masked(item, f"{path}[{index}]")
        case _:
            return
