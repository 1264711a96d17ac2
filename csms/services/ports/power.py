"""The port of the store for power over time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from csms.domain.ids import ChargePointKey, Identity, SiteId
from csms.domain.power_series import Measured, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteStation:
    """A station of a site."""

    key: ChargePointKey
    identity: Identity
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSample:
    """A minute of a site as it was decided and measured; None: nobody knew.

    Attributes:
        limit_w: What held for the grid connection.
        allocated_w: What the allocator counted on at the grid connection.
        battery_w: Of all batteries, positive while discharging.
        meter_w: By the site's meter, positive for import; `building_w` what is no charger.
        solar_w: What solar panels gave.
    """

    at: datetime
    limit_w: int
    allocated_w: int | None
    battery_w: int | None
    meter_w: int | None
    building_w: int | None
    solar_w: int | None


class PowerHistory(Protocol):
    """Meter values by step, and a sample of each site each minute."""

    async def stations(self, site_id: SiteId, limit: int) -> list[SiteStation]:
        """Return stations of a site by identity."""
        ...

    async def measured(
        self,
        keys: Collection[ChargePointKey],
        begin: datetime,
        end: datetime,
        step_s: int,
        limit: int,
    ) -> list[Measured]:
        """Return what came of these between two times, by step; times from `begin`."""
        ...

    async def spans(
        self, keys: Collection[ChargePointKey], transactions: Collection[int], begin: datetime
    ) -> list[Span]:
        """Return these transactions, and all that run on these charge points."""
        ...

    async def samples(
        self, site_id: SiteId, begin: datetime, end: datetime, step_s: int, limit: int
    ) -> list[SiteSample]:
        """Return means of samples by step, each with the beginning of its step."""
        ...

    async def take_samples(self, now: datetime) -> int:
        """Store one sample of each site for this minute, once; returns how many."""
        ...

    async def drop_samples(self, before: datetime) -> int:
        """Delete older samples; returns how many."""
        ...
