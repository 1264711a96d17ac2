"""The present day in numbers, each site's and all together: what has ended, and what runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from csms.domain.ids import REPLAY_PREFIX, SiteId
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


class Numbers:
    """Adds up, so that many sessions can be taken in pieces.

    Args:
        sites: Each gets numbers of its own.
        drawn_w: What a session draws now, 0 where nobody knows.
    """

    def __init__(self, sites: Iterable[LiveSite], drawn_w: Callable[[Session], int]) -> None:
        self._drawn_w = drawn_w
        self._all = _Sum()
        self._sites: dict[str, _Sum] = {}
        for site in sites:
            each = self._sites[site.row.id] = _Sum()
            for one in (each, self._all):
                one.power_w += site.power_w
                one.capacity_w += site.row.grid_limit_w
                one.active += site.active_sessions

    def add_active(self, sessions: Iterable[Session]) -> None:
        """Count sessions that run: they are of today, whenever they have begun."""
        for session in sessions:
            if session.identity.startswith(REPLAY_PREFIX):
                continue  # it has been counted where it happened
            taken_wh, price = energy_wh(session), cost(session)
            sums = self._of(session.site_id)
            for one in sums:
                one.energy_wh += taken_wh
                one.sessions += 1
                one.revenues[session.currency] += price or Decimal()
            if len(sums) == 1:  # at no site, which would have counted it
                self._all.power_w += self._drawn_w(session)
                self._all.active += 1

    def add_completed(self, rows: Iterable[CompletedToday]) -> None:
        """Count sessions that have stopped today."""
        for row in rows:
            for one in self._of(row.site_id):
                one.energy_wh += row.energy_wh
                one.sessions += row.sessions
                one.revenues[row.currency] += row.revenue

    def totals(self) -> list[Today]:
        """Return the numbers of all, then of each site by id."""
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
            for key, one in ((ALL, self._all), *self._sites.items())
        ]

    def _of(self, site_id: SiteId | None) -> tuple[_Sum, ...]:
        """Return the sums that something at this site counts to."""
        site = None if site_id is None else self._sites.get(site_id)
        return (self._all,) if site is None else (self._all, site)
