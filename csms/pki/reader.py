"""Reads certificates and signing requests out of PEM texts, hostile ones too.

Charge points spell PEM in many ways: other line ends, tabs, no line ends at all, percent-encoded.
All of them are read; what goes out has LF and lines of 64.
"""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import NameOID

from csms.domain.certificates import (
    CertificateFacts,
    HashData,
    RequestFacts,
    folded_serial,
    key_problem,
)
from csms.services.ports.certificates import Refused

_BLOCK = re.compile(
    r"-----BEGIN (?P<label>[A-Z0-9 ]{1,40})-----(?P<body>[^-]*)-----END (?P=label)-----"
)
_BLANKS = re.compile(r"\s|\\[nrt]")
_REQUESTS = frozenset({"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"})
_CERTIFICATES = frozenset({"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"})
_MOST_CERTIFICATES = 20
_WEAK_HASHES = (hashes.MD5, hashes.SHA1)
_LINE = 64

# what the library raises for texts that were made to break it
_UNREADABLE = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


class PemReader:
    """See `csms.services.ports.certificates.CertificateReader`."""

    def request(self, text: str) -> RequestFacts | Refused:
        """See the port."""
        found = blocks(text, _REQUESTS)
        if not found:
            return Refused(reason="It is no certificate request in PEM form.")
        try:
            return _request(found[0])
        except _UNREADABLE:
            return Refused(reason="The certificate request cannot be read.")

    def certificates(self, text: str) -> list[CertificateFacts]:
        """See the port."""
        found = blocks(text, _CERTIFICATES)
        if not found:
            raise ValueError("no certificate in PEM form")
        try:
            read = [x509.load_der_x509_certificate(der) for der in found[:_MOST_CERTIFICATES]]
            return facts_of(read)
        except _UNREADABLE as error:
            raise ValueError("the certificate cannot be read") from error


def blocks(text: str, labels: frozenset[str]) -> list[bytes]:
    r"""Return the DER of the blocks of a PEM text that have one of these labels.

    >>> blocks("-----BEGIN A-----\r\n\tAAEC\r\n-----END A-----", frozenset({"A"}))
    [b'\x00\x01\x02']
    """
    if "%" in text:
        text = unquote(text)
    found = []
    for block in _BLOCK.finditer(text):
        if block["label"] not in labels:
            continue
        try:
            found.append(base64.b64decode(_BLANKS.sub("", block["body"]), validate=True))
        except binascii.Error:
            return []
    return found


def pem_blocks(text: str) -> list[str]:
    """Return the certificates of a PEM text, each in the one spelling that every library reads."""
    return [pem_of(der, "CERTIFICATE") for der in blocks(text, _CERTIFICATES)]


def pem_of(der: bytes, label: str) -> str:
    """Return DER as PEM with LF line ends, one at its end."""
    text = base64.b64encode(der).decode()
    lines = [text[i : i + _LINE] for i in range(0, len(text), _LINE)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def facts_of(chain: list[x509.Certificate]) -> list[CertificateFacts]:
    """Return what the certificates of a chain say, in its order."""
    issuers = {certificate.subject.public_bytes(): certificate for certificate in chain}
    return [certificate_facts(each, issuers.get(each.issuer.public_bytes())) for each in chain]


def certificate_facts(
    certificate: x509.Certificate, issuer: x509.Certificate | None
) -> CertificateFacts:
    """Return what a certificate says; without its issuer it has no hash data."""
    names = [str(each.value) for each in _named(certificate.subject, NameOID.COMMON_NAME)]
    kind, bits = key_kind(certificate.public_key())
    serial = folded_serial(f"{certificate.serial_number:x}")
    return CertificateFacts(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        common_name=names[0] if len(names) == 1 else None,
        serial_number=serial,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        fingerprint=certificate.fingerprint(hashes.SHA256()),
        is_ca=_is_ca(certificate),
        key=f"{kind} {bits}",
        public_key=key_digest(certificate.public_key()),
        organizations=tuple(
            str(each.value) for each in _named(certificate.subject, NameOID.ORGANIZATION_NAME)
        ),
        hash_data=None
        if issuer is None
        else HashData(
            hash_algorithm="SHA256",
            issuer_name_hash=sha256(certificate.issuer.public_bytes()).hex(),
            issuer_key_hash=sha256(key_bits_of(issuer.public_key())).hex(),
            serial_number=serial,
        ),
    )


def key_kind(key: PublicKeyTypes) -> tuple[str, int]:
    """Return kind and size in bits of a public key."""
    match key:
        case rsa.RSAPublicKey():
            return "RSA", key.key_size
        case ec.EllipticCurvePublicKey():
            return "EC", key.key_size
        case dsa.DSAPublicKey():
            return "DSA", key.key_size
        case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
            return "EdDSA", 256
        case _:
            return "unknown", 0


def key_digest(key: PublicKeyTypes) -> bytes:
    """Return the SHA-256 of a public key."""
    return sha256(
        key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def key_bits_of(key: PublicKeyTypes) -> bytes:
    """Return the bits of a public key without tag and length, as issuerKeyHash wants them."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    raise ValueError("neither RSA nor EC")


def sha256(content: bytes) -> bytes:
    """Return the SHA-256 of some bytes."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(content)
    return digest.finalize()


def _request(der: bytes) -> RequestFacts | Refused:
    request = x509.load_der_x509_csr(der)
    key = request.public_key()
    kind, bits = key_kind(key)
    problem = key_problem(kind, bits)
    if problem is not None:  # before its signature: what that costs is the stranger's choice
        return Refused(reason=problem)
    if isinstance(request.signature_hash_algorithm, _WEAK_HASHES):
        return Refused(reason=f"It is signed with {request.signature_hash_algorithm.name}.")
    try:
        right = request.is_signature_valid
    except InvalidSignature:
        right = False
    if not right:
        return Refused(reason="The signature of the certificate request is wrong.")
    return RequestFacts(
        pem=pem_of(der, "CERTIFICATE REQUEST"),
        common_names=tuple(
            str(each.value) for each in _named(request.subject, NameOID.COMMON_NAME)
        ),
        organizations=tuple(
            str(each.value) for each in _named(request.subject, NameOID.ORGANIZATION_NAME)
        ),
        key_type=kind,
        key_bits=bits,
        public_key=key_digest(key),
    )


def _named(name: x509.Name, oid: x509.ObjectIdentifier) -> list[x509.NameAttribute[str | bytes]]:
    return name.get_attributes_for_oid(oid)


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False
