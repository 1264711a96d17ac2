"""Stations: a charge point and its asset data, as the operator keeps them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from csms.clock import Clock
from csms.domain.events import SiteChanged, StationChanged
from csms.domain.ids import ChargePointKey, SiteId
from csms.errors import Conflict, Invalid, NotFound
from csms.services import credentials
from csms.services.audit import AuditTrail, told, told_before
from csms.services.messages import LoggedMessage, logged_message
from csms.services.ports.bus import Bus
from csms.services.ports.gateway import Gateway
from csms.services.ports.messages import MessageFilter
from csms.services.ports.smart_charging import Allocator
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import CallRecord, MeterReading, Station
from csms.services.rehearsal import rehearsal

_LONGEST_IDENTITY_BYTES = 255


class StationService:
    """Creates, changes, shows and removes stations.

    Args:
        quiet: What `quiet` is for a station of which nothing is said.
        secret: Key of the password digests.
        last_seen: A sign of life that is not in the database yet.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        gateway: Gateway,
        allocator: Allocator,
        bus: Bus,
        clock: Clock,
        audit: AuditTrail,
        *,
        secret: bytes,
        quiet: bool,
        last_seen: Callable[[ChargePointKey], datetime | None],
    ) -> None:
        self._units = units
        self._gateway = gateway
        self._allocator = allocator
        self._bus = bus
        self._clock = clock
        self._audit = audit
        self._secret = secret
        self._quiet = quiet
        self._last_seen = last_seen

    def last_seen_at(self, station: Station) -> datetime | None:
        """Return when the station was last heard of."""
        times = (station.last_seen_at, self._last_seen(station.key))
        return max((at for at in times if at is not None), default=None)

    def is_online(self, station: Station) -> bool:
        """Return whether the station has a live connection."""
        return self._gateway.is_online(station.key)

    async def create(
        self,
        actor: str,
        identity: str | None,
        values: Mapping[str, Any],
        password: str | None,
        *,
        decides: bool = True,
    ) -> Station:
        """Add a station and return it.

        Args:
            actor: Who asks.
            identity: None generates one.
            values: Columns, without identity and password.
            password: As typed; see `credentials.parse_password`.
            decides: Whether to wait for the new decision of its site; it comes anyway.

        Raises:
            Invalid: An unusable identity or password, an unknown site or circuit.
            Conflict: `station_exists`, or `charger_busy`: the place is taken by another's charger.
        """
        async with self._units() as unit:
            station = await self._create(unit, actor, identity, values, password)
        await self._changed(station.key, {station.site_id}, decides=decides)
        return station

    async def try_create(
        self, actor: str, identity: str | None, values: Mapping[str, Any], password: str | None
    ) -> None:
        """Do as `create` would, and keep nothing of it. Raises as `create`."""
        async with rehearsal(self._units) as unit:
            await self._create(unit, actor, identity, values, password)

    async def _create(
        self,
        unit: UnitOfWork,
        actor: str,
        identity: str | None,
        values: Mapping[str, Any],
        password: str | None,
    ) -> Station:
        identity = _usable(identity) if identity is not None else f"CP-{secrets.token_hex(6)}"
        row: dict[str, Any] = {"identity": identity, "quiet": self._quiet, **values}
        _secure(row, password, None, self._secret)
        await unit.sites.begin_change()
        taken = await unit.sites.take_over(identity, row.get("site_id"))
        if taken is not None:
            row["site_id"], row["max_power_w"], count = taken
            row.setdefault("connector_count", count)
        await _check_place(unit, identity, row.get("site_id"), row.get("circuit_id"))
        await unit.charge_points.insert(row)
        await self._audit.note(unit, actor, "create", "station", identity, _shown(row))
        return await _existing(unit, identity)

    async def get(self, identity: str) -> Station:
        """Return one station. Raises NotFound."""
        async with self._units() as unit:
            return await _existing(unit, identity)

    async def page(
        self, limit: int, before: int | None = None, site_id: str | None = None
    ) -> list[Station]:
        """Return stations, the newest first."""
        async with self._units() as unit:
            return await unit.charge_points.page(limit, before=before, site_id=site_id)

    async def change(
        self,
        actor: str,
        identity: str,
        values: Mapping[str, Any],
        *,
        password: str | None = None,
        password_given: bool = False,
        decides: bool = True,
    ) -> Station:
        """Change what is given and return the station; `decides` as in `create`.

        Raises:
            NotFound: No such station.
            Invalid: An unusable password, an unknown site or circuit.
        """
        async with self._units() as unit:
            before, station = await self._change(
                unit, actor, identity, values, password, password_given=password_given
            )
        await self._changed(station.key, {before.site_id, station.site_id}, decides=decides)
        return station

    async def try_change(
        self,
        actor: str,
        identity: str,
        values: Mapping[str, Any],
        *,
        password: str | None = None,
        password_given: bool = False,
    ) -> None:
        """Do as `change` would, and keep nothing of it. Raises as `change`."""
        async with rehearsal(self._units) as unit:
            await self._change(
                unit, actor, identity, values, password, password_given=password_given
            )

    async def _change(
        self,
        unit: UnitOfWork,
        actor: str,
        identity: str,
        values: Mapping[str, Any],
        password: str | None,
        *,
        password_given: bool,
    ) -> tuple[Station, Station]:
        """Return the station as it was, and as it is."""
        row = dict(values)
        before = await _locked(unit, identity, row.get("site_id"))
        if password_given or "security_profile" in row:
            _secure(row, password, before, self._secret, password_given=password_given)
        if "site_id" in row and row["site_id"] != before.site_id:
            row.setdefault("circuit_id", None)
            if row["site_id"] is not None:
                await unit.sites.take_over(before.identity, row["site_id"])
        await _check_place(
            unit,
            before.identity,
            row.get("site_id", before.site_id),
            row.get("circuit_id", before.circuit_id),
        )
        if "security_profile" in values:  # the operator's word ends an upgrade
            row |= {"pending_security_profile": None, "profile_told_at": None}
        await unit.charge_points.update(before.key, row)
        details = {**_shown(row), **told_before(before, row)}
        await self._audit.note(unit, actor, "change", "station", before.identity, details)
        profile = row.get("security_profile", before.security_profile)
        if profile < before.security_profile:
            details = {"from": before.security_profile, "to": profile}
            what = "lower security profile"
            await self._audit.note(unit, actor, what, "station", before.identity, details)
        return before, await _existing(unit, before.identity)

    async def delete(self, actor: str, identity: str) -> None:
        """Remove a station; its sessions stay.

        Raises:
            NotFound: No such station.
            Conflict: A session runs on it.
        """
        async with self._units() as unit:
            station = await _locked(unit, identity)
            if await unit.charge_points.has_active_session(station.key):
                raise Conflict("session_active", "A session runs on this station; stop it first.")
            await unit.charge_points.delete(station.key, self._clock.now())
            details = {"called": station.name}
            await self._audit.note(unit, actor, "delete", "station", station.identity, details)
        await self._changed(station.key, {station.site_id})

    async def calls(
        self, identity: str, limit: int, before: tuple[datetime, str] | None = None
    ) -> list[CallRecord]:
        """Return the calls that were sent to a station, the newest first. Raises NotFound."""
        async with self._units() as unit:
            station = await _existing(unit, identity)
            return await unit.calls.page(station.key, limit, before=before)

    async def messages(
        self,
        identity: str,
        limit: int,
        wanted: MessageFilter,
        before: tuple[datetime, int] | None = None,
    ) -> list[LoggedMessage]:
        """Return frames of its message log, the newest first. Raises NotFound."""
        async with self._units() as unit:
            station = await _existing(unit, identity)
            records = await unit.messages.page(station.key, limit, wanted, before=before)
        return [logged_message(record) for record in records]

    async def meter_values(
        self,
        identity: str,
        limit: int,
        offset: int,
        *,
        received_from: datetime,
        received_to: datetime,
    ) -> list[MeterReading]:
        """Return a station's readings received between two times, newest first. Raises NotFound."""
        async with self._units() as unit:
            station = await _existing(unit, identity)
            return await unit.sessions.meter_values(
                station.key,
                transaction_id=None,
                received_from=received_from,
                received_to=received_to,
                offset=offset,
                limit=limit,
            )

    async def _changed(
        self, key: ChargePointKey, sites: set[SiteId | None], *, decides: bool = True
    ) -> None:
        self._bus.publish(StationChanged(key))
        for site_id in sites:
            if site_id is not None:
                self._bus.publish(SiteChanged(site_id))
                if decides:
                    await self._allocator.decide(site_id)


