"""Limits with a start and an end, and the site's meter, as time passes."""

from __future__ import annotations

from datetime import datetime, timedelta

import asyncpg
import pytest

from csms.bus.local import LocalBus
from csms.domain.site_rules import LEAD, OutsideLimit
from csms.services.audit import AuditTrail
from csms.services.site_rules import SiteRulesService
from csms.services.smart_charging import SmartCharging
from csms.store.control import SqlControlStore
from csms.store.database import Database
from csms.store.unit_of_work import SqlUnitsOfWork
from tests.fake_gateway import FakeGateway
from tests.fakes import FakeClock


class Site:
    """A site of 40 kW whose building may draw 30 kW."""

    def __init__(self, database):
        units, bus, self.clock = SqlUnitsOfWork(database), LocalBus(), FakeClock()
        self.loop = SmartCharging(
            SqlControlStore(database), FakeGateway(), bus, self.clock, node="node"
        )
        audit = AuditTrail(units, self.clock)
        self.rules = SiteRulesService(units, self.loop, bus, self.clock, audit)

    async def grid(self):
        """Return limit and load of the connection, in W, as decided now."""
        status = await self.loop.decide("s")
        (grid,) = [each for each in status.circuits if each.id == "grid"]
        return grid.limit_w, grid.load_w


@pytest.fixture
async def sql(database_url):
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def site(database_url):
    database = Database(database_url)
    async with SqlUnitsOfWork(database)() as unit:
        await unit.sites.insert({"id": "s", "name": "s", "grid_limit_w": 40_000})
    made = Site(database)
    await made.rules.change_rules("me", "s", {"building_max_w": 30_000})
    yield made
    await database.close()


async def test_a_limit_is_prepared_before_its_start_and_gone_at_its_end(site):
    start = site.clock.now() + timedelta(hours=1)
    limit = OutsideLimit(limit_w=12_000, starts_at=start, ends_at=start + timedelta(hours=1))
    await site.rules.add_limit("me", "s", limit, None)
    for passed, limit_w in (
        (timedelta(0), 40_000),
        (timedelta(hours=1) - LEAD - timedelta(seconds=1), 40_000),
        (timedelta(hours=1) - LEAD, 12_000),
        (timedelta(hours=2) - timedelta(seconds=1), 12_000),
        (timedelta(hours=2), 40_000),
    ):
        site.clock.set_wall(start - timedelta(hours=1) + passed)
        assert (await site.grid())[0] == limit_w, passed


async def test_a_meter_that_is_lost_counts_as_its_maximum_and_says_so(site):
    assert await site.grid() == (40_000, 30_000)
    await site.rules.hear_meter("s", 7300)
    assert await site.grid() == (40_000, 7500)
    await site.clock.advance(60)
    assert await site.grid() == (40_000, 7500)
    await site.clock.advance(1)
    assert await site.grid() == (40_000, 30_000)
    assert (await site.loop.status("s")).warnings == (
        "the site meter has been silent for 61 s: the building counts for 30 kW",
    )
    for _ in range(3):
        await site.rules.hear_meter("s", -2000)
        assert await site.grid() == (40_000, 7500)
        await site.clock.advance(30)
    await site.rules.hear_meter("s", -2000)
    assert await site.grid() == (40_000, 0)


async def test_a_clock_that_went_back_counts_the_maximum_and_says_so(site):
    await site.rules.hear_meter("s", 7300)
    site.clock.set_wall(site.clock.now() - timedelta(hours=1))
    assert await site.grid() == (40_000, 30_000)
    assert "is ahead of our clock" in (await site.loop.status("s")).warnings[0]


async def test_what_chargers_draw_is_no_building_load(site):
    async with site.rules._units() as unit:
        await unit.sites.replace_external("s", [("X", 22_000, 1)], site.clock.now())
        await unit.managed_loads.insert(
            {
                "site_id": "s",
                "charger_id": "X",
                "connector_id": 1,
                "vehicle_max_power_w": 22_000,
                "consumed_power_w": 9000,
                "started_at": site.clock.now(),
            }
        )
    assert (await site.rules.hear_meter("s", 11_000)).building_w == 2000


