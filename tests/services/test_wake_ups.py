"""A car that sleeps: its transaction is ended, and begun anew once that has ended."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg

from csms.clock import SystemClock
from csms.services.audit import AuditTrail
from csms.services.wake_ups import WakeUps
from csms.store.database import Database
from csms.store.unit_of_work import SqlUnitsOfWork
from tests.fake_gateway import FakeGateway
from tests.waiting import wait_until


@asynccontextmanager
async def bench(url):
    database, gateway, clock = Database(url), FakeGateway(), SystemClock()
    units = SqlUnitsOfWork(database)
    sql = await asyncpg.connect(url)
    try:
        key = await sql.fetchval(
            "INSERT INTO charge_points (identity, name, node) VALUES ('A', 'A', 'n') RETURNING id"
        )
        number = await sql.fetchval(
            "INSERT INTO transactions (charge_point_id, connector_id, id_tag, id_tag_key,"
            " id_tag_status, meter_start_wh, started_at, start_received_at, price_per_kwh,"
            " currency) VALUES ($1, 2, 'TAG', 'tag', 'Accepted', 0, $2, $2, 0, 'EUR') RETURNING id",
            key,
            datetime(2026, 3, 1, tzinfo=UTC),
        )
        wakes = WakeUps(units, gateway, clock, AuditTrail(units, clock))
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(wakes.run())
            try:
                yield sql, key, number, gateway, wakes
            finally:
                running.cancel()
    finally:
        await sql.close()
        await database.close()


async def test_a_transaction_is_ended_and_then_begun_anew(database_url):
    async with bench(database_url) as (sql, key, number, gateway, wakes):
        wire = gateway.connect(key)
        wakes.ask(number)
        await wait_until(lambda: wire.calls)
        assert [(call.action, call.payload) for call in wire.calls] == [
            ("RemoteStopTransaction", {"transactionId": number})
        ]
        await sql.execute("UPDATE transactions SET active = false")
        await wait_until(lambda: len(wire.calls) == 2)
        assert (wire.calls[1].action, wire.calls[1].payload) == (
            "RemoteStartTransaction",
            {"connectorId": 2, "idTag": "TAG"},
        )
        assert await sql.fetchval("SELECT count(*) FROM audit WHERE action = 'wake'") == 1


async def test_who_refuses_to_end_it_keeps_it(database_url):
    async with bench(database_url) as (_, key, number, gateway, wakes):
        wire = gateway.connect(key, lambda call: call.answer({"status": "Rejected"}))
        wakes.ask(number)
        wakes.ask(number + 1)  # a transaction that is not there is nothing to wake
        await wait_until(lambda: wire.calls)
        gateway.disconnect(key)
        other = gateway.connect(key)
        wakes.ask(number)
        await wait_until(lambda: other.calls)
        assert [call.action for call in (*wire.calls, *other.calls)] == [
            "RemoteStopTransaction",
            "RemoteStopTransaction",
        ]
