"""Certificates over the whole system: asked for, signed, taken or refused, used, revoked.

(Whitepaper A02, A03, M80, N22-N25, A22-A24; TC_074, TC_075, TC_077, TC_078, TC_087.)
"""

from __future__ import annotations

import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.app.bench import system
from tests.app.secure_station import Identity, entered, put_authority, status, trusting
from tests.app.station import call
from tests.pki.authority import Authority, rsa_key
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

PASSWORD = b"a password of a station"


@pytest.fixture
async def s(database_url, tmp_path):
    put_authority(tmp_path / "data")
    async with system(database_url, tmp_path, ocpp_tls_port=0) as s:
        await s.add("A", securityProfile=2, password=PASSWORD.decode(), serialNumber="SN-A")
        yield s


async def items(s, what, identity="A"):
    return (await s.ask("GET", f"/api/stations/{identity}/{what}"))["items"]


async def own(s, identity="A"):
    found = await items(s, "certificates", identity)
    return [each for each in found if each["certificateType"] == "ChargePointCertificate"]


async def events(s, identity="A"):
    found = await items(s, "security-events", identity)
    return [(each["type"], each["techInfo"]) for each in found]


async def asked(station, csr: str) -> str:
    return (await station.say("SignCertificate", {"csr": csr}))["status"]


async def signed(station) -> str:
    """Return the chain of the next CertificateSigned; it may have come by now."""

    def come():
        return [payload for action, payload in station.got if action == "CertificateSigned"]

    station.looked_at += 1
    await wait_until(lambda: len(come()) >= station.looked_at)
    return come()[station.looked_at - 1]["certificateChain"]


async def state(s, wanted: str):
    async def so():
        found = (await items(s, "certificate-requests"))[0]
        return found if found["state"] == wanted else None

    return await wait_until(so)


async def test_tc074_a_certificate_is_asked_for_signed_and_used(s, tmp_path):
    """From profile 2 to 3, the whole way, on a quiet station."""
    me = Identity("SN-A", tmp_path)
    assert await status(s, tls=me.context()) == 401
    async with entered(s, tls=trusting(), password=PASSWORD) as station:
        asking = await call(
            s, "ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}
        )
        assert asking["outcome"] == "accepted"
        assert await asked(station, me.request()) == "Accepted"
        me.chain = await signed(station)
        done = await state(s, "installed")
        assert (done["commonName"], done["keyType"]) == ("SN-A", "EC 256")
        (held,) = await own(s)
        assert (held["source"], held["serialNumber"]) == ("signed", me.serial)
        assert held["hashAlgorithm"] == "SHA256"
    leaf, issuing = x509.load_pem_x509_certificates(me.chain.encode())
    assert leaf.public_key() == me.key.public_key()
    assert [part.value for part in leaf.subject] == ["SN-A", "CSMS"]
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    leaf.verify_directly_issued_by(issuing)
    assert "\r" not in me.chain
    assert me.chain.endswith("-----END CERTIFICATE-----\n")

    await s.ask("PATCH", "/api/stations/A", {"securityProfile": 3})
    assert await status(s, tls=trusting(), password=PASSWORD) == 403
    async with entered(s, tls=me.context()):
        (held,) = await own(s)
        assert held["inUseAt"] is not None


async def test_the_answer_is_out_before_certificate_signed(s, tmp_path):
    """R25, on the raw frames."""
    me = Identity("SN-A", tmp_path)
    async with entered(s, tls=trusting(), password=PASSWORD) as station:
        await asked(station, me.request())
        await signed(station)
        await state(s, "installed")
    frames = [
        (frame["direction"], frame["type"], frame["action"])
        for frame in reversed(await items(s, "messages"))
        if frame["action"] in {"SignCertificate", "CertificateSigned"}
    ]
    assert frames == [
        ("in", "call", "SignCertificate"),
        ("out", "callResult", "SignCertificate"),
        ("out", "call", "CertificateSigned"),
        ("in", "callResult", "CertificateSigned"),
    ]


async def test_rsa_keys_are_signed_by_pkcs1(s, tmp_path):
    me = Identity("SN-A", tmp_path, rsa_key())
    async with entered(s, tls=trusting(), password=PASSWORD) as station:
        # line ends and blanks as some charge points have them
        assert await asked(station, me.request().replace("\n", "\r\n\t")) == "Accepted"
        me.chain = await signed(station)
    leaf = x509.load_pem_x509_certificate(me.chain.encode())
    assert leaf.signature_algorithm_oid._name == "sha256WithRSAEncryption"
    await s.ask("PATCH", "/api/stations/A", {"securityProfile": 3})
    assert await status(s, tls=me.context()) == 101


