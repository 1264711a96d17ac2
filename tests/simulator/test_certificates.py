"""Installed roots, chains, the own certificate (security whitepaper M03-M05, A02)."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from simulator.certificates import (
    CENTRAL,
    MANUFACTURER,
    CertificateError,
    CertificateStore,
    check_chain,
    read_chain,
)
from simulator.own_certificate import OwnCertificate, load_identity
from tests.simulator.pki import authority, ends_in, pem

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def store(**changes) -> CertificateStore:
    return CertificateStore(**{"most": 3, "checks_additional": False, **changes})


def test_roots_are_installed_found_and_deleted_by_their_hashes():
    roots, one, other = store(), authority("One"), authority("Other")
    assert roots.hash_data(CENTRAL) == []
    assert roots.install(CENTRAL, one.pem, NOW) == "Accepted"
    assert roots.install(CENTRAL, one.pem.replace("\n", "\r\n"), NOW) == "Accepted"
    assert roots.install(MANUFACTURER, other.pem, NOW) == "Accepted"
    (data,) = roots.hash_data(CENTRAL)
    assert data["hash_algorithm"] == "SHA256"
    assert data["serial_number"] == f"{one.certificate.serial_number:x}"
    assert len(data["issuer_name_hash"]) == len(data["issuer_key_hash"]) == 64
    shouted = {key: value.upper() for key, value in data.items()}
    shouted["serial_number"] = "00" + shouted["serial_number"]
    found = roots.find(shouted)
    assert found is not None
    assert found.certificate == one.certificate
    assert roots.find({**data, "issuer_key_hash": "00"}) is None
    longer = roots.find({**data, "hash_algorithm": "SHA512"})
    assert longer is None, "the same text is no hash of another algorithm"
    roots.delete(found)
    assert roots.hash_data(CENTRAL) == []
    assert len(roots.hash_data(MANUFACTURER)) == 1


def test_hashes_of_an_intermediate_are_those_of_its_issuer():
    root = authority()
    below = root.issue("Below", ca=True)
    roots = store()
    roots.install(CENTRAL, root.pem, NOW)
    roots.install(CENTRAL, below.pem, NOW)
    of_root, of_below = roots.hash_data(CENTRAL)
    assert of_root["issuer_key_hash"] == of_below["issuer_key_hash"]
    assert of_root["serial_number"] != of_below["serial_number"]


def test_what_is_no_root_is_rejected():
    roots, root = store(most=2), authority()
    expired = authority(until=datetime(2026, 1, 1, tzinfo=UTC))
    for wrong in ("", "x", root.pem + root.pem, root.issue("Leaf").pem, expired.pem):
        assert roots.install(CENTRAL, wrong, NOW) == "Rejected"
    for number in range(2):
        assert roots.install(CENTRAL, authority(f"R{number}").pem, NOW) == "Accepted"
    assert roots.install(CENTRAL, root.pem, NOW) == "Rejected", "the store is full"


def test_with_the_additional_check_a_root_is_replaced_only_by_one_it_has_signed():
    roots, old = store(checks_additional=True), authority("Old")
    new = old.issue("New", ca=True)
    assert roots.install(CENTRAL, old.pem, NOW) == "Accepted"
    assert roots.install(CENTRAL, authority("Stranger").pem, NOW) == "Rejected"
    assert roots.of(CENTRAL) == [old.certificate]
    assert roots.install(CENTRAL, new.pem, NOW) == "Accepted"
    assert roots.of(CENTRAL) == [new.certificate]
    assert roots.of(CENTRAL, fallback=True) == [old.certificate]
    roots.confirm()
    assert roots.of(CENTRAL, fallback=True) == []


def test_chains_end_at_a_root():
    root = authority()
    issuing = root.issue("Issuing", ca=True)
    leaf = issuing.issue("Leaf")
    chain = read_chain(leaf.pem + issuing.pem)
    check_chain(chain, [root.certificate], NOW)
    check_chain([*chain, root.certificate], [root.certificate], NOW)
    for wrong, roots in (
        (chain, [authority().certificate]),
        (chain[:1], [root.certificate]),
        ([chain[0], authority().certificate], [root.certificate]),
        ([leaf.issue("Below a leaf").certificate, *chain], [root.certificate]),
    ):
        with pytest.raises(CertificateError):
            check_chain(wrong, roots, NOW)
    with pytest.raises(CertificateError, match="valid"):
        check_chain(chain, [root.certificate], datetime(2046, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("kind", ["EC", "RSA"])
def test_a_signing_request_names_the_charge_point_and_its_certificate_is_taken(kind):
    own, root = OwnCertificate("SN-1", kind), authority()
    request = x509.load_pem_x509_csr(own.request("Power Ltd").encode())
    assert request.subject.rfc4514_string() == "O=Power Ltd,CN=SN-1"
    own.accept(root.signed(pem_of(request)), [root.certificate], NOW)
    assert own.identity is not None
    with pytest.raises(CertificateError, match="asked for"):
        own.accept(root.signed(pem_of(request)), [root.certificate], NOW)


def pem_of(request: x509.CertificateSigningRequest) -> str:
    return request.public_bytes(Encoding.PEM).decode()


def test_a_certificate_that_does_not_fit_is_refused():
    own, root = OwnCertificate("SN-1"), authority()
    earlier, request = own.request(""), own.request("")
    for wrong in (
        root.issue("SN-1").pem,
        root.signed(earlier),
        authority("Stranger").signed(request),
        root.signed(request, until=datetime(2026, 1, 1, tzinfo=UTC)),
        pem(
            root.issue(
                "SN-2", key=x509.load_pem_x509_csr(request.encode()).public_key()
            ).certificate
        ),
        "nothing",
    ):
        with pytest.raises(CertificateError):
            own.accept(wrong, [root.certificate], NOW)
        assert own.identity is None
    own.accept(root.signed(request), [root.certificate], NOW)


def test_renewal_is_due_a_month_before_the_end(tmp_path):
    own, root = OwnCertificate("SN-1"), authority()
    assert not own.is_due(datetime.now(UTC))
    for days, due in ((29, True), (31, False)):
        own.identity = load_identity(*root.issue("SN-1", until=ends_in(days)).files(tmp_path))
        assert own.is_due(datetime.now(UTC)) is due


def test_identity_files_must_belong_together(tmp_path):
    root = authority()
    certificate, key = root.issue("A").files(tmp_path)
    assert load_identity(certificate, key).chain[0].subject.rfc4514_string() == "CN=A"
    certificate.write_text(root.issue("B").pem)
    with pytest.raises(CertificateError, match="belong"):
        load_identity(certificate, key)
    key.write_text("x")
    with pytest.raises(CertificateError, match="private key"):
        load_identity(certificate, key)
