"""What is wrong with a TLS folder is told in one sentence that names the file."""

from __future__ import annotations

from datetime import timedelta

import pytest

from csms.clock import SystemClock
from csms.pki.contexts import TlsContexts
from csms.pki.folder import CertificateError, holds_certificates
from tests.pki.authority import Authority, ec_key, key_pem, rsa_key


@pytest.fixture
def root():
    return Authority()


def load(folder):
    return TlsContexts(folder, SystemClock())


def refusal(folder) -> str:
    with pytest.raises(CertificateError) as caught:
        load(folder)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def test_one_pair_is_enough_and_client_certificates_need_roots(tmp_path, root):
    assert not holds_certificates(tmp_path)
    root.write_pair(tmp_path, "server-ec")
    assert holds_certificates(tmp_path)
    assert not load(tmp_path).asks_for_certificates
    (tmp_path / "client-ca.pem").write_bytes(root.pem)
    assert load(tmp_path).asks_for_certificates


def test_an_empty_folder(tmp_path):
    assert "holds no server certificate" in refusal(tmp_path)


@pytest.mark.parametrize("missing", ["server-rsa.pem", "server-rsa.key"])
def test_half_a_pair(tmp_path, root, missing):
    root.write_pair(tmp_path, "server-ec")
    root.write_pair(tmp_path, "server-rsa")
    (tmp_path / missing).unlink()
    assert f"{missing} is missing beside" in refusal(tmp_path)


def test_a_key_of_another_certificate(tmp_path, root):
    root.write_pair(tmp_path, "server-ec")
    (tmp_path / "server-ec.key").write_bytes(key_pem(ec_key()))
    assert "server-ec.key is not the key of the certificate in" in refusal(tmp_path)


def test_an_expired_one(tmp_path, root):
    root.write_pair(tmp_path, "server-ec", starts=timedelta(days=-9), ends=timedelta(days=-1))
    assert "server-ec.pem expired at 20" in refusal(tmp_path)


def test_one_that_is_not_valid_yet(tmp_path, root):
    root.write_pair(tmp_path, "server-ec", starts=timedelta(days=1))
    assert "server-ec.pem is not valid before 20" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["server-ec.pem", "server-ec.key", "client-ca.pem"])
def test_rubbish(tmp_path, root, name):
    root.write_pair(tmp_path, "server-ec")
    (tmp_path / name).write_text("rubbish")
    assert f"{name} holds no" in refusal(tmp_path)


def test_a_file_that_cannot_be_read(tmp_path, root):
    root.write_pair(tmp_path, "server-ec")
    (tmp_path / "server-ec.key").unlink()
    (tmp_path / "server-ec.key").mkdir()
    assert "server-ec.key cannot be read: Is a directory." in refusal(tmp_path)


def test_keys_of_the_wrong_kind(tmp_path, root):
    root.write_pair(tmp_path, "server-rsa", ec_key())
    assert "server-rsa.pem holds no certificate of an RSA key" in refusal(tmp_path)
    (tmp_path / "server-rsa.pem").unlink()
    (tmp_path / "server-rsa.key").unlink()
    root.write_pair(tmp_path, "server-ec", rsa_key())
    assert "server-ec.pem holds no certificate of an elliptic curve key" in refusal(tmp_path)


def test_a_weak_key(tmp_path, root):
    root.write_pair(tmp_path, "server-rsa", rsa_key(bits=1024))
    assert "has a key of 1024 bits" in refusal(tmp_path)
