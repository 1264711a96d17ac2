"""A control loop on a real Postgres, with charge points of the test on its wire."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import asyncpg

from csms.aio import supervise
from csms.bus.local import LocalBus
from csms.domain.events import SiteChanged, StationChanged, StationConnected
from csms.domain.obedience import FOLLOWS_WITHIN_S
from csms.services.smart_charging import SmartCharging
from csms.store.control import SqlControlStore
from csms.store.database import Database
from tests.fake_gateway import FakeCall, FakeGateway
from tests.fakes import FakeClock
from tests.waiting import wait_until

MAX = 22_000
FULL_A = 31.8  # 22 kW on three phases of 230 V
HALF_A = 15.9


class Bench:
    """A database, charge points of the test, and any number of nodes."""

    def __init__(self, database, sql, tasks):
        self.database, self.sql, self.tasks = database, sql, tasks
        self.store = SqlControlStore(database)
        self.gateway, self.bus, self.clock = FakeGateway(), LocalBus(), FakeClock()
        self.keys: dict[str, int] = {}
        self.running: list[asyncio.Task[None]] = []

    def node(self, name="node", *, store=None, bus=None):
        """Return a control loop that does not run yet."""
        return SmartCharging(
            store or self.store, self.gateway, bus or self.bus, self.clock, node=name
        )

    async def run(self, loop):
        """Let a control loop run until it holds the sites that it can have."""
        task = self.tasks.create_task(supervise("test", loop.run, self.clock))
        self.running.append(task)
        return task

    async def site(self, site_id="s", limit_w=MAX):
        await self.sql.execute(
            "INSERT INTO sites (id, name, grid_limit_w) VALUES ($1, $1, $2)", site_id, limit_w
        )
        # a station that was never there, so that not all maxima fit and floors are 0
        await self.sql.execute(
            "INSERT INTO charge_points (identity, name, site_id, max_power_w)"
            " VALUES ($1, $1, $2, 1000000)",
            f"plan {site_id}",
            site_id,
        )
        self.changed(site_id)

    async def station(self, identity, *, site_id="s", connectors=1, on_call=FakeCall.accept):
        """Add a station, connect it and wait for its floor; returns its end of the wire."""
        self.keys[identity] = await self.sql.fetchval(
            "INSERT INTO charge_points (identity, name, site_id, max_power_w, connector_count)"
            " VALUES ($1, $1, $2, $3, $4) RETURNING id",
            identity,
            site_id,
            MAX,
            connectors,
        )
        wire = await self.connect(identity)
        await self.settled(identity, 0)
        wire.calls.clear()
        wire.on_call = on_call
        return wire

    async def connect(self, identity, on_call=FakeCall.accept, *, speaks=True):
        key = self.keys[identity]
        wire = self.gateway.connect(key, on_call)
        await self.sql.execute(
            "UPDATE charge_points SET node = 'node', epoch = epoch + 1, connected_at = $2"
            " WHERE id = $1",
            key,
            self.clock.now(),
        )
        self.bus.publish(StationConnected(key))
        if speaks:
            self.bus.publish(StationChanged(key))
        return wire

    async def start(self, identity, connector=1, *, site_id="s", hint=True):
        transaction_id = await self.sql.fetchval(
            "INSERT INTO transactions (charge_point_id, connector_id, site_id, id_tag, id_tag_key,"
            " id_tag_status, meter_start_wh, started_at, start_received_at, price_per_kwh,"
            " currency)"
            " VALUES ($1, $2, $3, 'T', 'T', 'Accepted', 0, $4, $4, 0, 'EUR') RETURNING id",
            self.keys[identity],
            connector,
            site_id,
            self.clock.now(),
        )
        if hint:
            self.changed(site_id)
        return transaction_id

    async def stop(self, transaction_id, *, hint=True):
        await self.sql.execute(
            "UPDATE transactions SET active = false WHERE id = $1", transaction_id
        )
        if hint:
            self.changed("s")

    async def followed(self, site_id="s"):
        """Let so much time pass that whoever has accepted a limit is believed to follow it."""
        await self.clock.advance(FOLLOWS_WITHIN_S + 1)
        self.changed(site_id)

    async def metered(self, transaction_id, power_w):
        """Let the meter of a session tell its power."""
        await self.sql.execute(
            "UPDATE transactions SET power_w = $2, metered_at = $3, metered_received_at = $3"
            " WHERE id = $1",
            transaction_id,
            power_w,
            self.clock.now(),
        )
        self.changed()

    def changed(self, site_id="s"):
        self.bus.publish(SiteChanged(site_id))

    async def row(self, identity, connector=1):
        return await self.sql.fetchrow(
            "SELECT * FROM charging_limits WHERE charge_point_id = $1 AND connector_id = $2",
            self.keys[identity],
            connector,
        )

    async def row_of(self, identity, connector, purpose, column):
        return await self.sql.fetchval(
            f"SELECT {column} FROM charging_limits WHERE charge_point_id = $1"
            " AND connector_id = $2 AND purpose = $3",
            self.keys[identity],
            connector,
            purpose,
        )

    async def settled(self, identity, connector=1):
        """Wait until the limit is acknowledged as desired; returns it in W."""

        async def is_settled():
            row = await self.row(identity, connector)
            good = row is not None and row["in_flight_w"] is None and not row["doubtful"]
            return row if good and row["acknowledged_w"] == row["desired_w"] else None

        row = await wait_until(is_settled, what=f"{identity}/{connector} is settled")
        return row["acknowledged_w"]

    async def acknowledged(self, identity, limit_w, connector=1):
        """Wait until a limit is acknowledged and nothing else is under way."""

        async def is_acknowledged():
            row = await self.row(identity, connector)
            return row and row["in_flight_w"] is None and row["acknowledged_w"] == limit_w

        await wait_until(is_acknowledged, what=f"{identity}/{connector} has {limit_w} W")

    async def in_doubt(self, identity, connector=1):
        async def is_doubtful():
            row = await self.row(identity, connector)
            return row if row and row["doubtful"] else None

        return await wait_until(is_doubtful, what=f"{identity}/{connector} is in doubt")

    async def steps(self, count=2, site_id="s"):
        """Wait for some more steps of the site."""
        for _ in range(count):
            before = await self._version(site_id)
            self.changed(site_id)

            async def more(before=before):
                return await self._version(site_id) > before

            await wait_until(more, what="a step")

    async def _version(self, site_id):
        return await self.sql.fetchval(
            "SELECT coalesce((SELECT version FROM site_decisions WHERE site_id = $1), 0)", site_id
        )


@asynccontextmanager
async def bench(url):
    database, sql = Database(url), await asyncpg.connect(url)
    try:
        async with asyncio.TaskGroup() as tasks:
            made = Bench(database, sql, tasks)
            try:
                yield made
            finally:
                for task in made.running:
                    task.cancel()
    finally:
        await sql.close()
        await database.close()


def hold(call):
    """Do not answer; the test does."""


def limits(wire, purpose="TxProfile"):
    return [call.limit for call in wire.calls if call.purpose == purpose]
