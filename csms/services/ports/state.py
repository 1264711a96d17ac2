"""The port of the store for what follows from calls and notices of charge points."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from csms.domain.configuration import ConfigurationKey, KeyReading
from csms.domain.ids import ChargePointKey, Identity, TransactionId
from csms.domain.jobs import JobKind
from csms.domain.local_list import LocalList
from csms.domain.reservations import ReservationRequest
from csms.domain.security_events import SecurityEventFact


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """One line in the history of a job."""

    status: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A firmware, diagnostics or log job with its reports, the oldest first."""

    key: int
    call_id: str
    kind: str
    request_id: int | None
    state: str
    status: str | None
    file_name: str | None
    history: tuple[JobReport, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityEvent:
    """A security event as it is kept."""

    key: int
    type: str
    at: datetime
    tech_info: str | None
    critical: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A reservation as it is kept.

    Attributes:
        status: active, used, expired, cancelled, dropped or refused.
        confirmed: Whether the charge point has said that it holds it.
        transaction_id: What has used it.
    """

    key: int
    reservation_id: int
    identity: Identity
    connector_id: int
    id_tag: str
    parent_id_tag: str | None
    expires_at: datetime
    status: str
    confirmed: bool
    transaction_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedKey:
    """A desired value that a connected charge point does not have.

    Attributes:
        verify: Whether it was taken and has to be read back after a reboot.
    """

    charge_point: ChargePointKey
    identity: Identity
    key: str
    desired: str
    verify: bool


class Jobs(Protocol):
    """Jobs; one that is not accepted (yet) and has not reported is not seen."""

    async def begin(
        self,
        charge_point: ChargePointKey,
        kind: JobKind,
        *,
        call_id: str,
        request_id: int | None,
        at: datetime,
    ) -> None:
        """Add a job whose call is about to be sent, so that no report comes too early for it."""
        ...

    async def accept(
        self, call_id: str, *, status: str, file_name: str | None, at: datetime
    ) -> None:
        """Note that the charge point has accepted it, and which file it is about."""
        ...

    async def fail(self, call_id: str, status: str, at: datetime) -> None:
        """End a job that still runs."""
        ...

    async def cancel_earlier(self, call_id: str, status: str, at: datetime) -> None:
        """End what still runs of the same kind on the same charge point, begun before it."""
        ...

    async def forget(self, call_id: str) -> None:
        """Remove a job that never began: its call was refused or not sent."""
        ...

    async def page(
        self, charge_point: ChargePointKey, limit: int, *, before: int | None = None
    ) -> list[Job]:
        """Return one page, the newest first."""
        ...


class SecurityEvents(Protocol):
    """Security events; the newest is the one that came last."""

    async def append(self, event: SecurityEventFact) -> bool:
        """Keep one of ours; False: it stands there already."""
        ...

    async def page(
        self, charge_point: ChargePointKey, limit: int, *, before: int | None = None
    ) -> Sequence[SecurityEvent]:
        """Return one page, the newest first."""
        ...

    async def note_foreign_transactions(self, after: int, now: datetime) -> int:
        """Make security events of stops that named another station's transaction (M45).

        Args:
            after: Key of the last orphan that was looked at; 0 looks at the last day.
            now: Time.

        Returns:
            The key to go on from.
        """
        ...


class Reservations(Protocol):
    """Reservations; those whose call is on its way are not seen unless that is said."""

    async def next_id(self) -> int:
        """Take a reservation id from the one sequence."""
        ...

    async def request(
        self,
        charge_point: ChargePointKey,
        request: ReservationRequest,
        *,
        call_id: str,
        at: datetime,
    ) -> None:
        """Add one whose call is about to be sent."""
        ...

    async def activate(self, call_id: str, *, confirmed: bool, at: datetime) -> None:
        """Note that the charge point holds it, or may; one of the same id before it is over."""
        ...

    async def refuse(self, call_id: str, at: datetime) -> None:
        """Note that the charge point does not hold it."""
        ...

    async def forget(self, call_id: str) -> None:
        """Remove one that was never sent."""
        ...

    async def end(
        self, charge_point: ChargePointKey, reservation_id: int, status: str, at: datetime
    ) -> None:
        """End the active ones of this id."""
        ...

    async def by_call(self, call_id: str) -> Reservation | None:
        """Return the one that a call has made."""
        ...

    async def of_id(self, reservation_id: int, identity: str | None) -> list[Reservation]:
        """Return the newest one of this id of each station, a few at most."""
        ...

    async def page(
        self,
        limit: int,
        *,
        before: int | None = None,
        status: str | None = None,
        identity: str | None = None,
        pending: bool = False,
    ) -> list[Reservation]:
        """Return one page, the newest first; with `pending` also those on their way."""
        ...

    async def follow(self, now: datetime) -> list[TransactionId]:
        """Draw the conclusions from transactions, connectors and time.

        Reservations become used, dropped or expired; a transaction that names a reservation which
        is not its own gets the finding `reservationUnknown` (M35).

        Returns:
            The transactions that got a finding.
        """
        ...


class Configurations(Protocol):
    """Configuration keys, compared without case; values of secret ones never come here."""

    async def of(self, charge_point: ChargePointKey) -> list[ConfigurationKey]:
        """Return all keys of a charge point, by name."""
        ...

    async def read(
        self,
        charge_point: ChargePointKey,
        readings: Sequence[KeyReading],
        unknown: Collection[str],
        at: datetime,
    ) -> None:
        """Keep what a GetConfiguration.conf says; unknown keys are forgotten or not supported."""
        ...

    async def changed(
        self,
        charge_point: ChargePointKey,
        key: str,
        value: str | None,
        sent: str,
        status: str,
        at: datetime,
    ) -> None:
        """Keep what a ChangeConfiguration has led to.

        Args:
            charge_point: Whose.
            key: Which.
            value: What it is now if that was accepted; None for a secret.
            sent: The value on the wire; a refusal counts for just this desired one.
            status: Of the answer.
            at: Time of the answer.
        """
        ...

    async def desire(self, charge_point: ChargePointKey, key: str, desired: str | None) -> None:
        """Note what a key shall be, None: nothing."""
        ...

    async def wanted(self, node: str, now: datetime) -> list[WantedKey]:
        """Return what has to be told to charge points connected to this node; a bounded number.

        Quiet ones and those not Accepted are left out, and what was tried within a minute.
        """
        ...

    async def tried(self, charge_point: ChargePointKey, key: str, at: datetime) -> None:
        """Note that a desired value is about to be told."""
        ...


class LocalLists(Protocol):
    """Local authorization lists, one row a charge point."""

    async def get(self, charge_point: ChargePointKey, *, lock: bool = False) -> LocalList:
        """Return what is known; with `lock` nobody else changes it meanwhile."""
        ...

    async def put(
        self, charge_point: ChargePointKey, known: LocalList, *, at_once: bool = False
    ) -> None:
        """Keep what is known; with `at_once` it is wanted whenever it was tried last."""
        ...

    async def wanted(self, node: str, now: datetime) -> list[tuple[ChargePointKey, Identity]]:
        """Return charge points connected to this node that lack the desired list.

        Quiet ones and those not Accepted are left out, and what was tried within a minute.
        """
        ...

    async def tried(self, charge_point: ChargePointKey, at: datetime) -> None:
        """Note that the desired list is about to be told."""
        ...
