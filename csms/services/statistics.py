"""Statistics over completed sessions, counted on the local day of their stop at their site."""

from __future__ import annotations

from datetime import date

from csms.services.ports.store import UnitsOfWork
from csms.services.records import Statistic, StatisticSum, SummedBy


class StatisticsService:
    """Reads sums."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def daily(
        self,
        limit: int,
        offset: int,
        first: date | None,
        last: date | None,
        identity: str | None,
        site: str | None = None,
    ) -> list[Statistic]:
        """Return one row a day, station and currency; the newest day first, then by station.

        Args:
            limit: Most rows.
            offset: Rows to leave out.
            first: First day, in; None: from the beginning.
            last: Last day, in; None: to the end.
            identity: Only this station.
            site: Only sessions at this site.
        """
        async with self._units() as unit:
            return await unit.statistics.daily(
                limit, offset=offset, first=first, last=last, identity=identity, site=site
            )

    async def summary(
        self,
        limit: int,
        offset: int,
        first: date | None,
        last: date | None,
        identity: str | None,
        site: str | None = None,
    ) -> list[Statistic]:
        """Return one row a station and currency, by station. Arguments as `daily`."""
        async with self._units() as unit:
            return await unit.statistics.summary(
                limit, offset=offset, first=first, last=last, identity=identity, site=site
            )

    async def sums(
        self,
        by: SummedBy,
        limit: int,
        offset: int,
        first: date | None,
        last: date | None,
        identity: str | None,
        site: str | None,
    ) -> list[StatisticSum]:
        """Return one row a step of time, station or site, and currency. Arguments as `daily`."""
        async with self._units() as unit:
            return await unit.statistics.sums(
                by, limit, offset=offset, first=first, last=last, identity=identity, site=site
            )
