"""The parts of certificates, put together for `csms.app`: settings in, services and loops out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from csms.api.security import SecurityPorts
from csms.clock import Clock
from csms.ocppj.server import OcppServer
from csms.pki.ca import SmallAuthority
from csms.pki.contexts import TlsContexts
from csms.pki.reader import PemReader
from csms.pki.starting import authority_of
from csms.services.ports.store import UnitsOfWork
from csms.services.security_advice import Listening
from csms.services.shown_certificates import ShownCertificates
from csms.services.signing import Signing
from csms.settings import Settings
from csms.store.certificates import SqlCertificateStore
from csms.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateParts:
    """What listeners and the API need.

    Attributes:
        signing: None without an authority.
    """

    tls: TlsContexts | None
    reader: PemReader
    shown: ShownCertificates
    signing: Signing | None
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
                tls=self.tls is not None,
                client_certificates=lambda: self.tls is not None and self.tls.asks_for_certificates,
                signs=self.signing is not None,
            ),
            revocations_changed=revocations_changed,
            renewal=self.renewal,
        )

    def loops(self, ocpp: OcppServer) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Return what has to run beside those of the API: name -> body."""
        found: dict[str, Callable[[], Awaitable[None]]] = {}
        if self.tls is not None:
            found["certificates"] = self.tls.run
        if ocpp.certificates is not None:
            found["client certificates"] = ocpp.certificates.run
        if self.signing is not None and isinstance(self.signing.authority, SmallAuthority):
            found["certificate authority"] = self.signing.authority.run
        return found


def certificate_parts(
    settings: Settings,
    clock: Clock,
    units: UnitsOfWork,
    database: Database,
    tls: TlsContexts | None,
) -> CertificateParts:
    """Return the parts.

    Raises:
        StartError: The authority cannot be used.
    """
    reader, authority = PemReader(), authority_of(settings, clock)
    signing = None
    if authority is not None:
        signing = Signing(units, reader, authority, organization=settings.cpo_name)
    return CertificateParts(
        tls=tls,
        reader=reader,
        shown=ShownCertificates(SqlCertificateStore(database), clock),
        signing=signing,
        renewal=timedelta(days=settings.certificate_renewal_days),
    )
