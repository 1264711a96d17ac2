"""The port of the connection diary: attempts to connect, as they are noted and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Outcome = Literal["connected", "tookOver", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt to connect.

    Attributes:
        identity: As the path spells it, whether there is such a station or not.
        status: HTTP status of the answer.
        reason: Why it was refused; None when it was not.
        address: Where it came from.
    """

    identity: str
    at: datetime
    outcome: Outcome
    status: int
    reason: str | None
    address: str


class DiaryStore(Protocol):
    """Keeps attempts, so many a station and so many of unknown identities."""

    async def note(self, attempts: Sequence[Attempt]) -> None:
        """Append attempts, the oldest first, and drop what is too old to be kept.

        Raises:
            DatabaseAway: Nothing was stored; try again later.
        """
        ...

    async def page(
        self, identity: str, limit: int, before: int | None = None
    ) -> list[tuple[int, Attempt]]:
        """Return attempts of an identity with their keys, the newest first."""
        ...
