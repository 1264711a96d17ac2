"""Rows of the ledger in the database, and the one statement that turns many of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from csms.domain.charging_profiles import ProfilePurpose
from csms.domain.ids import ChargePointKey
from csms.domain.limit_rows import LimitRow, forgotten
from csms.domain.pieces import whole
from csms.domain.reclaim import Appetite
from csms.domain.site_snapshot import RowKey
from csms.store import control_sql
from csms.store.control import SqlControlStore
from csms.store.database import Database
from csms.store.limit_rows import appetites_document, rows_document

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FULL = LimitRow(
    transaction_id=1,
    desired_w=11_000,
    desired_version=3,
    desired_at=NOW,
    reason="fair share",
    acknowledged_w=22_000,
    acknowledged_version=2,
    acknowledged_at=NOW,
    in_flight_w=11_000,
    in_flight_version=3,
    sent_at=NOW,
    before_w=22_000,
    drew_w=21_000,
    ends_at=NOW,
    earlier_w=frozenset({5000, 30_000}),
    doubtful=True,
    may_be_unlimited=True,
    refused_w=7000,
    refused_status="Rejected",
    refused_at=NOW,
    refusals=2,
    read_back_at=NOW,
    judged_at=NOW,
    over_readings=1,
    follow_s=2.5,
    raised_at=NOW,
    writes=7,
    written_on=NOW.date(),
)


@pytest.fixture
async def store(database_url):
    database = Database(database_url)
    async with database.transaction() as connection:
        for statement in (
            "INSERT INTO sites (id, name, grid_limit_w) VALUES ('s', 's', 40000)",
            "INSERT INTO charge_points (identity, name, site_id, node) VALUES ('A', 'A', 's', 'n')",
            "INSERT INTO transactions (id, charge_point_id, connector_id, site_id, id_tag,"
            " id_tag_key, id_tag_status, meter_start_wh, started_at, start_received_at,"
            " price_per_kwh, currency) SELECT 1, id, 1, 's', 'T', 'T', 'Accepted', 0, now(), now(),"
            " 0, 'EUR' FROM charge_points",
        ):
            await connection.execute(text(statement))
    yield SqlControlStore(database), database
    await database.close()


async def key_of(database):
    async with database.transaction() as connection:
        found = await connection.execute(text("SELECT id FROM charge_points"))
        return ChargePointKey(found.scalar_one())


async def keep(database, rows, appetites=None):
    async with database.transaction() as connection:
        await connection.execute(text(control_sql.ROWS), {"rows": whole(rows_document(rows))})
        if appetites:
            document = appetites_document(appetites)
            await connection.execute(text(control_sql.APPETITES), {"rows": document})


async def stored(control):
    async with control.unit() as unit:
        return await unit.snapshot("s", NOW)


@pytest.mark.parametrize("row", [FULL, LimitRow(transaction_id=1, desired_w=0, desired_version=1)])
async def test_a_row_comes_back_as_it_was(store, row):
    control, database = store
    place = RowKey(await key_of(database), 1, ProfilePurpose.TX)
    await keep(database, {place: row})
    await keep(database, {place: row})  # again, onto itself
    assert (await stored(control)).rows()[place] == row


async def test_forgetting_is_the_same_in_the_database_and_in_the_domain(store):
    control, database = store
    place = RowKey(await key_of(database), 1, ProfilePurpose.TX)
    await keep(database, {place: FULL})
    assert await control.forget([place.key]) == {place.key: "s"}
    assert (await stored(control)).rows()[place] == forgotten(FULL)


async def test_an_appetite_belongs_to_its_transaction(store):
    control, database = store
    place = RowKey(await key_of(database), 1, ProfilePurpose.TX)
    appetite = Appetite(cap_w=5000, under=1, last_w=4000, weighed_at=NOW)
    await keep(database, {place: FULL}, {place: appetite})
    assert (await stored(control)).sessions[0].appetite == appetite
    await keep(database, {place: LimitRow(transaction_id=2, desired_w=0, desired_version=4)})
    await keep(database, {place: LimitRow(transaction_id=1, desired_w=0, desired_version=5)})
    assert (await stored(control)).sessions[0].appetite == Appetite()
