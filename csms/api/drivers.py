"""The parts of drivers' pages, put together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from aiohttp import web

from csms.api.driver import DriverPages
from csms.api.driver_page import Template
from csms.api.driver_rules import DriverRules
from csms.clock import Clock
from csms.domain.driver_page import Access
from csms.services.audit import AuditTrail
from csms.services.driver_feed import DriverFeed
from csms.services.driver_pages import DriverPageService
from csms.services.driver_rules import DriverRulesService
from csms.services.driver_views import DriverViews
from csms.services.ports.gateway import Gateway
from csms.services.ports.store import UnitsOfWork
from csms.services.sessions import SessionService
from csms.services.transactions import Price

_FREE = Price(per_kwh=Decimal(0), currency="EUR")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverConfig:
    """Settings of drivers' pages.

    Attributes:
        access: What drivers may do where the operator has said nothing.
        price: What a kWh costs.
        public_url: What drivers reach this system by; None: as each request did.
    """

    access: Access = Access.OFF
    price: Price = _FREE
    public_url: str | None = None


def resource(units: UnitsOfWork, audit: AuditTrail, config: DriverConfig) -> DriverRules:
    """Return the operator's operations."""
    rules = DriverRulesService(units, audit, default=config.access)
    return DriverRules(rules, config.public_url)


def pages(
    units: UnitsOfWork,
    sessions: SessionService,
    gateway: Gateway,
    clock: Clock,
    config: DriverConfig,
    *,
    secret: bytes,
    secure: bool,
    built: Path | None,
) -> tuple[Callable[[web.Application], list[web.AbstractRoute]], Callable[[], Awaitable[None]]]:
    """Return what adds the pages to an application, and the loop that has to run.

    Args:
        units: Of the database.
        sessions: Starts and stops.
        gateway: Knows who is connected.
        clock: Time.
        config: Settings.
        secret: Key of all hashes.
        secure: Whether browsers come by https only.
        built: Folder of the built UI; None: there is none.
    """
    views = DriverViews(
        clock, default=config.access, price=config.price, is_online=gateway.is_online
    )
    service = DriverPageService(units, sessions, views, clock, secret=secret)
    feed = DriverFeed(service, clock)
    template = Template(None if built is None else built / "driver.html")
    return DriverPages(service, feed, clock, template, secure=secure).add_to, feed.run
