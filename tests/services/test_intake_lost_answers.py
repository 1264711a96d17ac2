"""A commit of which the intake hears nothing, and messages that come again, stand there once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import asyncpg
import pytest

from csms.domain.events import StationConnected
from csms.domain.jobs import JobStatusFact
from csms.domain.metering import MeterValuesFact, Reading, read
from csms.errors import DatabaseAway
from tests.chaos.proxy import faulty_proxy
from tests.services.test_intake import NOW, bench, start, stop, values
from tests.waiting import wait_until


@asynccontextmanager
async def cut_off(database_url):
    """Give an intake behind a proxy; its own `sql` does not go through it."""
    async with faulty_proxy(urlsplit(database_url).port) as proxy:
        parts = urlsplit(database_url)
        netloc = parts.netloc.replace(f":{parts.port}", f":{proxy.port}")
        async with bench(database_url, through=parts._replace(netloc=netloc).geturl()) as b:
            yield b, proxy


@asynccontextmanager
async def locked(url, statement):
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(statement)
            yield
    finally:
        await connection.close()


def many(cp, transaction_id, count=3, connector=1):
    """A message with several readings, as after a while offline."""
    readings = tuple(
        Reading(measured_at=NOW + timedelta(minutes=i), energy_wh=1000 * i) for i in range(count)
    )
    return MeterValuesFact(
        charge_point=cp,
        received_at=NOW + timedelta(hours=1),
        connector_id=connector,
        transaction_id=transaction_id,
        readings=readings,
    )


def odd(cp, transaction_id):
    """A message without energy."""
    at = NOW + timedelta(minutes=3)
    reading = read(at, [{"value": "50.0", "measurand": "Frequency"}])
    return replace(values(cp, transaction_id), readings=(reading,))


def data(cp, transaction_id):
    """A stop with the values of its begin and end."""
    contexts = ("Transaction.Begin", "Transaction.End")
    readings = tuple(
        Reading(measured_at=NOW + timedelta(hours=i), energy_wh=1000 + 10_000 * i, context=context)
        for i, context in enumerate(contexts)
    )
    return stop(cp, transaction_id, readings=readings)


def job(cp, transaction_id):
    return JobStatusFact(charge_point=cp, received_at=NOW, kind="firmware", status="Downloading")


KINDS = {
    "values": (values, "meter_values", 1),
    "values of no transaction": (lambda cp, _: values(cp, None), "meter_values", 1),
    "several values": (many, "meter_values", 3),
    "values without energy": (odd, "meter_values", 1),
    "start": (lambda cp, _: start(cp, connector_id=2), "transactions WHERE connector_id = 2", 1),
    "stop": (data, "meter_values", 2),
    "stop of nobody": (lambda cp, _: stop(cp, 4711), "orphan_messages", 1),
    "job": (job, "job_statuses", 1),
}
SENT_AGAIN = sorted(KINDS.keys() - {"job"})  # stations do not repeat those: each arrival is one


def resent(fact):
    """The same message as it arrives the second time."""
    return replace(fact, received_at=fact.received_at + timedelta(seconds=30))


async def count(b, table):
    return await b.sql.fetchval(f"SELECT count(*) FROM {table}")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_commit_whose_answer_is_lost_is_not_done_twice(database_url, kind):
    make, table, rows = KINDS[kind]
    async with cut_off(database_url) as (b, proxy):
        cp = await b.station()
        opened = await b.submit(start(cp))
        await b.submit(values(cp, opened.transaction_id, minutes=0))  # no look-up of the first
        before = await count(b, table)
        proxy.hold("down")
        task = asyncio.get_running_loop().create_task(b.submit(make(cp, opened.transaction_id)))

        async def stored():
            # the batches of several statements never get that far: they are rolled back
            return await count(b, table) == before + rows or proxy.held["down"]

        await wait_until(stored)
        await asyncio.sleep(0.1)
        proxy.cut()
        await asyncio.wait_for(task, 60)
        assert await count(b, table) == before + rows


@pytest.mark.smoke
@pytest.mark.parametrize("kind", ["start", "stop", "job", "stop of nobody"])
async def test_a_lost_answer_to_the_commit_itself(database_url, kind):
    """Of a batch of several statements only the last answer is lost."""
    make, table, rows = KINDS[kind]
    async with cut_off(database_url) as (b, proxy):
        cp = await b.station()
        opened = await b.submit(start(cp))
        before = await count(b, table)
        task = asyncio.get_running_loop().create_task(b.submit(make(cp, opened.transaction_id)))
        # one row lock later every statement but the commit has run: hold from the moment on in
        # which rows are written, and until they are seen
        while not task.done():
            proxy.hold("down")
            await asyncio.sleep(0.02)
            if await count(b, table) == before + rows:
                proxy.cut()
                break
            proxy.release()
            await asyncio.sleep(0)
        await asyncio.wait_for(task, 60)
        assert await count(b, table) == before + rows


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("kind", SENT_AGAIN)
async def test_what_a_station_sends_again_is_stored_once(database_url, kind, known):
    make, table, rows = KINDS[kind]
    async with bench(database_url) as b:
        cp = await b.station()
        opened = await b.submit(start(cp))
        before = await count(b, table)
        fact = make(cp, opened.transaction_id)
        first = await b.submit(fact)
        if not known:  # this process has not seen it, as after a restart or on another node
            b.bus.publish(StationConnected(cp))
        assert await b.submit(resent(fact)) == first
        assert await count(b, table) == before + rows


@pytest.mark.smoke
@pytest.mark.parametrize("kind", SENT_AGAIN)
async def test_both_sendings_in_one_batch_are_stored_once(database_url, kind):
    make, table, rows = KINDS[kind]
    async with bench(database_url) as b:
        cp = await b.station()
        opened = await b.submit(start(cp))
        before = await count(b, table)
        fact = make(cp, opened.transaction_id)
        first, second = await asyncio.gather(b.submit(fact), b.submit(resent(fact)))
        assert first == second
        assert await count(b, table) == before + rows


@pytest.mark.parametrize("stored", [0, 1, 4, 6])
async def test_a_station_that_did_not_wait_for_answers_repeats_several(database_url, stored):
    """Its queue comes again from the first message without an answer on, some of it stored."""
    async with bench(database_url) as b:
        cp = await b.station()
        queue = [values(cp, None, minutes=minute) for minute in range(6)]
        for fact in queue[:stored]:
            await b.submit(fact)
        b.bus.publish(StationConnected(cp))
        for fact in queue:
            await b.submit(resent(fact))
        assert await count(b, "meter_values") == len(queue)


async def test_different_values_of_the_same_instant_are_all_stored(database_url):
    """Some chargers send a message a measurand."""
    async with bench(database_url) as b:
        cp = await b.station()
        opened = await b.submit(start(cp))
        one = values(cp, opened.transaction_id)
        at = one.readings[0].measured_at
        for reading in (
            Reading(measured_at=at, energy_wh=2000, soc_permille=500),
            Reading(measured_at=at, energy_wh=2000, context="Sample.Clock"),
            Reading(measured_at=at, power_w=7000),
            read(at, [{"value": "50.0", "measurand": "Frequency"}]),
            read(at, [{"value": "50.1", "measurand": "Frequency"}]),
        ):
            b.bus.publish(StationConnected(cp))
            await b.submit(replace(one, readings=(reading,)))
        assert await count(b, "meter_values") == 5


async def test_a_statement_that_outlives_its_connection_is_ended(database_url):
    """Cut off while it waits for a lock, it would store its rows beside those of the next try."""
    async with cut_off(database_url) as (b, proxy):
        cp = await b.station()
        opened = await b.submit(start(cp))
        await b.submit(values(cp, opened.transaction_id, minutes=0))
        async with locked(database_url, "SELECT 1 FROM transactions FOR UPDATE"):
            task = asyncio.get_running_loop().create_task(
                b.submit(values(cp, opened.transaction_id))
            )
            await wait_until(lambda: _waiting(b))
            first = await _waiting(b)
            proxy.cut()
            await wait_until(lambda: _is_another(b, first))
        await asyncio.wait_for(task, 60)
        assert await count(b, "meter_values") == 2


async def _waiting(b):
    return await b.sql.fetchval(
        "SELECT min(pid) FROM pg_stat_activity WHERE application_name = 'csms intake'"
        " AND datname = current_database() AND wait_event_type = 'Lock'"
    )


async def _is_another(b, pid):
    return await _waiting(b) not in (None, pid)


async def test_a_hanging_commit_is_given_up_and_stored_once(database_url, monkeypatch):
    async with cut_off(database_url) as (b, proxy):
        cp = await b.station()
        opened = await b.submit(start(cp))
        await b.submit(values(cp, opened.transaction_id, minutes=0))
        proxy.hold()
        fact = values(cp, opened.transaction_id)
        with monkeypatch.context() as patience:
            patience.setattr("csms.services.intake.WAIT_S", 1.0)
            with pytest.raises(DatabaseAway):
                await asyncio.wait_for(b.submit(fact), 15)  # less than the usual patience
        with pytest.raises(DatabaseAway):
            await b.intake.check()
        again = asyncio.get_running_loop().create_task(b.submit(resent(fact)))
        await asyncio.sleep(0)
        proxy.release()
        await asyncio.wait_for(again, 60)
        await b.intake.check()
        assert await count(b, "meter_values") == 2


async def test_missing_rights_are_no_fault_of_the_facts(database_url):
    async with bench(database_url) as b:
        cp = await b.station()
        await b.sql.execute("ALTER TABLE transactions RENAME TO away")
        task = asyncio.get_running_loop().create_task(b.submit(start(cp)))
        await wait_until(lambda: _is_troubled(b))
        await b.sql.execute("ALTER TABLE away RENAME TO transactions")
        await asyncio.wait_for(task, 60)
        assert await count(b, "transactions") == 1


async def _is_troubled(b):
    try:
        await b.intake.check()
    except DatabaseAway:
        return True
    return False


async def test_other_connectors_may_come_before_the_repetition(database_url):
    async with bench(database_url) as b:
        cp = await b.station()
        fact = values(cp, None, connector=1)
        await b.submit(fact)
        b.bus.publish(StationConnected(cp))
        for minute in range(5):
            await b.submit(values(cp, None, connector=2, minutes=minute))
        await b.submit(resent(fact))
        assert await count(b, "meter_values") == 6
