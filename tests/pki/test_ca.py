"""The own authority: what it makes is right by other people's rules, and nothing of it is lost."""

from __future__ import annotations

import os
import shutil
import stat
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from csms.clock import SystemClock
from csms.domain.certificates import RequestFacts
from csms.errors import Conflict, Invalid, StartError
from csms.pki import ca
from csms.pki.ca import CaSettings, SmallAuthority
from csms.pki.contexts import TlsContexts
from csms.pki.folder import CertificateError, contents
from csms.pki.journal import Journal, written
from csms.pki.reader import PemReader
from csms.services.ports.certificates import AuthorityAway, Refused, Subject
from tests.fakes import FakeClock
from tests.pki.authority import Authority, crl_of, ec_key, rsa_key
from tests.pki.test_reader import csr
from tests.test_data_folder import no_room

SUBJECT = Subject(identity="A", common_name="SN-A", organization=None)


@pytest.fixture
def clock():
    clock = FakeClock()
    clock.set_wall(SystemClock().now())
    return clock


@pytest.fixture
def folders(tmp_path):
    return tmp_path / "ca", tmp_path / "tls"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    settings = CaSettings(organization="Example")
    ca.create(folder / "ca", folder / "tls", SystemClock(), settings, root_kind="EC")
    return folder


@pytest.fixture
def authority(folders, clock, made):
    shutil.copytree(made, folders[0].parent, dirs_exist_ok=True)
    return SmallAuthority(*folders, clock)


def request(key=None, **more) -> RequestFacts:
    found = PemReader().request(csr(key, algorithm=hashes.SHA256(), **more))
    assert isinstance(found, RequestFacts)
    return found


async def chain_of(authority, key=None, subject=SUBJECT) -> list[x509.Certificate]:
    text = await authority.sign(request(key), subject)
    assert isinstance(text, str)
    return x509.load_pem_x509_certificates(text.encode())


@pytest.mark.smoke
@pytest.mark.parametrize("kind", ["EC", "RSA"])
async def test_a_stations_chain(authority, clock, kind):
    key = ec_key() if kind == "EC" else rsa_key(6)
    leaf, issuing = await chain_of(authority, key)
    assert leaf.public_key() == key.public_key()
    root = x509.load_pem_x509_certificate(authority.roots()[0].pem.encode())
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert leaf.subject.rfc4514_string() == "O=Example,CN=SN-A"
    assert leaf.not_valid_before_utc <= clock.now()
    assert leaf.not_valid_after_utc <= issuing.not_valid_after_utc
    assert leaf.serial_number.bit_length() > 64
    leaf.verify_directly_issued_by(issuing)
    issuing.verify_directly_issued_by(root)
    basic = issuing.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (basic.ca, basic.path_length) == (True, 0)


def test_a_servers_chain_verifies_by_rfc_5280(folders, clock, authority):
    files = authority.issue_server(["csms.example", "localhost", "127.0.0.1"])
    assert [file.name for file in files] == [
        "server-ec.pem",
        "server-ec.key",
        "server-rsa.pem",
        "server-rsa.key",
    ]
    root = x509.load_pem_x509_certificate(authority.roots()[0].pem.encode())
    for name in ("server-ec.pem", "server-rsa.pem"):
        leaf, *others = x509.load_pem_x509_certificates((folders[1] / name).read_bytes())
        verifier = (
            verification.PolicyBuilder()
            .store(verification.Store([root]))
            .time(clock.now())
            .build_server_verifier(x509.DNSName("csms.example"))
        )
        assert len(verifier.verify(leaf, others)) == 3
        with pytest.raises(verification.VerificationError):
            (
                verification.PolicyBuilder()
                .store(verification.Store([root]))
                .time(clock.now())
                .build_server_verifier(x509.DNSName("other.example"))
                .verify(leaf, others)
            )
        assert len(leaf.public_bytes(Encoding.DER)) <= 2048  # OCPP-J 6.2.1
    assert TlsContexts(folders[1], clock).asks_for_certificates


@pytest.mark.slow
async def test_rsa_signs_by_pkcs1_or_pss_as_it_was_told(tmp_path, clock):
    for pss, kind in ((False, padding.PKCS1v15), (True, padding.PSS)):
        folder = tmp_path / str(pss)
        made = ca.create(folder / "ca", folder / "tls", clock, CaSettings(pss=pss))
        leaf, _ = await chain_of(made, rsa_key(7))
        assert isinstance(leaf.signature_algorithm_parameters, kind)


def test_keys_are_their_owners_alone(folders, authority):
    authority.issue_server(["localhost"])
    for folder in folders:
        for file in folder.glob("*.key"):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE((folders[0] / "journal").stat().st_mode) == 0o600
    assert stat.S_IMODE(folders[0].stat().st_mode) == 0o700


