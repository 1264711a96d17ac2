"""The port of the store for searching the whole message log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from csms.domain.ids import Identity
from csms.services.ports.messages import MessageFilter
from csms.services.records import MessageRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A frame with its station; None: there is none of this key any more."""

    identity: Identity | None
    record: MessageRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of the log, which is kept in the order of arrival.

    Attributes:
        begin: Its first moment.
        blocks: How long it is.
    """

    name: str
    begin: datetime
    blocks: int


class MessageSearch(Protocol):
    """Reads the log backwards, piece by piece: it has no index but that of a station's frames."""

    async def days(self, since: datetime | None, until: datetime | None) -> list[Day]:
        """Return the days that hold frames between two times, the newest first."""
        ...

    async def block_at(self, day: Day, moment: datetime) -> int:
        """Return the first block whose frames are not older than `moment`; `blocks`: none is."""
        ...

    async def piece(
        self,
        day: Day,
        first: int,
        last: int,
        wanted: MessageFilter,
        limit: int,
        *,
        before: tuple[datetime, int] | None = None,
    ) -> list[Found]:
        """Return frames of the blocks from `first` up to before `last`, the newest first."""
        ...

    async def of_station(
        self,
        wanted: MessageFilter,
        limit: int,
        *,
        since: datetime,
        before: tuple[datetime, int],
    ) -> Sequence[Found]:
        """Return frames of `wanted.identity`, the newest first, none older than `since`."""
        ...
