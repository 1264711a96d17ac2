"""The port of the control loop: a site's snapshot, what a step decided, who may run it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from csms.domain.ids import ChargePointKey, SiteId
from csms.domain.site_control import ControlStep, Sending, SiteSnapshot, Target
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


class ControlUnit(Protocol):
    """One transaction on one site; steps on the same site wait for each other."""

    async def snapshot(self, site_id: SiteId) -> SiteSnapshot | None:
        """Lock the site and read all that a step looks at; None when there is no such site."""
        ...

    async def end(self, ends: Sequence[SendingEnd]) -> None:
        """Store how sendings ended; those whose request is no longer the open one are dropped."""
        ...

    async def forget(self, charge_points: Collection[ChargePointKey]) -> None:
        """Forget what these enforce: they have (re)connected and may be under any limit."""
        ...

    async def reopen(self, site_id: SiteId) -> None:
        """Turn requests that a crash has left open into unknown outcomes."""
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

    async def lease_sites(
        self, holder: str, now: datetime, until: datetime
    ) -> tuple[set[SiteId], set[SiteId]]:
        """Take or renew the lease of every site that is free or ours already.

        Returns:
            All sites held now, and those of them that were not held by `holder` before.
        """
        ...

    async def release(self, holder: str) -> None:
        """Give all leases of this holder back."""
        ...

    async def site_of(self, charge_point: ChargePointKey) -> SiteId | None:
        """Return the site of a charge point, if it stands on one."""
        ...
