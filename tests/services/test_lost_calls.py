"""Calls that nobody waits for any more end, and what their answers would have decided is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from csms.bus.local import LocalBus
from csms.ocppj.schemas import Schemas
from csms.services.audit import AuditTrail
from csms.services.call_effects import ReservationEffect, Sending
from csms.services.commands import CommandService
from csms.services.connections import Connections
from csms.services.lost_calls import LostCalls
from csms.services.records import CallRecord
from csms.store.connections import SqlConnectionStore
from csms.store.database import Database
from csms.store.unit_of_work import SqlUnitsOfWork
from tests.fake_gateway import FakeGateway

NOW, MINUTE = timedelta(), timedelta(minutes=1)


class World:
    def __init__(self, database_url, clock) -> None:
        self.database, self.clock = Database(database_url), clock
        self.units = SqlUnitsOfWork(self.database)
        self.effect = ReservationEffect()
        self.commands = CommandService(
            self.units,
            FakeGateway(),
            Schemas(),
            clock,
            AuditTrail(self.units, clock),
            secret=b"s" * 32,
            effects=(self.effect,),
        )
        self.connections = Connections(
            SqlConnectionStore(self.database),
            LocalBus(),
            clock,
            node="n",
            secret=b"s" * 32,
            accept_unknown=False,
            quiet=True,
        )
        self.lost = LostCalls(self.units, self.commands, clock)

    async def station(self) -> int:
        async with self.units() as unit:
            key = await unit.charge_points.insert({"identity": "A", "name": "A"})
        await self.connections.opened(key)
        return key

    async def left_open(self, number: int) -> None:
        """What stands in the database when csms dies with a ReserveNow on its way."""
        payload = {
            "connectorId": 1,
            "expiryDate": "2030-01-01T00:00:00Z",
            "idTag": "TAG",
            "reservationId": number,
        }
        now = self.clock.now()
        async with self.units() as unit:
            station = await unit.charge_points.get("A")
            call = CallRecord(
                id=f"call-{number}", action="ReserveNow", payload=payload, actor="x", created_at=now
            )
            await unit.calls.insert(station.key, call)
            sending = Sending(id=call.id, action=call.action, payload=payload, at=now)
            await self.effect.sending(unit, station, sending)

    async def outcomes(self) -> dict[str, str | None]:
        async with self.units() as unit:
            station = await unit.charge_points.get("A")
            return {call.id: call.outcome for call in await unit.calls.page(station.key, 10)}

    async def reservations(self) -> list[tuple[int, str, bool]]:
        async with self.units() as unit:
            found = await unit.reservations.page(10)
        return [(each.reservation_id, each.status, each.confirmed) for each in found]


@pytest.fixture
async def world(database_url, clock):
    world = World(database_url, clock)
    yield world
    await world.database.close()


async def test_after_a_crash_a_reservation_whose_answer_was_lost_is_shown(world):
    await world.station()
    await world.left_open(7)
    await world.clock.advance(1)
    assert await world.reservations() == []
    await world.connections.start()  # of the next process
    assert await world.lost.sweep(NOW) == 1
    assert await world.outcomes() == {"call-7": "connection_lost"}
    assert await world.reservations() == [(7, "active", False)]
    assert await world.lost.sweep(NOW) == 0


async def test_a_call_is_open_as_long_as_its_connection(world):
    key = await world.station()
    await world.clock.advance(1)
    await world.left_open(7)
    await world.clock.advance(600)
    assert await world.lost.sweep(MINUTE) == 0
    await world.connections.opened(key)
    await world.left_open(8)  # on the new connection
    assert await world.lost.sweep(MINUTE) == 1
    assert await world.outcomes() == {"call-7": "connection_lost", "call-8": None}
    await world.clock.advance(3700)
    assert await world.lost.sweep(MINUTE) == 1


async def test_its_csms_has_a_minute_to_record_what_it_knows(world):
    await world.station()
    await world.left_open(7)
    await world.clock.advance(50)
    await world.connections.start()
    assert await world.lost.sweep(MINUTE) == 0
    async with world.units() as unit:
        station = await unit.charge_points.get("A")
        (call,) = await unit.calls.page(station.key, 1)
        await unit.calls.finish(replace(call, outcome="rejected", status="Occupied"))
        await unit.reservations.refuse(call.id, world.clock.now())
    await world.commands.lose("A", call)  # found before it was recorded
    assert await world.outcomes() == {"call-7": "rejected"}
    assert await world.reservations() == [(7, "refused", False)]
