"""Stops that fit no session: what they may mean, in words.

Such a stop is answered and changes nothing (M43, M45, M46), but it may be the only trace of energy
that was delivered: of a session that another system began, or of one that the charger gave away by
itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from csms.services.ports.store import UnitsOfWork
from csms.services.ports.unmatched_stops import UnmatchedStop

TEXTS: Final[Mapping[str, str]] = {
    "unknownTransaction": "No session has this number: it began in another system, or the charger "
    "has given power away by itself.",
    "foreignTransaction": "The session of this number is another charger's and was not changed.",
    "duplicateStop": "This session had ended before with another meter value, which counts.",
}


class UnmatchedStopService:
    """Shows them."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def page(
        self, limit: int, before: int | None = None, *, identity: str | None = None
    ) -> list[UnmatchedStop]:
        """Return one page, the newest first."""
        async with self._units() as unit:
            return await unit.unmatched_stops.page(limit, before=before, identity=identity)
