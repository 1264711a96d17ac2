"""The port of the store, as far as the operator's services use it.

A `UnitOfWork` is one transaction with one repository a noun. Every list takes a limit and gives
the newest first; `before` continues after the last item of the page before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from typing import Any, Protocol

from csms.domain.ids import ChargePointKey, Identity, SiteId, TransactionId
from csms.services.ports.certificates import SigningRequests, StationCertificates
from csms.services.ports.charge_points import Changes as Changes
from csms.services.ports.charge_points import ChargePoints
from csms.services.ports.dialects import DialectRepository
from csms.services.ports.files import Files, FirmwareImages
from csms.services.ports.site_rules import SiteRulesRepository
from csms.services.ports.state import Configurations, Jobs, LocalLists, Reservations, SecurityEvents
from csms.services.records import (
    ApiKey,
    AuditEntry,
    BatteryDraft,
    CallRecord,
    Circuit,
    IdTag,
    ManagedLoad,
    MessageRecord,
    MeterReading,
    RefusedMessage,
    Session,
    Site,
    Statistic,
    StoredAnswer,
    User,
)


class IdTags(Protocol):
    """Id tags, compared without case."""

    async def insert(self, values: Changes) -> None:
        """Add a tag. Raises Conflict `id_tag_exists`."""
        ...

    async def insert_if_missing(self, id_tag: str, name: str) -> None:
        """Add it unless it is there."""
        ...

    async def get(self, id_tag: str) -> IdTag | None:
        """Return one, or None."""
        ...

    async def page(self, limit: int, *, before: int | None = None) -> list[IdTag]:
        """Return one page, the newest first."""
        ...

    async def update(self, key: int, changes: Changes) -> None:
        """Change some columns of one row."""
        ...

    async def delete(self, key: int) -> None:
        """Remove one."""
        ...


class Sessions(Protocol):
    """Transactions, read for the operator. The newest is the one with the highest id."""

    async def get(self, transaction_id: int) -> Session | None:
        """Return one, or None."""
        ...

    async def page(
        self,
        limit: int,
        *,
        before: int | None = None,
        active: bool | None = None,
        identity: str | None = None,
        id_tag: str | None = None,
        started_from: datetime | None = None,
        started_to: datetime | None = None,
    ) -> list[Session]:
        """Return one page, the newest first."""
        ...

    async def active(self, limit: int, *, after: int = 0) -> list[Session]:
        """Return active sessions and all that are newer than `after` (0: none), oldest first."""
        ...

    async def many(self, ids: Collection[int]) -> list[Session]:
        """Return those of these ids that exist."""
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


class Sites(Protocol):
    """Sites with their circuits, batteries and chargers."""

    async def insert(self, values: Changes) -> None:
        """Add a site. Raises Conflict `site_exists`."""
        ...

    async def insert_if_missing(self, values: Changes) -> bool:
        """Add it unless it is there."""
        ...

    async def get(self, site_id: str) -> Site | None:
        """Return one, or None."""
        ...

    async def begin_change(self) -> None:
        """Be the only one who changes which station stands where, until the end."""
        ...

    async def lock(self, *site_ids: str) -> bool:
        """Hold these rows until the end, before those of stations; False when one is missing."""
        ...

    async def sites_of(self, charge_points: Collection[ChargePointKey]) -> set[SiteId]:
        """Return the sites on which these stations stand now."""
        ...

    async def page(self, limit: int, *, after: str | None = None) -> list[Site]:
        """Return sites by id."""
        ...

    async def update(self, site_id: str, changes: Changes) -> None:
        """Change some columns of one row."""
        ...

    async def delete(self, site_id: str) -> None:
        """Remove one."""
        ...

    async def replace_circuits(self, site_id: str, circuits: Sequence[Circuit]) -> None:
        """Make exactly these the site's circuits."""
        ...

    async def replace_batteries(
        self, site_id: str, batteries: Sequence[BatteryDraft], now: datetime
    ) -> None:
        """Make exactly these the site's batteries; those that stay keep their energy."""
        ...

    async def replace_stations(
        self, site_id: str, stations: Sequence[tuple[ChargePointKey, int, int]]
    ) -> None:
        """Make exactly these stations (key, power W, connectors) those of the site."""
        ...

    async def replace_external(
        self, site_id: str, chargers: Sequence[tuple[str, int, int]], now: datetime
    ) -> None:
        """Make exactly these (id, power W, connectors) the site's external chargers.

        Loads on chargers that are no longer listed end at `now`.
        """
        ...

    async def take_over(self, identity: str, site_id: str | None) -> tuple[SiteId, int, int] | None:
        """Remove the idle external charger of this id; without a site exactly one must have it.

        Returns site, power W and number of connectors; None when nothing was removed.
        """
        ...


