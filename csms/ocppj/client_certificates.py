"""What charge points prove themselves by: read at the handshake, looked at again when it matters.

TLS verifies chain and time once a session, so not where one is resumed. Time and revocation are
looked at here for each handshake and, when a list of revocations has changed, for those who are
connected: a station whose certificate was taken back is sent away (A24).
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from csms.aio import Hint
from csms.clock import Clock
from csms.domain.certificates import ClientCertificate
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

    def client_certificate(self, der: bytes) -> ClientCertificate:
        """Return what a verified certificate says. Raises ValueError when it cannot be read."""
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
    ) -> None:
        """Put the parts together.

        Args:
            verifier: Knows what is revoked.
            registry: Live sessions.
            clock: Time.
            shown: Keeps which certificates stations have; None: nobody does.
        """
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
            found = self._verifier.client_certificate(der)
        except ValueError as error:
            _log.warning("a client certificate cannot be read", reason=str(error))
            return None
        return found if found.facts.not_after >= self._clock.now() else None

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


def _der_of(transport: asyncio.BaseTransport) -> bytes | None:
    tls = transport.get_extra_info("ssl_object")
    der: bytes | None = None if tls is None else tls.getpeercert(binary_form=True)
    return der
