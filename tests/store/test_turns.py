"""Who waits for a connection gets it in turn, and nobody waits for ever."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from csms.errors import DatabaseAway
from csms.store.database import Database, Turns


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_turns_are_given_in_the_order_of_coming():
    turns, served = Turns(1), []

    async def one(number):
        async with turns.turn():
            served.append(number)
            await settle()

    async with asyncio.TaskGroup() as tasks:
        for number in range(10):
            tasks.create_task(one(number))
            await asyncio.sleep(0)
    assert served == list(range(10))


async def test_a_newcomer_does_not_overtake_who_was_woken():
    turns, served = Turns(1), []

    async def one(name):
        async with turns.turn():
            served.append(name)

    async with asyncio.TaskGroup() as tasks:
        async with turns.turn():
            tasks.create_task(one("waits"))
            await settle()
        # the turn is free and its waiter woken, but it has not run yet
        await one("newcomer")
    assert served == ["waits", "newcomer"]


async def test_waiting_has_an_end():
    turns = Turns(1, wait_s=0.01)
    async with turns.turn():
        with pytest.raises(DatabaseAway, match="no connection was free"):
            async with turns.turn():
                pass
    async with turns.turn():  # and who gave up has left no trace
        pass


async def test_too_many_are_told_so_at_once():
    turns = Turns(1, most=2)

    async def one():
        async with turns.turn():
            pass

    async with asyncio.TaskGroup() as tasks, turns.turn():
        for _ in range(2):
            tasks.create_task(one())
        await settle()
        with pytest.raises(DatabaseAway, match="2 wait"):
            await one()
    await one()


async def test_who_is_cancelled_takes_no_turn_along():
    turns = Turns(1)

    async def one():
        async with turns.turn():
            pass

    async with turns.turn():
        waiting = asyncio.ensure_future(one())
        await settle()
        waiting.cancel()
        await settle()
    await one()


async def test_a_failed_transaction_gives_its_turn_back(database_url):
    database = Database(database_url, pool_size=1)
    try:
        for _ in range(4):
            with pytest.raises(ZeroDivisionError):
                async with database.transaction():
                    raise ZeroDivisionError
        async with database.transaction() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    finally:
        await database.close()


async def test_many_transactions_on_few_connections_all_succeed(database_url):
    database, served = Database(database_url, pool_size=1), []

    async def one(number):
        async with database.transaction() as connection:
            served.append(number)
            await connection.execute(text("SELECT 1"))

    try:
        async with asyncio.TaskGroup() as tasks:
            for number in range(60):
                tasks.create_task(one(number))
        assert sorted(served) == list(range(60))
    finally:
        await database.close()
