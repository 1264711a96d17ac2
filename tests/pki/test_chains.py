"""Client certificates below an issuing certificate: revoked with it; whose they say they are."""

from __future__ import annotations

import asyncio
import ssl

import pytest
import uvloop
from websockets.exceptions import InvalidStatus

from csms.clock import SystemClock
from csms.ocppj.schemas import Schemas
from csms.ocppj.server import OcppServer
from csms.pki.contexts import TlsContexts
from csms.services.shown_certificates import ShownCertificates
from tests.ocppj.playbook import Closed, plug_in
from tests.ocppj.standins import StandInConnections, StandInIntake, record
from tests.pki.authority import Authority, crl_of, pem

NOW = SystemClock().now()


def below(root, name="Issuing"):
    """Return an authority whose certificate another one has issued."""
    made = Authority(name)
    made.certificate = root.issue(name, made.key, ca=True)
    return made


@pytest.fixture(scope="module")
def root():
    return Authority()


@pytest.fixture(scope="module")
def issuing(root):
    return below(root)


@pytest.fixture
def folder(tmp_path, root):
    root.write_pair(tmp_path, "server-ec")
    (tmp_path / "client-ca.pem").write_bytes(root.pem)
    return tmp_path


class Noted:
    """Takes what `ShownCertificates` is given."""

    def __init__(self):
        self.notes = []

    async def shown(self, notes):
        self.notes += notes


class Place:
    """A server, and a charge point with a certificate."""

    def __init__(self, folder, root, *, organization="CSMS", **station):
        self.root, self.folder = root, folder
        self.tls = TlsContexts(folder, SystemClock())
        self.noted = Noted()
        self.shown = ShownCertificates(self.noted, SystemClock())
        self.server = OcppServer(
            host="127.0.0.1",
            port=0,
            connections=StandInConnections(record(1, "CP1", security_profile=3, **station)),
            intake=StandInIntake(),
            schemas=Schemas(),
            clock=SystemClock(),
            tls=self.tls.stations,
            verifier=self.tls,
            shown=self.shown,
            organization=organization,
        )

    async def __aenter__(self):
        await self.server.start()
        return self

    async def __aexit__(self, *_):
        await self.server.stop()

    def revoke(self, authority, certificate):
        text = crl_of(authority, [certificate.serial_number], NOW)
        (self.folder / "client-crl.pem").write_bytes(text)
        assert self.tls.reload()

    def context(self, chain, key):
        (self.folder / "station.pem").write_bytes(chain + key)
        context = ssl.create_default_context(cadata=self.root.pem.decode())
        context.load_cert_chain(self.folder / "station.pem")
        return context

    async def enter(self, context):
        return await plug_in(self.server.tls_port, "/ocpp/CP1", ssl=context)

    async def status(self, context):
        with pytest.raises(InvalidStatus) as caught:
            await self.enter(context)
        return caught.value.response.status_code


def chain_of(issuing, name="CP1", **changes):
    certificate, key = issuing.client(name, **changes)
    return certificate + pem(issuing.certificate), key


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_what_a_revoked_issuer_has_issued_is_revoked(folder, root, issuing, loop):
    """The issuing certificate comes from the station alone; the folder holds the root."""

    async def play():
        async with Place(folder, root) as place:
            context = place.context(*chain_of(issuing))
            await (await place.enter(context)).close()
            place.revoke(root, issuing.certificate)
            assert await place.status(context) == 403
            other = place.context(*chain_of(below(root)))
            await (await place.enter(other)).close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(play())


async def test_it_is_so_where_the_folder_holds_the_issuer(folder, root, issuing):
    (folder / "client-ca.pem").write_bytes(pem(issuing.certificate) + root.pem)
    async with Place(folder, root) as place:
        context = place.context(*issuing.client("CP1"))
        await (await place.enter(context)).close()
        place.revoke(root, issuing.certificate)
        assert await place.status(context) == 403


async def test_a_resumed_session_shows_no_chain_and_is_refused_all_the_same(folder, root, issuing):
    async with Place(folder, root) as place:
        place.revoke(root, issuing.certificate)
        context = place.context(*chain_of(issuing))
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        for _ in range(3):
            assert await place.status(context) == 403


async def test_whoever_is_connected_is_sent_away(folder, root, issuing):
    async with Place(folder, root) as place:
        station = await place.enter(place.context(*chain_of(issuing)))
        watching = asyncio.create_task(place.server.certificates.run())
        place.revoke(root, issuing.certificate)
        place.server.certificates.look()
        assert await station.get() == Closed(1008)
        watching.cancel()


async def test_issuers_of_one_name_are_told_apart(folder, root, issuing):
    """A new issuing certificate has the old one's name: only what the old one issued goes."""
    newer = below(root)
    (folder / "client-ca.pem").write_bytes(
        root.pem + pem(issuing.certificate) + pem(newer.certificate)
    )
    async with Place(folder, root) as place:
        place.revoke(root, issuing.certificate)
        assert await place.status(place.context(*chain_of(issuing))) == 403
        await (await place.enter(place.context(*chain_of(newer)))).close()


@pytest.mark.parametrize("check", ["strict", "relaxed"])
async def test_another_organization_is_refused_where_the_check_is_strict(folder, root, check):
    async with Place(folder, root, organization="Example Charging", subject_check=check) as place:
        context = place.context(*root.client("CP1"))
        if check == "strict":
            assert await place.status(context) == 403
        else:
            await (await place.enter(context)).close()
        await place.shown.flush()
    told = [certificate.mismatch for _, certificate, _ in place.noted.notes]
    wanted = ["The certificate's organization is 'CSMS', not 'Example Charging'."]
    assert told == (wanted if check == "relaxed" else [])


async def test_the_right_organization_is_let_in_strictly(folder, root):
    async with Place(folder, root, subject_check="strict") as place:
        await (await place.enter(place.context(*root.client("CP1")))).close()
        await place.shown.flush()
    ((_, certificate, _),) = place.noted.notes
    assert certificate.mismatch is None
