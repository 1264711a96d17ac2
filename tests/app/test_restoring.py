"""Backup and restore as operators run them: to another data folder, and killed on the way."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import stat
import zipfile

import asyncpg
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from csms.data_folder import load_secret
from csms.errors import StartError
from csms.store import migrate
from tests.app.bench import settings_for
from tests.app.commands import csms, serving, start
from tests.test_backups import back_up
from tests.waiting import wait_until

PASSWORD = "correct horse battery"


@pytest.fixture
async def sql(database_url):
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def filled(sql):
    """A database with five sessions."""
    await sql.execute(
        "WITH c AS (INSERT INTO charge_points (identity, name) VALUES ('CP1', 'CP1') RETURNING id)"
        " INSERT INTO transactions (charge_point_id, connector_id, id_tag, id_tag_key,"
        " id_tag_status, meter_start_wh, started_at, start_received_at, price_per_kwh, currency)"
        " SELECT id, 1, 'T', 'T', 'Accepted', 0, now(), now(), 0.3, 'EUR'"
        " FROM c, generate_series(1, 5)"
    )


HANG = {
    # everything is written, nothing committed
    "before the commit": """
import csms.store.migrate as m, time, sys
async def finish(connection):
    print("hangs", flush=True); time.sleep(600)
m.finish = finish
""",
    # committed; the secret is still the old one
    "after the commit": """
import csms.backups as b, time
original = b._writer
def writer(path, content):
    if path.name == "secret":
        print("hangs", flush=True); time.sleep(600)
    return original(path, content)
b._writer = writer
""",
}


async def killed_where_it_hangs(*arguments, **settings):
    process = await start(*arguments, **settings)
    try:
        async with asyncio.timeout(60):
            while b"hangs" not in (line := await process.stdout.readline()):
                assert line, (await process.stderr.read()).decode()
    finally:
        process.kill()
        await process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("where", HANG)
async def test_a_restore_that_is_killed(database_url, postgres_url, filled, tmp_path, where):
    """Either the database is as it was, or csms does not start before it is restored again."""
    await back_up(database_url, tmp_path)
    file, data = str(tmp_path / "x.zip"), tmp_path / "b"
    await migrate.upgrade(postgres_url)
    own = await asyncpg.connect(postgres_url)
    await own.execute("INSERT INTO id_tags (id_tag, id_tag_key) VALUES ('mine', 'MINE')")
    await own.close()
    settings = {"data_dir": data, "database_url": postgres_url}
    load_secret(settings_for(postgres_url, tmp_path, data_dir=data))  # the folder's own
    secret = (data / "secret").read_text()

    await killed_where_it_hangs("restore", file, "--force", code=HANG[where], **settings)

    assert (data / "secret").read_text() == secret
    if where == "before the commit":
        async with serving(data, database_url=postgres_url) as served:
            tags = (await served.ask("GET", "/api/id-tags"))["items"]
            assert [tag["idTag"] for tag in tags] == ["mine"]
    else:
        end = await csms("serve", **settings)
        assert end.code == 1
        (line,) = end.errors
        assert "restore was interrupted" in line
        with pytest.raises(StartError):
            load_secret(settings_for(postgres_url, tmp_path, data_dir=data))
        end = await csms("restore", file, "--force", **settings)
        assert end.code == 0, end
        assert (data / "secret").read_text() != secret
        async with serving(data, database_url=postgres_url) as served:
            assert len((await served.ask("GET", "/api/sessions"))["items"]) == 5


@pytest.mark.slow
async def test_a_backup_that_is_killed_leaves_no_file_and_the_next_one_works(
    database_url, filled, sql, tmp_path
):
    settings = {"data_dir": tmp_path / "a", "database_url": database_url}
    file, part = tmp_path / "x.zip", tmp_path / ".x.zip.part"
    async with sql.transaction():
        await sql.execute("LOCK TABLE transactions IN ACCESS EXCLUSIVE MODE")
        process = await start("backup", str(file), **settings)
        try:
            await wait_until(lambda: part.exists() and part.stat().st_size > 0, 60)
        finally:
            process.kill()
            await process.communicate()
    assert not file.exists()
    assert stat.S_IMODE(part.stat().st_mode) == 0o600
    end = await csms("backup", str(file), **settings)
    assert end.code == 0, end
    assert zipfile.ZipFile(file).testzip() is None
    assert not part.exists()


def basic(identity, password):
    token = base64.b64encode(f"{identity}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


def plugged(served, identity, password):
    return connect(
        f"{served.ocpp_url}/{identity}",
        subprotocols=["ocpp1.6"],
        additional_headers=basic(identity, password),
    )


async def call(socket, action, payload):
    await socket.send(json.dumps([2, os.urandom(8).hex(), action, payload]))
    kind, _, answer = json.loads(await socket.recv())
    assert kind == 3
    return answer


@pytest.mark.slow
async def test_from_one_data_folder_to_another(tmp_path):
    """The whole way with embedded databases; backup and other commands beside a running csms."""
    a, b, file = tmp_path / "a", tmp_path / "b", tmp_path / "x.zip"
    site = tmp_path / "site.json"
    site.write_text(
        json.dumps(
            {
                "stationId": "S1",
                "gridCapacity": 50,
                "chargers": [{"id": "E1", "maxPower": 20, "connectors": 2}],
            }
        )
    )
    begun = {
        "connectorId": 1,
        "idTag": "TAG1",
        "meterStart": 0,
        "timestamp": "2026-03-01T12:00:00Z",
    }
    seen = {}

    async def looked_at(served):
        return {
            path: (await served.ask("GET", path))
            for path in ("/api/sessions", "/api/id-tags", "/api/stats/daily", "/api/sites/S1")
        }

    async with serving(a) as served:
        await served.ask(
            "POST",
            "/api/stations",
            {"identity": "CP1", "name": "CP1", "maxKw": 22, "password": PASSWORD},
        )
        await served.ask("POST", "/api/id-tags", {"idTag": "TAG1"})
        async with plugged(served, "CP1", PASSWORD) as socket:
            first = await call(socket, "StartTransaction", begun)
            assert first["idTagInfo"]["status"] == "Accepted"
            stop = {
                "transactionId": first["transactionId"],
                "meterStop": 5000,
                "timestamp": "2026-03-01T13:00:00Z",
            }
            await call(socket, "StopTransaction", stop)
            last = await call(socket, "StartTransaction", begun | {"meterStart": 5000})
        assert (await csms("site", "import", str(site), data_dir=a)).code == 0
        end = await csms("user", "reset", data_dir=a)
        assert end.code == 0, end
        token = end.out[0].partition("token=")[2]
        seen = await looked_at(served)
        end = await csms("backup", str(file), data_dir=a)
        assert end.code == 0, end
        end = await csms("restore", str(file), "--force", data_dir=a)
        assert end.code == 1
        assert "in use by another csms" in end.errors[0]

    end = await csms("restore", str(file), data_dir=b)
    assert end.code == 0, end
    async with serving(b) as served:
        assert await looked_at(served) == seen
        assert len(seen["/api/stats/daily"]["items"]) == 1
        with pytest.raises(InvalidStatus) as refusal:
            async with plugged(served, "CP1", "the wrong password"):
                pass
        assert refusal.value.response.status_code == 401
        async with plugged(served, "CP1", PASSWORD) as socket:
            new = await call(socket, "StartTransaction", begun | {"connectorId": 2})
        assert new["transactionId"] > last["transactionId"] > first["transactionId"]
        served.client.headers["Authorization"] = f"Bearer {token}"
        await served.ask("GET", "/api/users")  # keys of the API are digests under the secret too
