"""The port of a site's allocator, for those who change a site and want the new decision."""

from __future__ import annotations

from typing import Protocol

from csms.domain.ids import SiteId
from csms.domain.site_status import SiteStatus
from csms.domain.what_if import Consequence, Supposition


class Allocator(Protocol):
    """Decides how a site's power is shared."""

    async def decide(self, site_id: SiteId) -> SiteStatus:
        """Allocate now, store the decision and return it; at least as new as all that is committed.

        Raises:
            NotFound: There is no such site.
        """
        ...

    async def what_if(self, site_id: SiteId, supposition: Supposition) -> Consequence:
        """Return what would be decided if the site were otherwise; nothing is sent or stored.

        Raises:
            NotFound: There is no such site.
            ValueError: A supposed car is on a charger that the site does not have.
        """
        ...

    async def status(self, site_id: SiteId) -> SiteStatus:
        """Return the newest stored decision; decides when there is none.

        Raises:
            NotFound: There is no such site.
        """
        ...
