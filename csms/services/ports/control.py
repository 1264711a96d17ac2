"""The port of the control loop: a site's snapshot, what a step decided, who may run it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from csms.domain.ids import ChargePointKey, SiteId
from csms.domain.site_control import ControlStep, Sending, Target
from csms.domain.site_snapshot import Request, SiteSnapshot
from csms.domain.site_status import SiteStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingEnd:
    """How the sending of a limit ended.

    Attributes:
        status: ``Accepted``, another status, ``callError``, or the code of a failed call.
    """

    target: Target
    limit_w: int
    version: int
    status: str
    at: datetime

    @property
    def accepted(self) -> bool:
        """Whether the charge point has taken the limit."""
        return self.status == "Accepted"

    @property
    def request(self) -> Request:
        """Its name in the ledger."""
        return self.target.request(self.version)


class ControlUnit(Protocol):
    """One transaction on one site; `lock` comes first, so that steps on it wait for each other."""

    async def lock(self, site_id: SiteId) -> bool:
        """Keep the site for this transaction; False when there is no such site."""
        ...

    async def holder(self, site_id: SiteId) -> str | None:
        """Return who holds the lease of the site now."""
        ...

    async def snapshot(self, site_id: SiteId) -> SiteSnapshot:
        """Read all that a step looks at, of a site that is locked."""
        ...

    async def end(self, ends: Sequence[SendingEnd]) -> None:
        """Store how sendings ended; those whose request is no longer the open one are dropped."""
        ...

    async def doubt(self, requests: Collection[Request]) -> None:
        """Turn open requests that nobody waits for into unknown outcomes."""
        ...

    async def write(
        self, snapshot: SiteSnapshot, step: ControlStep, status: SiteStatus, now: datetime
    ) -> None:
        """Store wishes, open requests, battery flows, managed loads and the decision."""
        ...

    async def send(self, sendings: Sequence[Sending], now: datetime) -> None:
        """Note requests as open; before they leave."""
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

    async def forget(
        self, charge_points: Collection[ChargePointKey]
    ) -> dict[ChargePointKey, SiteId]:
        """Forget what these enforce: they have (re)connected and may be under any limit.

        Returns:
            The sites of those that stand on one.
        """
        ...