async def _existing(unit: UnitOfWork, identity: str, *, lock: bool = False) -> Station:
    station = await unit.charge_points.get(identity, lock=lock)
    if station is None:
        raise NotFound("station_not_found", "There is no such station.")
    return station


async def _locked(unit: UnitOfWork, identity: str, new_site_id: str | None = None) -> Station:
    """Return the station with its row held, after those of its old and its new site."""
    await unit.sites.begin_change()
    site_id = (await _existing(unit, identity)).site_id
    await unit.sites.lock(*{site for site in (site_id, new_site_id) if site is not None})
    return await _existing(unit, identity, lock=True)


async def _check_place(
    unit: UnitOfWork, identity: str, site_id: str | None, circuit_id: str | None
) -> None:
    """Raise Invalid unless site and circuit exist, Conflict while another charger is there."""
    if site_id is None:
        if circuit_id is not None:
            raise Invalid(
                "invalid_request",
                "A circuit belongs to a site.",
                {"circuitId": "needs a siteId"},
            )
        return
    site = await unit.sites.get(site_id)
    if site is None:
        raise Invalid("invalid_request", "There is no such site.", {"siteId": "does not exist"})
    if any(charger.external and charger.id == identity for charger in site.chargers):
        raise Conflict(
            "charger_busy", "The site has a busy charger of this id; stop its loads first."
        )
    if circuit_id is not None and circuit_id not in {circuit.id for circuit in site.circuits}:
        raise Invalid(
            "invalid_request", "The site has no such circuit.", {"circuitId": "does not exist"}
        )


