"""The application: services, resources and pages put together; denied is what is not declared."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from pathlib import Path

import orjson
from aiohttp import web

from csms.api import cockpit, drivers, forwarded, middleware, openapi, security
from csms.api.authentication import Authentication
from csms.api.calls import Calls
from csms.api.cockpit import CockpitPorts
from csms.api.configuration import Configuration
from csms.api.connections import ConnectionAttempts
from csms.api.connector_history import ConnectorHistoryApi
from csms.api.dialects import Dialects
from csms.api.docs import Docs
from csms.api.drivers import DriverConfig
from csms.api.files import Files
from csms.api.firmware import Firmware
from csms.api.handling import Endpoint
from csms.api.health import Health
from csms.api.id_tags import IdTags
from csms.api.idempotency import Idempotency
from csms.api.live import Live
from csms.api.live_sessions import LiveSessions
from csms.api.local_lists import LocalLists
from csms.api.me import Me
from csms.api.message_bundles import MessageExport
from csms.api.metrics import MetricsPage
from csms.api.probe import Probes
from csms.api.quarantine import Quarantine
from csms.api.replays import Replays
from csms.api.rereading import Rereadings
from csms.api.reservations import Reservations
from csms.api.routes import Resource, Route
from csms.api.security import SecurityPorts
from csms.api.sessions import Sessions
from csms.api.sign_in import SignIn
from csms.api.simulator import SimulatorApi
from csms.api.site_decisions import SiteDecisions
from csms.api.site_rules import SiteRulesApi
from csms.api.sites import Sites
from csms.api.station_logs import StationLogs
from csms.api.station_state import StationStates
from csms.api.stations import Stations
from csms.api.statistics import Statistics
from csms.api.unmatched_stops import UnmatchedStops
from csms.api.users import ApiKeys, Audit, Users
from csms.api.web import Web
from csms.api.what_if import WhatIfs
from csms.clock import Clock
from csms.domain.ids import ChargePointKey
from csms.errors import StartError
from csms.proxies import TrustedProxies
from csms.services.access import Access
from csms.services.api_keys import ApiKeyService
from csms.services.audit import AuditTrail
from csms.services.availability import AvailabilityEffect
from csms.services.call_effects import JobEffect, ReservationEffect
from csms.services.charging_estimates import ChargingEstimates
from csms.services.commands import CommandService
from csms.services.configuration import (
    ConfigurationEffect,
    ConfigurationReconciler,
    ConfigurationService,
)
from csms.services.connector_history import ConnectorHistories
from csms.services.dialects import DialectService
from csms.services.diary import Diary
from csms.services.files import FileService
from csms.services.firmware import FirmwareService
from csms.services.id_tags import IdTagService
from csms.services.known_limits import KnownLimits
from csms.services.limit_effect import LimitEffect
from csms.services.live import LiveFeed
from csms.services.local_lists import LocalListEffect, LocalListReconciler, LocalListService
from csms.services.locations import Locations
from csms.services.lost_calls import LostCalls
from csms.services.managed_loads import ManagedLoadService
from csms.services.message_bundles import MessageBundles
from csms.services.message_tail import Follow, MessageTail
from csms.services.overview import Overview
from csms.services.ports.bus import Bus
from csms.services.ports.entrance import Entrance
from csms.services.ports.files import FileAddresses, SignatureCheck
from csms.services.ports.gateway import CallSchemas, Gateway
from csms.services.ports.redelivery import Redelivery
from csms.services.ports.rereading import FrameReader
from csms.services.ports.simulator import Simulator
from csms.services.ports.smart_charging import Allocator
from csms.services.ports.store import UnitsOfWork
from csms.services.probe import Probe
from csms.services.quarantine import QuarantineService
from csms.services.replays import ReplayIdentities
from csms.services.rereading import MessageRereading
from csms.services.reservations import ReservationService
from csms.services.session_feed import SessionFeed
from csms.services.sessions import SessionService
from csms.services.shown_settings import ShownSetting
from csms.services.site_rules import SiteRulesService
from csms.services.sites import SiteService
from csms.services.station_state import StationState
from csms.services.stations import StationService
from csms.services.statistics import StatisticsService
from csms.services.unmatched_stops import UnmatchedStopService
from csms.services.users import UserService

_MOST_BODY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiConfig:
    """Settings of the operator API.

    Attributes:
        version: Of the program, as `/health` tells it.
        secret: The key of all keyed hashes, the same on all nodes.
        admin_token: A bearer token that is an administrator's at once.
        quiet: What `quiet` is for stations of which nothing is said.
        secure_cookies: Whether browsers come by https only; else each request says it for itself.
        proxies: Whose word counts on where a request comes from.
        web: Folder of the built browser UI; None serves none.
        drivers: Settings of drivers' pages.
        node: Name of this node: it cares for the stations that are connected to it.
        accepts_unknown: Whether who comes under a new name becomes a station by itself.
        settings: Of the process, to be shown to administrators.
        checks: What `/ready` asks besides the database: name -> check that raises a `CsmsError`.
    """

    version: str
    secret: bytes
    admin_token: str | None
    quiet: bool = True
    secure_cookies: bool = False
    proxies: TrustedProxies = field(default_factory=TrustedProxies)
    web: Path | None = None
    drivers: DriverConfig = field(default_factory=DriverConfig)
    node: str = ""
    accepts_unknown: bool = False
    settings: Sequence[ShownSetting] = ()
    checks: Mapping[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)


async def nothing_to_settle() -> None:
    """Return at once: the log of a system without charge points is always complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the API needs of the other drivers.

    Attributes:
        last_seen: A charge point's sign of life that is not in the database yet.
        settle_log: Waits until all OCPP frames logged so far are in the database.
        follow_log: Tells of OCPP frames as they are stored; None in a system without charge points.
        diary: Notes of who has tried to connect; None in a system without charge points.
        redelivery: Takes messages out of quarantine; None in a system without charge points.
        reader: Decodes logged frames once more; None in a system without charge points.
        files: Keeps files of charge points; None in a system without charge points.
        addresses: Where charge points bring and fetch them; None: nowhere.
        check_signature: Of firmware images; None: nobody does.
        security: Certificates of charge points; None in a system without them.
        simulator: The one beside this system; None: there is none.
        entrance: Of charge points; None in a system without them.
    """

    units: UnitsOfWork
    gateway: Gateway
    schemas: CallSchemas
    allocator: Allocator
    bus: Bus
    clock: Clock
    last_seen: Callable[[ChargePointKey], datetime | None] = lambda _: None
    settle_log: Callable[[], Awaitable[None]] = nothing_to_settle
    follow_log: Follow | None = None
    diary: Diary | None = None
    redelivery: Redelivery | None = None
    reader: FrameReader | None = None
    files: FileService | None = None
    addresses: FileAddresses | None = None
    check_signature: SignatureCheck | None = None
    security: SecurityPorts | None = None
    simulator: Simulator | None = None
    entrance: Entrance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The application, and the loops that have to run beside it: name -> body."""

    app: web.Application
    loops: Mapping[str, Callable[[], Awaitable[None]]]


