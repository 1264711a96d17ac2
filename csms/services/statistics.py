"""Statistics over completed sessions, counted on the local day of their stop at their site."""

from __future__ import annotations

from csms.services.ports.sessions import StatisticsFilter
from csms.services.ports.store import UnitsOfWork
from csms.services.records import Statistic, StatisticSum, SummedBy


class StatisticsService:
    """Reads sums; `offset` rows are left out."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def daily(self, limit: int, offset: int, wanted: StatisticsFilter) -> list[Statistic]:
        """Return one row a day, station and currency; the newest day first, then by station."""
        async with self._units() as unit:
            return await unit.statistics.daily(limit, wanted, offset=offset)

    async def summary(self, limit: int, offset: int, wanted: StatisticsFilter) -> list[Statistic]:
        """Return one row a station and currency, by station."""
        async with self._units() as unit:
            return await unit.statistics.summary(limit, wanted, offset=offset)

    async def sums(
        self, by: SummedBy, limit: int, offset: int, wanted: StatisticsFilter
    ) -> list[StatisticSum]:
        """Return one row a step of time, station or site, and currency."""
        async with self._units() as unit:
            return await unit.statistics.sums(by, limit, wanted, offset=offset)
