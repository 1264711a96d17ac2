"""The composition root: settings in, a running central system out, stopped in order.

The only place that knows all drivers. Start: database, migrations, loops, operator API, sockets.
Stop: not ready, accept no more, finish what runs, close sockets with 1001, flush, close.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from csms import __version__
from csms.aio import supervise
from csms.api.app import ApiConfig, Ports, create_api
from csms.api.drivers import DriverConfig
from csms.api.server import ApiServer
from csms.bus.local import LocalBus
from csms.certificates import certificate_parts
from csms.clock import Clock, SystemClock
from csms.data_folder import data_folder, lock_folder, node_name
from csms.domain.driver_page import Access
from csms.errors import DatabaseAway, StartError
from csms.files.endpoints import EndpointConfig, FileEndpoints
from csms.files.folder import Folder
from csms.integrations.mqtt import SiteMeters
from csms.integrations.simulator import HttpSimulator
from csms.kept_secret import secret_for
from csms.ocppj.redelivery import QuarantineRedelivery
from csms.ocppj.repairs.switches import Switches
from csms.ocppj.repairs.tolerance import Repairs
from csms.ocppj.rereading import Rereading
from csms.ocppj.schemas import Schemas
from csms.ocppj.server import OcppServer
from csms.pki.contexts import TlsContexts
from csms.pki.firmware import signature_problem
from csms.pki.folder import holds_certificates
from csms.pki.pairs import finish_pairs
from csms.pki.starting import tls_folder
from csms.proxies import TrustedProxies
from csms.services.audit import AuditTrail
from csms.services.connections import Connections
from csms.services.dialect_book import DialectBook
from csms.services.dialects import DialectService
from csms.services.diary import Diary
from csms.services.files import FileService, Keeping
from csms.services.intake import Intake
from csms.services.notices import Notices
from csms.services.pulse import watch_database, watch_loop
from csms.services.released import Released
from csms.services.reservations import StateWatch
from csms.services.shown_settings import shown_settings
from csms.services.site_rules import SiteRulesService
from csms.services.smart_charging import SmartCharging
from csms.services.transactions import Price
from csms.services.wake_ups import WakeUps
from csms.settings import Settings, usual_values
from csms.store import migrate
from csms.store.connections import SqlConnectionStore
from csms.store.control import SqlControlStore
from csms.store.database import Database
from csms.store.diary import SqlDiaryStore
from csms.store.embedded import EmbeddedPostgres
from csms.store.embedded_attach import running_url
from csms.store.intake import SqlIntakeStore
from csms.store.notices import SqlNoticeStore
from csms.store.partitions import Retention, keep_partitions
from csms.store.released import SqlReleasedStore
from csms.store.unit_of_work import SqlUnitsOfWork

_log = structlog.get_logger(__name__)

COCKPIT = Path(__file__).parent / "web" / "dist"
_STOP_WAIT_S = 10.0
_LAST_WORDS_S = 3.0
_LOG_MB = 10_000
_EMBEDDED_LOG_MB = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What a command decides where no setting says otherwise."""

    host: str
    accept_unknown_stations: bool
    quiet: bool
    driver_page: Access = Access.OFF

    def by_setting(self) -> dict[str, object]:
        """Return what holds of each setting where the environment says nothing."""
        return usual_values() | {
            "ocpp_host": self.host,
            "http_host": self.host,
            "accept_unknown_stations": self.accept_unknown_stations,
            "quiet": self.quiet,
            "driver_page": self.driver_page.value,
        }