def _usable(identity: str) -> str:
    """Return the identity if it can stand in a URL and before a colon in Basic auth."""
    wrong = None
    if len(identity.encode()) > _LONGEST_IDENTITY_BYTES:
        wrong = f"must have at most {_LONGEST_IDENTITY_BYTES} bytes"
    elif ":" in identity:
        wrong = "must not contain a colon"
    elif identity in (".", "..") or identity != identity.strip():
        wrong = "must not be a dot or begin or end with a space"
    if wrong is not None:
        raise Invalid("invalid_request", "The identity cannot be used.", {"identity": wrong})
    return identity


def _secure(
    row: dict[str, Any],
    password: str | None,
    before: Station | None,
    secret: bytes,
    *,
    password_given: bool = True,
) -> None:
    """Put digest and security profile into `row`: profile 1 with a password, else 0.

    Raises:
        Invalid: The password is unusable, or the profile needs one.
    """
    has_password = before is not None and before.has_password
    if password_given:
        has_password = password is not None
        row["pending_password_digest"] = None  # the operator's word ends all rotations
        row["other_password_digests"] = []
        row["password_digest"] = (
            None
            if password is None
            else credentials.digest(secret, credentials.parse_password(password))
        )
    profile = row.get("security_profile")
    if profile is None:
        current = 0 if before is None else before.security_profile
        if "security_profile" in row or before is None or current in (0, 1):
            profile = 1 if has_password else 0
        else:
            profile = current
        row["security_profile"] = profile
    if profile in (1, 2) and not has_password:
        raise Invalid(
            "invalid_request",
            f"Security profile {profile} needs a password.",
            {"password": f"is needed with securityProfile {profile}"},
        )


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit trail keeps: no digest, but that there is a new one."""
    shown = {name: value for name, value in row.items() if "password_digest" not in name}
    if "password_digest" in row:
        shown["password"] = "set" if row["password_digest"] is not None else "cleared"
    return told(shown)