async def test_tc077_a_refused_certificate_leaves_the_old_one_and_is_not_sent_again(s, tmp_path):
    old, new = Identity("SN-A", tmp_path), Identity("SN-A", tmp_path)
    async with entered(s, tls=trusting(), password=PASSWORD) as station:
        await asked(station, old.request())
        old.chain = await signed(station)
        await state(s, "installed")
    await s.ask("PATCH", "/api/stations/A", {"securityProfile": 3})
    async with entered(s, tls=old.context()) as station:
        station.replies["CertificateSigned"] = {"status": "Rejected"}
        assert await asked(station, new.request()) == "Accepted"
        await signed(station)
        await state(s, "rejected")
        said = {"type": "InvalidChargePointCertificate", "timestamp": "2026-03-01T12:00:00Z"}
        await station.say("SecurityEventNotification", said)
        kinds = [kind for kind, _ in await events(s)]
        assert {"CertificateRejected", "InvalidChargePointCertificate"} <= set(kinds)
        assert [each["serialNumber"] for each in await own(s)] == [old.serial]
    async with entered(s, tls=old.context()) as station:
        await s.sql.execute("UPDATE certificate_requests SET tried_at = NULL")
        third = Identity("SN-A", tmp_path)
        await asked(station, third.request())
        sent = await signed(station)
        assert [action for action, _ in station.got] == ["CertificateSigned"]
        assert sent != new.chain


async def test_what_was_not_heard_is_sent_again_to_the_next_connection(s, tmp_path):
    me = Identity("SN-A", tmp_path)
    async with entered(s, tls=trusting(), password=PASSWORD) as station:
        station.replies["CertificateSigned"] = None  # which says nothing
        await asked(station, me.request())
        first = await signed(station)
    await state(s, "issued")
    await s.sql.execute("UPDATE certificate_requests SET tried_at = NULL")
    async with entered(s, tls=trusting(), password=PASSWORD) as station:
        assert await signed(station) == first
        await state(s, "installed")


async def test_of_several_requests_the_last_one_wins(s, tmp_path):
    first, second = Identity("SN-A", tmp_path), Identity("SN-A", tmp_path)
    async with entered(s, tls=trusting(), password=PASSWORD) as station:
        station.replies["CertificateSigned"] = None
        await asked(station, first.request())
        await signed(station)
        await asked(station, second.request())
    found = await items(s, "certificate-requests")
    assert [each["state"] for each in found][1] == "superseded"


@pytest.mark.parametrize(
    "csr",
    [
        "",
        "rubbish",
        "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        "-----BEGIN CERTIFICATE REQUEST-----\n*\n-----END CERTIFICATE REQUEST-----\n",
    ],
)
async def test_m80_a_bad_request_is_rejected(s, csr):
    async with entered(s, tls=trusting(), password=PASSWORD) as station:
        assert await asked(station, csr) == "Rejected"
        assert [action for action, _ in station.got] == []
    (found,) = await items(s, "certificate-requests")
    assert (found["state"], found["csr"]) == ("refused", csr)
    assert found["detail"]
    assert [kind for kind, _ in await events(s)] == ["CertificateNotSigned"]


async def test_a22_hostile_requests(s, tmp_path):
    await s.add("B", serialNumber="SN-B")
    me = Identity("SN-A", tmp_path)
    weak = Identity("SN-A", tmp_path, rsa_key(bits=1024))
    der = x509.load_pem_x509_csr(me.request().encode()).public_bytes(Encoding.DER)
    async with entered(s, tls=trusting(), password=PASSWORD) as station:
        for name in ("SN-B", "B", "sn-b"):
            assert await asked(station, me.request(name)) == "Rejected", name
        assert await asked(station, weak.request()) == "Rejected"
        broken = ssl.DER_cert_to_PEM_cert(der[:-4] + b"\1\2\3\4")
        broken = broken.replace("CERTIFICATE", "CERTIFICATE REQUEST")
        assert await asked(station, broken) == "Rejected"
        assert station.got == []
    details = [each["detail"] for each in await items(s, "certificate-requests")]
    assert details[-1] == "The request names another station."
    assert "1024 bits" in details[1]
    assert "signature" in details[0]


