"""Sites as those who watch live see them: the newest decision, and what is drawn now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from csms.clock import Clock
from csms.domain.ids import SiteId
from csms.services.ports.live import SiteRow
from csms.services.ports.store import UnitsOfWork
from csms.services.records import Session

_MOST = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSite:
    """A site as it stands now.

    Attributes:
        row: With the newest decision, whenever it was read.
        power_w: What its chargers draw, as far as it is measured; of one that is offline nobody
            knows it.
        active_sessions: Sessions and loads of other systems' chargers.
        warned_since: When each warning of the decision was first seen here.
    """

    row: SiteRow
    power_w: int
    active_sessions: int
    warned_since: Mapping[str, datetime]

    @property
    def limit_w(self) -> int:
        """What may be drawn through the grid connection at present."""
        status = self.row.status
        limits = [self.row.grid_limit_w]
        if status is not None:
            limits += [circuit.limit_w for circuit in status.circuits if circuit.id == "grid"]
        return min(limits)


class SiteBoard:
    """Keeps all sites while somebody watches. Concurrency: one task calls it.

    Args:
        drawn_w: What a session draws now, 0 where nobody knows.
    """

    def __init__(self, units: UnitsOfWork, clock: Clock, drawn_w: Callable[[Session], int]) -> None:
        self._units = units
        self._clock = clock
        self._drawn_w = drawn_w
        self._sites: dict[SiteId, LiveSite] = {}

    def all(self) -> list[LiveSite]:
        """Return all of them, by id."""
        return list(self._sites.values())

    async def refresh(
        self, sessions: Iterable[Session]
    ) -> tuple[tuple[LiveSite, ...], tuple[SiteId, ...]]:
        """Read what is new and return the sites that have changed and ids that are no more.

        Raises:
            DatabaseAway: All is as it was.
        """
        now = self._clock.now()
        known = {key: site.row.version for key, site in self._sites.items()}
        async with self._units() as unit:
            rows = await unit.live.sites(known, _MOST, now)
        drawn: defaultdict[SiteId | None, int] = defaultdict(int)
        running: defaultdict[SiteId | None, int] = defaultdict(int)
        for session in sessions:
            drawn[session.site_id] += self._drawn_w(session)
            running[session.site_id] += 1
        changed = []
        sites: dict[SiteId, LiveSite] = {}
        for row in rows:
            before = self._sites.get(row.id)
            site = _site(row, before, drawn[row.id], running[row.id], now)
            if site != before:
                changed.append(site)
            sites[row.id] = site
        removed = tuple(self._sites.keys() - sites.keys())
        self._sites = sites
        return tuple(changed), removed

    def forget(self) -> None:
        """Nobody watches: what is known here grows old."""
        self._sites.clear()


def _site(
    row: SiteRow, before: LiveSite | None, drawn_w: int, running: int, now: datetime
) -> LiveSite:
    if row.status is None and before is not None and row.version == before.row.version:
        row = replace(row, status=before.row.status)
    status = row.status
    managed = [] if status is None else [load for load in status.loads if load.id.startswith("m")]
    warnings = () if status is None else status.warnings
    seen = {} if before is None else before.warned_since
    return LiveSite(
        row=row,
        power_w=drawn_w + sum(load.measured_w or 0 for load in managed),
        active_sessions=running + len(managed),
        warned_since={warning: seen.get(warning, now) for warning in warnings},
    )