async def test_readings_of_chargers_that_are_old_are_the_buildings(site, sql):
    """What a car drew two minutes ago says nothing of what flows now."""
    key = await sql.fetchval(
        "INSERT INTO charge_points (identity, name, site_id, node, max_power_w)"
        " VALUES ('A', 'A', 's', 'node', 22000) RETURNING id"
    )
    await sql.execute(
        "INSERT INTO transactions (charge_point_id, connector_id, site_id, id_tag, id_tag_key,"
        " id_tag_status, meter_start_wh, started_at, start_received_at, price_per_kwh, currency,"
        " power_w, metered_received_at)"
        " VALUES ($1, 1, 's', 'T', 'T', 'Accepted', 0, $2, $2, 0, 'EUR', 11000, $2)",
        key,
        site.clock.now(),
    )
    assert (await site.rules.hear_meter("s", 13_000)).building_w == 2000
    await site.clock.advance(121)
    assert (await site.rules.hear_meter("s", 13_000)).building_w == 13_000
    await sql.execute("UPDATE transactions SET metered_received_at = $1", site.clock.now())
    await sql.execute("UPDATE charge_points SET node = NULL")
    await site.clock.advance(61)
    assert (await site.rules.hear_meter("s", 13_000)).building_w == 13_000


async def test_what_a_car_was_told_since_its_last_reading_is_no_building(site, sql):
    """The connection shows at once what a car draws that was raised, its own meter in a minute."""
    key = await sql.fetchval(
        "INSERT INTO charge_points (identity, name, site_id, node, max_power_w)"
        " VALUES ('A', 'A', 's', 'node', 22000) RETURNING id"
    )
    transaction = await sql.fetchval(
        "INSERT INTO transactions (charge_point_id, connector_id, site_id, id_tag, id_tag_key,"
        " id_tag_status, meter_start_wh, started_at, start_received_at, price_per_kwh, currency,"
        " power_w, metered_received_at)"
        " VALUES ($1, 1, 's', 'T', 'T', 'Accepted', 0, $2, $2, 0, 'EUR', 0, $2) RETURNING id",
        key,
        site.clock.now(),
    )
    assert (await site.rules.hear_meter("s", 5000)).building_w == 5000
    await site.clock.advance(10)
    await sql.execute(
        "INSERT INTO charging_limits (charge_point_id, connector_id, purpose, transaction_id,"
        " desired_w, desired_version, acknowledged_w, sent_at, acknowledged_at)"
        " VALUES ($1, 1, 'TxProfile', $2, 11000, 1, 11000, $3, $3)",
        key,
        transaction,
        site.clock.now(),
    )
    assert (await site.rules.hear_meter("s", 16_000)).building_w == 5000
    assert (await site.rules.hear_meter("s", 17_000)).building_w == 6000  # more than it may
    await site.clock.advance(50)
    await sql.execute(  # it does not take what it may: what flows is the building's after all
        "UPDATE transactions SET metered_received_at = $1", site.clock.now()
    )
    assert (await site.rules.hear_meter("s", 17_000)).building_w == 17_000


async def test_limits_across_the_change_of_the_clocks_hold_for_the_time_that_they_say(site):
    """Berlin, 25 October 2026: 02:30 comes twice; with its offset each is one instant."""
    for start, end, hours in (
        ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", 1),
        ("2027-03-28T01:30:00+01:00", "2027-03-28T03:30:00+02:00", 1),
    ):
        starts_at, ends_at = datetime.fromisoformat(start), datetime.fromisoformat(end)
        assert ends_at - starts_at == timedelta(hours=hours)
        limit = OutsideLimit(limit_w=12_000, starts_at=starts_at, ends_at=ends_at)
        await site.rules.add_limit("me", "s", limit, None)
        for at, limit_w in ((starts_at, 12_000), (ends_at, 40_000)):
            early = at - timedelta(seconds=1)
            await site.clock.advance((early - site.clock.now()).total_seconds())
            assert (await site.grid())[0] == 12_000  # its decreases begin before it
            await site.clock.advance(1)
            assert (await site.grid())[0] == limit_w
