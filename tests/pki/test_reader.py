"""Requests and certificates are read in every spelling, and hostile ones do no harm (M80, A22)."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519
from cryptography.x509 import ocsp
from hypothesis import example, given
from hypothesis import strategies as st

from csms.domain.certificates import RequestFacts
from csms.pki.reader import PemReader
from csms.services.ports.certificates import Refused
from tests.pki.authority import Authority, ec_key, key_pem, named, pem, rsa_key

READER = PemReader()


def csr(key=None, name="SN-A", algorithm=None) -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(named(name))
    made = builder.sign(key or ec_key(), algorithm)
    return made.public_bytes(serialization.Encoding.PEM).decode()


GOOD = csr(algorithm=hashes.SHA256())


def refused(text: str) -> str:
    found = READER.request(text)
    assert isinstance(found, Refused), found
    return found.reason


@pytest.mark.parametrize(
    "spell",
    [
        lambda text: text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace("\n", "\n\t"),
        lambda text: text.replace("\n", "\\n"),
        lambda text: text.replace("\n", " "),
        lambda text: text.replace("\n", ""),
        lambda text: text.replace("CERTIFICATE", "NEW CERTIFICATE"),
        quote,
        lambda text: quote(text, safe=""),
        lambda text: "Certificate Request:\n  Data: ...\n" + text + "\nbye",
    ],
)
def test_every_spelling_of_pem_is_read(spell):
    found = READER.request(spell(GOOD))
    assert isinstance(found, RequestFacts)
    assert found.pem == GOOD
    assert (found.common_names, found.organizations) == (("SN-A",), ("CSMS",))
    assert found.key == "EC 256"


def test_plus_signs_survive():
    texts = [csr(algorithm=hashes.SHA256()) for _ in range(30)]
    assert any("+" in text for text in texts)
    assert all(isinstance(READER.request(quote(text)), RequestFacts) for text in texts)


def test_what_is_wrong_is_said():
    assert refused("") == "It is no certificate request in PEM form."
    assert refused(pem(Authority().certificate).decode()).startswith("It is no certificate request")
    assert refused(GOOD.replace("M", "", 1)).startswith(("It is no", "The certificate request"))
    assert "1024 bits" in refused(csr(rsa_key(bits=1024), algorithm=hashes.SHA256()))
    assert "192 bits" in refused(csr(ec.generate_private_key(ec.SECP192R1()), "x", hashes.SHA256()))
    assert "neither RSA nor EC" in refused(csr(ed25519.Ed25519PrivateKey.generate()))
    assert "neither RSA nor EC" in refused(
        csr(dsa.generate_private_key(2048), "x", hashes.SHA256())
    )


def test_a_signature_of_another_key_is_wrong():
    der = x509.load_pem_x509_csr(GOOD.encode()).public_bytes(serialization.Encoding.DER)
    broken = der[:-3] + bytes(byte ^ 1 for byte in der[-3:])
    text = "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n"
    assert "signature" in refused(text.format(base64.b64encode(broken).decode()))


@given(st.binary(max_size=300), st.integers(0, 250), st.integers(0, 255))
@example(b"", 8, 1)  # a version that there is not
def test_damaged_requests_are_refused_and_never_raise(noise, place, byte):
    der = bytearray(x509.load_pem_x509_csr(GOOD.encode()).public_bytes(serialization.Encoding.DER))
    der[place % len(der)] = byte
    for content in (bytes(der), bytes(noise)):
        text = base64.b64encode(content).decode()
        READER.request(
            f"-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----"
        )


@given(st.text(max_size=200))
def test_texts_are_refused_and_never_raise(text):
    assert isinstance(READER.request(text), Refused)
    with pytest.raises(ValueError):
        READER.certificates(text)


def test_hash_data_are_those_of_ocsp():
    root = Authority()
    leaf, _ = root.client("SN-A")
    alone = READER.certificates(leaf.decode())[0]
    assert alone.hash_data is None
    found = READER.certificates((leaf + root.pem).decode())[0]
    # OCSP names a certificate in the same way (RFC 6960), and has another implementation of it
    request = (
        ocsp.OCSPRequestBuilder()
        .add_certificate(x509.load_pem_x509_certificate(leaf), root.certificate, hashes.SHA256())
        .build()
    )
    assert found.hash_data.issuer_name_hash == request.issuer_name_hash.hex()
    assert found.hash_data.issuer_key_hash == request.issuer_key_hash.hex()
    assert int(found.hash_data.serial_number, 16) == request.serial_number


@pytest.mark.parametrize("kind", ["EC", "RSA"])
def test_hash_data_of_roots_of_both_kinds(kind):
    key = ec_key() if kind == "EC" else rsa_key(5)
    root = Authority()
    root.key = key
    certificate = root.issue("Root", key, ca=True)
    found = READER.certificates(pem(certificate).decode())[0]
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, certificate, hashes.SHA256())
    assert found.hash_data.issuer_key_hash == builder.build().issuer_key_hash.hex()
    assert found.is_ca


def test_a_key_is_no_certificate():
    with pytest.raises(ValueError):
        READER.certificates(key_pem(ec_key()).decode())
