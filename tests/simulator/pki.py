"""Authorities, certificates and signatures for the tests, made at once."""

import base64
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SINCE = datetime(2025, 1, 1, tzinfo=UTC)
UNTIL = datetime(2045, 1, 1, tzinfo=UTC)


def name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class Pair:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return pem(self.certificate)

    def files(self, folder: Path) -> tuple[Path, Path]:
        """Write both to files and return their paths."""
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        certificate.write_text(self.pem)
        key.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate, key

    def sign(self, data: bytes) -> str:
        """A firmware signature."""
        return base64.b64encode(self.key.sign(data, ec.ECDSA(hashes.SHA256()))).decode()

    def issue(
        self,
        common: str,
        *,
        ca: bool = False,
        key=None,
        since: datetime = SINCE,
        until: datetime = UNTIL,
    ) -> "Pair":
        """A certificate under this one, by default of a new key."""
        own = ec.generate_private_key(ec.SECP256R1()) if key is None else None
        return Pair(
            _certificate(
                name(common), self.certificate.subject, key or own.public_key(), self.key, ca,
                since, until,
            ),
            own,
        )  # fmt: skip

    def signed(self, request: str, **changes) -> str:
        """The PEM of a certificate for a signing request."""
        csr = x509.load_pem_x509_csr(request.encode())
        assert csr.is_signature_valid
        (common,) = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return self.issue(str(common.value), key=csr.public_key(), **changes).pem


def _certificate(subject, issuer, public, signer, ca, since, until) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .sign(signer, hashes.SHA256())
    )


def authority(common: str = "Root", *, until: datetime = UNTIL) -> Pair:
    """A root that has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = _certificate(name(common), name(common), key.public_key(), key, True, SINCE, until)
    return Pair(made, key)


def server_context(
    folder: Path, issuer: Pair, clients: Pair | None = None, *, common: str = "127.0.0.1"
) -> ssl.SSLContext:
    """What a central system serves TLS with; ``clients`` is whose certificates it demands."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*issuer.issue(common).files(folder))
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=clients.pem)
    return context


def ends_in(days: float) -> datetime:
    """A moment from now."""
    return datetime.now(UTC) + timedelta(days=days)
