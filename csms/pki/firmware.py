"""Whether the signature of a firmware image holds: over all of it, SHA-256 (whitepaper L01)."""

from __future__ import annotations

import base64
import binascii

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

_HASH = Prehashed(hashes.SHA256())
# the whitepaper wants PSS; tools of vendors often make the older kind
_PADDINGS = (
    padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.AUTO),
    padding.PKCS1v15(),
)


def signature_problem(certificate: str, signature: str, sha256: str) -> str | None:
    """Return why a signature is none of an image; None when it holds.

    Args:
        certificate: PEM of the signing certificate.
        signature: Base64.
        sha256: Of the image, hex.
    """
    try:
        key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    except ValueError:
        return "The signing certificate cannot be read."
    try:
        raw = base64.b64decode("".join(signature.split()), validate=True)
    except binascii.Error:
        return "The signature is no base64."
    digest = bytes.fromhex(sha256)
    if isinstance(key, ec.EllipticCurvePublicKey):
        holds = _holds_ec(key, raw, digest)
    elif isinstance(key, rsa.RSAPublicKey):
        holds = _holds_rsa(key, raw, digest)
    else:
        return "The signing certificate is of a kind of key that stations do not know."
    return None if holds else "The signature does not fit the image and its signing certificate."


def _holds_ec(key: ec.EllipticCurvePublicKey, signature: bytes, digest: bytes) -> bool:
    try:
        key.verify(signature, digest, ec.ECDSA(_HASH))
    except InvalidSignature:
        return False
    return True


def _holds_rsa(key: rsa.RSAPublicKey, signature: bytes, digest: bytes) -> bool:
    for kind in _PADDINGS:
        try:
            key.verify(signature, digest, kind, _HASH)
        except InvalidSignature:
            continue
        return True
    return False
