"""`csms ca`: the own authority from the command line."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from typer.testing import CliRunner

from csms import checkup, cli
from csms.clock import SystemClock
from csms.pki.contexts import TlsContexts
from csms.settings import load
from tests.pki.authority import Authority, ec_key
from tests.pki.test_reader import csr
from tests.test_data_folder import no_room

pytestmark = pytest.mark.slow


@pytest.fixture
def csms(tmp_path, monkeypatch):
    monkeypatch.setenv("CSMS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(cli.log, "configure", lambda level: None)  # it would outlive the runner

    def run(*words: str):
        result = CliRunner().invoke(cli.app, ["ca", *words])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.output.splitlines()

    return run


def test_server_certificates_that_are_there_stay(csms, tmp_path):
    folder = tmp_path / "tls"
    folder.mkdir()
    Authority().write_pair(folder, "server-ec")
    before = (folder / "server-ec.pem").read_bytes()
    assert csms("init", "--root-key", "ec")[0] == 0
    assert (folder / "server-ec.pem").read_bytes() == before
    assert not (folder / "server-rsa.pem").exists()


def test_a_request_is_signed_by_hand(csms, tmp_path):
    key = ec_key()
    file = tmp_path / "request.pem"
    file.write_text(csr(key, "whatever", hashes.SHA256()))
    assert csms("init", "--root-key", "ec")[0] == 0
    code, lines = csms("sign", str(file), "SN-A")
    assert code == 0
    leaf, issuing = x509.load_pem_x509_certificates("\n".join(lines).encode())
    assert leaf.subject.rfc4514_string() == "O=CSMS,CN=SN-A"
    assert leaf.public_key() == key.public_key()
    leaf.verify_directly_issued_by(issuing)
    file.write_text("rubbish")
    code, lines = csms("sign", str(file), "SN-A")
    assert (code, lines) == (1, [f"{file}: It is no certificate request in PEM form."])
    assert csms("sign", str(tmp_path / "nothing"), "SN-A")[0] == 1


def test_check_tells_of_it(csms, tmp_path):
    settings = load({"CSMS_DATA_DIR": str(tmp_path)})

    def told() -> list[str]:
        lines = [str(finding) for finding in checkup.check_machine(settings)]
        return [line for line in lines if "authority" in line or "issuing" in line]

    assert told() == []
    assert csms("init", "--root-key", "ec")[0] == 0
    (line,) = told()
    assert line.startswith("ok       certificate authority O=CSMS,CN=CSMS Root, until 20")
    (tmp_path / "ca" / "issuing-ec.key").unlink()
    (line,) = told()
    assert line.startswith("error    ")
    assert "issuing-ec.key cannot be used" in line


def test_a_key_that_is_gone_is_told_with_one_name(csms, tmp_path):
    assert csms("init", "--root-key", "ec")[0] == 0
    key = tmp_path / "ca" / "issuing-rsa.key"
    key.unlink()
    assert csms("show") == (1, [f"{key} cannot be used: No such file or directory."])


def test_init_for_a_name(csms, tmp_path):
    assert csms("init", "--root-key", "ec", "--server", "csms.example")[0] == 0
    text = (tmp_path / "tls" / "server-rsa.pem").read_bytes()
    leaf = x509.load_pem_x509_certificate(text)
    assert leaf.subject.rfc4514_string() == "O=CSMS,CN=csms.example"


@pytest.mark.parametrize(
    "name", ["bad name", "https://csms.example", "10.0.0.300", "csms..example", "csms:9443", ""]
)
def test_a_name_that_nobody_can_ask_for_changes_nothing(csms, tmp_path, name):
    assert csms("init", "--root-key", "ec", "--server", "csms.example")[0] == 0
    before = (tmp_path / "tls" / "server-rsa.pem").read_bytes()
    code, lines = csms("issue-server", name)
    assert code == 1
    assert "is no host name and no address" in lines[0]
    assert (tmp_path / "tls" / "server-rsa.pem").read_bytes() == before


@pytest.mark.parametrize(
    "name", ["charge_box", "*.csms.example", "::1", "10.0.0.3", "1234", "a.b."]
)
def test_a_name_that_somebody_may_ask_for(csms, name):
    assert csms("init", "--root-key", "ec", "--server", name)[0] == 0


def test_the_whole_way(csms, tmp_path):
    code, lines = csms("show")
    assert (code, len(lines)) == (1, 1)
    assert "`csms ca init` first" in lines[0]
    code, lines = csms("init", "--name", "Example", "--root-key", "ec")
    assert code == 0
    assert any(", localhost, 127.0.0.1" in line for line in lines)
    assert (tmp_path / "ca" / "root.pem").exists()
    assert TlsContexts(tmp_path / "tls", SystemClock()).asks_for_certificates
    assert csms("init")[0] == 1
    code, lines = csms("issue-server", "csms.example", "10.0.0.1")
    assert (code, len(lines)) == (0, 4)
    assert TlsContexts(tmp_path / "tls", SystemClock()).asks_for_certificates
    code, lines = csms("show")
    assert lines[0].startswith("root    O=Example,CN=Example Root, EC 256, until ")
    assert len(lines) == 5
    serial = lines[1].split()[1]
    assert csms("revoke", serial, "--reason", "superseded")[0] == 0
    code, lines = csms("show")
    assert "(superseded)" in lines[1]
    assert "until" in lines[2]
    code, lines = csms("revoke", "abcd")
    assert (code, lines) == (1, ["This authority has issued no certificate abcd."])
    code, lines = csms("revoke", serial, "--reason", "nonsense")
    assert code == 1
    assert "must be one of unspecified, keyCompromise" in lines[1]
    code, lines = csms("issue-server", "not a name \u00e9")
    assert (code, len(lines)) == (1, 1)


def test_a_full_disk_is_told_with_the_file_and_changes_nothing(csms, tmp_path):
    assert csms("init", "--root-key", "ec")[0] == 0
    before = TlsContexts(tmp_path / "tls", SystemClock())
    with no_room():
        code, lines = csms("issue-server", "csms.example")
    assert code == 1
    assert lines == [f"{tmp_path}/ca/journal cannot be written: File too large."]
    assert not TlsContexts(tmp_path / "tls", SystemClock()).reload()
    assert not before.reload()
