"""The port of the store for the pages of drivers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from csms.domain.driver_page import PageRules
from csms.domain.ids import ChargePointKey, Identity, TransactionId

PlaceKey = tuple[str, int]
"""Identity in lower case and connector number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A connector as its page needs it.

    Attributes:
        connectors: How many the station has, as far as is known.
        status: None until it was reported; `station_status` is of connector 0.
        busy: A transaction runs on it.
        claimed_by: Who has a start under way, as token digest; None: nobody.
    """

    charge_point: ChargePointKey
    identity: Identity
    connector_id: int
    name: str
    site_name: str | None
    connector_type: str | None
    current_type: str
    max_power_w: int | None
    connectors: int
    accepted: bool
    station_rules: PageRules
    site_rules: PageRules
    status: str | None
    error_code: str | None
    station_status: str | None
    station_error_code: str | None
    busy: bool
    reserved: bool
    claimed_by: bytes | None

    @property
    def key(self) -> PlaceKey:
        """What it is asked for by."""
        return self.identity.lower(), self.connector_id


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverStart:
    """A start that a driver has asked for.

    Attributes:
        outcome: Of the call; None while it is open.
        transaction_id: What came of it.
    """

    key: int
    token_digest: bytes
    charge_point: ChargePointKey
    connector_id: int
    id_tag: str
    asked_at: datetime
    outcome: str | None
    transaction_id: TransactionId | None
    stop_asked_at: datetime | None
    stop_outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstCharge:
    """The first state of charge that a session's vehicle told, and the register then."""

    soc_permille: int
    register_wh: int | None


class DriverPages(Protocol):
    """Connectors, starts and rules as drivers' pages need them."""

    async def places(
        self, keys: Collection[PlaceKey], *, now: datetime, claimed_since: datetime
    ) -> Mapping[PlaceKey, Place]:
        """Return those of these connectors that exist; starts before that time claim nothing."""
        ...

    async def lock(self, charge_point: ChargePointKey, connector_id: int) -> None:
        """Be the only one who starts on this connector, until the end of the transaction."""
        ...

    async def add_start(
        self,
        charge_point: ChargePointKey,
        connector_id: int,
        *,
        token_digest: bytes,
        id_tag: str,
        made: bool,
        after: int,
        at: datetime,
        transaction_id: TransactionId | None = None,
    ) -> int:
        """Note a start that is about to be asked for; returns its key.

        Args:
            charge_point: Where.
            connector_id: Where.
            token_digest: Of the driver's token.
            id_tag: With what.
            made: Whether the tag was made for this driver.
            after: Highest transaction id so far: what comes of it has a higher one.
            at: Time.
            transaction_id: A session that runs already and is this driver's.
        """
        ...

    async def end_start(self, key: int, outcome: str) -> None:
        """Note what came of the call of a start."""
        ...

    async def ask_stop(self, key: int, at: datetime) -> None:
        """Note that a stop is about to be asked for."""
        ...

    async def end_stop(self, key: int, outcome: str) -> None:
        """Note what came of the call of a stop."""
        ...

    async def link(self, digests: Collection[bytes], now: datetime) -> None:
        """Find the transactions that open starts of these drivers have led to."""
        ...

    async def starts(self, digests: Collection[bytes], *, since: datetime) -> list[DriverStart]:
        """Return the newest start of each of these drivers at each connector."""
        ...

    async def running_by_tag(
        self, charge_point: ChargePointKey, connector_id: int, id_tag: str
    ) -> tuple[TransactionId, str] | None:
        """Return id and id tag of the session that runs on a connector by this id tag."""
        ...

    async def first_charges(
        self, transactions: Collection[TransactionId]
    ) -> Mapping[TransactionId, FirstCharge]:
        """Return the first state of charge of each of these running sessions that has one."""
        ...

    async def rules(self, charge_point: ChargePointKey) -> PageRules:
        """Return what was said for a station."""
        ...

    async def set_rules(self, charge_point: ChargePointKey, rules: PageRules) -> None:
        """Keep what was said for a station."""
        ...

    async def site_rules(self, site_id: str) -> PageRules:
        """Return what was said for a site."""
        ...

    async def set_site_rules(self, site_id: str, rules: PageRules) -> None:
        """Keep what was said for a site."""
        ...

    async def forget(self, before: datetime, limit: int) -> int:
        """Delete starts asked for before that time, and id tags made for them; returns how many.

        Tags of sessions that still run stay.
        """
        ...
