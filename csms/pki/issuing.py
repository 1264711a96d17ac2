"""How certificates and lists of revocations are built; every one of them is made here.

Nothing is taken from a request but its public key: names, use and time are the authority's.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from csms.pki.journal import Issue

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_LABEL = re.compile(r"\w(?:[\w-]{0,61}\w)?", re.ASCII)
CRL_DAYS = 30
_BACKDATED = timedelta(minutes=5)
"""Clocks of charge points are late now and then; a certificate is never from the future."""

REASONS = {
    reason.value: reason
    for reason in x509.ReasonFlags
    if reason is not x509.ReasonFlags.remove_from_crl
}
"""Why a certificate is taken back, as lists of revocations spell it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A key that signs, with its certificate.

    Attributes:
        name: Of its files.
        pss: Whether an RSA key signs by PSS; many charge points know PKCS #1 v1.5 only.
    """

    name: str
    key: Key
    certificate: x509.Certificate
    pss: bool = False

    def sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        """Sign a certificate."""
        return builder.sign(self.key, hashes.SHA256(), rsa_padding=self._padding())

    def _padding(self) -> padding.PSS | None:
        if not self.pss or not isinstance(self.key, rsa.RSAPrivateKey):
            return None
        return padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)

    def revocations(self, issues: Iterable[Issue], now: datetime) -> x509.CertificateRevocationList:
        """Return the list of what this key has issued and taken back."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now - _BACKDATED)
            .next_update(now + timedelta(days=CRL_DAYS))
            .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
            .add_extension(_authority_key(self.certificate), critical=False)
        )
        for issue in issues:
            if issue.issuer == self.name and issue.revoked_at is not None:
                entry = (
                    x509.RevokedCertificateBuilder()
                    .serial_number(int(issue.serial, 16))
                    .revocation_date(issue.revoked_at)
                )
                reason = REASONS.get(issue.reason or "", x509.ReasonFlags.unspecified)
                if reason is not x509.ReasonFlags.unspecified:  # it is left out then (RFC 5280)
                    entry = entry.add_extension(x509.CRLReason(reason), critical=False)
                builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, hashes.SHA256(), rsa_padding=self._padding())


def new_key(kind: str, bits: int) -> Key:
    """Return a new private key: ``EC`` (P-256) or ``RSA`` of so many bits."""
    if kind == "EC":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def name_of(common_name: str, organization: str | None) -> x509.Name:
    """Return a subject. Raises ValueError where a part is longer than X.509 allows."""
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization is not None:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def root(subject: x509.Name, key: Key, now: datetime, days: int) -> x509.Certificate:
    """Return a root, signed by itself."""
    builder = _begun(subject, key.public_key(), now, now + timedelta(days=days)).issuer_name(
        subject
    )
    builder = _for_signing(builder, length=1)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256())


def issuing(
    subject: x509.Name, key: Key, signer: Signer, now: datetime, days: int
) -> x509.Certificate:
    """Return the certificate of a key that signs the certificates of stations and servers."""
    builder = _under(signer, subject, key.public_key(), now, days)
    return signer.sign(_for_signing(builder, length=0))


def client(
    subject: x509.Name, key: CertificatePublicKeyTypes, signer: Signer, now: datetime, days: int
) -> x509.Certificate:
    """Return a charge point's certificate: for TLS clients and nothing else."""
    builder = _for_use(_under(signer, subject, key, now, days), ExtendedKeyUsageOID.CLIENT_AUTH)
    return signer.sign(builder.add_extension(_usage(digital_signature=True), critical=True))


def server(
    names: Sequence[str], organization: str, key: Key, signer: Signer, now: datetime, days: int
) -> x509.Certificate:
    """Return a server's certificate: the first name is its common name too, for old clients.

    Raises:
        ValueError: A name is none that a client could ask for.
    """
    wrong = [name for name in names if not _reachable(name)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is no host name and no address")
    # the suites without forward secrecy encipher by the RSA key itself
    encipherment = isinstance(key, rsa.RSAPrivateKey)
    builder = _under(signer, name_of(names[0], organization), key.public_key(), now, days)
    builder = _for_use(builder, ExtendedKeyUsageOID.SERVER_AUTH)
    usage = _usage(digital_signature=True, key_encipherment=encipherment)
    alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
    return signer.sign(
        builder.add_extension(usage, critical=True).add_extension(alternatives, critical=False)
    )


def _reachable(name: str) -> bool:
    """Return whether a client may ask for it: an address, or a host name (`*.` before it too)."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        labels = name.removeprefix("*.").removesuffix(".").split(".")
        is_number = len(labels) > 1 and labels[-1].isdigit()  # an address with a slip
        return not is_number and all(_LABEL.fullmatch(label) for label in labels)
    return True


def key_pem(key: Key) -> bytes:
    """Return a private key as PEM, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _begun(
    subject: x509.Name, key: CertificatePublicKeyTypes, now: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())  # 159 random bits
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _under(
    signer: Signer, subject: x509.Name, key: CertificatePublicKeyTypes, now: datetime, days: int
) -> x509.CertificateBuilder:
    end = min(now + timedelta(days=days), signer.certificate.not_valid_after_utc)
    return (
        _begun(subject, key, now, end)
        .issuer_name(signer.certificate.subject)
        .add_extension(_authority_key(signer.certificate), critical=False)
    )


def _authority_key(certificate: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
        certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    )


def _for_signing(builder: x509.CertificateBuilder, *, length: int) -> x509.CertificateBuilder:
    return builder.add_extension(x509.BasicConstraints(True, length), critical=True).add_extension(
        _usage(key_cert_sign=True, crl_sign=True), critical=True
    )


def _for_use(
    builder: x509.CertificateBuilder, use: x509.ObjectIdentifier
) -> x509.CertificateBuilder:
    return builder.add_extension(x509.BasicConstraints(False, None), critical=True).add_extension(
        x509.ExtendedKeyUsage([use]), critical=False
    )


def _usage(
    *,
    digital_signature: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
