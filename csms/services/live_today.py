"""The present day in numbers, each site's and all together: what has ended, and what runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from csms.domain.ids import SiteId
from csms.services.live_sites import LiveSite
from csms.services.ports.live import CompletedToday
from csms.services.records import Session
from csms.services.sessions import cost, energy_wh

ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """Numbers of one site, or of all with the id `all`.

    Attributes:
        capacity_w: Of the grid connections.
        energy_wh: Of sessions that have stopped today at their site, and of those that run.
        revenues: Currency -> the same of what they cost.
    """

    id: str
    power_w: int
    capacity_w: int
    energy_wh: int
    sessions: int
    active_sessions: int
    revenues: Mapping[str, Decimal]


@dataclass(slots=True)
class _Sum:
    power_w: int = 0
    capacity_w: int = 0
    energy_wh: int = 0
    sessions: int = 0
    active: int = 0
    revenues: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


def today(
    sites: Iterable[LiveSite],
    active: Iterable[Session],
    completed: Iterable[CompletedToday],
) -> list[Today]:
    """Return the numbers of all, then of each site by id; a day is that of the site."""
    sums: dict[str, _Sum] = {ALL: _Sum()}
    for site in sites:
        each = sums.setdefault(site.row.id, _Sum())
        for one in (each, sums[ALL]):
            one.power_w += site.power_w
            one.capacity_w += site.row.grid_limit_w
            one.active += site.active_sessions
    for session in active:
        for one in _of(sums, session.site_id):
            one.energy_wh += energy_wh(session)
            one.sessions += 1
            one.revenues[session.currency] += cost(session) or Decimal()
        if session.site_id is None or session.site_id not in sums:
            sums[ALL].power_w += session.power_w or 0
            sums[ALL].active += 1
    for row in completed:
        for one in _of(sums, row.site_id):
            one.energy_wh += row.energy_wh
            one.sessions += row.sessions
            one.revenues[row.currency] += row.revenue
    return [
        Today(
            id=key,
            power_w=one.power_w,
            capacity_w=one.capacity_w,
            energy_wh=one.energy_wh,
            sessions=one.sessions,
            active_sessions=one.active,
            revenues=dict(one.revenues),
        )
        for key, one in sums.items()
    ]


def _of(sums: Mapping[str, _Sum], site_id: SiteId | None) -> list[_Sum]:
    """Return the sums that something at this site counts to."""
    everything = sums[ALL]
    return [everything] if site_id is None or site_id not in sums else [everything, sums[site_id]]