SERVE = Defaults(host="0.0.0.0", accept_unknown_stations=False, quiet=True)  # noqa: S104  the contract
DEMO = Defaults(
    host="127.0.0.1", accept_unknown_stations=True, quiet=False, driver_page=Access.OPEN
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A central system that serves.

    Attributes:
        ocpp_tls_port: None without certificates.
        files_port: Of HTTP(S) for charge points' files; None: off. `ftp_port` alike.
        ports: What the API's services are built from; `csms.demo` shows the same.
    """

    ocpp_port: int
    http_port: int
    secret: bytes
    ports: Ports
    ocpp_tls_port: int | None = None
    files_port: int | None = None
    ftp_port: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseAddress:
    """Where the database is.

    Attributes:
        embedded: The server that this process has started.
        shared: Whether it is the embedded server of another csms, which runs.
    """

    url: str
    embedded: EmbeddedPostgres | None = None
    shared: bool = False


@contextmanager
def database_address(settings: Settings, *, beside: bool = False) -> Iterator[DatabaseAddress]:
    """Give the address of the database; starts the embedded one where none is set.

    Call it on the main thread: the embedded server lives as long as the thread that started it.

    Args:
        settings: All of them.
        beside: Whether the embedded server of a csms that runs will do.

    Raises:
        StartError: The data folder cannot be used, or the server does not start.
    """
    if settings.database_url is not None:
        yield DatabaseAddress(url=settings.database_url)
        return
    folder = data_folder(settings) / "postgres"
    url = running_url(folder) if beside else None
    if url is not None:
        yield DatabaseAddress(url=url, shared=True)
        return
    with EmbeddedPostgres(folder) as postgres:
        yield DatabaseAddress(url=postgres.url, embedded=postgres)


def tls_contexts(settings: Settings, clock: Clock) -> TlsContexts | None:
    """Return the contexts of the TLS folder; None where it holds no certificate yet.

    Raises:
        StartError: A certificate cannot be used, or there is none though a setting asks for TLS.
    """
    folder = tls_folder(settings)
    finish_pairs(folder)
    if holds_certificates(folder):
        return TlsContexts(folder, clock)
    asked = {"ocpp_tls_port", "tls_dir"} & settings.model_fields_set
    asked |= {name for name in ("http_tls", "files_tls") if getattr(settings, name)}
    if not asked:
        return None
    names = " and ".join(f"CSMS_{name.upper()}" for name in sorted(asked))
    raise StartError(
        f"{names} asks for TLS, but {folder} holds no server certificate "
        "(server-rsa.pem with server-rsa.key, server-ec.pem with server-ec.key, or both); "
        "`csms ca init` makes some."
    )


@asynccontextmanager
async def running(
    settings: Settings,
    defaults: Defaults,
    address: DatabaseAddress,
    *,
    clock: Clock | None = None,
) -> AsyncIterator[Running]:
    """Run a central system over a database; at the end stop it gracefully.

    Args:
        settings: All of them.
        defaults: Of the command.
        address: Of the database, migrated to this version's head.
        clock: The machine's when None.

    Raises:
        StartError: A port is in use, a certificate cannot be used, the secret is not there.
        DatabaseAway: Postgres cannot be reached at start.
    """
    clock = clock or SystemClock()
    secret = await secret_for(settings, address.url)
    node = node_name(settings)
    database, bus = Database(address.url), LocalBus()
    intake_store = SqlIntakeStore(address.url)
    price = Price(per_kwh=settings.price_per_kwh, currency=settings.currency)
    intake = Intake(
        intake_store,
        bus,
        clock,
        price=price,
        heartbeat_interval_s=settings.heartbeat_interval_s,
    )
    quiet = defaults.quiet if settings.quiet is None else settings.quiet
    accept_unknown = _first(settings.accept_unknown_stations, defaults.accept_unknown_stations)
    connections = Connections(
        SqlConnectionStore(database),
        bus,
        clock,
        node=node,
        secret=secret,
        accept_unknown=accept_unknown,
        quiet=quiet,
    )
    proxies = TrustedProxies(settings.trusted_proxies)
    ready = asyncio.Event()
    schemas = Schemas()
    repairs = Repairs(schemas, Switches(off=settings.repairs_off, on=settings.repairs_on))
    diary = Diary(SqlDiaryStore(database), clock)
    units = SqlUnitsOfWork(database)
    certificates = certificate_parts(
        settings, clock, units, database, partial(tls_contexts, settings, clock)
    )
    tls = certificates.tls
    ocpp = OcppServer(
        host=settings.ocpp_host or defaults.host,
        port=settings.ocpp_port,
        connections=connections,
        intake=intake,
        schemas=schemas,
        clock=clock,
        bus=bus,
        call_timeout_s=settings.call_timeout_s,
        ping_interval_s=settings.ping_interval_s or None,
        ping_timeout_s=settings.ping_timeout_s,
        ready=ready.is_set,
        tls=None if tls is None else tls.stations,
        tls_port=settings.ocpp_tls_port,
        proxies=proxies,
        notices=Notices(SqlNoticeStore(database), clock),
        diary=diary,
        known_repairs=repairs,
        paces=(book := DialectBook(units, bus, clock)),
        signing=certificates.signing,
        verifier=tls,
        shown=certificates.shown,
        organization=settings.cpo_name,
    )
    limits = ocpp.gateway.limits
    control = SqlControlStore(database)
    learn = DialectService(units, bus, AuditTrail(units, clock)).learn
    wake_ups = WakeUps(units, ocpp.gateway, clock, AuditTrail(units, clock))
    allocator = SmartCharging(
        control, limits, bus, clock, node=node, manners=book, learn=learn, wake=wake_ups.ask
    )
    meters = SiteRulesService(units, allocator, bus, clock, AuditTrail(units, clock))
    released = Released(SqlReleasedStore(database), limits, bus, clock)
    folder = Folder(data_folder(settings) / "files", clock)
    files = FileService(
        units, folder, clock, AuditTrail(units, clock), secret=secret, keeping=_keeping(settings)
    )
    endpoints = FileEndpoints(
        _endpoints(settings, defaults, tls),
        files,
        folder,
        clock,
        proxies=proxies,
        reached_at=ocpp.reached_at,
    )
    ports = Ports(
        units=units,
        gateway=ocpp.gateway,
        schemas=schemas,
        allocator=allocator,
        bus=bus,
        clock=clock,
        last_seen=connections.last_seen,
        settle_log=intake.settle_log,
        follow_log=intake.follow_log,
        diary=diary,
        files=files,
        addresses=endpoints.addresses,
        check_signature=signature_problem,
        redelivery=QuarantineRedelivery(intake, repairs),
        security=certificates.ports(ocpp),
        entrance=ocpp,
        reader=Rereading(repairs, clock),
        simulator=(
            None
            if settings.simulator_url is None
            else HttpSimulator(
                settings.simulator_url,
                ocpp_host=settings.ocpp_host or defaults.host,
                ocpp_port=lambda: ocpp.port,
            )
        ),
    )
    operators = create_api(
        ports,
        ApiConfig(
            version=__version__,
            secret=secret,
            admin_token=settings.admin_token,
            quiet=quiet,
            accepts_unknown=accept_unknown,
            settings=shown_settings(
                dict(settings), settings.model_fields_set, defaults.by_setting()
            ),
            secure_cookies=settings.http_tls,
            proxies=proxies,
            node=node,
            checks={"intake": intake.check},
            web=COCKPIT,
            drivers=DriverConfig(
                access=Access(settings.driver_page or defaults.driver_page),
                price=price,
                public_url=settings.public_url,
            ),
        ),
    )
    api = ApiServer(
        operators.app,
        host=settings.http_host or defaults.host,
        port=settings.http_port,
        tls=tls.browsers if tls is not None and settings.http_tls else None,
    )
    only_one = lock_folder(data_folder(settings))
    try:
        await connections.start()
        async with asyncio.TaskGroup() as tasks:
            storing = tasks.create_task(supervise("intake", intake.run, clock), name="intake")
            bodies: dict[str, Callable[[], Awaitable[None]]] = {
                "connections": connections.run,
                "sessions": ocpp.run,
                "smart charging": allocator.run,
                "wake-ups": wake_ups.run,
                "event loop": partial(watch_loop, clock),
                "database": partial(watch_database, ports.units, clock),
                "released": released.run,
                "files": files.run,
                "connection diary": diary.run,
                "state of stations": StateWatch(ports.units, bus, clock).run,
                "partitions": partial(
                    keep_partitions, database, clock, _retention(settings, address)
                ),
                **operators.loops,
                **certificates.loops(ocpp),
            }
            if settings.mqtt_url is not None:
                bodies["site meters"] = SiteMeters(settings.mqtt_url, meters, clock).run
            if address.embedded is not None:
                bodies["embedded Postgres"] = partial(address.embedded.watch, clock)
            loops = [
                tasks.create_task(supervise(name, body, clock), name=name)
                for name, body in bodies.items()
            ]
            try:
                await api.start()
                await ocpp.start()
                await endpoints.start()
                ready.set()
                yield Running(
                    ocpp_port=ocpp.port,
                    ocpp_tls_port=ocpp.tls_port,
                    files_port=None if endpoints.http is None else endpoints.http.port,
                    ftp_port=None if endpoints.ftp is None else endpoints.ftp.port,
                    http_port=api.port,
                    secret=secret,
                    ports=ports,
                )
            finally:
                ready.clear()
                await ocpp.stop()
                await endpoints.stop()
                await api.stop()
                for task in loops:
                    task.cancel()
                await asyncio.wait(loops)
                intake.close()
                await asyncio.wait([storing], timeout=_STOP_WAIT_S)
                storing.cancel()
                try:
                    async with asyncio.timeout(_LAST_WORDS_S):
                        await connections.flush()
                except (DatabaseAway, TimeoutError):
                    _log.warning("last signs of life are lost: the database is away")
    finally:
        await intake_store.close()
        await database.close()
        only_one.close()


async def prepare(url: str) -> None:
    """Bring the database to this version's schema.

    Raises:
        StartError: It was migrated by a newer csms.
        DatabaseAway: Postgres cannot be reached.
    """
    await migrate.upgrade(url)


def _retention(settings: Settings, address: DatabaseAddress) -> Retention:
    largest_mb = settings.message_log_max_mb
    if largest_mb is None:
        largest_mb = _EMBEDDED_LOG_MB if address.embedded is not None else _LOG_MB
    return Retention(
        days=settings.message_log_days,
        largest_mb=largest_mb,
        connector_days=settings.connector_history_days,
    )


def _keeping(settings: Settings) -> Keeping:
    return Keeping(
        largest_bytes=settings.files_max_mb * 1_000_000,
        days=settings.files_keep_days,
        most_bytes=settings.files_keep_mb * 1_000_000,
    )


def _endpoints(settings: Settings, defaults: Defaults, tls: TlsContexts | None) -> EndpointConfig:
    secure = tls is not None and settings.files_tls is not False
    return EndpointConfig(
        host=settings.files_host or settings.ocpp_host or defaults.host,
        http_port=settings.files_port,
        http_url=settings.files_url,
        tls=tls.stations if tls is not None and secure else None,
        ftp_port=settings.ftp_port,
        ftp_url=settings.ftp_url,
        ftp_passive_ports=settings.ftp_passive_ports,
        ftp_tls=None if tls is None or not secure else tls.transfers.newest,
    )


def _first(value: bool | None, default: bool) -> bool:
    return default if value is None else value
