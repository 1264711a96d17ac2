"""Keys, certificates, security events, logs, secure firmware, log-ins (chapter 3.21)."""

from __future__ import annotations

import base64
import ssl
import warnings
from urllib.parse import quote

import pytest
import pytest_asyncio
from websockets.exceptions import InvalidStatus

from tests.pki.authority import pem
from tests.spec.playbook import Asks, Says, Sees, Stage
from tests.spec.states import all_are, booted, boots, status
from tests.spec.values import Has, at

octt = pytest.mark.octt
pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

OLD, NEW = bytes(range(16)), bytes.fromhex("FF00" * 10)
EVENTS = "/api/stations/{id}/security-events"
JOBS = "/api/stations/{id}/jobs"
CERTIFICATES = "/api/stations/{id}/certificates"
ROOT_TYPE = "CentralSystemRootCertificate"


def basic(identity, key):
    token = base64.b64encode(identity.encode() + b":" + key).decode()
    return {"Authorization": f"Basic {token}"}


def newest(answer):
    return answer["items"][0] if answer["items"] else None


def event(kind):
    payload = {"type": kind, "timestamp": at()}
    return Says("SecurityEventNotification", payload, {})


@pytest.fixture
def trusting(root):
    return ssl.create_default_context(cadata=root.pem.decode())


@pytest_asyncio.fixture(loop_scope="module")
async def stations(csms):
    """Makes stages that are closed at the end."""
    made = []

    async def make(identity, *, headers=None, tls=None, **fields):
        await csms.add(identity, connectors=2, **fields)
        port = csms.running.ocpp_tls_port
        stage = Stage(
            csms,
            identity,
            url=f"wss://localhost:{port}/ocpp" if tls is not None else None,
            headers=headers,
            tls=tls,
        )
        made.append(stage)
        return stage

    yield make
    for stage in made:
        if hasattr(stage, "socket"):
            await stage.close()


async def refused(stage):
    """Return with which status a connection is refused."""
    with pytest.raises(InvalidStatus) as caught:
        await stage.plug_in()
    return caught.value.response.status_code


@octt("TC_073", "3.21", "Update of the password for basic authentication")
async def test_new_password(stations, identity):
    stage = await stations(identity, headers=basic(identity, OLD), password=OLD.hex())
    await stage.plug_in()
    change = {"key": "AuthorizationKey", "value": NEW.hex().upper()}
    await stage.play(booted(), Asks("ChangeConfiguration", change, more={"warnings": []}))
    await stage.close()
    assert await refused(stage) == 401  # the old key holds no more
    stage.headers = basic(identity, NEW)
    await stage.plug_in()
    await stage.play(booted())
    for path in ("calls", "messages"):
        _, seen = await stage.ask("GET", f"/api/stations/{quote(identity)}/{path}")
        assert NEW.hex() not in str(seen).lower()
        assert "AuthorizationKey" in str(seen)


@octt("TC_078", "3.21", "Invalid CentralSystemCertificate security event")
async def test_invalid_central_system_certificate(stage, root):
    install = {"certificateType": ROOT_TYPE, "certificate": root.pem.decode()}
    await stage.play(
        booted(),
        Asks("InstallCertificate", install, {"status": "Rejected"}, "rejected"),
        event("InvalidCentralSystemCertificate"),
        Sees(EVENTS, Has(type="InvalidCentralSystemCertificate", source="station"), newest),
    )


@octt("TC_079", "3.21", "Get security log")
async def test_security_log(stage):
    log = {
        "log": {"remoteLocation": "ftp://files.example/logs", "oldestTimestamp": at(-3600)},
        "logType": "SecurityLog",
        "requestId": 71,
    }

    def upload(now):
        return Says("LogStatusNotification", {"status": now, "requestId": 71}, {})

    await stage.play(
        booted(),
        Asks("GetLog", log, {"status": "Accepted", "filename": "security.log"}),
        upload("Uploading"),
        upload("Uploaded"),
        Sees(
            JOBS,
            Has(kind="log", requestId=71, state="done", status="Uploaded", fileName="security.log"),
            newest,
        ),
    )


