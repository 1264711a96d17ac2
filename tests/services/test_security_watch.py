"""Certificates that end soon and upgrades that do not come, over the real store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from csms.domain.certificates import CHARGE_POINT, CertificateFacts
from csms.domain.ids import ChargePointKey
from csms.ocppj.schemas import Schemas
from csms.services.audit import AuditTrail
from csms.services.certificate_effects import ProfileEffect
from csms.services.commands import CommandService
from csms.services.security_watch import SecurityWatch
from csms.store.connections import SqlConnectionStore
from csms.store.database import Database
from csms.store.unit_of_work import SqlUnitsOfWork
from tests.api.bench import FakeGateway

NODE = "n"
TRIGGER = {"requestedMessage": "SignChargePointCertificate"}


class World:
    """A store with stations, a gateway that plays them, and the watch."""

    def __init__(self, database_url, clock) -> None:
        self.database = Database(database_url)
        self.units = SqlUnitsOfWork(self.database)
        self.clock, self.gateway = clock, FakeGateway(clock)
        self.commands = CommandService(
            self.units,
            self.gateway,
            Schemas(),
            clock,
            AuditTrail(self.units, clock),
            secret=b"s" * 32,
            effects=[ProfileEffect()],
        )
        self.watch = SecurityWatch(
            self.units, self.commands, clock, node=NODE, renewal=timedelta(days=30)
        )

    async def add(self, identity: str, *, days: int | None, **columns) -> ChargePointKey:
        values = {"identity": identity, "name": identity, "security_profile": 3, "quiet": False}
        async with self.units() as unit:
            key = await unit.charge_points.insert(values | columns)
            if days is not None:
                await self.give(unit, key, days)
        await SqlConnectionStore(self.database).opened({key: 1}, NODE, self.clock.now())
        self.gateway.connect(key)
        return key

    async def give(self, unit, key, days: int) -> None:
        now = self.clock.now()
        facts = CertificateFacts(
            subject="CN=x",
            issuer="CN=y",
            common_name="x",
            serial_number=f"{key:x}{days:x}",
            not_before=now - timedelta(days=300),
            not_after=now + timedelta(days=days),
            fingerprint=b"",
            is_ca=False,
            key="EC 256",
            public_key=b"",
        )
        await unit.certificates.added(key, CHARGE_POINT, facts, "signed", now)

    async def asked(self) -> list[int]:
        await self.watch.look()
        sent, self.gateway.sent = self.gateway.sent, []
        assert all(payload == TRIGGER for _, _, payload, _ in sent)
        return [key for key, *_ in sent]

    async def events(self, key) -> list[str]:
        async with self.units() as unit:
            return [each.type for each in await unit.security_events.page(key, 10)]


@pytest.fixture
async def world(database_url, clock):
    world = World(database_url, clock)
    yield world
    await world.database.close()


async def test_who_is_asked_to_renew(world):
    soon = await world.add("soon", days=29)
    quiet = await world.add("quiet", days=29, quiet=True)
    await world.add("later", days=31)
    await world.add("none", days=None)
    await world.add("by password", days=3, security_profile=2)
    await world.add("pending", days=3, registration="Pending")
    renewed = await world.add("renewed", days=3)
    async with world.units() as unit:
        await world.give(unit, renewed, 300)
    assert await world.asked() == [soon]
    for key in (soon, quiet):
        assert await world.events(key) == ["CertificateEndsSoon"]
    assert await world.events(renewed) == []


async def test_once_a_day_and_not_while_a_request_is_under_way(world):
    key = await world.add("A", days=20)
    world.gateway.answers["ExtendedTriggerMessage"] = {"status": "NotImplemented"}
    assert await world.asked() == [key]
    assert await world.asked() == []
    await world.clock.advance(timedelta(days=1, minutes=1).total_seconds())
    assert await world.asked() == [key]
    assert await world.events(key) == ["CertificateEndsSoon"]  # told once
    await world.clock.advance(timedelta(days=1, minutes=1).total_seconds())
    async with world.units() as unit:
        await unit.signing_requests.ask(key, csr="", at=world.clock.now())
    assert await world.asked() == []


async def test_a_station_that_is_gone_is_asked_when_it_is_back(world):
    key = await world.add("A", days=20)
    await SqlConnectionStore(world.database).closed([(key, 1, world.clock.now())])
    assert await world.asked() == []
    await SqlConnectionStore(world.database).opened({key: 1}, NODE, world.clock.now())
    assert await world.asked() == [key]


async def test_an_upgrade_that_does_not_come_is_told_once(world):
    key = await world.add("A", days=None, security_profile=1, password_digest=b"x")
    payload = {"key": "SecurityProfile", "value": "2"}
    await world.commands.send("me", "A", "ChangeConfiguration", payload)
    await world.clock.advance(timedelta(hours=23).total_seconds())
    await world.watch.look()
    assert await world.events(key) == []
    await world.clock.advance(timedelta(hours=2).total_seconds())
    await world.watch.look()
    await world.watch.look()
    assert await world.events(key) == ["SecurityProfileUpgradeOverdue"]
