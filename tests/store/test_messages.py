"""Reading the message log of several charge points at once, as whoever follows it does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg

from csms.services.messages import LoggedMessage, logged_message
from csms.services.ports.messages import MessageFilter
from csms.services.records import ANY_REPAIR
from csms.store.database import Database
from csms.store.partitions import ensure_partitions
from csms.store.unit_of_work import SqlUnitsOfWork

OLD = timedelta(hours=1)


async def test_after_gives_newer_frames_of_these_charge_points_oldest_first(database_url):
    database = Database(database_url)
    sql = await asyncpg.connect(database_url)
    try:
        await ensure_partitions(database)
        # a noon of which, and of the hours around which, there is a partition at any time
        now = (datetime.now(UTC) + timedelta(days=1)).replace(hour=12)
        keys = await sql.fetch(
            "INSERT INTO charge_points (identity, name)"
            " SELECT 'CP-' || n, 'x' FROM generate_series(1, 3) n RETURNING id"
        )
        one, two, other = (row["id"] for row in keys)
        ids = [
            await sql.fetchval(
                "INSERT INTO ocpp_messages (at, charge_point_id, direction, type, action, raw)"
                " VALUES ($1, $2, 'in', 2, $3, '[]') RETURNING id",
                at,
                key,
                action,
            )
            for at, key, action in (
                (now - OLD, one, "TooOld"),
                (now, one, "First"),
                (now - timedelta(seconds=5), two, "Late"),
                (now, other, "OfAnother"),
                (now, one, "Last"),
            )
        ]

        async def after(key: int, limit: int = 10) -> list[tuple[int, str | None]]:
            async with SqlUnitsOfWork(database)() as unit:
                found = await unit.messages.after(
                    [one, two], key, limit, at_from=now - timedelta(seconds=30)
                )
            return [(charge_point, record.action) for charge_point, record in found]

        assert await after(0) == [(one, "First"), (two, "Late"), (one, "Last")]
        assert await after(0, limit=2) == [(one, "First"), (two, "Late")]
        assert await after(ids[2]) == [(one, "Last")]
        assert await after(ids[4]) == []
    finally:
        await sql.close()
        await database.close()


async def test_frames_are_found_by_their_repairs_with_what_was_made_of_them(database_url):
    database = Database(database_url)
    sql = await asyncpg.connect(database_url)
    try:
        await ensure_partitions(database)
        now = datetime.now(UTC)
        key = await sql.fetchval(
            "INSERT INTO charge_points (identity, name) VALUES ('CP', 'x') RETURNING id"
        )
        for number, repairs in enumerate((["a", "b"], None, ["b"])):
            await sql.execute(
                "INSERT INTO ocpp_messages (at, charge_point_id, direction, type, action, raw,"
                " repairs, repaired) VALUES ($1, $2, 'in', 2, 'Authorize', $3, $4, $5)",
                now + timedelta(milliseconds=number),
                key,
                f'[2,"{number}","Authorize",{{}}]',
                repairs,
                None if repairs is None else '{"idTag":"A"}',
            )

        async def found(repair: str | None) -> list[LoggedMessage]:
            async with SqlUnitsOfWork(database)() as unit:
                records = await unit.messages.page(key, 10, MessageFilter(repair=repair))
            return [logged_message(record) for record in records]

        assert [m.record.repairs for m in await found("a")] == [("a", "b")]
        assert [m.record.repairs for m in await found("b")] == [("b",), ("a", "b")]
        assert [m.record.repairs for m in await found(ANY_REPAIR)] == [("b",), ("a", "b")]
        assert await found("c") == []
        assert [m.payload for m in await found(None)] == [{"idTag": "A"}, {}, {"idTag": "A"}]
        assert (await found("a"))[0].record.raw == '[2,"0","Authorize",{}]'
    finally:
        await sql.close()
        await database.close()
