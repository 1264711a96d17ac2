from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from csms.pki.firmware import signature_problem
from tests.pki.authority import Authority

DATA = b"firmware" * 1000
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Certificate and key of each kind."""
    root, folder = Authority(), tmp_path_factory.mktemp("tls")
    found = {}
    for name in ("server-ec", "server-rsa"):
        root.write_pair(folder, name)
        key = (folder / f"{name}.key").read_bytes()
        found[name] = (
            (folder / f"{name}.pem").read_text(),
            serialization.load_pem_private_key(key, None),
        )
    return found


def signed(pairs, kind, data=DATA):
    certificate, key = pairs["server-ec" if kind == "ec" else "server-rsa"]
    sha256 = hashes.SHA256()
    if kind == "ec":
        raw = key.sign(data, ec.ECDSA(sha256))
    elif kind == "pss":
        raw = key.sign(data, padding.PSS(padding.MGF1(sha256), 32), sha256)
    else:
        raw = key.sign(data, padding.PKCS1v15(), sha256)
    return certificate, base64.encodebytes(raw).decode()


@pytest.mark.parametrize("kind", ["ec", "pss", "pkcs1"])
def test_signatures_that_hold_and_those_of_another_image(pairs, kind):
    assert signature_problem(*signed(pairs, kind), SHA256) is None
    problem = signature_problem(*signed(pairs, kind, b"another"), SHA256)
    assert problem is not None
    assert "does not fit" in problem


def test_another_key_and_texts_that_are_none(pairs):
    certificate, signature = signed(pairs, "ec")
    other = signed(pairs, "pss")[0]
    for wrong in (
        (other, signature),
        ("-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----", signature),
        ("", signature),
        (certificate, "no base64!"),
        (certificate, ""),
    ):
        assert signature_problem(*wrong, SHA256) is not None