@octt("TC_080", "3.21", "Secure firmware update")
@pytest.mark.parametrize("order", ["boot first", "installed first"])
async def test_secure_firmware(stage, root, order):
    update = {
        "requestId": 81,
        "firmware": {
            "location": "https://files.example/fw/v3.bin",
            "retrieveDateTime": at(-60),
            "signingCertificate": pem(root.certificate).decode(),
            "signature": "c2lnbmF0dXJl",
        },
    }

    def firmware(now):
        return Says("SignedFirmwareStatusNotification", {"status": now, "requestId": 81}, {})

    last = [boots(), event("FirmwareUpdated"), *all_are("Available"), firmware("Installed")]
    await stage.play(
        booted(),
        Asks("SignedUpdateFirmware", update),
        *[firmware(each) for each in ("Downloading", "Downloaded", "SignatureVerified")],
        all_are("Unavailable"),
        firmware("Installing"),
        firmware("InstallRebooting"),
        last if order == "boot first" else last[::-1],
        Sees(JOBS, Has(kind="firmware", requestId=81, state="done", status="Installed"), newest),
        Sees(EVENTS, Has(type="FirmwareUpdated", critical=True), newest),
    )


@octt("TC_085", "3.21", "Basic authentication")
async def test_basic_authentication(stations, identity):
    stage = await stations(identity, password=OLD.hex())
    assert await refused(stage) == 401
    stage.headers = basic(identity, NEW)
    assert await refused(stage) == 401
    stage.headers = basic(identity, OLD)
    await stage.plug_in()
    await stage.play(booted())


@octt("TC_086", "3.21", "TLS, server certificate")
@pytest.mark.parametrize(
    "cipher",
    [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
    ],
)
async def test_server_certificate(stations, identity, trusting, cipher):
    trusting.maximum_version = ssl.TLSVersion.TLSv1_2
    trusting.set_ciphers(cipher)
    stage = await stations(
        identity,
        headers=basic(identity, OLD),
        tls=trusting,
        securityProfile=2,
        password=OLD.hex(),
    )
    await stage.plug_in()
    tls = stage.socket.transport.get_extra_info("ssl_object")
    assert (tls.version(), tls.cipher()[0]) == ("TLSv1.2", cipher)
    certificate = tls.getpeercert()
    assert (("commonName", "localhost"),) in certificate["subject"]
    assert certificate["serialNumber"]
    await stage.play(booted())


@octt("TC_087", "3.21", "TLS, client certificate")
async def test_client_certificate(stations, identity, trusting, root, tmp_path):
    serial = f"SN-{identity[-20:]}"
    stage = await stations(identity, tls=trusting, securityProfile=3, serialNumber=serial)
    assert await refused(stage) == 403
    (tmp_path / "own.pem").write_bytes(b"".join(root.client(serial)))
    trusting.load_cert_chain(tmp_path / "own.pem")
    await stage.plug_in()
    await stage.play(booted())


# -- variants


@pytest.mark.parametrize("answer", ["Rejected", "NotSupported"])
async def test_a_password_that_is_refused_is_not_taken(stations, identity, answer):
    stage = await stations(identity, headers=basic(identity, OLD), password=OLD.hex())
    await stage.plug_in()
    change = {"key": "AuthorizationKey", "value": NEW.hex()}
    await stage.play(booted(), Asks("ChangeConfiguration", change, {"status": answer}, "rejected"))
    await stage.close()
    await stage.plug_in()
    stage.headers = basic(identity, NEW)
    assert await refused(stage) == 401


async def test_transport_below_the_profile_is_refused(csms, stations, identity, trusting, root):
    login = basic(identity, OLD)
    stage = await stations(
        identity, headers=login, tls=trusting, securityProfile=2, password=OLD.hex()
    )
    plain = Stage(csms, identity, headers=login)
    assert await refused(plain) == 403
    await stage.plug_in()
    old = ssl.create_default_context(cadata=root.pem.decode())
    with warnings.catch_warnings(action="ignore"):  # Python finds it as old as we do
        old.minimum_version = ssl.TLSVersion.TLSv1_1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    stage.tls = old
    with pytest.raises((ssl.SSLError, OSError)):
        await stage.plug_in()


