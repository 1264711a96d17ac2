"""One transaction with one repository a noun."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.errors import DatabaseAway
from csms.store.audit import Audit
from csms.store.availability import AvailabilityOrders
from csms.store.bulk import BulkJobs
from csms.store.calls import Calls
from csms.store.certificates import StationCertificates
from csms.store.charge_points import ChargePoints
from csms.store.configuration import Configurations
from csms.store.connector_history import ConnectorHistory
from csms.store.database import Database
from csms.store.dialects import Dialects
from csms.store.driver_pages import DriverPages
from csms.store.files import Files
from csms.store.firmware import FirmwareImages
from csms.store.id_tags import IdTags
from csms.store.idempotency import IdempotencyKeys
from csms.store.jobs import Jobs
from csms.store.live import LiveRows
from csms.store.local_lists import LocalLists
from csms.store.managed_loads import ManagedLoads
from csms.store.message_search import MessageSearch
from csms.store.messages import Messages
from csms.store.power import PowerHistory
from csms.store.quarantine import Quarantine
from csms.store.reservations import Reservations
from csms.store.security_events import SecurityEvents
from csms.store.sessions import Sessions
from csms.store.signing_requests import SigningRequests
from csms.store.site_rules import SiteRulesRows
from csms.store.sites import Sites
from csms.store.statistics import Statistics
from csms.store.unmatched_stops import UnmatchedStops
from csms.store.users import Users


class SqlUnitOfWork:
    """The repositories over one open transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @cached_property
    def charge_points(self) -> ChargePoints:
        """Stations."""
        return ChargePoints(self._connection)

    @cached_property
    def id_tags(self) -> IdTags:
        """Id tags."""
        return IdTags(self._connection)

    @cached_property
    def sessions(self) -> Sessions:
        """Sessions and their meter values."""
        return Sessions(self._connection)

    @cached_property
    def sites(self) -> Sites:
        """Sites and what belongs to them."""
        return Sites(self._connection)

    @cached_property
    def managed_loads(self) -> ManagedLoads:
        """Loads on chargers of other systems."""
        return ManagedLoads(self._connection)

    @cached_property
    def statistics(self) -> Statistics:
        """Sums over sessions."""
        return Statistics(self._connection)

    @cached_property
    def users(self) -> Users:
        """Users and API keys."""
        return Users(self._connection)

    @cached_property
    def audit(self) -> Audit:
        """The audit trail."""
        return Audit(self._connection)

    @cached_property
    def calls(self) -> Calls:
        """Calls to charge points."""
        return Calls(self._connection)

    @cached_property
    def messages(self) -> Messages:
        """The message log."""
        return Messages(self._connection)

    @cached_property
    def quarantine(self) -> Quarantine:
        """Refused messages."""
        return Quarantine(self._connection)

    @cached_property
    def unmatched_stops(self) -> UnmatchedStops:
        """Stops that fit no session."""
        return UnmatchedStops(self._connection)

    @cached_property
    def jobs(self) -> Jobs:
        """Firmware, diagnostics and log jobs."""
        return Jobs(self._connection)

    @cached_property
    def security_events(self) -> SecurityEvents:
        """Security events."""
        return SecurityEvents(self._connection)

    @cached_property
    def reservations(self) -> Reservations:
        """Reservations."""
        return Reservations(self._connection)

    @cached_property
    def connector_history(self) -> ConnectorHistory:
        """What connectors have been."""
        return ConnectorHistory(self._connection)

    @cached_property
    def availability(self) -> AvailabilityOrders:
        """What connectors were told to be."""
        return AvailabilityOrders(self._connection)

    @cached_property
    def configurations(self) -> Configurations:
        """Configuration keys."""
        return Configurations(self._connection)

    @cached_property
    def local_lists(self) -> LocalLists:
        """Local authorization lists."""
        return LocalLists(self._connection)

    @cached_property
    def site_rules(self) -> SiteRulesRows:
        """Rules, limits and meters of sites."""
        return SiteRulesRows(self._connection)

    @cached_property
    def dialects(self) -> Dialects:
        """Vendor dialects."""
        return Dialects(self._connection)

    @cached_property
    def files(self) -> Files:
        """Ways and files of charge points."""
        return Files(self._connection)

    @cached_property
    def firmware_images(self) -> FirmwareImages:
        """Firmware images."""
        return FirmwareImages(self._connection)

    @cached_property
    def certificates(self) -> StationCertificates:
        """Certificates of stations."""
        return StationCertificates(self._connection)

    @cached_property
    def signing_requests(self) -> SigningRequests:
        """Their requests for certificates."""
        return SigningRequests(self._connection)

    @cached_property
    def bulk(self) -> BulkJobs:
        """Calls to many stations."""
        return BulkJobs(self._connection)

    @cached_property
    def power(self) -> PowerHistory:
        """Power over time."""
        return PowerHistory(self._connection)

    @cached_property
    def message_search(self) -> MessageSearch:
        """Searches of the message log."""
        return MessageSearch(self._connection)

    @cached_property
    def live(self) -> LiveRows:
        """What live views read."""
        return LiveRows(self._connection)

    @cached_property
    def driver_pages(self) -> DriverPages:
        """Drivers' pages."""
        return DriverPages(self._connection)

    @cached_property
    def idempotency_keys(self) -> IdempotencyKeys:
        """Answers by idempotency key."""
        return IdempotencyKeys(self._connection)


class SqlUnitsOfWork:
    """Opens units of work on one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[SqlUnitOfWork]:
        """Open a transaction: committed at the end, rolled back on an error.

        Raises:
            DatabaseAway, Conflict, BadFact: See `csms.store.database.translated`.
        """
        async with self._database.transaction() as connection:
            yield SqlUnitOfWork(connection)

    async def ping(self) -> None:
        """Ask the database whether it can be written.

        Raises:
            DatabaseAway: It cannot be reached, or takes no writes.
        """
        async with self._database.transaction() as connection:
            query = text("SELECT current_setting('transaction_read_only') = 'on'")
            if (await connection.execute(query)).scalar_one():
                await connection.invalidate()  # after a fail-over a new one leads to the primary
                raise DatabaseAway("it is read-only")
