"""The port of the store, as far as the operator's services use it.

A `UnitOfWork` is one transaction with one repository a noun; the ports of the repositories have
files of their own. Every list takes a limit and gives the newest first; `before` continues after
the last item of the page before.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from csms.services.ports.availability import AvailabilityOrders
from csms.services.ports.bulk import BulkJobs
from csms.services.ports.calls import Calls
from csms.services.ports.certificates import SigningRequests, StationCertificates
from csms.services.ports.charge_points import Changes as Changes
from csms.services.ports.charge_points import ChargePoints
from csms.services.ports.connector_history import ConnectorHistory
from csms.services.ports.dialects import DialectRepository
from csms.services.ports.driver_pages import DriverPages
from csms.services.ports.files import Files, FirmwareImages
from csms.services.ports.id_tags import IdTags
from csms.services.ports.live import LiveRows
from csms.services.ports.message_search import MessageSearch
from csms.services.ports.messages import Messages, Quarantine
from csms.services.ports.power import PowerHistory
from csms.services.ports.sessions import Sessions, Statistics
from csms.services.ports.site_rules import SiteRulesRepository
from csms.services.ports.sites import ManagedLoads, Sites
from csms.services.ports.state import Configurations, Jobs, LocalLists, Reservations, SecurityEvents
from csms.services.ports.unmatched_stops import UnmatchedStops
from csms.services.ports.users import Audit, IdempotencyKeys, Users


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
    def unmatched_stops(self) -> UnmatchedStops:
        """Repository of stops that fit no session."""
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
    def connector_history(self) -> ConnectorHistory:
        """Repository of what connectors have been."""
        ...

    @property
    def availability(self) -> AvailabilityOrders:
        """Repository of what connectors were told to be."""
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
    def bulk(self) -> BulkJobs:
        """Repository of calls to many stations."""
        ...

    @property
    def power(self) -> PowerHistory:
        """Power over time."""
        ...

    @property
    def message_search(self) -> MessageSearch:
        """Searches of the message log."""
        ...

    @property
    def live(self) -> LiveRows:
        """What live views read."""
        ...

    @property
    def driver_pages(self) -> DriverPages:
        """Repository of drivers' pages."""
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