class ManagedLoads(Protocol):
    """Loads on chargers that another system controls. Writers hold the site's lock."""

    async def charger(self, site_id: str, charger_id: str) -> tuple[int, list[int]] | None:
        """Return the number of connectors of an external charger and those that are busy."""
        ...

    async def insert(self, values: Changes) -> int:
        """Add a load. Raises Conflict `connector_busy`."""
        ...

    async def get(self, site_id: str, key: int) -> ManagedLoad | None:
        """Return one, or None."""
        ...

    async def update(self, key: int, changes: Changes) -> None:
        """Change some columns of one row."""
        ...


class Statistics(Protocol):
    """Sums over completed sessions, by the local day of their stop."""

    async def daily(
        self,
        limit: int,
        *,
        offset: int = 0,
        first: date | None = None,
        last: date | None = None,
        identity: str | None = None,
    ) -> list[Statistic]:
        """Return one row a day, station and currency; newest day first, then by station."""
        ...

    async def summary(
        self,
        limit: int,
        *,
        offset: int = 0,
        first: date | None = None,
        last: date | None = None,
        identity: str | None = None,
    ) -> list[Statistic]:
        """Return one row a station and currency, by station."""
        ...


class Users(Protocol):
    """Users and API keys."""

    async def insert(self, values: Changes) -> User:
        """Add a user. Raises Conflict `user_exists`."""
        ...

    async def get(self, key: int) -> User | None:
        """Return one, or None."""
        ...

    async def password_hash(self, name: str) -> tuple[User, str | None] | None:
        """Return the user of this name and the hash of the password."""
        ...

    async def page(self, limit: int, *, before: int | None = None) -> list[User]:
        """Return one page, the newest first."""
        ...

    async def update(self, key: int, changes: Changes) -> User | None:
        """Change some columns of one row."""
        ...

    async def delete(self, key: int) -> bool:
        """Remove one."""
        ...

    async def insert_key(self, values: Changes) -> ApiKey:
        """Add an API key."""
        ...

    async def key_by_digest(self, digest: bytes) -> tuple[ApiKey, User | None] | None:
        """Return the key with this token digest and its user, if it has one."""
        ...

    async def get_key(self, key: int) -> ApiKey | None:
        """Return one API key, or None."""
        ...

    async def page_keys(self, limit: int, *, before: int | None = None) -> list[ApiKey]:
        """Return API keys, the newest first."""
        ...

    async def delete_key(self, key: int) -> bool:
        """Remove an API key; False when there is none."""
        ...


class Audit(Protocol):
    """Who did what; append only."""

    async def append(
        self,
        *,
        at: datetime,
        actor: str,
        action: str,
        object_type: str,
        object_id: str | None,
        details: Mapping[str, Any],
    ) -> None:
        """Add an entry."""
        ...

    async def page(self, limit: int, *, before: int | None = None) -> list[AuditEntry]:
        """Return one page, the newest first."""
        ...


class Calls(Protocol):
    """Calls to charge points, written before they are sent."""

    async def insert(self, charge_point: ChargePointKey, call: CallRecord) -> None:
        """Add one."""
        ...

    async def finish(self, call: CallRecord, *, only_open: bool = False) -> bool:
        """Write times, outcome and response of a call that has ended; returns whether it did.

        `only_open`: unless somebody has done so.
        """
        ...

    async def lost(
        self, *, before: datetime, surely_before: datetime
    ) -> list[tuple[Identity, CallRecord]]:
        """Return open calls whose connection is over, with the stations' identities; some of them.

        Args:
            before: Younger ones are left out.
            surely_before: Older ones are lost whatever their connection does.
        """
        ...

    async def page(
        self,
        charge_point: ChargePointKey,
        limit: int,
        *,
        before: tuple[datetime, str] | None = None,
    ) -> list[CallRecord]:
        """Return one page, the newest first."""
        ...


