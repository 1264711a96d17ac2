"""What operators do about a station's security: a new key, a higher profile, certificates."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from csms.clock import Clock
from csms.domain.certificates import CHARGE_POINT
from csms.domain.events import StationChanged
from csms.domain.security_events import CERTIFICATE_REVOKED
from csms.errors import Conflict, NotFound
from csms.services.audit import AuditTrail
from csms.services.commands import CommandService
from csms.services.ports.bus import Bus
from csms.services.ports.certificates import (
    AuthorityAway,
    PresentAuthority,
    Root,
    SigningRequest,
    StationCertificate,
)
from csms.services.ports.store import UnitsOfWork
from csms.services.records import CallRecord, Station
from csms.services.shown_certificates import ShownCertificates
from csms.services.signing import server_event
from csms.services.station_state import existing_station

_KEY_BYTES = 20  # OCPP-J 6.2.2; the whitepaper allows 16 to 20


class StationSecurity:
    """Changes keys and profiles, shows and revokes certificates."""

    def __init__(
        self,
        units: UnitsOfWork,
        commands: CommandService,
        bus: Bus,
        clock: Clock,
        audit: AuditTrail,
        *,
        authority: PresentAuthority,
        shown: ShownCertificates | None,
        revocations_changed: Callable[[], None],
    ) -> None:
        """Put the parts together.

        Args:
            units: The store.
            commands: Sends calls.
            bus: Of hints.
            clock: Time.
            audit: The audit trail.
            authority: Gives who signs, if anybody does.
            shown: Notes of certificates that are not in the store yet.
            revocations_changed: Lets listeners look at the lists of revocations now.
        """
        self._units = units
        self._commands = commands
        self._bus = bus
        self._clock = clock
        self._audit = audit
        self._authority = authority
        self._shown = shown
        self._revocations_changed = revocations_changed

    async def rotate_password(self, actor: str, identity: str) -> CallRecord:
        """Make a new random key and tell it to the station as its AuthorizationKey.

        Its digest is stored before it is sent; nobody is shown the key itself.

        Raises:
            NotFound: No such station.
            CallFailed: No answer: both keys are let in, unless it was never sent.
        """
        key = secrets.token_bytes(_KEY_BYTES).hex().upper()
        payload = {"key": "AuthorizationKey", "value": key}
        try:
            return await self._commands.send(actor, identity, "ChangeConfiguration", payload)
        finally:
            await self._changed(identity)

    async def raise_profile(self, actor: str, identity: str, profile: int) -> CallRecord:
        """Tell a station a higher security profile.

        Raises:
            NotFound: No such station.
            Forbidden: `refused_locally`: it is not higher.
            CallFailed: No answer: both profiles are let in, unless it was never sent.
        """
        payload = {"key": "SecurityProfile", "value": str(profile)}
        try:
            return await self._commands.send(actor, identity, "ChangeConfiguration", payload)
        finally:
            await self._changed(identity)

    async def cancel_upgrade(self, actor: str, identity: str) -> Station:
        """Stop expecting a station on the higher profile that it was told; returns it.

        Raises:
            NotFound: No such station.
            Conflict: `no_upgrade`: none is pending.
        """
        async with self._units() as unit:
            station = await existing_station(unit, identity)
            if station.pending_security_profile is None:
                raise Conflict("no_upgrade", "No upgrade of the security profile is pending.")
            await unit.charge_points.end_upgrade(station.key, None, None)
            details = {"to": station.pending_security_profile}
            what = "cancel profile upgrade"
            await self._audit.note(unit, actor, what, "station", station.identity, details)
            changed = await existing_station(unit, identity)
        self._bus.publish(StationChanged(station.key))
        return changed

    async def certificates(self, identity: str) -> Sequence[StationCertificate]:
        """Return which certificates a station has, the newest first. Raises NotFound."""
        if self._shown is not None:
            await self._shown.flush()
        async with self._units() as unit:
            station = await existing_station(unit, identity)
            return await unit.certificates.of(station.key)

    async def requests(
        self, identity: str, limit: int, before: int | None = None
    ) -> Sequence[SigningRequest]:
        """Return what a station has asked to be signed, the newest first. Raises NotFound."""
        async with self._units() as unit:
            station = await existing_station(unit, identity)
            return await unit.signing_requests.page(station.key, limit, before=before)

    async def revoke(
        self, actor: str, identity: str, serial_number: str, reason: str
    ) -> StationCertificate:
        """Take a station's certificate back; a connection that proves itself by it is closed.

        Raises:
            NotFound: No such station, or it has no such certificate.
            Conflict: `no_authority`, `foreign_certificate` or `authority_away`.
            Invalid: There is no such reason.
        """
        if self._shown is not None:
            await self._shown.flush()
        async with self._units() as unit:
            station = await existing_station(unit, identity)
            held = await unit.certificates.held_by(station.key, serial_number)
        if held is None:
            raise NotFound(
                "certificate_not_found", f"The station has no {CHARGE_POINT} of this number."
            )
        await self._take_back(held.serial_number, reason)
        now = self._clock.now()
        async with self._units() as unit:
            await unit.certificates.revoked(held.serial_number, now)
            details = {"serialNumber": held.serial_number, "reason": reason}
            await self._audit.note(
                unit, actor, "revoke certificate", "station", station.identity, details
            )
            text = f"Certificate {held.serial_number}: {reason}."
            event = server_event(station, CERTIFICATE_REVOKED, text, now, now)
            await unit.security_events.append(event)
            after = await unit.certificates.held_by(station.key, serial_number)
        self._revocations_changed()
        return after or held

    def roots(self) -> Sequence[Root]:
        """Return what charge points have to trust; empty without an authority."""
        authority = self._authority()
        return () if authority is None else authority.roots()

    async def _take_back(self, serial_number: str, reason: str) -> None:
        authority = self._authority()
        if authority is None:
            raise Conflict("no_authority", "This system has no certificate authority.")
        try:
            ours = await authority.revoke(serial_number, reason)
        except AuthorityAway as error:
            raise Conflict(
                "authority_away", f"The authority cannot be reached: {error}."
            ) from error
        if not ours:
            raise Conflict(
                "foreign_certificate",
                "Another authority has signed it; put its list into client-crl.pem.",
            )

    async def _changed(self, identity: str) -> None:
        async with self._units() as unit:
            station = await unit.charge_points.get(identity)
        if station is not None:
            self._bus.publish(StationChanged(station.key))
