"""The parts of stations' security, put together: certificates, keys, profiles."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from csms.api.certificates import Certificates
from csms.clock import Clock
from csms.services.audit import AuditTrail
from csms.services.call_effects import CallAdviser, CallEffect
from csms.services.certificate_effects import CertificateEffect, ProfileEffect
from csms.services.commands import CommandService
from csms.services.ports.bus import Bus
from csms.services.ports.certificates import CertificateReader
from csms.services.ports.store import UnitsOfWork
from csms.services.security_advice import Listening, SecurityAdviser
from csms.services.security_watch import SecurityWatch
from csms.services.shown_certificates import ShownCertificates
from csms.services.signing import CertificateIssuer, Signing
from csms.services.station_security import StationSecurity


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityPorts:
    """What the other drivers give.

    Attributes:
        reader: Of certificates and requests.
        signing: Takes requests of charge points; None: nobody does.
        shown: Notes of certificates that stations have come with.
        listening: What this system offers to charge points.
        revocations_changed: Lets listeners look at the lists of revocations now.
        renewal: How long before its end a certificate is renewed.
    """

    reader: CertificateReader
    signing: Signing | None
    shown: ShownCertificates
    listening: Listening
    revocations_changed: Callable[[], None]
    renewal: timedelta


def effects(ports: SecurityPorts | None) -> list[CallEffect]:
    """Return what follows from calls."""
    return [ProfileEffect()] + ([] if ports is None else [CertificateEffect(ports.reader)])


def advisers(ports: SecurityPorts | None) -> list[CallAdviser]:
    """Return who has something to say about calls."""
    return [] if ports is None else [SecurityAdviser(ports.reader, ports.listening)]


def resource(
    ports: SecurityPorts | None,
    units: UnitsOfWork,
    commands: CommandService,
    bus: Bus,
    clock: Clock,
    audit: AuditTrail,
) -> Certificates:
    """Return the operations; without the other drivers there is no authority."""
    signing = None if ports is None else ports.signing
    return Certificates(
        StationSecurity(
            units,
            commands,
            bus,
            clock,
            audit,
            authority=_nobody if signing is None else signing.authority,
            shown=None if ports is None else ports.shown,
            revocations_changed=_nothing if ports is None else ports.revocations_changed,
        )
    )


def loops(
    ports: SecurityPorts | None,
    units: UnitsOfWork,
    commands: CommandService,
    bus: Bus,
    clock: Clock,
    node: str,
) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """Return what has to run: name -> body."""
    if ports is None:
        return {}
    watch = SecurityWatch(units, commands, clock, node=node, renewal=ports.renewal)
    found: dict[str, Callable[[], Awaitable[None]]] = {
        "certificates shown": ports.shown.run,
        "security watch": watch.run,
    }
    if ports.signing is not None:
        issuer = CertificateIssuer(ports.signing, commands, bus, clock, node=node)
        found["certificate issuer"] = issuer.run
    return found


def _nobody() -> None:
    """There is no authority."""


def _nothing() -> None:
    """There is nobody to tell."""