def create_api(ports: Ports, config: ApiConfig) -> Api:
    """Return the operator API.

    Raises:
        StartError: A route has no declared access.
    """
    units, clock = ports.units, ports.clock
    access = Access(units, clock, secret=config.secret, admin_token=config.admin_token)
    audit = AuditTrail(units, clock)
    users = UserService(units, access, audit)
    stations = StationService(
        units,
        ports.gateway,
        ports.allocator,
        ports.bus,
        clock,
        audit,
        secret=config.secret,
        quiet=config.quiet,
        last_seen=ports.last_seen,
    )
    commands = CommandService(
        units,
        ports.gateway,
        ports.schemas,
        clock,
        audit,
        secret=config.secret,
        locations=(
            None
            if ports.addresses is None
            else Locations(ports.addresses, secret=config.secret, check=ports.check_signature)
        ),
        effects=(
            JobEffect(),
            ReservationEffect(),
            ConfigurationEffect(),
            LocalListEffect(),
            LimitEffect(ports.bus),
            AvailabilityEffect(),
            *security.effects(ports.security),
        ),
        advisers=[KnownLimits(), *security.advisers(ports.security)],
    )
    dialects = DialectService(units, ports.bus, audit)
    site_rules = SiteRulesService(units, ports.allocator, ports.bus, clock, audit)
    estimates = ChargingEstimates(clock)
    sessions = SessionService(units, commands, ports.bus, clock, secret=config.secret)
    overview = Overview(units, ports.gateway, clock, config.checks)
    export = MessageExport(MessageBundles(units, clock), ports.settle_log)
    for_cockpit = cockpit.parts(
        CockpitPorts(
            units=units,
            gateway=ports.gateway,
            schemas=ports.schemas,
            bus=ports.bus,
            clock=clock,
            audit=audit,
            stations=stations,
            commands=commands,
            entrance=ports.entrance,
            diary=ports.diary,
            accepts_unknown=config.accepts_unknown,
            settings=config.settings,
            node=config.node,
            settle_log=ports.settle_log,
            follow_log=ports.follow_log,
        )
    )
    resources: list[Resource] = [
        Health(overview, config.version),
        Me(access, config.version),
        Stations(stations),
        StationLogs(stations, clock, ports.settle_log),
        export,
        StationStates(StationState(units), ports.files),
        ConnectorHistoryApi(ConnectorHistories(units), clock),
        Configuration(ConfigurationService(units, ports.bus, audit)),
        LocalLists(LocalListService(units, ports.bus, audit)),
        Dialects(dialects),
        Probes(Probe(units, commands, dialects, clock)),
        SiteRulesApi(site_rules, clock),
        WhatIfs(site_rules, clock),
        SiteDecisions(site_rules),
        Reservations(ReservationService(units, commands, clock)),
        security.resource(ports.security, units, commands, ports.bus, clock, audit),
        Calls(commands),
        Sessions(sessions, clock, partial(estimates.etas, units)),
        UnmatchedStops(UnmatchedStopService(units)),
        IdTags(IdTagService(units, audit, clock)),
        Sites(
            SiteService(units, ports.allocator, ports.bus, clock, audit),
            ManagedLoadService(units, ports.allocator, clock),
        ),
        Statistics(StatisticsService(units)),
        Users(users),
        ApiKeys(ApiKeyService(units, access, audit, secret=config.secret)),
        Audit(audit),
        drivers.resource(units, audit, config.drivers),
        SimulatorApi(ports.simulator),
        Replays(
            ports.simulator,
            MessageBundles(units, clock),
            ports.settle_log,
            ReplayIdentities(units, ports.gateway, stations, audit),
        ),
        *for_cockpit.resources,
    ]
    if ports.diary is not None:
        resources.append(ConnectionAttempts(ports.diary, units))
    if ports.reader is not None:
        resources.append(Rereadings(MessageRereading(units, ports.reader, ports.settle_log)))
    if ports.redelivery is not None:
        resources.append(Quarantine(QuarantineService(units, ports.redelivery, clock, audit)))
    if ports.files is not None:
        images = FirmwareService(
            units,
            ports.files.blobs,
            clock,
            audit,
            largest_bytes=ports.files.keeping.largest_bytes,
            check=ports.check_signature,
        )
        resources += [Files(ports.files, ports.addresses), Firmware(images)]
    app = web.Application(
        client_max_size=_MOST_BODY_BYTES,
        middlewares=[forwarded.through(config.proxies), middleware.errors],
    )
    app.on_response_prepare.append(middleware.add_headers)
    app.on_shutdown.append(export.close)
    simulator = ports.simulator
    if simulator is not None:

        async def leave_simulator(_: web.Application) -> None:
            await simulator.close()

        app.on_cleanup.append(leave_simulator)
    authentication = Authentication(access)
    declared = add_resources(app, resources, authentication, Idempotency(units), config)
    feed = SessionFeed(units, ports.bus, clock, estimates)
    declared += LiveSessions(feed, authentication, estimates.eta).add_to(app)
    live = LiveFeed(
        units, ports.gateway, ports.bus, clock, feed, estimates, last_seen=ports.last_seen
    )
    tail = None if ports.follow_log is None else MessageTail(ports.follow_log, units, clock)
    declared += Live(live, tail, authentication, clock).add_to(app)
    declared += MetricsPage(overview, authentication, config.version).add_to(app.router)
    declared += Docs().add_to(app.router)
    add_driver_pages, follow_driver_pages = drivers.pages(
        units,
        sessions,
        ports.gateway,
        clock,
        config.drivers,
        secret=config.secret,
        secure=config.secure_cookies,
        built=config.web,
    )
    declared += add_driver_pages(app)
    ui = None if config.web is None else Web(config.web)
    declared += SignIn(access, users, clock, secure=config.secure_cookies, ui=ui).add_to(app.router)
    if ui is not None:
        declared += ui.add_to(app.router)
    require_declared(app, declared)
    reconciler = ConfigurationReconciler(units, commands, ports.bus, clock, node=config.node)
    lists = LocalListReconciler(units, commands, ports.bus, clock, node=config.node)
    loops = {
        "session feed": feed.run,
        "driver pages": follow_driver_pages,
        "live feed": live.run,
        **for_cockpit.loops,
        **({} if tail is None else {"message tail": tail.run}),
        "configuration": reconciler.run,
        "local lists": lists.run,
        "lost calls": LostCalls(units, commands, clock).run,
        **security.loops(ports.security, units, commands, ports.bus, clock, config.node),
    }
    return Api(app=app, loops=loops)


