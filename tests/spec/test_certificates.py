"""Certificates of stations and the way to higher security profiles (chapter 3.21)."""

from __future__ import annotations

import ssl

import pytest
import pytest_asyncio
from cryptography import x509
from websockets.exceptions import InvalidStatus

from tests.app.bench import system
from tests.app.secure_station import Identity, put_authority, trusting
from tests.pki.authority import ec_key, rsa_key
from tests.spec.playbook import Asks, Line, Says, Sees, Stage, Step, call_line
from tests.spec.states import booted
from tests.spec.test_security import basic
from tests.spec.values import Has, at

octt = pytest.mark.octt
pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

KEY, NEW_KEY = bytes(range(20)), bytes(range(20, 40))
EVENTS = "/api/stations/{id}/security-events"
CERTIFICATES = "/api/stations/{id}/certificates"
REQUESTS = "/api/stations/{id}/certificate-requests"
TRIGGER = {"requestedMessage": "SignChargePointCertificate"}
ROOT_TYPE = "CentralSystemRootCertificate"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def csms(module_database, tmp_path_factory):
    """One with an authority of its own."""
    folder = tmp_path_factory.mktemp("csms")
    put_authority(folder / "data")
    async with system(module_database, folder, ocpp_tls_port=0) as s:
        yield s


class GetsCertificate(Step):
    """CertificateSigned comes, right after the answer to SignCertificate; the station replies."""

    def __init__(self, me: Identity, answer: str = "Accepted") -> None:
        self.me, self.answer = me, answer

    def script(self) -> list[Line]:
        return [
            Line("station", "gets a chain, its own certificate first", True),
            Line("station", "replies", {"status": self.answer}),
        ]

    async def perform(self, stage: Stage) -> list[Line]:
        frame, raw = await stage.receive()
        if not isinstance(frame, list) or frame[2] != "CertificateSigned":
            return [call_line(frame, raw)]
        chain = frame[3]["certificateChain"]
        await stage.send([3, frame[1], {"status": self.answer}])
        self.me.chain = chain
        leaf = x509.load_pem_x509_certificates(chain.encode())[0]
        good = (
            leaf.public_key() == self.me.key.public_key()
            and leaf.subject.rfc4514_string().endswith(f"CN={self.me.common_name}")
            and "\r" not in chain
            and len(chain) <= 10_000
        )
        return [
            Line("station", "gets a chain, its own certificate first", good),
            Line("station", "replies", {"status": self.answer}),
        ]


@pytest_asyncio.fixture(loop_scope="module")
async def make(csms, identity):
    """Makes the stage of a station with a profile; closes it at the end."""
    made = []

    async def stage(profile, *, tls=None, key=KEY, **fields):
        serial = f"SN-{identity[-30:]}"
        if profile in (1, 2):
            fields["password"] = key.hex()
        await csms.add(
            identity, connectors=2, securityProfile=profile, serialNumber=serial, **fields
        )
        made.append(at_port(csms, identity, tls, basic(identity, key)))
        return made[0]

    yield stage
    for each in made:
        if hasattr(each, "socket"):
            await each.close()


def at_port(csms, identity, tls, headers):
    port = csms.running.ocpp_tls_port
    url = None if tls is None else f"wss://localhost:{port}/ocpp"
    return Stage(csms, identity, url=url, headers=headers, tls=tls)


async def refused(stage):
    with pytest.raises(InvalidStatus) as caught:
        await stage.plug_in()
    return caught.value.response.status_code


def own_key(kind):
    return rsa_key() if kind == "RSA" else ec_key()


async def with_certificate(stage, csms, identity, me, tmp_path):
    """Bring a station from profile 2 to 3 and back on stage with its certificate."""
    stage.tls = trusting()
    await stage.plug_in()
    await stage.play(
        booted(),
        Says("SignCertificate", {"csr": me.request()}, {"status": "Accepted"}),
        GetsCertificate(me),
        Sees(REQUESTS, Has(state="installed"), lambda answer: answer["items"][0]),
    )
    await stage.close()
    await csms.ask("PATCH", f"/api/stations/{identity}", {"securityProfile": 3})
    stage.headers, stage.tls = {}, me.context()
    await stage.plug_in()


@octt("TC_074", "3.21", "Renewal of the charge point's certificate by request")
@pytest.mark.parametrize("kind", ["RSA", "EC"])
async def test_renewed_certificate(csms, make, identity, tmp_path, kind):
    serial = f"SN-{identity[-30:]}"
    old, new = (Identity(serial, tmp_path, own_key(kind)) for _ in range(2))
    stage = await make(2, tls=trusting())
    await with_certificate(stage, csms, identity, old, tmp_path)
    await stage.play(
        booted(),
        Asks("ExtendedTriggerMessage", TRIGGER, more={"warnings": []}),
        Says("SignCertificate", {"csr": new.request()}, {"status": "Accepted"}),
        GetsCertificate(new),
        Sees(REQUESTS, Has(state="installed"), lambda answer: answer["items"][0]),
    )
    await stage.close()
    stage.tls = new.context()
    await stage.plug_in()
    await stage.play(booted())


def reported(answer):
    return "InvalidChargePointCertificate" in [each["type"] for each in answer["items"]]


