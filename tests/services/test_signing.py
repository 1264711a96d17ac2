"""The issuer over the real store, with an authority that is away, wrong or slow."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from csms.bus.local import LocalBus
from csms.errors import CallFailed
from csms.ocppj.schemas import Schemas
from csms.pki.reader import PemReader
from csms.services.audit import AuditTrail
from csms.services.certificate_effects import CertificateEffect
from csms.services.commands import CommandService
from csms.services.ports.certificates import AuthorityAway, Refused
from csms.services.signing import CertificateIssuer, Signing
from csms.store.connections import SqlConnectionStore
from csms.store.database import Database
from csms.store.unit_of_work import SqlUnitsOfWork
from tests.api.bench import FakeGateway
from tests.pki.authority import Authority, ec_key, pem
from tests.pki.test_reader import csr
from tests.waiting import wait_until

NODE = "n"


class SignsRequests(Authority):
    """Takes a request in the place of a key."""

    def client(self, name, request):
        return (pem(self.issue(name, request, usage=ExtendedKeyUsageOID.CLIENT_AUTH)), b"")


class PlayedAuthority:
    """Answers as it is told; by rote it signs."""

    def __init__(self) -> None:
        self.root = SignsRequests()
        self.answer = None
        self.asked = 0

    async def sign(self, request, subject):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return self.answer
        public = x509.load_pem_x509_csr(request.pem.encode())
        return self.root.client(subject.common_name, public)[0].decode()

    async def revoke(self, serial_number, reason):
        return False

    def roots(self):
        return ()


class World:
    def __init__(self, database_url, clock) -> None:
        self.database = Database(database_url)
        self.units, self.clock = SqlUnitsOfWork(self.database), clock
        self.gateway, self.authority = FakeGateway(clock), PlayedAuthority()
        self.signing = Signing(self.units, PemReader(), lambda: self.authority)
        commands = CommandService(
            self.units,
            self.gateway,
            Schemas(),
            clock,
            AuditTrail(self.units, clock),
            secret=b"s" * 32,
            effects=[CertificateEffect(PemReader())],
        )
        self.issuer = CertificateIssuer(self.signing, commands, LocalBus(), clock, node=NODE)

    async def add(self):
        async with self.units() as unit:
            key = await unit.charge_points.insert({"identity": "A", "name": "A"})
        store = SqlConnectionStore(self.database)
        await store.opened({key: 1}, NODE, self.clock.now())
        self.gateway.connect(key)
        self.record = (await store.find({"A"}))["A"]

    async def ask(self) -> bool:
        text = csr(ec_key(), "A", hashes.SHA256())
        return await self.signing.requested(self.record, text, self.clock.now())

    async def newest(self):
        async with self.units() as unit:
            return (await unit.signing_requests.page(self.record.key, 1))[0]

    async def until(self, state: str):
        async def so():
            found = await self.newest()
            return found if found.state == state else None

        return await self.see(so)

    async def see(self, predicate):
        """Wait while the loop goes on: it pauses on the clock of the test."""

        async def so():
            await self.clock.advance(0.1)
            answer = predicate()
            return await answer if asyncio.iscoroutine(answer) else answer

        return await wait_until(so)

    async def later(self):
        """Let the minute pass after which things are tried again."""
        await self.clock.advance(timedelta(minutes=1, seconds=1).total_seconds())
        self.signing.hint.give()


@pytest.fixture
async def world(database_url, clock):
    world = World(database_url, clock)
    await world.add()
    running = asyncio.get_running_loop().create_task(world.issuer.run())
    yield world
    running.cancel()
    await asyncio.wait([running])
    await world.database.close()


async def test_it_signs_and_sends(world):
    assert await world.ask()
    done = await world.until("installed")
    assert [action for _, action, _, _ in world.gateway.sent] == ["CertificateSigned"]
    assert world.gateway.sent[0][2] == {"certificateChain": done.chain}


async def test_an_authority_that_is_away_is_asked_again(world):
    world.authority.answer = AuthorityAway("down")
    assert await world.ask()
    await world.see(lambda: world.authority.asked == 1)
    assert (await world.newest()).state == "requested"
    world.authority.answer = None
    await world.later()
    await world.until("installed")
    assert world.authority.asked == 2


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (Refused(reason="Not you."), "Not you."),
        ("rubbish", "no certificate"),
        ("stranger", "another key"),
        ("other name", "another common name"),
    ],
)
async def test_what_cannot_be_signed_fails_and_the_operator_is_told(world, answer, detail):
    other = Authority()
    world.authority.answer = other.client("A")[0].decode() if answer == "stranger" else answer
    if answer == "other name":
        world.authority.answer = None
        sign = world.authority.root.client
        world.authority.root.client = lambda name, request: sign("B", request)
    assert await world.ask()
    failed = await world.until("failed")
    assert detail in failed.detail
    assert world.gateway.sent == []
    async with world.units() as unit:
        (event,) = await unit.security_events.page(world.record.key, 5)
    assert (event.type, event.source) == ("CertificateNotSigned", "server")


async def test_a_station_that_never_answers_is_not_told_for_ever(world):
    world.gateway.answers["CertificateSigned"] = CallFailed("call_timeout", "no answer")
    assert await world.ask()
    for count in range(1, 11):
        await world.see(lambda count=count: len(world.gateway.sent) == count)
        if count < 10:
            assert (await world.newest()).state == "issued"
        await world.later()
    failed = await world.until("failed")
    assert failed.detail == "The station did not answer CertificateSigned."
    assert world.authority.asked == 1


async def test_what_was_asked_before_a_crash_is_signed_after_it(database_url, clock):
    world = World(database_url, clock)
    await world.add()
    assert await world.ask()
    assert (await world.newest()).state == "requested"
    again = World(database_url, clock)
    again.record, again.gateway.online_keys = world.record, world.gateway.online_keys
    running = asyncio.get_running_loop().create_task(again.issuer.run())
    await again.until("installed")
    running.cancel()
    await asyncio.wait([running])
    await world.database.close()
    await again.database.close()