def add_resources(
    app: web.Application,
    resources: list[Resource],
    authentication: Authentication,
    idempotency: Idempotency,
    config: ApiConfig,
) -> list[web.AbstractRoute]:
    """Add all operations and the document that describes them; returns the routes."""
    routes: list[Route] = [route for resource in resources for route in resource.routes()]
    endpoints = [Endpoint(route) for route in routes]
    declared = []
    for endpoint in endpoints:
        handler = endpoint.handler(authentication, idempotency)
        method, path = endpoint.route.method, endpoint.route.path
        declared.append(
            app.router.add_get(path, handler)  # adds HEAD too
            if method == "GET"
            else app.router.add_route(method, path, handler)
        )

    @cache
    def document() -> bytes:
        return orjson.dumps(openapi.document(endpoints, config.version))

    async def describe(request: web.Request) -> web.Response:
        del request
        # takes tenths of a second, which neither a start nor the charge points have to wait for
        body = await asyncio.to_thread(document)
        return web.Response(body=body, content_type="application/json")

    declared.append(app.router.add_get("/api/openapi.json", describe))
    return declared


def require_declared(app: web.Application, declared: list[web.AbstractRoute]) -> None:
    """Raise StartError when a route was added past the declarations of access."""
    known = {(id(route.resource), route.method) for route in declared}
    known |= {(resource, "HEAD") for resource, method in known if method == "GET"}
    for route in app.router.routes():
        if (id(route.resource), route.method) not in known:
            raise StartError(f"The route {route} has no declared access; nobody may use it.")
