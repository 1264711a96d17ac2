"""Connection rows over the real database, many at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from csms.bus.local import LocalBus
from csms.domain.ids import ChargePointKey
from csms.services.connections import Connections
from csms.store.connections import SqlConnectionStore
from csms.store.database import Database
from csms.store.unit_of_work import SqlUnitsOfWork


@pytest.fixture
async def database(database_url):
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
def store(database):
    return SqlConnectionStore(database)


@pytest.fixture
async def keys(database):
    async with SqlUnitsOfWork(database)() as unit:
        return [
            await unit.charge_points.insert({"identity": identity, "name": identity})
            for identity in ("CP1", "CP2", "CP3")
        ]


async def owners(database) -> dict[str, tuple[str | None, int]]:
    async with database.transaction() as connection:
        rows = await connection.exec_driver_sql("SELECT identity, node, epoch FROM charge_points")
        return {row.identity: (row.node, row.epoch) for row in rows}


async def test_many_are_found_at_once_by_exact_spelling(store, keys):
    found = await store.find({"CP1", "CP3", "cp2", "CP9", "'; --", "é%_"})
    assert {identity: record.key for identity, record in found.items()} == {
        "CP1": keys[0],
        "CP3": keys[2],
    }


async def test_unknown_ones_are_made_and_those_that_are_there_are_not(store, keys):
    made = await store.create(["CP1", "cp2", "CP4", "CP5"], quiet=True)
    assert set(made) == {"CP4", "CP5"}
    assert set(await store.find({"CP4", "cp2"})) == {"CP4"}


async def test_epochs_rise_and_an_old_end_changes_nothing(store, keys, database, clock):
    one, two, _ = keys
    now = clock.now()
    assert await store.opened({one: 1, two: 3}, "n", now) == {one: 1, two: 3}
    assert await store.opened({one: 1}, "m", now) == {one: 2}
    await store.closed([(one, 1, now), (two, 3, now), (ChargePointKey(99), 1, now)])
    assert await owners(database) == {"CP1": ("m", 2), "CP2": (None, 3), "CP3": (None, 0)}


@pytest.mark.slow
async def test_overlapping_batches_never_deadlock(store, keys, clock):
    now = clock.now()
    forth, back = dict.fromkeys(keys, 1), dict.fromkeys(reversed(keys), 1)

    async def rounds(batch):
        for _ in range(30):
            epochs = await store.opened(batch, "n", now)
            await store.closed([(key, epochs[key], now) for key in batch])
            await store.seen({key: now + timedelta(seconds=1) for key in batch})

    await asyncio.gather(*(rounds(batch) for batch in (forth, back) * 3))


async def test_a_storm_is_a_handful_of_statements(store, keys, clock, monkeypatch):
    statements = []
    for name in ("find", "opened", "closed"):

        def counted(method, name):
            async def call(*args, **more):
                statements.append(name)
                return await method(*args, **more)

            return call

        monkeypatch.setattr(store, name, counted(getattr(store, name), name))
    connections = Connections(
        store, LocalBus(), clock, node="n", secret=b"s" * 32, accept_unknown=True, quiet=True
    )

    async def reconnect(number: int):
        record = await connections.find(f"SIM{number % 200:03}")
        epoch = await connections.opened(record.key)
        await connections.closed(record.key, epoch)
        return record.key, epoch

    done = await asyncio.gather(*(reconnect(number) for number in range(400)))
    assert len(set(done)) == 400  # no epoch twice
    assert len({key for key, _ in done}) == 200
    assert {epoch for _, epoch in done} == {1, 2}
    assert len(statements) < 40
