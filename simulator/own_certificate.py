"""The charge point's own certificate: keys, signing requests, and what comes back signed.

Owns SignCertificate and CertificateSigned (security whitepaper A02, A03). A new key pair is made
for each request; the certificate in use stays until a signed one has been accepted.
"""

import ssl
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from simulator.certificates import (
    CertificateError,
    check_chain,
    check_usable,
    pem_of,
    read_chain,
)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
KeyKind = Literal["EC", "RSA"]
RENEWAL = timedelta(days=30)
"""A certificate that ends within this time is renewed (A03)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A certificate chain, the charge point's own first, and the private key that belongs to it."""

    key: PrivateKey
    chain: tuple[x509.Certificate, ...]

    @property
    def ends_at(self) -> datetime:
        """When the charge point's own certificate ends."""
        return self.chain[0].not_valid_after_utc

    @property
    def chain_pem(self) -> str:
        """The certificates as PEM, the charge point's own first."""
        return "".join(pem_of(one) for one in self.chain)

    def load_into(self, context: ssl.SSLContext) -> None:
        """Have ``context`` present this certificate to servers that ask."""
        # The ssl module takes files only.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "identity.pem")
            path.touch(mode=0o600)
            path.write_text(key_pem(self.key) + self.chain_pem)
            context.load_cert_chain(path)


def key_pem(key: PrivateKey) -> str:
    """Return a private key as PEM, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def read_key(pem: str) -> PrivateKey:
    """Return the RSA or EC private key of a PEM text.

    Raises:
        CertificateError: it holds none.
    """
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        msg = f"not a private key: {error}"
        raise CertificateError(msg) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        msg = "neither an RSA nor an EC key"
        raise CertificateError(msg)
    return key


def load_identity(certificate: Path, key: Path) -> Identity:
    """Return the identity in two PEM files.

    Raises:
        OSError: a file cannot be read.
        CertificateError: they hold no certificate, no such key, or do not belong together.
    """
    chain = read_chain(certificate.read_text("ascii", errors="replace"))
    try:
        private = read_key(key.read_text("ascii", errors="replace"))
    except CertificateError as error:
        msg = f"{key}: {error}"
        raise CertificateError(msg) from error
    if not _belong(private, chain[0]):
        msg = f"{key} does not belong to {certificate}"
        raise CertificateError(msg)
    return Identity(key=private, chain=tuple(chain))


class OwnCertificate:
    """The certificate in use, and the key that waits for its certificate.

    Args:
        common_name: the charge point's serial number, which the certificate names.
        kind: of the keys that are made.

    Attributes:
        pending: the key whose certificate was asked for.
        identity: what is in use.
    """

    def __init__(self, common_name: str, kind: KeyKind = "EC") -> None:
        self._common_name = common_name
        self._kind = kind
        self.pending: PrivateKey | None = None
        self.identity: Identity | None = None

    def memo(self) -> dict[str, Any]:
        """Return the certificate in use and the key that waits for one, JSON-ready."""
        identity, pending = self.identity, self.pending
        return {
            "key": key_pem(identity.key) if identity is not None else None,
            "chain": identity.chain_pem if identity is not None else None,
            "pending": key_pem(pending) if pending is not None else None,
        }

    def recall(self, memo: Mapping[str, Any]) -> None:
        """Have what ``memo`` holds."""
        self.identity = self.pending = None
        if memo["key"] is not None:
            chain = tuple(read_chain(memo["chain"]))
            self.identity = Identity(key=read_key(memo["key"]), chain=chain)
        if memo["pending"] is not None:
            self.pending = read_key(memo["pending"])

    def request(self, organization: str) -> str:
        """Make a key pair and return a signing request for it in PEM; the last one counts.

        Args:
            organization: CpoName; left out when it is empty.
        """
        if self._kind == "EC":
            self.pending = ec.generate_private_key(ec.SECP256R1())
        else:
            self.pending = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        parts = [x509.NameAttribute(NameOID.COMMON_NAME, self._common_name)]
        if organization:
            parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
        request = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(x509.Name(parts))
            .sign(self.pending, hashes.SHA256())
        )
        return request.public_bytes(serialization.Encoding.PEM).decode()

    def accept(self, pem: str, roots: Sequence[x509.Certificate], now: datetime) -> None:
        """Take a signed chain into use.

        Args:
            pem: leaf first.
            roots: of the central system; without any the chain's end cannot be checked.
            now: the charge point's time.

        Raises:
            CertificateError: nothing was asked for, or the chain does not fit; nothing changes.
        """
        chain = read_chain(pem)
        if self.pending is None:
            msg = "no certificate was asked for"
            raise CertificateError(msg)
        if not _belong(self.pending, chain[0]):
            msg = "the certificate is of another key"
            raise CertificateError(msg)
        names = chain[0].subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if [name.value for name in names] != [self._common_name]:
            msg = f"the certificate is not of {self._common_name}"
            raise CertificateError(msg)
        check_usable(chain[0], now)
        check_chain(chain, roots or chain[-1:], now)
        self.identity = Identity(key=self.pending, chain=tuple(chain))
        self.pending = None

    def is_due(self, now: datetime) -> bool:
        """Return whether the certificate in use should be renewed."""
        return self.identity is not None and self.identity.ends_at - now < RENEWAL


def _belong(key: PrivateKey, certificate: x509.Certificate) -> bool:
    try:
        return bool(certificate.public_key() == key.public_key())
    except ValueError:
        return False
