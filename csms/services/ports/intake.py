"""The ports of the intake: one transaction that takes many facts, by sets; the message log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from csms.domain.authorization import AuthorizationStatus, IdTagRecord
from csms.domain.charge_points import BootFact, Registration
from csms.domain.connectors import StatusFact
from csms.domain.ids import ChargePointKey, SiteId, TransactionId
from csms.domain.jobs import JobStatusFact
from csms.domain.messages import LoggedFrame
from csms.domain.metering import MeterValuesFact
from csms.domain.transactions import OpenTransaction, StartFact


@dataclass(slots=True, kw_only=True, eq=False)
class Known:
    """What the database knows of what a batch names.

    Attributes:
        tags: By their keys; also those that the transactions were started with.
        active: Active transactions of the charge points, oldest first.
        transactions: By id, of whatever charge point; the active ones too.
    """

    tags: dict[str, IdTagRecord]
    active: list[OpenTransaction]
    transactions: dict[TransactionId, OpenTransaction]


@dataclass(slots=True, kw_only=True, eq=False)
class NewTransaction:
    """A transaction to insert (not frozen: it stands on the hot path)."""

    id: TransactionId
    start: StartFact
    id_tag_status: AuthorizationStatus
    findings: tuple[str, ...]
    price_per_kwh: Decimal
    currency: str


@dataclass(slots=True, kw_only=True, eq=False)
class StoppedTransaction:
    """How a transaction ended; `findings` replaces the stored ones (not frozen: hot path)."""

    id: TransactionId
    meter_stop_wh: int
    stopped_at: datetime
    received_at: datetime
    reason: str
    id_tag: str | None
    findings: tuple[str, ...]
    cost: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A transaction message that belongs to no transaction of its charge point."""

    charge_point: ChargePointKey
    action: str
    reason: str
    payload: dict[str, Any]
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A message that was refused, kept as raw text so that nothing is lost."""

    charge_point: ChargePointKey
    action: str
    reason: str
    raw: str
    received_at: datetime


class IntakeBatch(Protocol):
    """The statements of one transaction; each takes all facts of its kind at once.

    Questions are asked at once; what is written is gathered and goes out when the batch ends, by as
    few round trips as can be, so an answer never shows what the same batch writes.

    Attributes:
        sites: Once the batch has ended: those of the transactions that it has changed.
    """

    sites: set[SiteId]

    async def look_up(
        self,
        id_tags: Collection[str],
        charge_points: Collection[ChargePointKey],
        transactions: Collection[int],
    ) -> Known:
        """Return what there is of these id tag keys, charge points and transaction ids."""
        ...

    async def active_sessions(self, keys: Collection[str]) -> dict[str, int]:
        """Return how many active transactions each id tag key has; none is left out."""
        ...

    async def stopped_at(
        self, charge_points: Collection[ChargePointKey], times: Collection[datetime]
    ) -> list[OpenTransaction]:
        """Return the transactions of these charge points that stopped at one of these times."""
        ...

    async def stored_before(self, facts: Sequence[MeterValuesFact]) -> list[bool]:
        """Return for each message whether its last reading stands among the newest of its station.

        A message is stored as a whole, so that one is enough.
        """
        ...

    async def next_transaction_ids(self, count: int) -> list[TransactionId]:
        """Take numbers from the one sequence."""
        ...

    async def boot(self, facts: Sequence[BootFact]) -> dict[ChargePointKey, Registration]:
        """Store boot facts and return each charge point's registration."""
        ...

    def report_status(self, facts: Sequence[StatusFact]) -> None:
        """Make these the present state of their connectors, and keep each change as history.

        The last of a connector wins; what is older than the state by a clock that was right does
        not, it goes to the history only.
        """
        ...

    def report_jobs(self, facts: Sequence[JobStatusFact]) -> None:
        """Append to the reports of firmware and diagnostics jobs."""
        ...

    def start(self, rows: Sequence[NewTransaction]) -> None:
        """Insert transactions."""
        ...

    def doubt(self, doubts: Sequence[tuple[TransactionId, ChargePointKey, str]]) -> None:
        """Add findings to transactions, each once, where they are the charge point's own."""
        ...

    def end_without_stop(self, ids: Sequence[TransactionId], at: datetime) -> None:
        """Mark active transactions as ended, stop missing."""
        ...

    def stop(self, rows: Sequence[StoppedTransaction]) -> None:
        """Store stops; one that was stored meanwhile stands."""
        ...

    def meter(
        self, facts: Sequence[MeterValuesFact], links: Sequence[TransactionId | None]
    ) -> None:
        """Store readings and move the running transactions' newest reading.

        Args:
            facts: The messages.
            links: For each message the transaction that it claims, if any; it is linked only when
                that transaction is one of the same charge point.
        """
        ...

    def keep_orphans(self, rows: Sequence[Orphan]) -> None:
        """Keep messages that belong nowhere; one that was kept lately stays single."""
        ...

    def quarantine(self, rows: Sequence[Quarantined]) -> None:
        """Keep refused messages; one that was kept lately stays single."""
        ...


class FrameStore(Protocol):
    """Writes the message log on a connection of its own, beside the batches."""

    async def log(self, frames: Sequence[LoggedFrame]) -> None:
        """Append to the message log; a crash of the database may lose the last second of it.

        Raises:
            DatabaseAway: Try the same frames again later.
            BadFact: Some content is refused; nothing was written.
        """
        ...


class IntakeStore(FrameStore, Protocol):
    """Opens batches on a connection of its own."""

    def batch(self) -> AbstractAsyncContextManager[IntakeBatch]:
        """Open a batch; what it writes is committed durably at the end, all of it or nothing.

        Raises:
            DatabaseAway: Try the same batch again later.
            BadFact: Some content is refused; nothing of the batch was written.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
