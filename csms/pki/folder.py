"""The TLS folder: reads it, checks what stands in it, and says in a sentence what is wrong.

``server-rsa.pem`` and ``.key``, ``server-ec.pem`` and ``.key`` (one pair is enough; to serve every
station takes both), ``client-ca.pem`` with the roots of client certificates, ``client-crl.pem``
with lists of those that are revoked. Nothing here knows sockets.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from csms.errors import StartError
from csms.pki.revocations import Revoked, lists_of, revoked_by

SERVER_PAIRS = ("server-rsa", "server-ec")
CLIENT_CA = "client-ca.pem"
CLIENT_CRL = "client-crl.pem"

_LEAST_RSA_BITS = 2048


class CertificateError(StartError):
    """A certificate or key cannot be used; one sentence says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate chain with its key.

    Attributes:
        chain: File of the certificate, the server's own first.
        key: File of the private key.
        ends_at: When the first certificate of the chain to expire does so.
    """

    chain: Path
    key: Path
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a folder holds, checked.

    Attributes:
        pairs: At least one.
        client_ca: File of the roots that client certificates are verified against.
        issuers: What stands in that file.
        revoked: Client certificates that are let in no more.
        stale_at: When the first list of revocations should have been replaced; None: no lists.
        contents: The bytes of all files by name; two materials with equal ones are the same.
    """

    pairs: tuple[Pair, ...]
    client_ca: Path | None
    contents: dict[str, bytes]
    issuers: tuple[x509.Certificate, ...] = ()
    revoked: Revoked = frozenset()
    stale_at: datetime | None = None


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of the files of a TLS folder that are there, by name.

    Raises:
        CertificateError: One is there and cannot be read.
    """
    names = [f"{pair}{ending}" for pair in SERVER_PAIRS for ending in (".pem", ".key")]
    found = {}
    for name in (*names, CLIENT_CA, CLIENT_CRL):
        try:
            found[name] = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise CertificateError(f"{folder / name} cannot be read: {error.strerror}.") from error
    return found


def holds_certificates(folder: Path) -> bool:
    """Return whether a server certificate is there, good or bad."""
    return any((folder / f"{pair}.pem").exists() for pair in SERVER_PAIRS)


def check(folder: Path, found: dict[str, bytes], now: datetime) -> Material:
    """Return what a folder holds if all of it can be used at `now`.

    Args:
        folder: Where the files are.
        found: Their contents, see `contents`.
        now: Aware.

    Raises:
        CertificateError: There is no pair, or a file is damaged, expired, not valid yet, too weak
            or does not fit its partner.
    """
    pairs = tuple(
        _pair(folder, name, found, now)
        for name in SERVER_PAIRS
        if f"{name}.pem" in found or f"{name}.key" in found
    )
    if not pairs:
        raise CertificateError(
            f"{folder} holds no server certificate: server-rsa.pem with server-rsa.key, "
            "server-ec.pem with server-ec.key, or both."
        )
    client_ca = None
    issuers: tuple[x509.Certificate, ...] = ()
    if CLIENT_CA in found:
        client_ca = folder / CLIENT_CA
        issuers = tuple(_certificates(client_ca, found[CLIENT_CA]))
        for root in issuers:
            _check_time(client_ca, root, now)
    return Material(
        pairs=pairs,
        client_ca=client_ca,
        contents=found,
        issuers=issuers,
        revoked=_revoked(folder, found, issuers),
        stale_at=_stale_at(found),
    )


def _stale_at(found: dict[str, bytes]) -> datetime | None:
    """Return until when all lists hold; they were read without complaint before."""
    lists = [each for name in (CLIENT_CA, CLIENT_CRL) for each in lists_of(found.get(name, b""))]
    ends = [each.next_update_utc for each in lists if each.next_update_utc is not None]
    return min(ends, default=None)


def _revoked(
    folder: Path, found: dict[str, bytes], issuers: tuple[x509.Certificate, ...]
) -> Revoked:
    """Return what the lists of both files revoke."""
    revoked: Revoked = frozenset()
    for name in (CLIENT_CA, CLIENT_CRL):
        try:
            revoked |= revoked_by(lists_of(found.get(name, b"")), issuers)
        except ValueError as error:
            raise CertificateError(
                f"{folder / name} holds a list of revocations that cannot be used: {error}."
            ) from error
    return revoked


def _pair(folder: Path, name: str, found: dict[str, bytes], now: datetime) -> Pair:
    chain, key = folder / f"{name}.pem", folder / f"{name}.key"
    for path in (chain, key):
        if path.name not in found:
            partner = key if path is chain else chain
            raise CertificateError(f"{path} is missing beside {partner.name}.")
    certificates = _certificates(chain, found[chain.name])
    for certificate in certificates:
        _check_time(chain, certificate, now)
    public = certificates[0].public_key()
    if name == "server-rsa":
        if not isinstance(public, rsa.RSAPublicKey):
            raise CertificateError(f"{chain} holds no certificate of an RSA key.")
        if public.key_size < _LEAST_RSA_BITS:
            raise CertificateError(
                f"{chain} has a key of {public.key_size} bits; {_LEAST_RSA_BITS} are the least."
            )
    elif not isinstance(public, ec.EllipticCurvePublicKey):
        raise CertificateError(f"{chain} holds no certificate of an elliptic curve key.")
    try:
        private = load_pem_private_key(found[key.name], password=None)
    except TypeError as error:
        raise CertificateError(f"{key} is encrypted; store it without a password.") from error
    except ValueError as error:
        raise CertificateError(f"{key} holds no private key in PEM form.") from error
    if private.public_key() != public:
        raise CertificateError(f"{key} is not the key of the certificate in {chain}.")
    return Pair(
        chain=chain, key=key, ends_at=min(each.not_valid_after_utc for each in certificates)
    )


def _certificates(path: Path, text: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text)
    except ValueError as error:
        raise CertificateError(f"{path} holds no certificate in PEM form.") from error


def _check_time(path: Path, certificate: x509.Certificate, now: datetime) -> None:
    if certificate.not_valid_after_utc < now:
        raise CertificateError(f"{path} expired at {certificate.not_valid_after_utc:%Y-%m-%d}.")
    if certificate.not_valid_before_utc > now:
        raise CertificateError(
            f"{path} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC."
        )