async def test_a_subject_that_names_nobody_is_odd_and_a_strict_check_refuses_it(s, tmp_path):
    me = Identity("SN-A", tmp_path)
    async with entered(s, tls=trusting(), password=PASSWORD) as station:
        assert await asked(station, me.request("whatever")) == "Accepted"
        me.chain = await signed(station)
        leaf = x509.load_pem_x509_certificate(me.chain.encode())
        assert leaf.subject.rfc4514_string() == "O=CSMS,CN=SN-A"
        await state(s, "installed")
        ((kind, text),) = await events(s)
        assert kind == "CertificateSubjectOdd"
        assert "'whatever'" in text
        await s.ask("PATCH", "/api/stations/A", {"subjectCheck": "strict"})
        assert await asked(station, me.request("whatever")) == "Rejected"
        assert await asked(station, me.request("A")) == "Accepted"


async def test_a_station_that_asks_too_often_is_refused(s, tmp_path):
    me = Identity("SN-A", tmp_path)
    async with entered(s, tls=trusting(), password=PASSWORD) as station:
        answers = [await asked(station, "rubbish") for _ in range(10)]
        assert set(answers) == {"Rejected"}
        assert await asked(station, me.request()) == "Rejected"
    assert len(await items(s, "certificate-requests")) == 10


async def test_a24_a_revoked_certificate_ends_its_connection_and_is_refused(s, tmp_path):
    me = Identity("SN-A", tmp_path)
    async with entered(s, tls=trusting(), password=PASSWORD) as station:
        await asked(station, me.request())
        me.chain = await signed(station)
        await state(s, "installed")
    await s.ask("PATCH", "/api/stations/A", {"securityProfile": 3})
    async with entered(s, tls=me.context()) as station:
        path = f"/api/stations/A/certificates/{me.serial}/revoke"
        revoked = await s.ask("POST", path, {"reason": "keyCompromise"})
        assert revoked["revokedAt"]
        await wait_until(lambda: station.socket.close_code is not None)
        assert station.socket.close_code == 1008
    assert await status(s, tls=me.context()) == 403
    attempts = await items(s, "connections")
    assert attempts[0]["reason"] == "the client certificate is revoked"
    audit = (await s.ask("GET", "/api/audit"))["items"]
    assert "revoke certificate" in {each["action"] for each in audit}


