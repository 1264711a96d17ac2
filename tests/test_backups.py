"""Backup and restore: all of it or nothing, on a real Postgres."""

from __future__ import annotations

import asyncio
import hashlib
import json
import stat
import zipfile
from datetime import UTC, datetime

import asyncpg
import pytest

from csms.app import DatabaseAddress
from csms.backups import make_backup, restore_backup
from csms.data_folder import load_secret
from csms.errors import DatabaseAway
from csms.store import migrate
from csms.store.backup_file import BackupFailed, BackupRefused
from csms.store.intake import SqlIntakeStore
from csms.store.tables import metadata
from tests.app.bench import settings_for
from tests.postgres import fresh_database
from tests.store.test_partitions import frame, values
from tests.waiting import wait_until

LONG_AGO = datetime(2025, 3, 9, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
OLDER = "0002"


@pytest.fixture
async def sql(database_url):
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def filled(database_url, sql):
    """A database with rows of many kinds, some in partitions of the past; odd texts too."""
    key = await sql.fetchval(
        "INSERT INTO charge_points (identity, name, location, password_digest, node, epoch)"
        " VALUES ('CP1', $1, $2, $3, 'other', 7) RETURNING id",
        "tab\t back\\slash \n Ünï",
        '{"lat": 1}',
        b"\x00\xff",
    )
    await sql.execute(
        "INSERT INTO transactions (charge_point_id, connector_id, id_tag, id_tag_key,"
        " id_tag_status, meter_start_wh, started_at, start_received_at, findings, price_per_kwh,"
        " currency) SELECT $1, 1, 'T', 'T', 'Accepted', 0, now(), now(), ARRAY['a', 'b c'], 0.3,"
        " 'EUR'"
        " FROM generate_series(1, 5)",
        key,
    )
    await sql.execute(
        "INSERT INTO charging_limits (charge_point_id, connector_id, purpose, acknowledged_w,"
        " ends_at) VALUES ($1, 1, 'TxProfile', 6000, now())",
        key,
    )
    await sql.execute("INSERT INTO leases VALUES ('site S', 'other', 3, now() + interval '1 hour')")
    store = SqlIntakeStore(database_url)
    both = [values(key, LONG_AGO), values(key, datetime.now(UTC))]
    with pytest.raises(DatabaseAway):  # its partition is made by the first try
        await store_values(store, both)
    await store_values(store, both)
    await store.log([frame(key, LONG_AGO, '[2,"1","A",{"x":"\\n\\\\"}]')])
    await store.close()
    return key


async def store_values(store, facts):
    async with store.batch() as batch:
        batch.meter(facts, [None] * len(facts))


async def contents(url):
    """Return all rows of all tables but leases, as texts."""
    connection = await asyncpg.connect(url)
    try:
        return {
            table.name: sorted(
                row[0] for row in await connection.fetch(f"SELECT t::text FROM {table.name} t")
            )
            for table in metadata.sorted_tables
            if table.name != "leases"
        }
    finally:
        await connection.close()


def without(found, *names):
    return {name: rows for name, rows in found.items() if name not in names}


def back_up(url, folder, name="x.zip", **more):
    settings = settings_for(None, folder)
    load_secret(settings)  # what has filled the database has one
    return make_backup(settings, DatabaseAddress(url=url), folder / name, **more)


def restore(url, folder, file, **more):
    return restore_backup(settings_for(None, folder), DatabaseAddress(url=url), file, **more)


@pytest.mark.smoke
async def test_all_rows_come_back(database_url, postgres_url, filled, sql, tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    a.mkdir(), b.mkdir()
    manifest = await back_up(database_url, a)
    assert manifest.revision == migrate.head()
    file = a / "x.zip"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in a.iterdir()) == ["data", "x.zip"]

    lines = await restore(postgres_url, b, file)
    assert lines[0].startswith("restored ")
    assert len(lines) == 1
    before, after = await contents(database_url), await contents(postgres_url)
    live = ("charge_points", "charging_limits")
    assert without(after, *live) == without(before, *live)
    assert len(after["meter_values"]) == 2
    secrets = [load_secret(settings_for(None, folder)) for folder in (a, b)]
    assert secrets[0] == secrets[1]
    assert stat.S_IMODE((b / "data" / "secret").stat().st_mode) == 0o600
    assert await migrate.check(postgres_url) == []


async def test_what_went_on_after_the_backup_is_allowed_for(
    database_url, postgres_url, filled, tmp_path
):
    await back_up(database_url, tmp_path)
    await restore(postgres_url, tmp_path, tmp_path / "x.zip")
    connection = await asyncpg.connect(postgres_url)
    try:
        row = await connection.fetchrow("SELECT node, epoch, name FROM charge_points")
        assert tuple(row) == (None, 7, "tab\t back\\slash \n Ünï")
        # the station may draw more than the backup knows of, or less, and for longer
        limit = await connection.fetchrow(
            "SELECT may_be_unlimited, acknowledged_w, earlier_low_w, ends_at FROM charging_limits"
        )
        assert tuple(limit) == (True, 6000, 0, None)
        assert await connection.fetchval("SELECT count(*) FROM leases") == 0
        # ids that were given out after the backup are in charge points' memories
        assert await connection.fetchval("SELECT nextval('transaction_ids')") > 100_000
        inserted = "INSERT INTO id_tags (id_tag, id_tag_key) VALUES ('a', 'A') RETURNING id"
        assert await connection.fetchval(inserted) == 1
        inserted = "INSERT INTO charge_points (identity, name) VALUES ('b', 'b') RETURNING id"
        assert await connection.fetchval(inserted) == filled + 1
    finally:
        await connection.close()


async def test_without_the_message_log(database_url, postgres_url, filled, tmp_path):
    await back_up(database_url, tmp_path, message_log=False)
    await restore(postgres_url, tmp_path, tmp_path / "x.zip")
    found = await contents(postgres_url)
    assert found["ocpp_messages"] == []
    assert len(found["transactions"]) == 5


async def test_a_backup_is_of_one_moment(database_url, postgres_url, filled, sql, tmp_path):
    """What is committed while it is written is not in it, wherever it stands."""
    writer = await asyncpg.connect(database_url)
    try:
        async with writer.transaction():
            # holds the backup in the middle, at one table
            await writer.execute("LOCK TABLE transactions IN ACCESS EXCLUSIVE MODE")
            task = asyncio.create_task(back_up(database_url, tmp_path))

            async def waits():
                return await sql.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")

            await wait_until(waits)
            await writer.execute("UPDATE transactions SET id_tag = 'late'")
            await sql.execute("INSERT INTO id_tags (id_tag, id_tag_key) VALUES ('late', 'LATE')")
        await task
    finally:
        await writer.close()
    await restore(postgres_url, tmp_path, tmp_path / "x.zip")
    found = await contents(postgres_url)
    assert "late" not in str(found["transactions"])
    assert found["id_tags"] == []


async def test_a_backup_never_replaces_a_file(database_url, tmp_path):
    (tmp_path / "x.zip").write_text("mine")
    with pytest.raises(BackupFailed, match="exists already"):
        await back_up(database_url, tmp_path)
    assert (tmp_path / "x.zip").read_text() == "mine"
    with pytest.raises(BackupFailed, match="cannot be written"):
        await back_up(database_url, tmp_path, "nowhere/x.zip")


async def test_a_database_with_rows_is_replaced_only_by_force(
    database_url, postgres_url, filled, tmp_path
):
    await back_up(database_url, tmp_path)
    await migrate.upgrade(postgres_url)
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute("INSERT INTO users (name, role) VALUES ('mine', 'admin')")
        with pytest.raises(BackupRefused, match="--force"):
            await restore(postgres_url, tmp_path, tmp_path / "x.zip")
        assert await connection.fetchval("SELECT name FROM users") == "mine"
    finally:
        await connection.close()
    await restore(postgres_url, tmp_path, tmp_path / "x.zip", force=True)
    found = await contents(postgres_url)
    assert found["users"] == []
    assert len(found["transactions"]) == 5


async def test_a_database_that_is_in_use_is_left_alone(
    database_url, postgres_url, filled, tmp_path
):
    await back_up(database_url, tmp_path)
    other = await asyncpg.connect(postgres_url, server_settings={"application_name": "csms intake"})
    try:
        with pytest.raises(BackupRefused, match="stop it"):
            await restore(postgres_url, tmp_path, tmp_path / "x.zip", force=True)
    finally:
        await other.close()
    assert await migrate.current(postgres_url) is None


def rewrite(file, change):
    """Write a backup anew with changed members."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members = change(members)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


async def test_a_backup_of_a_newer_csms_is_refused(database_url, postgres_url, filled, tmp_path):
    await back_up(database_url, tmp_path)
    file = tmp_path / "x.zip"

    def newer(members):
        manifest = json.loads(members["manifest.json"])
        manifest |= {"revision": "9999", "csms": "9.9.9"}
        return members | {"manifest.json": json.dumps(manifest).encode()}

    rewrite(file, newer)
    with pytest.raises(BackupRefused) as refusal:
        await restore(postgres_url, tmp_path, file)
    assert str(refusal.value) == (
        "The backup was made by csms 9.9.9 at revision 9999, which this version does not know:"
        " restore it with that csms or a newer one."
    )
    assert await migrate.current(postgres_url) is None


@pytest.fixture
def older_url(_server_url):
    with fresh_database(_server_url) as url:
        yield url


@pytest.fixture
async def older_columns(older_url):
    """The columns of each table as an older csms had them, asked of a database of that revision."""
    await migrate.upgrade(older_url, OLDER)
    connection = await asyncpg.connect(older_url)
    try:
        rows = await connection.fetch(
            "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns"
            " WHERE table_schema = 'public' GROUP BY table_name"
        )
    finally:
        await connection.close()
    return dict(tuple(row) for row in rows)


async def test_a_backup_of_an_older_csms_is_brought_to_the_head(
    postgres_url, database_url, older_columns, tmp_path
):
    """An older revision has fewer tables and columns; those in the file are what counts."""
    await back_up(database_url, tmp_path)
    file = tmp_path / "x.zip"
    left_out = []

    def older(members):
        manifest = json.loads(members["manifest.json"])
        tables = [table for table in manifest["tables"] if table["name"] in older_columns]
        for table in tables:
            then = older_columns[table["name"]]
            left_out.extend(name for name in table["columns"] if name not in then)
            table["columns"] = [name for name in table["columns"] if name in then]
        manifest |= {"tables": tables, "revision": OLDER, "sequences": {}}
        return members | {"manifest.json": json.dumps(manifest).encode()}

    rewrite(file, older)
    assert {"ended_at", "rules"} <= set(left_out)
    await restore(postgres_url, tmp_path, file)
    assert await migrate.current(postgres_url) == migrate.head()
    assert await migrate.check(postgres_url) == []


async def test_a_damaged_file_is_refused_wherever_the_damage_is(
    database_url, postgres_url, filled, tmp_path
):
    await back_up(database_url, tmp_path)
    file = tmp_path / "x.zip"
    whole = file.read_bytes()
    damaged = [whole[: len(whole) // 2], whole[:-1], b"", b"no zip at all"]
    with zipfile.ZipFile(file) as archive:
        for name in ("manifest.json", "secret", "tables/transactions", "tables/ocpp_messages"):
            info = archive.getinfo(name)
            # behind the local header with its name lie the bytes
            at = info.header_offset + 30 + len(name) + 20 + info.compress_size // 2
            damaged.append(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
    for content in damaged:
        file.write_bytes(content)
        with pytest.raises(BackupRefused, match=r"is damaged or no backup of csms; nothing"):
            await restore(postgres_url, tmp_path, file)
    with pytest.raises(BackupRefused, match="No such file"):
        await restore(postgres_url, tmp_path, tmp_path / "nowhere")
    assert await migrate.current(postgres_url) is None


async def test_rows_that_do_not_fit_leave_nothing_behind(
    database_url, postgres_url, filled, tmp_path
):
    await back_up(database_url, tmp_path)
    file = tmp_path / "x.zip"

    def foreign(members):
        """A transaction of a charge point that is not there, with all sums right."""
        manifest = json.loads(members["manifest.json"])
        entry = next(t for t in manifest["tables"] if t["name"] == "charge_points")
        members["tables/charge_points"] = b""
        entry |= {"rows": 0, "sha256": hashlib.sha256(b"").hexdigest()}
        return members | {"manifest.json": json.dumps(manifest).encode()}

    rewrite(file, foreign)
    with pytest.raises(BackupRefused, match="does not fit"):
        await restore(postgres_url, tmp_path, file)
    assert await migrate.current(postgres_url) is None


async def test_settings_that_differ_are_told(database_url, postgres_url, tmp_path):
    address = DatabaseAddress(url=database_url)
    await make_backup(settings_for(None, tmp_path, currency="CHF"), address, tmp_path / "x.zip")
    lines = await restore(postgres_url, tmp_path, tmp_path / "x.zip")
    assert lines[1:] == ["warning: CSMS_CURRENCY was CHF, it is EUR here"]
