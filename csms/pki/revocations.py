"""Lists of revoked certificates (CRL), as they stand in the TLS folder."""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

_BEGIN = b"-----BEGIN X509 CRL-----"
_END = b"-----END X509 CRL-----"

Revoked = frozenset[tuple[bytes, int]]
"""Issuer's name in DER and serial number of each."""


def lists_of(text: bytes) -> list[x509.CertificateRevocationList]:
    """Return the lists of a PEM text, in order; other blocks are left out.

    Raises:
        ValueError: One cannot be read.
    """
    found = []
    for part in text.split(_BEGIN)[1:]:
        body, end, _ = part.partition(_END)
        if not end:
            raise ValueError("a list has no end")
        found.append(x509.load_pem_x509_crl(_BEGIN + body + _END + b"\n"))
    return found


def revoked_by(
    lists: Iterable[x509.CertificateRevocationList], issuers: Iterable[x509.Certificate]
) -> Revoked:
    """Return what these lists revoke.

    A list that is too old still counts for what stands in it. One of an issuer that nobody trusts
    here harms nobody.

    Raises:
        ValueError: A list is not signed by the issuer that it names.
    """
    known = {issuer.subject: issuer for issuer in issuers}
    found = set()
    for each in lists:
        issuer = known.get(each.issuer)
        if issuer is not None and not _is_signed_by(each, issuer):
            raise ValueError(f"it is not signed by {each.issuer.rfc4514_string()}")
        name = each.issuer.public_bytes()
        found |= {(name, entry.serial_number) for entry in each}
    return frozenset(found)


def _is_signed_by(each: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    key = issuer.public_key()
    return isinstance(
        key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey
    ) and each.is_signature_valid(key)