async def test_a_certificate_of_another_authority_cannot_be_revoked_here(s, tmp_path):
    other = Authority("Other")
    certificate, _ = other.client("SN-A")
    async with entered(s, tls=trusting(), password=PASSWORD):
        sent = await call(s, "CertificateSigned", {"certificateChain": certificate.decode()})
        assert sent["outcome"] == "accepted"
    (held,) = await own(s)
    url = f"http://127.0.0.1:{s.running.http_port}/api/stations/A/certificates"
    async with s.client.post(f"{url}/{held['serialNumber']}/revoke", json={}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (409, "foreign_certificate")
    async with s.client.post(f"{url}/abcd/revoke", json={}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (404, "certificate_not_found")


async def test_a_foreign_certificate_that_nobody_asked_for_is_not_the_stations(s, tmp_path):
    me = Identity("SN-A", tmp_path)
    async with entered(s, tls=trusting(), password=PASSWORD) as station:
        await asked(station, me.request())
        me.chain = await signed(station)
        await state(s, "installed")
    await s.add("B")
    assert await status(s, "B", tls=me.context()) == 101  # profile 0 demands nothing
    assert await own(s, "B") == []


async def test_roots_are_installed_listed_and_deleted(s):
    (root,) = (await s.ask("GET", "/api/certificate-authority/roots"))["items"]
    kind = "CentralSystemRootCertificate"
    install = {"certificateType": kind, "certificate": root["certificate"]}
    async with entered(s, tls=trusting(), password=PASSWORD) as station:
        station.replies["InstallCertificate"] = {"status": "Rejected"}
        await call(s, "InstallCertificate", install)
        assert await items(s, "certificates") == []  # TC_078
        station.replies["InstallCertificate"] = {"status": "Accepted"}
        done = await call(s, "InstallCertificate", install)
        assert done["warnings"] == []
        (held,) = await items(s, "certificates")
        named = {
            name: held[name]
            for name in ("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber")
        }
        assert named == {name: root[name] for name in named}
        assert (held["certificateType"], held["source"]) == (kind, "installed")

        spelled = {**named, "serialNumber": named["serialNumber"].upper()}
        other = {**spelled, "serialNumber": "77", "issuerKeyHash": "ff"}
        listing = {"status": "Accepted", "certificateHashData": [spelled, other]}
        station.replies["GetInstalledCertificateIds"] = listing
        await call(s, "GetInstalledCertificateIds", {"certificateType": kind})
        found = {each["serialNumber"]: each for each in await items(s, "certificates")}
        assert set(found) == {spelled["serialNumber"], "77"}
        assert found[spelled["serialNumber"]]["subject"] == root["subject"]
        assert found["77"]["subject"] is None

        station.replies["DeleteCertificate"] = {"status": "Failed"}
        await call(s, "DeleteCertificate", {"certificateHashData": other})
        assert len(await items(s, "certificates")) == 2
        station.replies["DeleteCertificate"] = {"status": "Accepted"}
        await call(s, "DeleteCertificate", {"certificateHashData": other})
        last = await call(s, "DeleteCertificate", {"certificateHashData": named})
        assert "last known CentralSystemRootCertificate" in last["warnings"][0]
        assert await items(s, "certificates") == []
        unknown = await call(s, "DeleteCertificate", {"certificateHashData": named})
        assert unknown["warnings"] == ["The station is not known to have this certificate."]

        station.replies["GetInstalledCertificateIds"] = {"status": "NotFound"}
        await call(s, "InstallCertificate", install)
        await call(s, "GetInstalledCertificateIds", {"certificateType": kind})
        assert await items(s, "certificates") == []


async def test_what_looks_wrong_about_certificates_is_told_and_sent(s):
    leaf, _ = Authority().client("SN-A")
    kind = {"certificateType": "CentralSystemRootCertificate"}
    async with entered(s, tls=trusting(), password=PASSWORD) as station:
        sent = await call(s, "InstallCertificate", {**kind, "certificate": leaf.decode()})
        assert sent["warnings"] == ["The certificate is no CA certificate."]
        sent = await call(s, "InstallCertificate", {**kind, "certificate": "nonsense"})
        assert sent["warnings"] == ["certificate is no certificate in PEM form."]
        first, second = (Authority(name).pem.decode() for name in ("First", "Second"))
        sent = await call(s, "InstallCertificate", {**kind, "certificate": first})
        station.replies["GetConfiguration"] = {
            "configurationKey": [
                {"key": "AdditionalRootCertificateCheck", "readonly": True, "value": "true"}
            ]
        }
        assert sent["warnings"] == []
        await call(s, "GetConfiguration", {})
        sent = await call(s, "InstallCertificate", {**kind, "certificate": second})
        assert "only where its present one has signed it" in sent["warnings"][0]
        other, _ = Authority().client("SN-X")
        sent = await call(s, "CertificateSigned", {"certificateChain": other.decode()})
        assert "does not name 'SN-A'" in sent["warnings"][0]
        assert [action for action, _ in station.got].count("InstallCertificate") == 4
        assert station.got[-1][0] == "CertificateSigned"


async def test_a_chain_longer_than_the_station_takes_is_not_sent(s, tmp_path):
    me = Identity("SN-A", tmp_path)
    async with entered(s, tls=trusting(), password=PASSWORD) as station:
        station.replies["GetConfiguration"] = {
            "configurationKey": [
                {"key": "CertificateSignedMaxChainSize", "readonly": True, "value": "900"}
            ]
        }
        await call(s, "GetConfiguration", {})
        assert await asked(station, me.request()) == "Accepted"
        failed = await state(s, "failed")
        assert "the station takes 900" in failed["detail"]
        assert [kind for kind, _ in await events(s)] == ["CertificateNotSigned"]


async def test_without_an_authority_requests_are_rejected(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.add("A")
        async with entered(s) as station:
            assert await asked(station, Identity("A", tmp_path).request()) == "Rejected"
        assert await items(s, "certificate-requests") == []
        assert (await s.ask("GET", "/api/certificate-authority/roots"))["items"] == []
        ((kind, _),) = await events(s)
        assert kind == "CertificateNotSigned"