async def test_the_operators_name_and_long_names(authority):
    named = Subject(identity="A", common_name="SN-A", organization="Other")
    leaf, _ = await chain_of(authority, subject=named)
    assert leaf.subject.rfc4514_string() == "O=Other,CN=SN-A"
    long = Subject(identity="A", common_name="x" * 65, organization=None)
    assert isinstance(await authority.sign(request(), long), Refused)


def test_there_is_only_one(folders, clock, authority):
    with pytest.raises(Conflict):
        ca.create(*folders, clock, CaSettings())


async def test_it_goes_on_after_a_restart(folders, clock, authority):
    leaf, _ = await chain_of(authority)
    again = SmallAuthority(*folders, clock)
    (issue,) = again.issues()
    assert (issue.kind, issue.identity, int(issue.serial, 16)) == (
        "client",
        "A",
        leaf.serial_number,
    )
    other, _ = await chain_of(again)
    assert other.serial_number != leaf.serial_number
    assert len(again.issues()) == 2


@pytest.mark.parametrize("name", ["issuing-ec.key", "issuing-rsa.pem", "root.pem", "settings.json"])
def test_a_damaged_file_is_told_at_start(folders, clock, authority, name):
    (folders[0] / name).write_text("rubbish")
    with pytest.raises(StartError, match=name):
        SmallAuthority(*folders, clock)


async def test_half_a_line_of_a_crash_is_nothing(folders, clock, authority):
    await chain_of(authority)
    with (folders[0] / "journal").open("a") as file:
        file.write('{"event":"issued","at"')
    again = SmallAuthority(*folders, clock)
    assert len(again.issues()) == 1
    await chain_of(again)
    assert len(again.issues()) == 2
    assert (folders[0] / "journal").read_bytes().count(b"\n") == 2


def test_serving_needs_no_key_of_the_root(folders, clock, authority):
    (folders[0] / "root.key").unlink()
    again = SmallAuthority(*folders, clock)
    again.issue_server(["localhost"])
    again.publish(at_once=True)


async def test_a_full_disk_leaves_whole_lines(folders, clock, authority, monkeypatch):
    await chain_of(authority)
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:9]))
    with pytest.raises(AuthorityAway, match="No space left"):
        await chain_of(authority)
    monkeypatch.undo()
    assert (folders[0] / "journal").read_bytes().endswith(b"}\n")
    assert len(authority.issues()) == 1


def test_a_damaged_journal_is_told_at_start(folders, clock, authority):
    with (folders[0] / "journal").open("a") as file:
        file.write('{"event":"issued"\n')
    with pytest.raises(StartError, match="journal is damaged in line 1"):
        SmallAuthority(*folders, clock)


