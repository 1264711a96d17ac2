"""The ports of the store for sessions, and for sums over them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from csms.domain.ids import ChargePointKey, TransactionId
from csms.services.ports.charge_points import Changes
from csms.services.records import MeterReading, Session, Statistic, StatisticSum, SummedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFilter:
    """Which sessions; what is given holds all together.

    Attributes:
        identity: Of the station, without case.
        id_tag: The whole tag, without case.
        site: Where the station stood when they started.
        since: Of the start, in; `until` out.
    """

    active: bool | None = None
    identity: str | None = None
    id_tag: str | None = None
    site: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsFilter:
    """Which sessions that have ended; what is given holds all together.

    Attributes:
        first: First local day of the stop, in; `last` in too.
        identity: Of the station, without case.
        site: Where they were.
    """

    first: date | None = None
    last: date | None = None
    identity: str | None = None
    site: str | None = None


class Sessions(Protocol):
    """Transactions, read for the operator. The newest is the one with the highest id."""

    async def get(self, transaction_id: int, *, lock: bool = False) -> Session | None:
        """Return one, or None; with `lock` nobody else changes it meanwhile."""
        ...

    async def page(
        self, limit: int, wanted: SessionFilter, *, before: int | None = None
    ) -> list[Session]:
        """Return one page of those that the filter lets through, the newest first."""
        ...

    async def active(self, limit: int, *, after: int = 0, beyond: int = 0) -> list[Session]:
        """Return active sessions and all that are newer than `after` (0: none), oldest first.

        Those up to `beyond` are left out.
        """
        ...

    async def many(self, ids: Collection[int]) -> list[Session]:
        """Return those of these ids that exist."""
        ...

    async def id_tag_status(self, transaction_id: int) -> str:
        """Return what StartTransaction.conf said of the tag, of a transaction that is there."""
        ...

    async def count_active(self) -> int:
        """Return how many run."""
        ...

    async def newest_id(self) -> int:
        """Return the highest transaction id of all, 0 when there is none."""
        ...

    async def started_after(
        self, identity: str, transaction_id: int, *, id_tag: str, connector_id: int | None
    ) -> Session | None:
        """Return the first transaction of this tag that is newer than `transaction_id`."""
        ...

    async def amend(self, transaction_id: TransactionId, changes: Changes) -> None:
        """Change some columns by an operator's hand."""
        ...

    async def set_vehicle(self, transaction_id: TransactionId, vehicle_id: str) -> None:
        """Note which vehicle is charged."""
        ...

    async def meter_values(
        self,
        charge_point: ChargePointKey,
        *,
        transaction_id: int | None,
        received_from: datetime,
        received_to: datetime,
        offset: int,
        limit: int,
    ) -> list[MeterReading]:
        """Return readings received between two times, both in; the newest first."""
        ...


class Statistics(Protocol):
    """Sums over completed sessions, by the local day of their stop."""

    async def daily(
        self, limit: int, wanted: StatisticsFilter, *, offset: int = 0
    ) -> list[Statistic]:
        """Return one row a day, station and currency; newest day first, then by station."""
        ...

    async def summary(
        self, limit: int, wanted: StatisticsFilter, *, offset: int = 0
    ) -> list[Statistic]:
        """Return one row a station and currency, by station."""
        ...

    async def sums(
        self, by: SummedBy, limit: int, wanted: StatisticsFilter, *, offset: int = 0
    ) -> list[StatisticSum]:
        """Return one row a step of time, station or site, and currency; the newest step first."""
        ...
