"""The port of the control loop: a site's snapshot, what a step decided, who may run it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from csms.domain.ids import ChargePointKey, SiteId
from csms.domain.limit_decisions import LimitDecision
from csms.domain.site_control import ControlStep
from csms.domain.site_snapshot import SiteSnapshot
from csms.domain.site_status import SiteStatus


class ControlUnit(Protocol):
    """One transaction on one site; `lock` comes first, so that steps on it wait for each other."""

    async def lock(self, site_id: SiteId) -> bool:
        """Keep the site for this transaction; False when there is no such site."""
        ...

    async def holder(self, site_id: SiteId) -> str | None:
        """Return who holds the lease of the site now."""
        ...

    async def snapshot(self, site_id: SiteId, now: datetime) -> SiteSnapshot:
        """Read all that a step looks at, of a site that is locked."""
        ...

    async def write(
        self, snapshot: SiteSnapshot, step: ControlStep, status: SiteStatus, now: datetime
    ) -> None:
        """Store the ledger's rows, battery flows, managed loads and the decision.

        What the step sends is in its rows already, as open requests.
        """
        ...

    async def status(self, site_id: SiteId) -> SiteStatus | None:
        """Return the newest stored decision."""
        ...


class ControlStore(Protocol):
    """Opens control transactions and keeps the leases of sites."""

    def unit(self) -> AbstractAsyncContextManager[ControlUnit]:
        """Open a transaction, committed at the end. Raises DatabaseAway."""
        ...

    async def lease_sites(self, holder: str, now: datetime, until: datetime) -> set[SiteId]:
        """Take or renew the lease of every site that is free or ours already; returns them all."""
        ...

    async def release(self, holder: str) -> None:
        """Give all leases of this holder back."""
        ...

    async def keep(
        self, site_id: SiteId, decisions: Sequence[LimitDecision], now: datetime
    ) -> None:
        """Keep what was decided for sessions, for a month. Raises DatabaseAway."""
        ...

    async def forget(
        self, charge_points: Collection[ChargePointKey]
    ) -> dict[ChargePointKey, SiteId]:
        """Forget what these enforce: they have (re)connected and may be under any limit.

        Returns:
            The sites of those that stand on one.
        """
        ...
