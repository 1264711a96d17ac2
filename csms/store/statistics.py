"""Sums over completed sessions, by the local day of their stop at their site."""

from __future__ import annotations

from datetime import date
from typing import Any, assert_never

from sqlalchemy import Date, DateTime, Select, any_, case, cast, func, literal, not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import REPLAY_PREFIX, Identity
from csms.domain.transactions import Finding
from csms.services.ports.sessions import StatisticsFilter
from csms.services.records import Statistic, StatisticSum, SummedBy
from csms.store import tables

_T = tables.transactions
_P = tables.charge_points
_S = tables.sites


def _found(finding: Finding) -> Any:
    return literal(finding.value) == any_(_T.c.findings)


# the charge point's clock says when it stopped, unless that clock is known to lie
_STOP = case((_found(Finding.TIME_SUSPECT), _T.c.stop_received_at), else_=_T.c.stopped_at)
_DAY = cast(func.timezone(func.coalesce(_S.c.time_zone, "UTC"), _STOP), Date)
_ENERGY = func.coalesce(
    func.sum(
        case(
            (
                not_(_found(Finding.METER_SUSPECT)),
                func.greatest(_T.c.meter_stop_wh - _T.c.meter_start_wh, 0),
            ),
            else_=0,
        )
    ),
    0,
)
_FIGURES = (
    func.count().label("sessions"),
    _ENERGY.label("energy_wh"),
    func.coalesce(func.sum(_T.c.cost), 0).label("revenue"),
    _T.c.currency,
)
_SUMS = (_P.c.identity, *_FIGURES)


class Statistics:
    """See `csms.services.ports.sessions.Statistics`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def daily(
        self, limit: int, wanted: StatisticsFilter, *, offset: int = 0
    ) -> list[Statistic]:
        """Return one row a day, station and currency; the newest day first, then by station."""
        day = _DAY.label("day")
        statement = (
            _completed(select(day, *_SUMS), wanted)
            .group_by(day, _P.c.identity, _T.c.currency)
            .order_by(day.desc(), _P.c.identity, _T.c.currency)
            .offset(offset)
            .limit(limit)
        )
        return [_statistic(row, row.day) for row in await self._connection.execute(statement)]

    async def summary(
        self, limit: int, wanted: StatisticsFilter, *, offset: int = 0
    ) -> list[Statistic]:
        """Return one row a station and currency, by station."""
        statement = (
            _completed(select(*_SUMS), wanted)
            .group_by(_P.c.identity, _T.c.currency)
            .order_by(_P.c.identity, _T.c.currency)
            .offset(offset)
            .limit(limit)
        )
        return [_statistic(row, None) for row in await self._connection.execute(statement)]

    async def sums(
        self, by: SummedBy, limit: int, wanted: StatisticsFilter, *, offset: int = 0
    ) -> list[StatisticSum]:
        """Return one row a step of time, station or site, and currency; the newest step first."""
        key = _key(by).label("key")
        statement = (
            _completed(select(key, *_FIGURES), wanted)
            .group_by(key, _T.c.currency)
            .order_by(key if by in ("station", "site") else key.desc(), _T.c.currency)
            .offset(offset)
            .limit(limit)
        )
        return [
            StatisticSum(
                key=row.key,
                sessions=row.sessions,
                energy_wh=int(row.energy_wh),
                revenue=row.revenue,
                currency=row.currency,
            )
            for row in await self._connection.execute(statement)
        ]


def _key(by: SummedBy) -> Any:
    """Return the expression of what rows are summed by, as a text."""
    match by:
        case "station":
            return _P.c.identity
        case "site":
            return func.coalesce(_T.c.site_id, "")
        case "day" | "week" | "month":
            return func.to_char(func.date_trunc(by, cast(_DAY, DateTime)), "YYYY-MM-DD")
    assert_never(by)


def _completed(statement: Select[Any], wanted: StatisticsFilter) -> Select[Any]:
    """Restrict to completed sessions that the filter lets through."""
    statement = (
        statement.select_from(_T)
        .join(_P, _P.c.id == _T.c.charge_point_id)
        .outerjoin(_S, _S.c.id == _T.c.site_id)
        .where(_T.c.active.is_(False), _STOP.is_not(None))
    )
    if wanted.first is not None:
        statement = statement.where(wanted.first <= _DAY)
    if wanted.last is not None:
        statement = statement.where(wanted.last >= _DAY)
    if wanted.identity is not None:
        statement = statement.where(func.lower(_P.c.identity) == func.lower(wanted.identity))
    else:  # what is played again has been counted where it happened
        statement = statement.where(not_(_P.c.identity.startswith(REPLAY_PREFIX, autoescape=True)))
    if wanted.site is not None:
        statement = statement.where(_T.c.site_id == wanted.site)
    return statement


def _statistic(row: Any, day: date | None) -> Statistic:
    return Statistic(
        day=day,
        identity=Identity(row.identity),
        sessions=row.sessions,
        energy_wh=int(row.energy_wh),
        revenue=row.revenue,
        currency=row.currency,
    )