async def test_a_certificate_of_another_station_is_refused(stations, identity, root, tmp_path):
    own = ssl.create_default_context(cadata=root.pem.decode())
    (tmp_path / "other.pem").write_bytes(b"".join(root.client("SN-OTHER")))
    own.load_cert_chain(tmp_path / "other.pem")
    stage = await stations(identity, tls=own, securityProfile=3, serialNumber="SN-MINE")
    assert await refused(stage) == 403


@octt("TC_088", "3.21", "Subprotocol of the handshake")
@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        (["ocpp1.6"], "ocpp1.6"),
        (["ocpp2.0.1", "ocpp1.6"], "ocpp1.6"),
        (["ocpp0.1"], None),
        (["ocpp2.0.1"], None),
    ],
)
async def test_subprotocols(csms, identity, offered, taken):
    from tests.ocppj.playbook import plug_in

    await csms.add(identity)
    path = f"/ocpp/{quote(identity, safe='')}"
    if taken is None:
        with pytest.raises(InvalidStatus) as caught:
            await plug_in(csms.running.ocpp_port, path, subprotocols=offered)
        assert caught.value.response.status_code == 400
        return
    station = await plug_in(csms.running.ocpp_port, path, subprotocols=offered)
    assert station.socket.subprotocol == taken
    await station.close()


@octt("TC_081", "3.21", "Secure firmware update, invalid signature")
@pytest.mark.parametrize("state", ["InvalidSignature", "InstallVerificationFailed"])
async def test_secure_firmware_that_fails(stage, root, state):
    update = {
        "requestId": 82,
        "firmware": {
            "location": "https://files.example/fw/v3.bin",
            "retrieveDateTime": at(-60),
            "installDateTime": at(60),
            "signingCertificate": root.pem.decode(),
            "signature": "bm90IHRydWU=",
        },
    }
    await stage.play(
        booted(),
        Asks("SignedUpdateFirmware", update),
        Says("SignedFirmwareStatusNotification", {"status": "Downloaded", "requestId": 82}, {}),
        Says("SignedFirmwareStatusNotification", {"status": state, "requestId": 82}, {}),
        event("InvalidFirmwareSignature"),
        Sees(JOBS, Has(kind="firmware", state="failed", status=state), newest),
    )


@pytest.mark.parametrize("answer", ["Rejected", "InvalidCertificate", "RevokedCertificate"])
async def test_secure_firmware_that_is_refused(stage, root, answer):
    update = {
        "requestId": 83,
        "firmware": {
            "location": "https://files.example/fw/v3.bin",
            "retrieveDateTime": at(),
            "signingCertificate": root.pem.decode(),
            "signature": "c2ln",
        },
    }
    await stage.play(
        Asks("SignedUpdateFirmware", update, {"status": answer}, "rejected"),
        Sees(JOBS, [], lambda shown: shown["items"]),
    )


async def test_q4_certificates_leave_with_line_feeds(stage, root):
    """A PEM text that was typed with CR LF goes out with LF; see `Asks`, which compares texts."""
    sent = root.pem.decode().replace("\n", "\r\n")
    shown = root.pem.decode()
    wanted, typed = ({"certificateType": ROOT_TYPE, "certificate": text} for text in (shown, sent))
    await stage.play(Asks("InstallCertificate", wanted, typed=typed))


async def test_extended_triggers(stage):
    for message, more in (
        ("BootNotification", {}),
        ("LogStatusNotification", {}),
        ("FirmwareStatusNotification", {}),
        ("Heartbeat", {}),
        ("MeterValues", {"connectorId": 1}),
        ("SignChargePointCertificate", {}),
        ("StatusNotification", {"connectorId": 2}),
    ):
        await stage.play(
            Asks("ExtendedTriggerMessage", {"requestedMessage": message, **more}),
            Asks(
                "ExtendedTriggerMessage",
                {"requestedMessage": message, **more},
                {"status": "NotImplemented"},
                "rejected",
            ),
        )
    await stage.play(Says("LogStatusNotification", {"status": "Idle"}, {}), status(2, "Available"))