@octt("TC_077", "3.21", "Invalid ChargePointCertificate security event")
async def test_certificate_that_the_station_refuses(csms, make, identity, tmp_path):
    serial = f"SN-{identity[-30:]}"
    old, new = Identity(serial, tmp_path), Identity(serial, tmp_path)
    stage = await make(2, tls=trusting())
    await with_certificate(stage, csms, identity, old, tmp_path)
    event = {"type": "InvalidChargePointCertificate", "timestamp": at()}
    await stage.play(
        booted(),
        Asks("ExtendedTriggerMessage", TRIGGER),
        Says("SignCertificate", {"csr": new.request()}, {"status": "Accepted"}),
        GetsCertificate(new, "Rejected"),
        Says("SecurityEventNotification", event, {}),
        Sees(EVENTS, True, reported),
        Sees(REQUESTS, Has(state="rejected"), lambda answer: answer["items"][0]),
    )
    await stage.close()
    await stage.plug_in()  # the old one still holds
    await stage.play(booted())


# -- variants


@octt("TC_083", "3.21", "Upgrade of the security profile")
@pytest.mark.parametrize("answer", ["Accepted", "RebootRequired"])
async def test_a05_a_profile_goes_up_and_not_down_again(csms, make, identity, answer):
    """From 1 to 2: until the station has come by the new way both are open, then one is."""
    stage = await make(1)
    await stage.plug_in()
    up = {"key": "SecurityProfile", "value": "2"}
    await stage.play(booted(), Asks("ChangeConfiguration", up, {"status": answer}))
    await stage.play(Asks("Reset", {"type": "Hard"}))
    await stage.close()
    await stage.plug_in()  # it cannot connect the new way, and falls back
    await stage.play(booted())
    await stage.close()
    upper = at_port(csms, identity, trusting(), stage.headers)
    await upper.plug_in()
    await upper.play(
        booted(),
        Sees("/api/stations/{id}", Has(securityProfile=2)),
    )
    await upper.close()
    assert await refused(stage) == 403


@pytest.mark.parametrize("answer", ["Rejected", "NotSupported"])
async def test_a05_a_profile_that_is_refused_stays(csms, make, identity, answer):
    stage = await make(1)
    await stage.plug_in()
    up = {"key": "SecurityProfile", "value": "2"}
    await stage.play(booted(), Asks("ChangeConfiguration", up, {"status": answer}, "rejected"))
    await stage.close()
    await stage.plug_in()
    await stage.play(booted(), Sees("/api/stations/{id}", Has(securityProfile=1)))


async def test_a05_from_2_to_3(csms, make, identity, tmp_path):
    me = Identity(f"SN-{identity[-30:]}", tmp_path)
    stage = await make(2, tls=trusting())
    await stage.plug_in()
    await stage.play(
        booted(),
        Says("SignCertificate", {"csr": me.request()}, {"status": "Accepted"}),
        GetsCertificate(me),
        Asks("ChangeConfiguration", {"key": "SecurityProfile", "value": "3"}),
    )
    await stage.close()
    upper = at_port(csms, identity, me.context(), {})
    await upper.plug_in()
    await upper.play(booted(), Sees("/api/stations/{id}", Has(securityProfile=3)))
    await upper.close()
    assert await refused(stage) == 403


@pytest.mark.parametrize("reply", ["InternalError", {"status": "RebootRequired"}])
async def test_a_new_key_whose_fate_is_unknown_lets_both_in(csms, make, identity, reply):
    stage = await make(1)
    await stage.plug_in()
    outcome = "callError" if isinstance(reply, str) else "accepted"
    change = {"key": "AuthorizationKey", "value": NEW_KEY.hex()}
    await stage.play(booted(), Asks("ChangeConfiguration", change, reply, outcome))
    await stage.close()
    await stage.plug_in()
    await stage.play()
    await stage.close()
    stage.headers = basic(identity, NEW_KEY)
    if isinstance(reply, str):
        # the old key was used: the new one is not there
        assert await refused(stage) == 401
        return
    await stage.plug_in()
    await stage.play(booted())
    await stage.close()
    stage.headers = basic(identity, KEY)
    assert await refused(stage) == 401


async def test_installed_certificates_are_shown(csms, make, identity):
    stage = await make(1)
    (root,) = (await csms.ask("GET", "/api/certificate-authority/roots"))["items"]
    hashed = {
        name: root[name]
        for name in ("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber")
    }
    await stage.plug_in()
    ask = {"certificateType": ROOT_TYPE}
    await stage.play(
        booted(),
        Asks("GetInstalledCertificateIds", ask, {"status": "NotFound"}, "rejected"),
        Sees(CERTIFICATES, [], lambda answer: answer["items"]),
        Asks("InstallCertificate", {**ask, "certificate": root["certificate"]}),
        Sees(CERTIFICATES, [Has(hashed)], lambda answer: answer["items"]),
        Asks(
            "GetInstalledCertificateIds",
            ask,
            {"status": "Accepted", "certificateHashData": [hashed]},
        ),
        Sees(CERTIFICATES, [Has(hashed)], lambda answer: answer["items"]),
        Asks("DeleteCertificate", {"certificateHashData": hashed}),
        Sees(CERTIFICATES, [], lambda answer: answer["items"]),
    )


async def test_a_request_over_plain_ws_is_served_too(make, identity, tmp_path):
    me = Identity(f"SN-{identity[-30:]}", tmp_path)
    stage = await make(0)
    await stage.plug_in()
    await stage.play(
        booted(),
        Says("SignCertificate", {"csr": me.request()}, {"status": "Accepted"}),
        GetsCertificate(me),
    )
    assert isinstance(me.context(), ssl.SSLContext)
