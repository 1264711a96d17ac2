"""What calls about certificates and profiles teach of a station; see `services.call_effects`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csms.domain.certificates import CHARGE_POINT, CertificateFacts, HashData
from csms.domain.security_events import CERTIFICATE_REJECTED
from csms.services.call_effects import NOT_SENT, Ended, Sending
from csms.services.ports.certificates import CertificateReader
from csms.services.ports.store import UnitOfWork
from csms.services.records import Station
from csms.services.signing import server_event

_REFUSALS = frozenset({"rejected", "callError"})


class CertificateEffect:
    """Keeps which certificates stations have (N22-N25)."""

    def __init__(self, reader: CertificateReader) -> None:
        self._reader = reader

    async def sending(self, unit: UnitOfWork, station: Station, call: Sending) -> None:
        """Nothing is known before the answer."""

    async def ended(self, unit: UnitOfWork, station: Station, end: Ended) -> None:
        """Keep what the answer says; without one nothing is known."""
        payload = end.call.payload
        match end.call.action:
            case "CertificateSigned":
                await self._signed(unit, station, end)
            case "InstallCertificate" if end.outcome == "accepted":
                facts = self._read(payload["certificate"])
                if facts:
                    kind = payload["certificateType"]
                    added = unit.certificates.added
                    await added(station.key, kind, facts[0], "installed", end.at)
            case "DeleteCertificate" if end.status in {"Accepted", "NotFound"}:
                hash_data = _hash_data(payload["certificateHashData"])
                await unit.certificates.removed(station.key, hash_data)
            case "GetInstalledCertificateIds" if end.status in {"Accepted", "NotFound"}:
                found = (end.response or {}).get("certificateHashData") or ()
                await unit.certificates.listed(
                    station.key,
                    payload["certificateType"],
                    [] if end.status == "NotFound" else [_hash_data(each) for each in found],
                    end.at,
                )

    async def _signed(self, unit: UnitOfWork, station: Station, end: Ended) -> None:
        """Accepted: the station has it. Refused: the former one stays, and it is not sent again."""
        accepted = end.outcome == "accepted"
        if not accepted and end.outcome not in _REFUSALS:
            return
        chain = end.call.payload["certificateChain"]
        facts = self._read(chain)
        answered = unit.signing_requests.answered
        await answered(station.key, chain, accepted=accepted, at=end.at)
        if accepted and facts:
            await unit.certificates.added(station.key, CHARGE_POINT, facts[0], "signed", end.at)
        if not accepted:
            serial = facts[0].serial_number if facts else "unknown"
            text = f"The station refused the certificate {serial}: {end.status or end.outcome}."
            event = server_event(station, CERTIFICATE_REJECTED, text, end.at, end.at)
            await unit.security_events.append(event)

    def _read(self, text: str) -> list[CertificateFacts]:
        try:
            return self._reader.certificates(text)
        except ValueError:
            return []  # a station may know better than we do


class ProfileEffect:
    """Follows the upgrade of a station's security profile (whitepaper A05).

    From before the call on both profiles are let in, because the station falls back to the old one
    where the new one fails, and an answer may be lost. The first connection with the new one ends
    that (`services.connections`); only a clear refusal takes it back.
    """

    async def sending(self, unit: UnitOfWork, station: Station, call: Sending) -> None:
        """Let the new profile in."""
        profile = told_profile(call.action, call.payload)
        if profile is not None:
            await unit.charge_points.begin_upgrade(station.key, profile, call.at)

    async def ended(self, unit: UnitOfWork, station: Station, end: Ended) -> None:
        """Settle what the answer settles."""
        profile = told_profile(end.call.action, end.call.payload)
        if profile is None:
            return
        if end.outcome == "accepted":
            await unit.charge_points.end_upgrade(station.key, profile, end.at)
        elif end.outcome == "rejected" or end.outcome in NOT_SENT:
            before = station.pending_security_profile
            await unit.charge_points.end_upgrade(station.key, before, station.profile_told_at)


def told_profile(action: str, payload: Mapping[str, Any]) -> int | None:
    """Return the security profile that a call tells a station, if it tells one.

    >>> told_profile("ChangeConfiguration", {"key": "securityprofile", "value": "2"})
    2
    """
    if action != "ChangeConfiguration" or payload["key"].lower() != "securityprofile":
        return None
    text = payload["value"].strip()
    return int(text) if text in {"1", "2", "3"} else None


def _hash_data(found: Mapping[str, Any]) -> HashData:
    return HashData(
        hash_algorithm=found["hashAlgorithm"],
        issuer_name_hash=_storable(found["issuerNameHash"]),
        issuer_key_hash=_storable(found["issuerKeyHash"]),
        serial_number=_storable(found["serialNumber"]),
    )


def _storable(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
