"""What charge points prove themselves by: read at the handshake, looked at again when it matters.

TLS verifies chain and time once a session, so not where one is resumed. Time and revocation are
looked at here for each handshake and, when a list of revocations has changed, for those who are
connected: a station whose certificate was taken back is sent away (A24).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import structlog

from csms.aio import Hint
from csms.clock import Clock
from csms.domain.certificates import ClientCertificate, organization_mismatch
from csms.domain.charge_points import ChargePointRecord
from csms.domain.ids import ChargePointKey
from csms.ocppj.registry import Registry
from csms.services.shown_certificates import ShownCertificates

_log = structlog.get_logger(__name__)

_POLL_S = 5.0
_POLICY_VIOLATION = 1008
_PROFILE = 3


class Verifier(Protocol):
    """What is trusted and what is revoked, as of now.

    Attributes:
        generation: Another number once that has changed.
    """

    generation: int

    def client_certificate(self, der: bytes, above: Sequence[bytes] = ()) -> ClientCertificate:
        """Return what a verified certificate says. Raises ValueError when it cannot be read.

        `above`: its chain, as it was verified; none where a session was resumed.
        """
        ...


class ClientCertificates:
    """The certificates of live connections.

    Concurrency: one task runs `run`.
    """

    def __init__(
        self,
        verifier: Verifier,
        registry: Registry,
        clock: Clock,
        shown: ShownCertificates | None = None,
        organization: str | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            verifier: Knows what is revoked.
            registry: Live sessions.
            clock: Time.
            shown: Keeps which certificates stations have; None: nobody does.
            organization: That their certificates should name; None: any will do.
        """
        self._organization = organization
        self._verifier = verifier
        self._registry = registry
        self._clock = clock
        self._shown = shown
        self._der: dict[ChargePointKey, bytes] = {}
        self._generation = verifier.generation
        self._hint = Hint()

    def of(self, transport: asyncio.BaseTransport) -> ClientCertificate | None:
        """Return the certificate that a client has presented here, unless its time is over."""
        der = _der_of(transport)
        if der is None:
            return None
        try:
            found = self._verifier.client_certificate(der, _above(transport))
        except ValueError as error:
            _log.warning("a client certificate cannot be read", reason=str(error))
            return None
        if found.facts.not_after < self._clock.now():
            return None
        odd = organization_mismatch(found.facts.organizations, self._organization)
        return found if odd is None else replace(found, mismatch=f"The certificate's {odd}")

    def entered(
        self,
        record: ChargePointRecord,
        transport: asyncio.BaseTransport,
        certificate: ClientCertificate | None,
    ) -> None:
        """Note with which certificate a station was let in."""
        self._der.pop(record.key, None)
        der = _der_of(transport)
        if der is None or certificate is None:
            return
        self._der[record.key] = der
        # other profiles demand none, so that of another station proves nothing there
        own = certificate.facts.common_name == (record.serial_number or record.identity)
        if own and self._shown is not None:
            self._shown.note(record, certificate)

    def look(self) -> None:
        """Look at live connections soon: something was revoked."""
        self._hint.give()

    async def run(self) -> None:
        """Send away whose certificate is taken back while they are connected, for ever."""
        while True:
            await self._hint.taken(_POLL_S)
            if self._verifier.generation != self._generation:
                self._generation = self._verifier.generation
                await self._look()

    async def _look(self) -> None:
        for key, der in list(self._der.items()):
            session = self._registry.get(key)
            if session is None:
                del self._der[key]
                continue
            record = session.station.record
            proves_by_it = _PROFILE in (record.security_profile, record.pending_security_profile)
            if proves_by_it and self._verifier.client_certificate(der).revoked:
                _log.warning(
                    "connection closed: its certificate is revoked", station=record.identity
                )
                await session.close(_POLICY_VIOLATION, "the certificate is revoked")


def _above(transport: asyncio.BaseTransport) -> list[bytes]:
    """Return the certificates above the client's in the chain that was verified."""
    tls = transport.get_extra_info("ssl_object")
    ask = getattr(tls, "get_verified_chain", None)  # public from Python 3.13 on
    if ask is not None:
        return list(ask())[1:]
    ask = getattr(getattr(tls, "_sslobj", None), "get_verified_chain", None)
    chain = None if ask is None else ask()
    return [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in (chain or [])[1:]]


def _der_of(transport: asyncio.BaseTransport) -> bytes | None:
    tls = transport.get_extra_info("ssl_object")
    der: bytes | None = None if tls is None else tls.getpeercert(binary_form=True)
    return der
