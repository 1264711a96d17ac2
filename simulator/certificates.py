"""The certificates in one charge point: installed roots, and reading what arrives as PEM.

Owns InstallCertificate, DeleteCertificate and GetInstalledCertificateIds (security whitepaper M03
to M05) and the rule of AdditionalRootCertificateCheck: one root of the central system, replaced
only by one that it has signed, the old one kept until the new one has worked. The charge point's
own certificate stands in :mod:`simulator.own_certificate`.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp

RootKind = Literal["CentralSystemRootCertificate", "ManufacturerRootCertificate"]
InstallStatus = Literal["Accepted", "Rejected", "Failed"]
HashData = dict[str, str]

CENTRAL: RootKind = "CentralSystemRootCertificate"
MANUFACTURER: RootKind = "ManufacturerRootCertificate"

ALGORITHMS: Mapping[str, hashes.HashAlgorithm] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}
LEAST_RSA_BITS = 2048
LEAST_EC_BITS = 224


class CertificateError(ValueError):
    """A certificate that cannot be used; its text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """An installed root; ``is_fallback`` marks one that a newer one is to replace."""

    kind: RootKind
    certificate: x509.Certificate
    is_fallback: bool = False


def read_chain(pem: str) -> list[x509.Certificate]:
    """Return the certificates of a PEM text, in order, whatever its line ends are.

    Raises:
        CertificateError: there is none, or one cannot be read.
    """
    text = "\n".join(line.strip() for line in pem.replace("\r", "\n").split("\n") if line.strip())
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        msg = "not a certificate in PEM form"
        raise CertificateError(msg) from error


def pem_of(certificate: x509.Certificate) -> str:
    """Return a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def check_usable(certificate: x509.Certificate, now: datetime) -> None:
    """Raise CertificateError unless the certificate is valid now and its key long enough."""
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        msg = f"valid from {certificate.not_valid_before_utc} to {certificate.not_valid_after_utc}"
        raise CertificateError(msg)
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        msg = f"unknown kind of key: {error}"
        raise CertificateError(msg) from error
    short = (isinstance(key, rsa.RSAPublicKey) and key.key_size < LEAST_RSA_BITS) or (
        isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < LEAST_EC_BITS
    )
    if short:
        msg = "the key is too short"
        raise CertificateError(msg)


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether ``issuer`` has signed ``certificate``."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def check_chain(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], now: datetime
) -> None:
    """Raise CertificateError unless each is signed by the next and the last one by a root.

    A chain may end with the root itself. Revocation is not looked at: a charge point has no list.
    """
    for certificate in chain:
        check_usable(certificate, now)
    for certificate, issuer in itertools.pairwise(chain):
        if not is_issued_by(certificate, issuer) or not _may_sign(issuer):
            msg = f"{certificate.subject.rfc4514_string()} is not signed by the next certificate"
            raise CertificateError(msg)
    last = chain[-1]
    if not any(last == root or is_issued_by(last, root) for root in roots):
        msg = f"{last.issuer.rfc4514_string()} is not trusted"
        raise CertificateError(msg)


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        # Old roots have none; such a one can only be its own issuer.
        return certificate.issuer == certificate.subject
    except ValueError:
        return False
    return constraints.value.ca


class CertificateStore:
    """Installed roots.

    Args:
        most: how many there may be (CertificateStoreMaxLength), the fallback not counted.
        checks_additional: AdditionalRootCertificateCheck.
    """

    def __init__(self, *, most: int, checks_additional: bool) -> None:
        self._most = most
        self._checks_additional = checks_additional
        self._roots: list[Root] = []

    def of(self, kind: RootKind, *, fallback: bool = False) -> list[x509.Certificate]:
        """Return the roots of a kind, or the one that is kept as their fallback."""
        return [
            root.certificate
            for root in self._roots
            if root.kind == kind and root.is_fallback == fallback
        ]

    def install(self, kind: RootKind, pem: str, now: datetime) -> InstallStatus:
        """Carry out InstallCertificate and return its status; Rejected changes nothing."""
        try:
            (certificate,) = read_chain(pem)
            check_usable(certificate, now)
        except ValueError:
            return "Rejected"
        if not _may_sign(certificate):
            return "Rejected"
        same_kind = self.of(kind)
        if certificate in same_kind:
            return "Accepted"
        if kind == CENTRAL and self._checks_additional and same_kind:
            (old,) = same_kind
            if not is_issued_by(certificate, old):
                return "Rejected"
            others = [root for root in self._roots if root.kind != kind]
            self._roots = [*others, Root(kind=kind, certificate=old, is_fallback=True)]
        elif sum(not root.is_fallback for root in self._roots) >= self._most:
            return "Rejected"
        self._roots.append(Root(kind=kind, certificate=certificate))
        return "Accepted"

    @property
    def installed(self) -> tuple[Root, ...]:
        """All roots, in order of installation."""
        return tuple(self._roots)

    def recall(self, roots: Sequence[Root]) -> None:
        """Have these roots and no others."""
        self._roots = list(roots)

    def confirm(self) -> None:
        """Drop the fallback: a connection has been made with the newer root."""
        self._roots = [root for root in self._roots if not root.is_fallback]

    def hash_data(self, kind: RootKind) -> list[HashData]:
        """Return what GetInstalledCertificateIds tells of a kind, in order of installation."""
        return [self._hash_data(one, "SHA256") for one in self.of(kind)]

    def find(self, wanted: Mapping[str, str]) -> Root | None:
        """Return the root that DeleteCertificate's hash data mean; hex compares without case."""
        algorithm = wanted["hash_algorithm"]
        fields = ("issuer_name_hash", "issuer_key_hash", "serial_number")
        for root in self._roots:
            held = self._hash_data(root.certificate, algorithm)
            if all(held[name] == wanted[name].lower().strip() for name in fields[:2]) and (
                held["serial_number"] == wanted["serial_number"].lower().lstrip("0")
            ):
                return root
        return None

    def delete(self, root: Root) -> None:
        """Remove a root that is installed."""
        self._roots.remove(root)

    def _hash_data(self, certificate: x509.Certificate, algorithm: str) -> HashData:
        """Return a certificate's hash data as OCSP has them (RFC 6960 4.1.1)."""
        known = [root.certificate for root in self._roots]
        issuer = next((one for one in known if is_issued_by(certificate, one)), certificate)
        request = (
            ocsp.OCSPRequestBuilder()
            .add_certificate(certificate, issuer, ALGORITHMS[algorithm])
            .build()
        )
        return {
            "hash_algorithm": algorithm,
            "issuer_name_hash": request.issuer_name_hash.hex(),
            "issuer_key_hash": request.issuer_key_hash.hex(),
            "serial_number": f"{request.serial_number:x}",
        }
