"""Repositories on a real Postgres: what the API's tests do not reach."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from csms.errors import Conflict
from csms.services.records import BatteryDraft, CallRecord
from csms.store.database import Database
from csms.store.unit_of_work import SqlUnitsOfWork

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def units(database_url):
    database = Database(database_url)
    yield SqlUnitsOfWork(database)
    await database.close()


async def add_station(unit, identity, **columns):
    return await unit.charge_points.insert({"identity": identity, "name": identity, **columns})


async def add_site(unit, site_id):
    await unit.sites.insert({"id": site_id, "name": site_id, "grid_limit_w": 1000})


async def test_a_transaction_that_fails_leaves_nothing(units):
    async def add_twice():
        async with units() as unit:
            await add_station(unit, "A")
            await add_station(unit, "a")

    with pytest.raises(Conflict):
        await add_twice()
    async with units() as unit:
        assert await unit.charge_points.count() == 0


async def test_columns_of_others_cannot_be_written(units):
    async with units() as unit:
        key = await add_station(unit, "A")
        with pytest.raises(ValueError, match="vendor"):
            await unit.charge_points.update(key, {"vendor": "x"})
        with pytest.raises(ValueError, match="id_tag"):
            await unit.id_tags.update(1, {"id_tag": "x"})


async def test_keys_come_by_the_spelling_asked_for(units):
    async with units() as unit:
        key = await add_station(unit, "Cp1")
        assert await unit.charge_points.keys_of(["CP1", "cp1", "x"]) == {"CP1": key, "cp1": key}
        await unit.charge_points.delete(key, NOW)
        assert await unit.charge_points.keys_of(["CP1"]) == {}


async def test_only_the_charger_of_one_site_is_taken_over(units):
    async with units() as unit:
        for site in ("one", "two"):
            await add_site(unit, site)
            await unit.sites.replace_external(site, [("X", 11_000, 2)], NOW)
        assert await unit.sites.take_over("X", None) is None
        await unit.sites.replace_external("two", [], NOW)
        assert await unit.sites.take_over("x", None) is None
        assert await unit.sites.take_over("X", "two") is None
        assert await unit.sites.take_over("X", None) == ("one", 11_000, 2)
        assert (await unit.sites.get("one")).chargers == ()


async def test_chargers_that_stay_keep_their_circuit(units):
    async with units() as unit:
        await add_site(unit, "s")
        key = await add_station(unit, "A", site_id="s", circuit_id="c", max_power_w=1)
        await unit.sites.replace_stations("s", [(key, 22_000, 2)])
        [charger] = (await unit.sites.get("s")).chargers
        assert (charger.circuit_id, charger.max_power_w, charger.connector_count) == (
            "c",
            22_000,
            2,
        )
        await add_site(unit, "t")
        assert await unit.sites.sites_of([key]) == {"s"}
        await unit.sites.replace_stations("t", [(key, 22_000, 2)])
        assert await unit.sites.sites_of([key]) == {"t"}
        [charger] = (await unit.sites.get("t")).chargers
        assert charger.circuit_id is None


async def test_a_smaller_battery_is_not_overfull(units):
    async with units() as unit:
        await add_site(unit, "s")
        for capacity, energy in ((10_000, 10_000_000), (4_000, 4_000_000), (9_000, 4_000_000)):
            draft = BatteryDraft(id="b", capacity_wh=capacity, power_w=1000)
            await unit.sites.replace_batteries("s", [draft], NOW)
            [battery] = (await unit.sites.get("s")).batteries
            assert (battery.capacity_wh, battery.energy_mwh) == (capacity, energy)


async def test_two_claims_of_one_key_at_once(units):
    async def claim():
        async with units() as unit:
            return await unit.idempotency_keys.claim("ann", "k", b"digest")

    answers = await asyncio.gather(*(claim() for _ in range(6)))
    assert sum(answer is None for answer in answers) == 1
    assert all(answer.status is None for answer in answers if answer is not None)
    async with units() as unit:
        assert await unit.idempotency_keys.claim("bob", "k", b"other") is None
        await unit.idempotency_keys.finish("ann", "k", 200, "{}")
        stored = await unit.idempotency_keys.claim("ann", "k", b"digest")
        assert (stored.status, stored.body) == (200, "{}")
        future = datetime.now(UTC) + timedelta(days=1)
        assert await unit.idempotency_keys.forget(future) == 2


async def test_calls_of_the_same_instant_page_without_loss(units):
    async with units() as unit:
        key = await add_station(unit, "A")
        for number in range(5):
            call = CallRecord(
                id=f"call-{number}",
                action="Reset",
                payload={"z": 1, "a": 2},
                actor="ann",
                created_at=NOW,
            )
            await unit.calls.insert(key, call)
        first = await unit.calls.page(key, 3)
        rest = await unit.calls.page(key, 3, before=(first[-1].created_at, first[-1].id))
        assert [call.id for call in first + rest] == [f"call-{n}" for n in (4, 3, 2, 1, 0)]
        assert list(first[0].payload) == ["z", "a"]
        assert first[0].response is None


async def test_the_site_lock_is_held(units):
    async with units() as unit:
        await add_site(unit, "s")
        assert not await unit.sites.lock("other")
        assert not await unit.sites.lock("s", "other")
        assert await unit.sites.lock("s", "s")
    order = []

    async def second():
        async with units() as unit:
            await unit.sites.lock("s")
            order.append("second")

    async with units() as unit:
        await unit.sites.lock("s")
        waiting = asyncio.create_task(second())
        await unit.sites.get("s")
        order.append("first")
    await waiting
    assert order == ["first", "second"]
