"""The parts of certificates, put together for `csms.app`: settings in, services and loops out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from csms.api.security import SecurityPorts
from csms.clock import Clock
from csms.errors import StartError
from csms.ocppj.server import OcppServer
from csms.pki.contexts import TlsContexts
from csms.pki.reader import PemReader
from csms.pki.starting import Authorities
from csms.services.ports.store import UnitsOfWork
from csms.services.security_advice import Listening
from csms.services.shown_certificates import ShownCertificates
from csms.services.signing import Signing
from csms.settings import Settings
from csms.store.certificates import SqlCertificateStore
from csms.store.database import Database

_log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 5.0


@dataclass(slots=True, kw_only=True)
class CertificateParts:
    """What listeners and the API need.

    Attributes:
        tls: None until there is a server certificate; then charge points find a listener for wss.
        find_tls: Looks whether there is one now.
    """

    tls: TlsContexts | None
    find_tls: Callable[[], TlsContexts | None]
    clock: Clock
    reader: PemReader
    shown: ShownCertificates
    signing: Signing
    authorities: Authorities
    renewal: timedelta

    def ports(self, ocpp: OcppServer) -> SecurityPorts:
        """Return what the API needs."""

        def revocations_changed() -> None:
            if self.tls is not None:
                self.tls.reload()
            if ocpp.certificates is not None:
                ocpp.certificates.look()

        return SecurityPorts(
            reader=self.reader,
            signing=self.signing,
            shown=self.shown,
            listening=Listening(
                tls=lambda: self.tls is not None,
                client_certificates=lambda: self.tls is not None and self.tls.asks_for_certificates,
                signs=lambda: self.authorities.present() is not None,
            ),
            revocations_changed=revocations_changed,
            renewal=self.renewal,
        )

    def loops(self, ocpp: OcppServer) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Return what has to run beside those of the API: name -> body."""
        return {
            "certificates": partial(self._watch, ocpp),
            "certificate authority": self.authorities.run,
        }

    async def _watch(self, ocpp: OcppServer) -> None:
        """Keep certificates and who proves himself by them in view, for ever."""
        told = None
        while self.tls is None:
            await self.clock.sleep(_LOOK_EVERY_S)
            try:
                await self._open(ocpp)
            except StartError as error:
                if told != str(error):
                    told = str(error)
                    _log.error("the listener for wss cannot be opened", reason=told)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.tls.run(), name="certificates reloaded")
            if ocpp.certificates is not None:
                tasks.create_task(ocpp.certificates.run(), name="client certificates")

    async def _open(self, ocpp: OcppServer) -> None:
        """Open the listener for wss once there is a certificate."""
        found = self.find_tls()
        if found is not None:
            await ocpp.listen_tls(found.stations, found, self.shown)
            self.tls = found
            _log.info("charge points may connect by wss", port=ocpp.tls_port)


def certificate_parts(
    settings: Settings,
    clock: Clock,
    units: UnitsOfWork,
    database: Database,
    find_tls: Callable[[], TlsContexts | None],
) -> CertificateParts:
    """Return the parts.

    Args:
        settings: All of them.
        clock: Time.
        units: The store.
        database: The same.
        find_tls: Loads the certificates of the listeners; None: there are none (yet).

    Raises:
        StartError: Authority or certificates cannot be used.
    """
    reader, authorities = PemReader(), Authorities(settings, clock)
    signing = Signing(units, reader, authorities.present, organization=settings.cpo_name)
    return CertificateParts(
        tls=find_tls(),
        find_tls=find_tls,
        clock=clock,
        reader=reader,
        shown=ShownCertificates(SqlCertificateStore(database), clock),
        signing=signing,
        authorities=authorities,
        renewal=timedelta(days=settings.certificate_renewal_days),
    )
