"""The intake on a real Postgres: durable, batched, idempotent; poison alone fails."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import pytest

from csms.bus.local import LocalBus
from csms.clock import SystemClock
from csms.domain.authorization import AuthorizationStatus, AuthorizeFact
from csms.domain.charge_points import BootFact, Registration
from csms.domain.connectors import StatusFact
from csms.domain.events import SessionsChanged, SiteChanged
from csms.domain.messages import LoggedFrame
from csms.domain.metering import MeterValuesFact, Reading, read
from csms.domain.transactions import StartFact, StopFact
from csms.errors import BadFact, DatabaseAway
from csms.services.intake import Intake
from csms.services.transactions import Price
from csms.store.intake import SqlIntakeStore

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Bench:
    """An intake at work, with its database at hand."""

    def __init__(self, url, store, intake, connection, bus):
        self.url, self.store, self.intake, self.sql, self.bus = url, store, intake, connection, bus
        self.events = []
        bus.subscribe(SiteChanged, self.events.append)
        bus.subscribe(SessionsChanged, self.events.append)

    async def station(self, identity="CP1", **columns):
        names = ", ".join(("identity", "name", *columns))
        marks = ", ".join(f"${i + 1}" for i in range(2 + len(columns)))
        return await self.sql.fetchval(
            f"INSERT INTO charge_points ({names}) VALUES ({marks}) RETURNING id",
            identity,
            identity,
            *columns.values(),
        )

    async def tag(self, id_tag, **columns):
        columns = {"id_tag": id_tag, "id_tag_key": id_tag.upper(), **columns}
        await self.sql.execute(
            f"INSERT INTO id_tags ({', '.join(columns)}) VALUES"
            f" ({', '.join(f'${i + 1}' for i in range(len(columns)))})",
            *columns.values(),
        )

    async def row(self, transaction_id):
        return await self.sql.fetchrow("SELECT * FROM transactions WHERE id = $1", transaction_id)

    def submit(self, fact):
        return self.intake.submit(fact)


@asynccontextmanager
async def bench(url, *, through=None):
    store, bus = SqlIntakeStore(through or url), LocalBus()
    intake = Intake(
        store,
        bus,
        SystemClock(),
        price=Price(per_kwh=Decimal("0.30"), currency="EUR"),
        heartbeat_interval_s=300,
    )
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(intake.run())
            try:
                yield Bench(url, store, intake, connection, bus)
            finally:
                intake.close()
    finally:
        await store.close()
        await connection.close()


def start(cp, **changes):
    values = {
        "charge_point": cp,
        "received_at": NOW,
        "connector_id": 1,
        "id_tag": "TAG",
        "meter_start_wh": 1000,
        "started_at": NOW,
    }
    return StartFact(**{**values, **changes})


def stop(cp, transaction_id, **changes):
    values = {
        "charge_point": cp,
        "received_at": NOW + timedelta(hours=1),
        "transaction_id": transaction_id,
        "meter_stop_wh": 11_000,
        "stopped_at": NOW + timedelta(hours=1),
    }
    return StopFact(**{**values, **changes})


def values(cp, transaction_id, energy=2000, power=7000, minutes=1, connector=1):
    at = NOW + timedelta(minutes=minutes)
    return MeterValuesFact(
        charge_point=cp,
        received_at=at,
        connector_id=connector,
        transaction_id=transaction_id,
        readings=(Reading(measured_at=at, energy_wh=energy, power_w=power),),
    )


async def test_a_session_from_boot_to_stop_stands_in_the_database(database_url):
    async with bench(database_url) as b:
        await b.sql.execute("INSERT INTO sites (id, name, grid_limit_w) VALUES ('s', 's', 1)")
        cp = await b.station(site_id="s")
        await b.tag("tag")
        boot = await b.submit(
            BootFact(charge_point=cp, received_at=NOW, vendor="V", model="M", iccid="-67")
        )
        assert (boot.registration, boot.interval_s) == (Registration.ACCEPTED, 300)
        await b.submit(
            StatusFact(
                charge_point=cp,
                received_at=NOW,
                connector_id=1,
                status="Preparing",
                error_code="NoError",
            )
        )
        started = await b.submit(start(cp))
        assert started.id_tag_info.status is AuthorizationStatus.ACCEPTED
        linked = await b.submit(values(cp, started.transaction_id))
        assert linked.transaction_id == started.transaction_id
        running = await b.row(started.transaction_id)
        assert (running["register_wh"], running["power_w"]) == (2000, 7000)
        assert (await b.submit(stop(cp, started.transaction_id))).id_tag_info is None
        row = await b.row(started.transaction_id)
        assert (row["active"], row["meter_stop_wh"], row["stop_reason"]) == (False, 11_000, "Local")
        assert (row["cost"], row["power_w"], row["findings"]) == (Decimal("3.00"), None, [])
        assert await b.sql.fetchval("SELECT count(*) FROM meter_values WHERE energy_wh = 2000") == 1
        assert SiteChanged("s") in b.events
        assert SessionsChanged(frozenset({started.transaction_id})) in b.events


async def test_a_repeated_start_gets_the_same_id_and_status_while_open(database_url):
    async with bench(database_url) as b:
        cp = await b.station()
        await b.tag("TAG", max_active_sessions=1)
        first = await b.submit(start(cp))
        again = await b.submit(start(cp, received_at=NOW + timedelta(minutes=3), id_tag="tag"))
        assert again == first
        # a charge point whose clock says 1970 starts its next session with equal content
        await b.submit(stop(cp, first.transaction_id))
        assert (await b.submit(start(cp))).transaction_id != first.transaction_id


async def test_repeated_starts_in_one_batch_are_one_transaction(database_url):
    async with bench(database_url) as b:
        cp = await b.station()
        outcomes = await asyncio.gather(*(b.submit(start(cp)) for _ in range(5)))
        assert len({outcome.transaction_id for outcome in outcomes}) == 1
        assert await b.sql.fetchval("SELECT count(*) FROM transactions") == 1


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        (None, "Invalid"),
        ({"status": "Blocked", "expires_at": NOW - timedelta(days=1)}, "Blocked"),
        ({"expires_at": NOW}, "Expired"),
        ({"max_active_sessions": 0}, "ConcurrentTx"),
        ({"parent_id_tag": "GROUP"}, "Accepted"),
    ],
)
async def test_start_is_always_answered_with_an_id_and_the_status_of_the_tag(
    database_url, tag, status
):
    async with bench(database_url) as b:
        cp = await b.station()
        if tag is not None:
            await b.tag("TAG", **tag)
        outcome = await b.submit(start(cp))
        assert outcome.transaction_id > 0
        assert outcome.id_tag_info.status == status
        findings = (await b.row(outcome.transaction_id))["findings"]
        assert ("unauthorised" in findings) == (status != "Accepted")
        info = await b.submit(AuthorizeFact(charge_point=cp, received_at=NOW, id_tag="tAg"))
        assert info.status == ("Accepted" if status == "ConcurrentTx" else status)


async def test_a_tag_with_one_session_is_concurrent_on_a_second_charge_point(database_url):
    async with bench(database_url) as b:
        one, two = await b.station("ONE"), await b.station("TWO")
        await b.tag("TAG", max_active_sessions=1)
        outcomes = await asyncio.gather(b.submit(start(one)), b.submit(start(two)))
        assert sorted(o.id_tag_info.status for o in outcomes) == ["Accepted", "ConcurrentTx"]


async def test_a_start_on_a_busy_connector_marks_the_older_as_stop_missing(database_url):
    async with bench(database_url) as b:
        cp = await b.station()
        await b.tag("TAG")
        old = await b.submit(start(cp))
        new = await b.submit(start(cp, started_at=NOW + timedelta(hours=2)))
        row = await b.row(old.transaction_id)
        assert (row["active"], row["meter_stop_wh"], row["cost"]) == (False, None, None)
        assert row["findings"] == ["stopMissing"]
        assert (await b.row(new.transaction_id))["active"]
        # its stop comes late and still closes it properly
        await b.submit(stop(cp, old.transaction_id))
        row = await b.row(old.transaction_id)
        assert (row["meter_stop_wh"], row["findings"], row["cost"]) == (11_000, [], Decimal("3.00"))


async def test_the_first_stop_wins_and_a_different_one_is_kept_aside(database_url):
    async with bench(database_url) as b:
        cp = await b.station()
        opened = await b.submit(start(cp))
        await b.submit(stop(cp, opened.transaction_id))
        await b.submit(stop(cp, opened.transaction_id))
        assert await b.sql.fetchval("SELECT count(*) FROM orphan_messages") == 0
        await b.submit(stop(cp, opened.transaction_id, meter_stop_wh=99_000))
        assert (await b.row(opened.transaction_id))["meter_stop_wh"] == 11_000
        assert await b.sql.fetchval("SELECT reason FROM orphan_messages") == "duplicateStop"


async def test_a_stop_of_another_station_or_of_nobody_changes_nothing(database_url):
    async with bench(database_url) as b:
        mine, other = await b.station("MINE"), await b.station("OTHER")
        opened = await b.submit(start(mine))
        await b.submit(stop(other, opened.transaction_id))
        await b.submit(stop(other, 4711))
        assert (await b.row(opened.transaction_id))["active"]
        reasons = await b.sql.fetch("SELECT reason FROM orphan_messages ORDER BY id")
        assert [r[0] for r in reasons] == ["foreignTransaction", "unknownTransaction"]


@pytest.mark.parametrize("wire_id", [-1, 0, 2**63 - 1])
async def test_an_impossible_id_means_the_only_active_transaction(database_url, wire_id):
    async with bench(database_url) as b:
        cp = await b.station()
        opened = await b.submit(start(cp))
        assert (await b.submit(values(cp, wire_id))).transaction_id == opened.transaction_id
        await b.submit(stop(cp, wire_id))
        assert (await b.row(opened.transaction_id))["meter_stop_wh"] == 11_000


async def test_values_of_a_foreign_transaction_are_kept_but_not_linked(database_url):
    async with bench(database_url) as b:
        mine, other = await b.station("MINE"), await b.station("OTHER")
        opened = await b.submit(start(mine))
        await b.submit(values(other, opened.transaction_id))
        assert await b.sql.fetchval("SELECT transaction_id FROM meter_values") is None
        assert (await b.row(opened.transaction_id))["register_wh"] is None


async def test_repeated_values_are_stored_once_and_a_falling_register_is_flagged(database_url):
    async with bench(database_url) as b:
        cp = await b.station()
        await b.tag("TAG")
        opened = await b.submit(start(cp))
        await b.submit(values(cp, opened.transaction_id, energy=5000))
        await b.submit(values(cp, opened.transaction_id, energy=5000))
        assert await b.sql.fetchval("SELECT count(*) FROM meter_values") == 1
        await b.submit(values(cp, opened.transaction_id, energy=4000, minutes=2))
        assert (await b.row(opened.transaction_id))["findings"] == ["registerFell"]


async def test_values_that_come_late_do_not_turn_the_session_back(database_url):
    async with bench(database_url) as b:
        cp = await b.station()
        await b.tag("TAG")
        opened = await b.submit(start(cp))
        await b.submit(values(cp, opened.transaction_id, energy=5000, minutes=4))
        await b.submit(values(cp, opened.transaction_id, energy=4000, minutes=2))
        row = await b.row(opened.transaction_id)
        assert (row["register_wh"], row["findings"]) == (5000, [])
        assert await b.sql.fetchval("SELECT count(*) FROM meter_values") == 2
        # a clock that was set back is no queue: the register has moved on
        await b.submit(values(cp, opened.transaction_id, energy=6000, minutes=3))
        assert (await b.row(opened.transaction_id))["register_wh"] == 6000


async def test_values_in_a_stop_are_stored_with_its_session(database_url):
    async with bench(database_url) as b:
        cp = await b.station()
        opened = await b.submit(start(cp))
        reading = read(NOW, [{"value": "10.5", "unit": "kWh", "context": "Transaction.End"}])
        await b.submit(stop(cp, opened.transaction_id, readings=(reading,)))
        row = await b.sql.fetchrow("SELECT transaction_id, energy_wh, context FROM meter_values")
        assert tuple(row) == (opened.transaction_id, 10_500, "Transaction.End")


async def test_a_poison_fact_fails_alone(database_url):
    async with bench(database_url) as b:
        cp = await b.station()
        good = [start(cp, connector_id=i) for i in range(1, 8)]
        poison = start(cp, connector_id=9, id_tag="NUL\x00TAG")
        facts = [*good[:4], poison, *good[4:]]
        results = await asyncio.gather(*map(b.submit, facts), return_exceptions=True)
        assert isinstance(results[4], BadFact)
        assert [r for r in results if isinstance(r, Exception)] == [results[4]]
        assert await b.sql.fetchval("SELECT count(*) FROM transactions") == 7


async def test_the_message_log_never_spoils_a_fact_and_keeps_the_order(database_url):
    async with bench(database_url) as b:
        cp = await b.station()
        for raw in ("[2]", "NUL \x00", "lone \ud800"):
            b.intake.log(
                LoggedFrame(
                    charge_point=cp,
                    at=datetime.now(UTC),
                    direction="in",
                    type=None,
                    action=None,
                    message_id=None,
                    raw=raw,
                )
            )
        await b.submit(start(cp))
        await b.intake.settle_log()
        rows = await b.sql.fetch("SELECT raw FROM ocpp_messages ORDER BY id")
        assert [r[0] for r in rows] == ["[2]", "NUL \ufffd", "lone ?"]


async def test_a_reader_of_the_log_can_wait_for_all_that_was_logged(database_url):
    async with bench(database_url) as b:
        cp = await b.station()
        await b.intake.settle_log()
        for number in range(5000):
            b.intake.log(
                LoggedFrame(
                    charge_point=cp,
                    at=datetime.now(UTC),
                    direction="in",
                    type=2,
                    action="Heartbeat",
                    message_id=str(number),
                    raw="[]",
                )
            )
        await b.intake.settle_log()
        assert await b.sql.fetchval("SELECT count(*) FROM ocpp_messages") == 5000


async def test_facts_wait_while_the_database_is_away_and_are_stored_once(database_url):
    async with bench(database_url) as b:
        cp = await b.station()
        first = await b.submit(start(cp))
        # the intake's connection dies under it, as with a restart of Postgres
        await b.sql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'csms intake' AND datname = current_database()"
        )
        second = await b.submit(start(cp, connector_id=2))
        assert second.transaction_id != first.transaction_id
        assert await b.sql.fetchval("SELECT count(*) FROM transactions") == 2


async def test_facts_are_given_up_after_their_time(clock):
    class Away:
        @asynccontextmanager
        async def batch(self):
            raise DatabaseAway("no route")
            yield

        async def close(self):
            """Nothing is open."""

    intake = Intake(
        Away(),
        LocalBus(),
        clock,
        price=Price(per_kwh=Decimal(0), currency="EUR"),
        heartbeat_interval_s=300,
    )
    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(intake.run())
        waiting = tasks.create_task(_failure(intake.submit(start(1))))
        for _ in range(150):
            await clock.advance(0.2)
        assert isinstance(await waiting, DatabaseAway)
        run.cancel()


async def _failure(awaitable):
    try:
        await awaitable
    except DatabaseAway as error:
        return error
    return None
