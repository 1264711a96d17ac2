"""What a site's allocator last decided, as operators see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from csms.domain.ids import SiteId


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadStatus:
    """One load of the site.

    Attributes:
        id: Session id of a station's session, or the id of a managed load.
        limit_a: Limit as sent to an AC charge point, per phase; None for DC and managed loads.
        reason: Why the load gets what it gets, in plain words.
        phases: The grid's phases that it counts on, 1 to 3; None where phases are not shared.
    """

    id: str
    charger_id: str
    connector_id: int
    allocated_w: int
    measured_w: int | None
    limit_a: Decimal | None
    reason: str
    phases: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitStatus:
    """One circuit; the grid connection has the id ``grid``.

    Attributes:
        phase_limit_da: Limit of each phase, in 0.1 A; None without one.
        load_da: Current of L1, L2, L3 as decided, in 0.1 A; None where phases are not shared.
    """

    id: str
    limit_w: int
    load_w: int
    phase_limit_da: int | None = None
    load_da: tuple[int, int, int] | None = None

    @property
    def headroom_w(self) -> int:
        """What is left below the limit; negative when it is exceeded."""
        return self.limit_w - self.load_w


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryStatus:
    """All batteries of the site together; power is positive while discharging."""

    energy_wh: int
    power_w: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteStatus:
    """A decision; `version` grows with each. `warnings`: what is not as it should be."""

    site_id: SiteId
    version: int
    decided_at: datetime
    loads: tuple[LoadStatus, ...]
    circuits: tuple[CircuitStatus, ...]
    battery: BatteryStatus | None
    grid_power_w: int
    warnings: tuple[str, ...] = ()
