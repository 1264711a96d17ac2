"""The port of the store for those who watch live: lean rows, in sets, a few questions a second."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from csms.domain.ids import ChargePointKey, Identity, SiteId, TransactionId
from csms.domain.site_status import SiteStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorRow:
    """A connector as it was reported last; all None: it is configured and has never reported."""

    connector_id: int
    status: str | None = None
    error_code: str | None = None
    info: str | None = None
    vendor_error_code: str | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StationRow:
    """A station with what a live view tells of it; `connectors` by number."""

    key: ChargePointKey
    identity: Identity
    name: str
    site_id: SiteId | None
    registration: str
    quiet: bool
    vendor: str | None
    model: str | None
    firmware_version: str | None
    connected_at: datetime | None
    disconnected_at: datetime | None
    last_seen_at: datetime | None
    booted_at: datetime | None
    connectors: tuple[ConnectorRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """A site with its newest decision.

    Attributes:
        version: Of the decision; None while there is none.
        status: The decision, where it is another than the one that is known; else None.
        meter_w: What the site's meter said last, positive for import, if it is not silent.
        solar_w: What solar panels give, as that meter has told.
    """

    id: SiteId
    name: str
    time_zone: str
    grid_limit_w: int
    version: int | None
    status: SiteStatus | None
    meter_w: int | None
    solar_w: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedToday:
    """Sessions that have stopped on the present local day of their site; None: without a site."""

    site_id: SiteId | None
    currency: str
    sessions: int
    energy_wh: int
    revenue: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitTrouble:
    """A limit that does not hold.

    Attributes:
        status: Why: what the station answered, or `ignored` where it accepted and draws more.
        wanted_w: What it was told.
    """

    identity: Identity
    site_id: SiteId | None
    connector_id: int
    transaction_id: TransactionId | None
    status: str
    wanted_w: int | None
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingCertificateRow:
    """A station's newest certificate, which ends soon or has ended."""

    identity: Identity
    serial_number: str
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedRow:
    """Refused messages of one station that wait for an operator."""

    identity: Identity
    count: int
    newest_action: str
    newest_reason: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """An identity whose newest attempt to connect was refused.

    Attributes:
        known: Whether there is a station of this identity.
        count: Of its refused attempts within the time that was asked for.
    """

    identity: str
    known: bool
    count: int
    first_at: datetime
    at: datetime
    status: int
    reason: str | None
    address: str


class LiveRows(Protocol):
    """Reads for live views; every list is bounded."""

    async def stations(self, limit: int, *, after: int = 0) -> list[StationRow]:
        """Return one page of all stations, by their keys."""
        ...

    async def stations_of(self, keys: Collection[ChargePointKey]) -> list[StationRow]:
        """Return those of these stations that exist."""
        ...

    async def sites(
        self, known: Mapping[SiteId, int | None], limit: int, now: datetime
    ) -> list[SiteRow]:
        """Return all sites by id, with decisions where their version is not the known one."""
        ...

    async def completed_today(self, now: datetime) -> list[CompletedToday]:
        """Return sums over the sessions that have stopped today, a site and currency."""
        ...

    async def limit_troubles(self, limit: int) -> list[LimitTrouble]:
        """Return limits of running transactions that do not hold."""
        ...

    async def ending_certificates(self, until: datetime, limit: int) -> list[EndingCertificateRow]:
        """Return certificates in use that end before that time, the first to end first."""
        ...

    async def quarantined(self, limit: int) -> list[QuarantinedRow]:
        """Return stations with refused messages that are open."""
        ...

    async def refused(self, since: datetime, limit: int) -> list[RefusedRow]:
        """Return identities whose newest attempt since then was refused, the newest first."""
        ...

    async def identities(self, keys: Collection[ChargePointKey]) -> dict[ChargePointKey, Identity]:
        """Return the identities of charge points, deleted ones too."""
        ...