class TestRevocation:
    @pytest.fixture
    def tls(self, folders, clock, authority):
        authority.issue_server(["localhost"])
        return TlsContexts(folders[1], clock)

    @pytest.mark.parametrize("kind", ["EC", "RSA"])
    async def test_a_revoked_one_is_known_after_a_reload(self, authority, tls, kind):
        key = ec_key() if kind == "EC" else rsa_key(6)
        leaf, _ = await chain_of(authority, key)
        other, _ = await chain_of(authority, key)
        der = leaf.public_bytes(Encoding.DER)
        assert not tls.client_certificate(der).revoked
        assert await authority.revoke(f"{leaf.serial_number:X}", "keyCompromise")
        before = tls.generation
        assert tls.reload()
        assert tls.generation != before
        assert tls.client_certificate(der).revoked
        assert not tls.client_certificate(other.public_bytes(Encoding.DER)).revoked

    async def test_all_that_were_ever_revoked_stand_in_the_list(self, authority, tls, folders):
        leaves = [(await chain_of(authority))[0] for _ in range(3)]
        for leaf in leaves:
            await authority.revoke(f"{leaf.serial_number:x}", "superseded")
            await authority.revoke(f"{leaf.serial_number:x}", "keyCompromise")  # once is enough
        tls.reload()
        for leaf in leaves:
            assert tls.client_certificate(leaf.public_bytes(Encoding.DER)).revoked
        assert {issue.reason for issue in authority.issues()} == {None, "superseded"}

    @pytest.mark.smoke
    async def test_what_it_has_not_issued_it_does_not_revoke(self, authority):
        assert not await authority.revoke("abcdef", "unspecified")
        leaf, _ = await chain_of(authority)
        with pytest.raises(Invalid):
            await authority.revoke(f"{leaf.serial_number:x}", "no reason")

    async def test_the_lists_are_renewed_in_time_and_others_stay(self, authority, folders, clock):
        path = folders[1] / "client-crl.pem"
        other = Authority("Other")
        path.write_bytes(path.read_bytes() + crl_of(other, [7], clock.now()))
        before = path.read_bytes()
        authority.publish()
        assert path.read_bytes() == before
        await clock.advance(timedelta(days=16).total_seconds())
        authority.publish()
        lists = [part for part in path.read_bytes().split(b"-----BEGIN X509 CRL-----") if part]
        read = [x509.load_pem_x509_crl(b"-----BEGIN X509 CRL-----" + part) for part in lists]
        renewed = {
            each.issuer: each.last_update_utc > clock.now() - timedelta(days=1) for each in read
        }
        assert sorted(renewed.values()) == [False, True, True]
        assert renewed[other.name] is False

    def test_a_list_that_its_issuer_has_not_signed_is_refused(self, tls, folders, clock):
        ours = x509.load_pem_x509_certificates((folders[1] / "client-ca.pem").read_bytes())[0]
        forger = Authority("Forger")
        forger.name = ours.subject
        (folders[1] / "client-crl.pem").write_bytes(crl_of(forger, [1], clock.now()))
        assert not tls.reload()
        with pytest.raises(CertificateError, match="not signed by"):
            TlsContexts(folders[1], clock)

    async def test_a_list_that_is_out_of_date_counts_on_and_is_told(self, tmp_path, clock, capsys):
        root = Authority()
        root.write_pair(tmp_path, "server-ec")
        leaf, _ = root.client("SN-A")
        certificate = x509.load_pem_x509_certificate(leaf)
        (tmp_path / "client-ca.pem").write_bytes(root.pem)
        made = crl_of(root, [certificate.serial_number], clock.now())
        (tmp_path / "client-crl.pem").write_bytes(made)
        tls = TlsContexts(tmp_path, clock)
        assert "out of date" not in capsys.readouterr().out
        await clock.advance(timedelta(days=8).total_seconds())
        assert not tls.reload()
        assert not tls.reload()
        assert capsys.readouterr().out.count("a list of revocations is out of date") == 1
        assert tls.client_certificate(certificate.public_bytes(Encoding.DER)).revoked

    def test_a_list_in_the_file_of_roots_counts_too(self, tmp_path, clock):
        root = Authority()
        root.write_pair(tmp_path, "server-ec")
        leaf, _ = root.client("SN-A")
        certificate = x509.load_pem_x509_certificate(leaf)
        (tmp_path / "client-ca.pem").write_bytes(
            root.pem + crl_of(root, [certificate.serial_number], clock.now())
        )
        tls = TlsContexts(tmp_path, clock)
        assert tls.client_certificate(certificate.public_bytes(Encoding.DER)).revoked


def test_a_trust_that_is_there_stays(folders, clock):
    other = Authority("Other")
    folders[1].mkdir()
    (folders[1] / "client-ca.pem").write_bytes(other.pem.rstrip())
    made = ca.create(*folders, clock, CaSettings(), root_kind="EC")
    made.be_trusted()
    found = x509.load_pem_x509_certificates((folders[1] / "client-ca.pem").read_bytes())
    assert len(found) == 4
    assert found[0] == other.certificate
    assert "client-crl.pem" in contents(folders[1])


@pytest.mark.parametrize("dies_at", range(9))
def test_an_init_that_is_killed(folders, clock, monkeypatch, dies_at):
    """Either there is no authority yet, and init makes it; or all of it is there and trusted."""

    class Killed(BaseException):
        pass

    writes, written = iter(range(99)), ca.written

    def until_killed(path, content, *, secret=False):
        if next(writes) == dies_at:
            raise Killed
        written(path, content, secret=secret)

    monkeypatch.setattr(ca, "written", until_killed)
    with pytest.raises(Killed):
        ca.create(*folders, clock, CaSettings(), root_kind="EC")
    monkeypatch.undo()
    if ca.exists(folders[0]):
        made = SmallAuthority(*folders, clock)
        made.publish()  # as a csms does that starts
    else:
        made = ca.create(*folders, clock, CaSettings(), root_kind="EC")
    trusted = (folders[1] / "client-ca.pem").read_text()
    assert made.roots()[0].pem in trusted
    assert "client-crl.pem" in contents(folders[1])
    made.issue_server(["localhost"])
    TlsContexts(folders[1], clock)


def test_what_does_not_fit_on_the_disk_is_told_with_its_file(tmp_path):
    with no_room(), pytest.raises(OSError, match=r"File too large: .*server\.pem"):
        written(tmp_path / "server.pem", b"x")
    assert list(tmp_path.iterdir()) == []


def test_writers_of_a_journal_do_not_mix(tmp_path, clock, authority):
    journal = Journal(tmp_path / "ca" / "journal")
    authority.issue_server(["localhost"])
    (first, _) = authority.issues()
    journal.revoked(first.serial, "superseded", clock.now())
    assert journal.read()[first.serial].reason == "superseded"
