"""TLS contexts of the server, made from the TLS folder and made anew when its files change.

A listener is given one `ReloadedContext` for good; each connection takes the newest good one. What
is connected keeps what it has: a reload drops nobody, and a broken new file leaves all as it was.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from csms.clock import Clock
from csms.domain.certificates import ClientCertificate
from csms.pki.folder import CertificateError, Material, check, contents
from csms.pki.reader import certificate_facts

_log = structlog.get_logger(__name__)

# The security whitepaper wants four suites of TLS 1.2, two of them without forward secrecy, which
# OpenSSL leaves out by itself; all of them work only with a certificate of each kind (TC_086).
# Level 2 takes no RSA key below 2048 bits, no curve below 224 and no SHA-1.
STATION_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:AES128-GCM-SHA256:AES256-GCM-SHA384:@SECLEVEL=2"
BROWSER_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:@SECLEVEL=2"

_POLL_S = 5.0
_WARN_DAYS = 14
_LONGEST_CHAIN = 10
_MOST_BETWEEN = 200  # issuing certificates that only stations have
_TICKETS = 1  # OpenSSL makes two, one of them for nothing: 13 us a handshake


class ReloadedContext(ssl.SSLContext):
    """A context that hands every new connection to the context of the day.

    asyncio and uvloop keep the context that they listened with and ask it for one TLS object a
    connection; that is the place to choose. Certificates, roots and session tickets change
    together, so a ticket of a removed root opens nothing.
    """

    current: ssl.SSLContext | None = None

    def newest(self) -> ssl.SSLContext:
        """Return the context of the day, for whoever wraps sockets by itself."""
        if self.current is None:
            raise ssl.SSLError("no certificate has been loaded")
        return self.current

    def wrap_bio(  # noqa: D102  the signature is the parent's
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        if self.current is None:
            raise ssl.SSLError("no certificate has been loaded")
        return self.current.wrap_bio(
            incoming, outgoing, server_side, server_hostname=server_hostname, session=session
        )


class TlsContexts:
    """The contexts of one TLS folder.

    Concurrency: one task runs `run`.

    Attributes:
        stations: For charge points; asks for a client certificate where there are roots for them.
        browsers: For the operator API.
        transfers: For FTP; asks for no certificate, and sends nothing unasked after a handshake,
            which a client that only uploads would not read.
        generation: Grows with each reload.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Load the folder.

        Raises:
            CertificateError: It cannot be used.
        """
        self._folder = folder
        self._clock = clock
        self.stations = ReloadedContext(ssl.PROTOCOL_TLS_SERVER)
        self.browsers = ReloadedContext(ssl.PROTOCOL_TLS_SERVER)
        self.transfers = ReloadedContext(ssl.PROTOCOL_TLS_SERVER)
        self._seen = contents(folder)
        self._ending: str | None = None
        self._stale: datetime | None = None
        self._between: dict[bytes, x509.Certificate] = {}
        self.generation = 0
        self._material = self._load(self._seen)

    @property
    def asks_for_certificates(self) -> bool:
        """Whether charge points may prove themselves by a certificate (security profile 3)."""
        return self._material.client_ca is not None

    def client_certificate(self, der: bytes, above: Sequence[bytes] = ()) -> ClientCertificate:
        """Return what a certificate says that TLS has verified here.

        Args:
            der: The certificate.
            above: Those above it in the chain that was verified; none where a session was resumed,
                whose chain has been seen before.

        Raises:
            ValueError: It cannot be read.
        """
        certificate = x509.load_der_x509_certificate(der)
        for each in above:
            self._note(each)
        return ClientCertificate(
            facts=certificate_facts(certificate, self._issuer_of(certificate)),
            revoked=self._is_revoked(certificate),
        )

    def _note(self, der: bytes) -> None:
        """Keep an issuing certificate that a station has sent and TLS has verified."""
        if der in self._between:
            return
        if len(self._between) >= _MOST_BETWEEN:
            self._between.pop(next(iter(self._between)))
        self._between[der] = x509.load_der_x509_certificate(der)

    def _issuer_of(self, certificate: x509.Certificate) -> x509.Certificate | None:
        known = (*self._material.issuers, *self._between.values())
        found = [each for each in known if each.subject == certificate.issuer]
        if len(found) < 2:
            return found[0] if found else None
        return next((each for each in found if _has_issued(each, certificate)), None)

    def _is_revoked(self, certificate: x509.Certificate) -> bool:
        """Return whether a certificate or one above it is revoked: what it has issued goes too."""
        at: x509.Certificate | None = certificate
        for _ in range(_LONGEST_CHAIN):
            if at is None:
                break
            if (at.issuer.public_bytes(), at.serial_number) in self._material.revoked:
                return True
            at = None if at.issuer == at.subject else self._issuer_of(at)
        return False

    async def run(self) -> None:
        """Look at the files every few seconds, for ever."""
        while True:
            await self._clock.sleep(_POLL_S)
            self.reload()

    def reload(self) -> bool:
        """Take over changed files if they are good; return whether anything was taken over.

        A pair is two files that are seldom written in one step, so a pair that does not fit may
        become one that does; it is looked at again when a file has changed again.
        """
        try:
            found = contents(self._folder)
            if found == self._seen:
                self._warn_of_end(self._material)
                return False
            self._seen = found
            self._material = self._load(found)
        except CertificateError as error:
            _log.error("new certificates are refused, the old ones stay", reason=str(error))
            return False
        self.generation += 1
        _log.info("certificates reloaded", folder=str(self._folder))
        return True

    def _load(self, found: dict[str, bytes]) -> Material:
        material = check(self._folder, found, self._clock.now())
        stations = _context(material, STATION_CIPHERS)
        if material.client_ca is not None:
            roots = found[material.client_ca.name].decode("ascii", "replace")
            stations.verify_mode = ssl.CERT_OPTIONAL
            # what stands in the file is trusted, an issuing certificate without its root too
            stations.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
            try:
                stations.load_verify_locations(cadata=roots)
            except ssl.SSLError as error:
                raise CertificateError(f"{material.client_ca} cannot be used: {error}.") from error
        browsers = _context(material, BROWSER_CIPHERS)
        browsers.set_alpn_protocols(["http/1.1"])
        transfers = _context(material, STATION_CIPHERS)
        transfers.num_tickets = 0
        self.stations.current, self.browsers.current = stations, browsers
        self.transfers.current = transfers
        self._warn_of_end(material)
        return material

    def _warn_of_end(self, material: Material) -> None:
        now = self._clock.now()
        for pair in material.pairs:
            days = (pair.ends_at - now).days
            told = f"{pair.chain} {days}"
            if days < _WARN_DAYS and self._ending != told:
                self._ending = told
                _log.warning("a server certificate ends soon", file=str(pair.chain), days=days)
        stale_at = material.stale_at
        if stale_at is not None and stale_at < now and self._stale != stale_at:
            self._stale = stale_at
            # what stands in it counts on: without it all of its stations would be shut out
            _log.warning("a list of revocations is out of date", since=stale_at.isoformat())


def _has_issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _context(material: Material, ciphers: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = _TICKETS
    for pair in material.pairs:
        try:
            context.load_cert_chain(pair.chain, pair.key)
        except (OSError, ssl.SSLError) as error:
            raise CertificateError(
                f"{pair.chain} and {pair.key.name} cannot be used: {error.strerror or error}."
            ) from error
    return context
