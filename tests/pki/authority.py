"""A certificate authority of the tests: real certificates, made on the spot."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return an RSA key; they are slow to make, so tests share them by number."""
    del number
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def named(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "CSMS"),
        ]
    )


class Authority:
    """A root that signs."""

    def __init__(self, name: str = "Root") -> None:
        self.key = ec_key()
        self.name = named(name)
        self.certificate = self.issue(name, self.key, ca=True, issuer=self.name)

    @property
    def pem(self) -> bytes:
        return pem(self.certificate)

    def issue(
        self,
        name: str,
        key: Key,
        *,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
        ca: bool = False,
        issuer: x509.Name | None = None,
        starts: timedelta = timedelta(minutes=-5),
        ends: timedelta = timedelta(days=90),
        subject: x509.Name | None = None,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        public = self.key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject or named(name))
            .issuer_name(issuer or self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + starts)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        )
        if not ca:
            names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        return builder.sign(self.key, hashes.SHA256())

    def client(self, name: str, key: Key | None = None, **changes) -> tuple[bytes, bytes]:
        """Return certificate and key of a charge point, both PEM."""
        key = key or ec_key()
        certificate = self.issue(name, key, usage=ExtendedKeyUsageOID.CLIENT_AUTH, **changes)
        return pem(certificate), key_pem(key)

    def write_pair(self, folder: Path, name: str, key: Key | None = None, **changes) -> None:
        """Write a server's pair: `server-rsa` or `server-ec`."""
        key = key or (rsa_key() if name == "server-rsa" else ec_key())
        (folder / f"{name}.pem").write_bytes(pem(self.issue("localhost", key, **changes)))
        (folder / f"{name}.key").write_bytes(key_pem(key))


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def crl_of(authority: Authority, serials, now) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.name)
        .last_update(now - timedelta(minutes=1))
        .next_update(now + timedelta(days=7))
    )
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
