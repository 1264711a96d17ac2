"""What the command line does beside serving: administrators, users, checks, imports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from csms.api.site_import import import_sites
from csms.api.sites import Sites
from csms.app import DatabaseAddress, Running, prepare
from csms.bus.local import LocalBus
from csms.clock import SystemClock
from csms.errors import Invalid
from csms.kept_secret import secret_for
from csms.ocppj.gateway import LocalGateway
from csms.ocppj.registry import Registry
from csms.services import credentials
from csms.services.access import Access, Principal, Role
from csms.services.audit import AuditTrail
from csms.services.managed_loads import ManagedLoadService
from csms.services.ports.store import UnitsOfWork
from csms.services.sites import SiteService
from csms.services.smart_charging import SmartCharging
from csms.services.users import UserService
from csms.settings import Settings
from csms.store.control import SqlControlStore
from csms.store.database import Database
from csms.store.unit_of_work import SqlUnitsOfWork

ACTOR = "command line"
_ADMINISTRATOR = "administrator"
_PAGE = 1000


async def first_sign_in(settings: Settings, system: Running, tell: Callable[[str], None]) -> None:
    """Make an administrator's token if nobody could sign in until now.

    It is shown once and kept as a keyed hash only; `reset_administrator` makes another.

    Args:
        settings: All of them.
        system: That runs.
        tell: Shows the token. Called before it is kept: who is killed between the two shows
            another one at the next start, and not none for ever.
    """
    if settings.admin_token is not None:
        return
    units = system.ports.units
    async with units() as unit:
        if await unit.users.page_keys(1) or await unit.users.page(1):
            return
    await _new_administrator(units, system.secret, tell)


async def reset_administrator(
    settings: Settings, database: DatabaseAddress, tell: Callable[[str], None]
) -> None:
    """Make a new administrator's token and show it by `tell`; the old one ends in ten seconds.

    Raises:
        StartError, DatabaseAway: The database is not to be had.
    """
    async with _units(database) as units:
        await _new_administrator(units, await secret_for(settings, database.url), tell)


async def add_user(
    settings: Settings, database: DatabaseAddress, name: str, role: Role, password: str
) -> None:
    """Add a user with a password.

    Raises:
        Conflict: `user_exists`.
        Invalid: The name or password is refused.
    """
    async with _units(database) as units:
        clock = SystemClock()
        audit = AuditTrail(units, clock)
        secret = await secret_for(settings, database.url)
        access = Access(units, clock, secret=secret, admin_token=None)
        await UserService(units, access, audit).create(ACTOR, name, role, password)


async def import_site(settings: Settings, database: DatabaseAddress, file: Path) -> list[str]:
    """Create or replace the sites of a JSON file and return their ids.

    A running central system over the same database sees them within half a minute.

    Raises:
        Invalid: The file cannot be read or breaks the rules of the API.
    """
    try:
        document = await asyncio.to_thread(file.read_bytes)
    except OSError as error:
        raise Invalid("no_file", f"{file}: {error.strerror}.") from error
    async with _units(database) as units:
        clock, bus = SystemClock(), LocalBus()
        opened = Database(database.url, pool_size=2)
        try:
            allocator = SmartCharging(
                SqlControlStore(opened),
                LocalGateway(Registry(), call_timeout_s=settings.call_timeout_s),
                bus,
                clock,
                node=ACTOR,
            )
            service = SiteService(units, allocator, bus, clock, AuditTrail(units, clock))
            resource = Sites(service, ManagedLoadService(units, allocator, clock))
            principal = Principal(name=ACTOR, role=Role.ADMIN, subject="")
            return await import_sites(resource, document, principal)
        finally:
            await opened.close()


async def _new_administrator(
    units: UnitsOfWork, secret: bytes, tell: Callable[[str], None]
) -> None:
    token = credentials.new_token()
    audit = AuditTrail(units, SystemClock())
    async with units() as unit:
        for key in await unit.users.page_keys(_PAGE):
            if key.name == _ADMINISTRATOR:
                await unit.users.delete_key(key.key)
        made = await unit.users.insert_key(
            {
                "name": _ADMINISTRATOR,
                "role": Role.ADMIN.value,
                "token_digest": credentials.token_digest(secret, token),
            }
        )
        await audit.note(unit, ACTOR, "create", "apiKey", str(made.key), {"name": _ADMINISTRATOR})
        tell(token)


@asynccontextmanager
async def _units(database: DatabaseAddress) -> AsyncIterator[UnitsOfWork]:
    await prepare(database.url)
    opened = Database(database.url, pool_size=2)
    try:
        yield SqlUnitsOfWork(opened)
    finally:
        await opened.close()
