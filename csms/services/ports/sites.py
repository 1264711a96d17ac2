"""The ports of the store for sites, and for loads on chargers of other systems."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from csms.domain.ids import ChargePointKey, SiteId
from csms.services.ports.charge_points import Changes
from csms.services.records import BatteryDraft, Circuit, ManagedLoad, Site


class Sites(Protocol):
    """Sites with their circuits, batteries and chargers."""

    async def insert(self, values: Changes) -> None:
        """Add a site. Raises Conflict `site_exists`."""
        ...

    async def insert_if_missing(self, values: Changes) -> bool:
        """Add it unless it is there."""
        ...

    async def get(self, site_id: str) -> Site | None:
        """Return one, or None."""
        ...

    async def begin_change(self) -> None:
        """Be the only one who changes which station stands where, until the end."""
        ...

    async def lock(self, *site_ids: str) -> bool:
        """Hold these rows until the end, before those of stations; False when one is missing."""
        ...

    async def sites_of(self, charge_points: Collection[ChargePointKey]) -> set[SiteId]:
        """Return the sites on which these stations stand now."""
        ...

    async def page(self, limit: int, *, after: str | None = None) -> list[Site]:
        """Return sites by id."""
        ...

    async def update(self, site_id: str, changes: Changes) -> None:
        """Change some columns of one row."""
        ...

    async def delete(self, site_id: str) -> None:
        """Remove one."""
        ...

    async def replace_circuits(self, site_id: str, circuits: Sequence[Circuit]) -> None:
        """Make exactly these the site's circuits."""
        ...

    async def replace_batteries(
        self, site_id: str, batteries: Sequence[BatteryDraft], now: datetime
    ) -> None:
        """Make exactly these the site's batteries; those that stay keep their energy."""
        ...

    async def replace_stations(
        self, site_id: str, stations: Sequence[tuple[ChargePointKey, int, int]]
    ) -> None:
        """Make exactly these stations (key, power W, connectors) those of the site."""
        ...

    async def replace_external(
        self, site_id: str, chargers: Sequence[tuple[str, int, int]], now: datetime
    ) -> None:
        """Make exactly these (id, power W, connectors) the site's external chargers.

        Loads on chargers that are no longer listed end at `now`.
        """
        ...

    async def take_over(self, identity: str, site_id: str | None) -> tuple[SiteId, int, int] | None:
        """Remove the idle external charger of this id; without a site exactly one must have it.

        Returns site, power W and number of connectors; None when nothing was removed.
        """
        ...


class ManagedLoads(Protocol):
    """Loads on chargers that another system controls. Writers hold the site's lock."""

    async def charger(self, site_id: str, charger_id: str) -> tuple[int, list[int]] | None:
        """Return the number of connectors of an external charger and those that are busy."""
        ...

    async def insert(self, values: Changes) -> int:
        """Add a load. Raises Conflict `connector_busy`."""
        ...

    async def get(self, site_id: str, key: int) -> ManagedLoad | None:
        """Return one, or None."""
        ...

    async def update(self, key: int, changes: Changes) -> None:
        """Change some columns of one row."""
        ...