class Messages(Protocol):
    """The message log."""

    async def page(
        self,
        charge_point: ChargePointKey,
        limit: int,
        *,
        before: tuple[datetime, int] | None = None,
        action: str | None = None,
        direction: str | None = None,
        at_from: datetime | None = None,
        at_to: datetime | None = None,
        repair: str | None = None,
    ) -> list[MessageRecord]:
        """Return one page, the newest first.

        `repair` leaves in those that needed it, `ANY_REPAIR` those that needed any.
        """
        ...

    async def from_oldest(
        self,
        charge_point: ChargePointKey,
        limit: int,
        *,
        after: tuple[datetime, int] | None = None,
        at_from: datetime | None = None,
        at_to: datetime,
    ) -> list[MessageRecord]:
        """Return one page, the oldest first; `at_from` is in, `at_to` is out."""
        ...

    async def after(
        self,
        charge_points: Collection[ChargePointKey],
        key: int,
        limit: int,
        *,
        at_from: datetime,
    ) -> list[tuple[ChargePointKey, MessageRecord]]:
        """Return frames of these charge points with a higher key, the oldest first.

        `at_from` bounds how far back is looked: earlier frames are left out.
        """
        ...


class Quarantine(Protocol):
    """Messages that were refused."""

    async def page(
        self,
        limit: int,
        *,
        before: int | None = None,
        state: str | None = None,
        identity: str | None = None,
    ) -> list[RefusedMessage]:
        """Return one page, the newest first."""
        ...

    async def get(self, key: int, *, lock: bool = False) -> RefusedMessage | None:
        """Return one, or None; with `lock` nobody else settles it meanwhile."""
        ...

    async def end(self, key: int, state: str, at: datetime) -> None:
        """Settle one."""
        ...

    async def count_open(self) -> int:
        """Return how many wait for an operator."""
        ...

    async def has_started_since(self, charge_point: ChargePointKey, at: datetime) -> bool:
        """Return whether a transaction of this charge point was started after that time."""
        ...


class IdempotencyKeys(Protocol):
    """Answers by idempotency key and actor."""

    async def claim(self, actor: str, key: str, digest: bytes) -> StoredAnswer | None:
        """Take the key; None when it is ours now, else what is stored under it."""
        ...

    async def finish(self, actor: str, key: str, status: int, body: str) -> None:
        """Store the answer."""
        ...

    async def release(self, actor: str, key: str) -> None:
        """Give the key back: nothing was done."""
        ...

    async def forget(self, before: datetime) -> int:
        """Delete keys made before that time; returns how many."""
        ...


class UnitOfWork(Protocol):
    """One transaction."""

    @property
    def charge_points(self) -> ChargePoints:
        """Repository of charge points."""
        ...

    @property
    def id_tags(self) -> IdTags:
        """Repository of id tags."""
        ...

    @property
    def sessions(self) -> Sessions:
        """Repository of sessions."""
        ...

    @property
    def sites(self) -> Sites:
        """Repository of sites."""
        ...

    @property
    def managed_loads(self) -> ManagedLoads:
        """Repository of managed loads."""
        ...

    @property
    def statistics(self) -> Statistics:
        """Repository of statistics."""
        ...

    @property
    def users(self) -> Users:
        """Repository of users."""
        ...

    @property
    def audit(self) -> Audit:
        """Repository of audit."""
        ...

    @property
    def calls(self) -> Calls:
        """Repository of calls."""
        ...

    @property
    def messages(self) -> Messages:
        """Repository of messages."""
        ...

    @property
    def quarantine(self) -> Quarantine:
        """Repository of refused messages."""
        ...

    @property
    def jobs(self) -> Jobs:
        """Repository of jobs."""
        ...

    @property
    def security_events(self) -> SecurityEvents:
        """Repository of security events."""
        ...

    @property
    def reservations(self) -> Reservations:
        """Repository of reservations."""
        ...

    @property
    def configurations(self) -> Configurations:
        """Repository of configuration keys."""
        ...

    @property
    def local_lists(self) -> LocalLists:
        """Repository of local authorization lists."""
        ...

    @property
    def site_rules(self) -> SiteRulesRepository:
        """Repository of what narrows sites."""
        ...

    @property
    def dialects(self) -> DialectRepository:
        """Repository of vendor dialects."""
        ...

    @property
    def files(self) -> Files:
        """Repository of ways and files of charge points."""
        ...

    @property
    def firmware_images(self) -> FirmwareImages:
        """Repository of firmware images."""
        ...

    @property
    def certificates(self) -> StationCertificates:
        """Repository of certificates of stations."""
        ...

    @property
    def signing_requests(self) -> SigningRequests:
        """Repository of their requests for certificates."""
        ...

    @property
    def idempotency_keys(self) -> IdempotencyKeys:
        """Repository of idempotency keys."""
        ...


class UnitsOfWork(Protocol):
    """Opens transactions: ``async with units() as unit`` commits at the end."""

    def __call__(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a transaction."""
        ...

    async def ping(self) -> None:
        """Ask the database for a sign of life. Raises DatabaseAway."""
        ...
