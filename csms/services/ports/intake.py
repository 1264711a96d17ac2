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


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTransaction:
    """A transaction to insert."""

    id: TransactionId
    start: StartFact
    id_tag_status: AuthorizationStatus
    findings: tuple[str, ...]
    price_per_kwh: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedTransaction:
    """How a transaction ended; `findings` replaces the stored ones."""

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
    """The statements of one transaction; each takes all facts of its kind at once."""

    async def boot(self, facts: Sequence[BootFact]) -> dict[ChargePointKey, Registration]:
        """Store boot facts and return each charge point's registration."""
        ...

    async def report_status(self, facts: Sequence[StatusFact]) -> None:
        """Make these the present state of their connectors; the last of a connector wins."""
        ...

    async def report_jobs(self, facts: Sequence[JobStatusFact]) -> None:
        """Append to the reports of firmware and diagnostics jobs."""
        ...

    async def id_tags(self, keys: Collection[str]) -> dict[str, IdTagRecord]:
        """Return the known ones of these id tags by their keys."""
        ...

    async def active_sessions(self, keys: Collection[str]) -> dict[str, int]:
        """Return how many active transactions each id tag key has; none is left out."""
        ...

    async def active_transactions(
        self, charge_points: Collection[ChargePointKey]
    ) -> list[OpenTransaction]:
        """Return all active transactions of these charge points, oldest first."""
        ...

    async def stopped_at(
        self, charge_points: Collection[ChargePointKey], times: Collection[datetime]
    ) -> list[OpenTransaction]:
        """Return the transactions of these charge points that have a stop of one of these times."""
        ...

    async def doubt(self, doubts: Sequence[tuple[TransactionId, ChargePointKey, str]]) -> None:
        """Add findings to transactions, each once, where the charge point is the right one."""
        ...

    async def transactions(self, ids: Collection[int]) -> dict[TransactionId, OpenTransaction]:
        """Return these transactions, of whatever charge point, locked for the update."""
        ...

    async def next_transaction_ids(self, count: int) -> list[TransactionId]:
        """Take numbers from the one sequence."""
        ...

    async def start(self, rows: Sequence[NewTransaction]) -> set[SiteId]:
        """Insert transactions and return the sites they stand on."""
        ...

    async def end_without_stop(self, ids: Sequence[TransactionId], at: datetime) -> None:
        """Mark active transactions as ended, stop missing."""
        ...

    async def stop(self, rows: Sequence[StoppedTransaction]) -> set[SiteId]:
        """Store stops and return the sites concerned."""
        ...

    async def meter(
        self, facts: Sequence[MeterValuesFact], links: Sequence[TransactionId | None]
    ) -> set[SiteId]:
        """Store readings, move the running transactions' newest reading, return their sites.

        Args:
            facts: The messages.
            links: For each message the transaction that it claims, if any; it is linked only when
                that transaction is one of the same charge point.
        """
        ...

    async def stored_before(self, facts: Sequence[MeterValuesFact]) -> list[bool]:
        """Return for each message whether its last reading stands among the newest of its station.

        A message is stored as a whole, so that one is enough.
        """
        ...

    async def keep_orphans(self, rows: Sequence[Orphan]) -> None:
        """Keep messages that belong nowhere; one that was kept lately stays single."""
        ...

    async def quarantine(self, rows: Sequence[Quarantined]) -> None:
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
        """Open a transaction, committed durably at the end.

        Raises:
            DatabaseAway: Try the same batch again later.
            BadFact: Some content is refused; nothing of the batch was written.
        """
        ...

    async def meter(
        self, facts: Sequence[MeterValuesFact], links: Sequence[TransactionId | None]
    ) -> set[SiteId]:
        """Do what `IntakeBatch.meter` does, in a transaction of its own: one round trip in all.

        Raises:
            DatabaseAway: Try the same facts again later.
            BadFact: Some content is refused; nothing was written.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
