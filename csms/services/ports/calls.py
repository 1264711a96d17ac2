"""The port of the store for calls to charge points."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from csms.domain.ids import ChargePointKey, Identity
from csms.services.records import CallRecord


class Calls(Protocol):
    """Calls to charge points, written before they are sent."""

    async def insert(self, charge_point: ChargePointKey, call: CallRecord) -> None:
        """Add one."""
        ...

    async def finish(self, call: CallRecord, *, only_open: bool = False) -> bool:
        """Write times, outcome and response of a call that has ended; returns whether it did.

        `only_open`: unless somebody has done so.
        """
        ...

    async def lost(
        self, *, before: datetime, surely_before: datetime
    ) -> list[tuple[Identity, CallRecord]]:
        """Return open calls whose connection is over, with the stations' identities; some of them.

        Args:
            before: Younger ones are left out.
            surely_before: Older ones are lost whatever their connection does.
        """
        ...

    async def page(
        self,
        charge_point: ChargePointKey,
        limit: int,
        *,
        before: tuple[datetime, str] | None = None,
    ) -> list[CallRecord]:
        """Return one page, the newest first."""
        ...
