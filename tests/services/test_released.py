"""Charge points that leave their site lose our limits, now or when they are back."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import asyncpg
import pytest

from csms.bus.local import LocalBus
from csms.clock import SystemClock
from csms.domain.events import SiteChanged, StationConnected
from csms.services.released import Released
from csms.store.database import Database
from csms.store.released import SqlReleasedStore
from tests.fake_gateway import FakeGateway
from tests.waiting import wait_until

ROWS = "SELECT count(*) FROM charging_limits"


@asynccontextmanager
async def bench(url):
    database, bus, gateway = Database(url), LocalBus(), FakeGateway()
    sql = await asyncpg.connect(url)
    try:
        await sql.execute("INSERT INTO sites (id, name, grid_limit_w) VALUES ('s', 's', 1000)")
        key = await sql.fetchval(
            "INSERT INTO charge_points (identity, name, site_id, node) VALUES ('A', 'A', 's', 'n')"
            " RETURNING id"
        )
        await sql.execute(
            "INSERT INTO charging_limits (charge_point_id, connector_id, purpose, desired_w)"
            " VALUES ($1, 0, 'TxDefaultProfile', 0), ($1, 2, 'TxProfile', 7000)",
            key,
        )
        released = Released(SqlReleasedStore(database), gateway, bus, SystemClock())
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(released.run())
            try:
                yield sql, key, gateway, bus
            finally:
                running.cancel()
    finally:
        await sql.close()
        await database.close()


@pytest.mark.parametrize("answer", ["Accepted", "Unknown"])
async def test_profiles_are_cleared_when_a_station_leaves_its_site(database_url, answer):
    async with bench(database_url) as (sql, key, gateway, bus):
        wire = gateway.connect(key, lambda call: call.answer({"status": answer}))
        await sql.execute("UPDATE charge_points SET site_id = NULL")
        bus.publish(SiteChanged("s"))
        await wait_until(lambda: len(wire.calls) == 2)
        assert [(c.action, c.payload) for c in wire.calls] == [
            ("ClearChargingProfile", {"id": 1}),
            ("ClearChargingProfile", {"id": 102}),
        ]
        await wait_until(_empty(sql))


async def test_a_station_on_a_site_keeps_its_limits(database_url):
    async with bench(database_url) as (sql, key, gateway, bus):
        wire = gateway.connect(key, lambda call: call.accept())
        other = await sql.fetchval(
            "INSERT INTO charge_points (identity, name, node) VALUES ('B', 'B', 'n') RETURNING id"
        )
        await sql.execute(
            "INSERT INTO charging_limits (charge_point_id, connector_id, purpose, desired_w)"
            " VALUES ($1, 0, 'TxDefaultProfile', 0)",
            other,
        )
        second = gateway.connect(other, lambda call: call.accept())
        bus.publish(SiteChanged("s"))
        await wait_until(lambda: len(second.calls) == 1)
        assert wire.calls == []


async def test_an_offline_station_is_told_when_it_is_back(database_url):
    async with bench(database_url) as (sql, key, gateway, bus):
        await sql.execute("UPDATE charge_points SET site_id = NULL, node = NULL")
        bus.publish(SiteChanged("s"))
        wire = gateway.connect(key, lambda call: call.accept())
        await sql.execute("UPDATE charge_points SET node = 'n'")
        bus.publish(StationConnected(key))
        await wait_until(lambda: len(wire.calls) == 2)
        await wait_until(_empty(sql))


def _empty(sql):
    async def empty():
        return await sql.fetchval(ROWS) == 0

    return empty
