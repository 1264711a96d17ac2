"""Statistics."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from csms.api import pages
from csms.api.fields import Day, Out, Page, PageQuery, Text
from csms.api.routes import Route
from csms.services.access import Role
from csms.services.ports.sessions import StatisticsFilter
from csms.services.records import Statistic, StatisticSum, SummedBy
from csms.services.statistics import StatisticsService


class StatisticsQuery(PageQuery):
    """Days from (in) and to (in), each local to the site of the station."""

    from_: Annotated[Day | None, Field(alias="from")] = None
    to: Day | None = None
    station_id: Text | None = None
    site_id: Text | None = None

    def wanted(self) -> StatisticsFilter:
        """Return what is asked for."""
        return StatisticsFilter(
            first=self.from_, last=self.to, identity=self.station_id, site=self.site_id
        )

    def offset(self) -> int:
        """Return how many rows the pages before had."""
        return 0 if self.cursor is None else int(pages.decode(self.cursor, int)[0])


class SumsQuery(StatisticsQuery):
    """What is summed by what: steps of time, stations or sites."""

    by: SummedBy = "day"


class SumOut(Out):
    """Completed sessions of a step of time, a station or a site, in one currency.

    `key` is the first day of the step (weeks begin on Monday), the id of the station, or that of
    the site at the time of the session; empty: of no site.
    """

    key: str
    sessions: int
    energy_kwh: float
    revenue: float
    currency: str


class DailyOut(Out):
    """Completed sessions of one station on one day."""

    date: str
    station_id: str
    sessions: int
    energy_kwh: float
    revenue: float
    currency: str


class SummaryItem(Out):
    """Completed sessions of one station."""

    station_id: str
    sessions: int
    energy_kwh: float
    revenue: float
    currency: str


class SummaryOut(Page[SummaryItem]):
    """By station, and the sums over this page; `currency` and `revenue` are null when mixed."""

    sessions: int
    energy_kwh: float
    revenue: float | None
    currency: str | None


def _money(amount: Decimal) -> float:
    return float(amount.quantize(Decimal("0.01")))


class Statistics:
    """The operations."""

    def __init__(self, statistics: StatisticsService) -> None:
        self._statistics = statistics

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""

        def route(path: str, handler: Any) -> Route:
            return Route(
                method="GET", path=path, handler=handler, role=Role.VIEWER, tag="statistics"
            )

        return [
            route("/api/stats/daily", self.daily_statistics),
            route("/api/stats/summary", self.statistics_summary),
            route("/api/stats/sums", self.statistics_sums),
        ]

    async def daily_statistics(self, query: StatisticsQuery) -> Page[DailyOut]:
        """Return sessions, energy and revenue per station and day, the newest day first.

        A session counts on the local day of its stop at its site (UTC without a site).
        """
        offset = query.offset()
        found = await self._statistics.daily(query.limit, offset, query.wanted())
        return Page[DailyOut](
            items=[
                DailyOut(
                    date="" if row.day is None else row.day.isoformat(),
                    station_id=row.identity,
                    sessions=row.sessions,
                    energy_kwh=row.energy_wh / 1000,
                    revenue=_money(row.revenue),
                    currency=row.currency,
                )
                for row in found
            ],
            next_cursor=_next(found, query.limit, offset),
        )

    async def statistics_summary(self, query: StatisticsQuery) -> SummaryOut:
        """Return sessions, energy and revenue per station, and their sums."""
        offset = query.offset()
        found = await self._statistics.summary(query.limit, offset, query.wanted())
        currencies = {row.currency for row in found}
        mixed = len(currencies) > 1
        return SummaryOut(
            items=[
                SummaryItem(
                    station_id=row.identity,
                    sessions=row.sessions,
                    energy_kwh=row.energy_wh / 1000,
                    revenue=_money(row.revenue),
                    currency=row.currency,
                )
                for row in found
            ],
            next_cursor=_next(found, query.limit, offset),
            sessions=sum(row.sessions for row in found),
            energy_kwh=sum(row.energy_wh for row in found) / 1000,
            revenue=None if mixed else _money(sum((row.revenue for row in found), Decimal(0))),
            currency=currencies.pop() if len(currencies) == 1 else None,
        )

    async def statistics_sums(self, query: SumsQuery) -> Page[SumOut]:
        """Return sessions, energy and revenue by day, week, month, station or site.

        A session counts on the local day of its stop at its site (UTC without a site); the newest
        step of time comes first, and those without sessions are left out.
        """
        offset = query.offset()
        found = await self._statistics.sums(query.by, query.limit, offset, query.wanted())
        return Page[SumOut](
            items=[
                SumOut(
                    key=row.key,
                    sessions=row.sessions,
                    energy_kwh=row.energy_wh / 1000,
                    revenue=_money(row.revenue),
                    currency=row.currency,
                )
                for row in found
            ],
            next_cursor=_next(found, query.limit, offset),
        )


def _next(found: Sequence[Statistic | StatisticSum], limit: int, offset: int) -> str | None:
    return pages.encode(offset + limit) if len(found) == limit else None
