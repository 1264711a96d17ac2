"""What looks wrong about calls that concern certificates, keys and profiles: told, and sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csms.domain.certificates import (
    CENTRAL_SYSTEM_ROOT,
    CHARGE_POINT,
    CertificateFacts,
    folded_serial,
    key_problem,
)
from csms.services.certificate_effects import told_profile
from csms.services.ports.certificates import CertificateReader, StationCertificate
from csms.services.ports.store import UnitOfWork
from csms.services.records import Station
from csms.services.signing import chain_limit

_TLS_PROFILE = 2
_CERTIFICATE_PROFILE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """What this system offers to charge points, as of now.

    Attributes:
        tls: Whether there is a listener for wss.
        client_certificates: Whether it asks for certificates.
        signs: Whether somebody signs the requests of charge points.
    """

    tls: Callable[[], bool]
    client_certificates: Callable[[], bool]
    signs: Callable[[], bool]


class SecurityAdviser:
    """Looks at certificates, and at what an upgrade of the profile needs."""

    def __init__(self, reader: CertificateReader, listening: Listening) -> None:
        self._reader = reader
        self._listening = listening

    async def warnings(
        self,
        unit: UnitOfWork,
        station: Station,
        action: str,
        payload: Mapping[str, Any],
        now: datetime,
    ) -> list[str]:
        """See `services.call_effects.CallAdviser`."""
        match action:
            case "InstallCertificate":
                found = self._read(payload["certificate"])
                if payload["certificateType"] != CENTRAL_SYSTEM_ROOT or not found:
                    return _root_warnings(found, now)
                more = await _second_root_warnings(unit, station, found[0])
                return _root_warnings(found, now) + more
            case "DeleteCertificate":
                held = await unit.certificates.of(station.key)
                return _deletion_warnings(payload["certificateHashData"], held)
            case "CertificateSigned":
                limit = await chain_limit(unit, station.key)
                chain = payload["certificateChain"]
                return _chain_warnings(self._read(chain), station, len(chain), limit, now)
            case "SignedUpdateFirmware":
                return _signer_warnings(self._read(payload["firmware"]["signingCertificate"]), now)
            case "ExtendedTriggerMessage":
                asked = payload["requestedMessage"] == "SignChargePointCertificate"
                if asked and not self._listening.signs():
                    return ["Nobody signs here: its SignCertificate will be answered Rejected."]
            case "ChangeConfiguration":
                profile = told_profile(action, payload)
                if profile is not None:
                    return await self._upgrade_warnings(unit, station, profile, now)
            case _:
                pass
        return []

    async def _upgrade_warnings(
        self, unit: UnitOfWork, station: Station, profile: int, now: datetime
    ) -> list[str]:
        """Return what the station may lack for a higher profile (whitepaper A05)."""
        found = []
        if profile < _CERTIFICATE_PROFILE and not station.has_password:
            found.append("No password is stored for the station: set its AuthorizationKey first.")
        if profile < _TLS_PROFILE:
            return found
        held = await unit.certificates.of(station.key)
        if not self._listening.tls():
            found.append("This system has no listener for wss: its TLS folder is empty.")
        if not any(each.certificate_type == CENTRAL_SYSTEM_ROOT for each in held):
            found.append(
                "No CentralSystemRootCertificate of the station is known: "
                "InstallCertificate, or GetInstalledCertificateIds if it has one."
            )
        if profile < _CERTIFICATE_PROFILE:
            return found
        if not self._listening.client_certificates():
            found.append("Nobody's client certificates are trusted: client-ca.pem is missing.")
        if not any(_is_usable(each, now) for each in held):
            found.append(
                "No certificate of the station itself is known: "
                "ExtendedTriggerMessage with SignChargePointCertificate first."
            )
        if station.serial_number is None:
            found.append(
                "The station has no serialNumber: its certificate has to name its identity."
            )
        keys = {each.key.lower(): each.value for each in await unit.configurations.of(station.key)}
        if not keys.get("cponame"):
            found.append("The station's CpoName is not known to be set.")
        return found

    def _read(self, text: str) -> list[CertificateFacts]:
        try:
            return self._reader.certificates(text)
        except ValueError:
            return []


def _root_warnings(found: Sequence[CertificateFacts], now: datetime) -> list[str]:
    """N22."""
    if not found:
        return ["certificate is no certificate in PEM form."]
    warnings = []
    if len(found) > 1:
        warnings.append(f"certificate holds {len(found)} certificates, one is expected.")
    if not found[0].is_ca:
        warnings.append("The certificate is no CA certificate.")
    return warnings + _health(found[0], now)


async def _second_root_warnings(
    unit: UnitOfWork, station: Station, facts: CertificateFacts
) -> list[str]:
    """Return what AdditionalRootCertificateCheck, as it was read, means for another root."""
    keys = {each.key.lower(): each.value for each in await unit.configurations.of(station.key)}
    if (keys.get("additionalrootcertificatecheck") or "").lower() != "true":
        return []
    held = await unit.certificates.of(station.key)
    subjects = {each.subject for each in held if each.certificate_type == CENTRAL_SYSTEM_ROOT}
    if not subjects or facts.issuer in subjects:
        return []
    return ["The station takes another root only where its present one has signed it."]


def _deletion_warnings(named: Mapping[str, Any], held: Sequence[StationCertificate]) -> list[str]:
    """N23."""
    serial = folded_serial(named["serialNumber"])
    key = named["issuerKeyHash"].lower()
    this = [
        each
        for each in held
        if folded_serial(each.serial_number) == serial
        and (each.hash_data is None or each.hash_data.issuer_key_hash.lower() == key)
    ]
    if not this:
        return ["The station is not known to have this certificate."]
    roots = [each for each in held if each.certificate_type == CENTRAL_SYSTEM_ROOT]
    if roots and all(each in this for each in roots):
        return [
            "This is the last known CentralSystemRootCertificate: "
            "without one the station connects by TLS no more."
        ]
    return []


def _chain_warnings(
    found: Sequence[CertificateFacts], station: Station, length: int, limit: int, now: datetime
) -> list[str]:
    """N25."""
    if not found:
        return ["certificateChain holds no certificate in PEM form."]
    warnings = []
    if found[0].is_ca:
        warnings.append("The first certificate of the chain is not the station's own.")
    expected = station.serial_number or station.identity
    if found[0].common_name != expected:
        warnings.append(f"The certificate does not name {expected!r}: it will not be let in.")
    if length > limit:
        warnings.append(f"The chain has {length} characters, the station takes {limit}.")
    return warnings + _health(found[0], now)


def _signer_warnings(found: Sequence[CertificateFacts], now: datetime) -> list[str]:
    """N20."""
    if not found:
        return ["signingCertificate is no certificate in PEM form."]
    if len(found) > 1:
        return ["signingCertificate has intermediates; a station expects one certificate."]
    return _health(found[0], now)


def _health(facts: CertificateFacts, now: datetime) -> list[str]:
    warnings = []
    if facts.not_after < now:
        warnings.append(f"The certificate expired at {facts.not_after:%Y-%m-%d}.")
    if facts.not_before > now:
        warnings.append(f"The certificate is not valid before {facts.not_before:%Y-%m-%d}.")
    kind, _, bits = facts.key.partition(" ")
    problem = key_problem(kind, int(bits))
    return warnings if problem is None else [*warnings, problem]


def _is_usable(held: StationCertificate, now: datetime) -> bool:
    return (
        held.certificate_type == CHARGE_POINT
        and held.revoked_at is None
        and (held.not_after is None or held.not_after > now)
    )
