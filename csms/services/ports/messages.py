"""The ports of the store for the message log, and for messages that were refused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from csms.domain.ids import ChargePointKey
from csms.services.records import MessageRecord, RefusedMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFilter:
    """What is looked for; what is given holds all together.

    Attributes:
        identity: Of one station, as the operator spells it; says nothing where one is given.
        type: 2 call, 3 call result, 4 call error.
        text: Anywhere in the frame, without case.
        repair: Name of a repair, or `ANY_REPAIR`.
        since: First moment, in; `until` the last, out.
    """

    identity: str | None = None
    action: str | None = None
    direction: str | None = None
    type: int | None = None
    text: str | None = None
    repair: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Messages(Protocol):
    """The message log."""

    async def page(
        self,
        charge_point: ChargePointKey,
        limit: int,
        wanted: MessageFilter,
        *,
        before: tuple[datetime, int] | None = None,
    ) -> list[MessageRecord]:
        """Return one page of those that the filter lets through, the newest first."""
        ...

    async def from_oldest(
        self,
        charge_point: ChargePointKey,
        limit: int,
        *,
        after: tuple[datetime, int] | None = None,
        at_from: datetime | None = None,
        at_to: datetime,
        without: Collection[str] = (),
    ) -> list[MessageRecord]:
        """Return one page, the oldest first; `at_from` is in, `at_to` is out.

        `without`: actions that are left out, with their answers.
        """
        ...

    async def after(
        self,
        charge_points: Collection[ChargePointKey],
        key: int,
        limit: int,
        *,
        at_from: datetime,
    ) -> list[tuple[ChargePointKey, MessageRecord]]:
        """Return frames of these charge points with a higher key, the oldest first.

        `at_from` bounds how far back is looked: earlier frames are left out.
        """
        ...


class Quarantine(Protocol):
    """Messages that were refused."""

    async def page(
        self,
        limit: int,
        *,
        before: int | None = None,
        state: str | None = None,
        identity: str | None = None,
    ) -> list[RefusedMessage]:
        """Return one page, the newest first."""
        ...

    async def get(self, key: int, *, lock: bool = False) -> RefusedMessage | None:
        """Return one, or None; with `lock` nobody else settles it meanwhile."""
        ...

    async def end(self, key: int, state: str, at: datetime) -> None:
        """Settle one."""
        ...

    async def count_open(self) -> int:
        """Return how many wait for an operator."""
        ...

    async def has_started_since(self, charge_point: ChargePointKey, at: datetime) -> bool:
        """Return whether a transaction of this charge point was started after that time."""
        ...
