"""What keeps `csms serve` from starting is told in plain sentences, with the right exit code."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from dataclasses import dataclass

import asyncpg
import pytest

from tests.app.bench import TOKEN
from tests.app.commands import csms

pytestmark = pytest.mark.slow  # each starts a whole process


@dataclass(frozen=True)
class End:
    code: int
    out: str
    errors: list[str]


async def serve(folder, **settings) -> End:
    """Run `csms serve` with these settings until it ends by itself."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CSMS_")}
    given = {
        "data_dir": folder / "data",
        "ocpp_host": "127.0.0.1",
        "ocpp_port": 0,
        "http_host": "127.0.0.1",
        "http_port": 0,
        "admin_token": TOKEN,
        **settings,
    }
    environment |= {f"CSMS_{name.upper()}": str(value) for name, value in given.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "csms",
        "serve",
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            out, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert "Traceback" not in errors.decode()
    return End(process.returncode or 0, out.decode(), errors.decode().strip().splitlines())


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("setting", ["ocpp_port", "http_port"])
async def test_a_port_in_use(database_url, tmp_path, taken_port, setting):
    end = await serve(tmp_path, database_url=database_url, **{setting: taken_port})
    assert end.code == 1
    (line,) = end.errors
    assert f"127.0.0.1:{taken_port}" in line
    assert "listen" in line


async def test_a_database_that_is_not_there(tmp_path, free_port):
    url = f"postgresql://u:secret@127.0.0.1:{free_port}/csms"
    end = await serve(tmp_path, database_url=url)
    assert end.code == 1
    (line,) = end.errors
    assert line.startswith("The database cannot be reached: ")
    assert f"127.0.0.1:{free_port}" in line
    assert "secret" not in line


async def test_a_secret_that_is_not_there(database_url, tmp_path):
    end = await serve(tmp_path, database_url=database_url, secret_file=tmp_path / "none")
    assert end.code == 1
    assert end.errors == [
        f"CSMS_SECRET_FILE {tmp_path / 'none'} cannot be read: No such file or directory."
    ]


async def test_a_database_that_lets_us_not_in(database_url, tmp_path):
    before, _, after = database_url.partition("://")
    host = after.rpartition("@")[2]
    end = await serve(tmp_path, database_url=f"{before}://nobody:wrong-secret@{host}")
    assert end.code == 1
    (line,) = end.errors
    assert "nobody" in line
    assert "wrong-secret" not in line


async def test_a_database_of_a_newer_csms(database_url, tmp_path):
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    end = await serve(tmp_path, database_url=database_url)
    assert end.code == 1
    (line,) = end.errors
    assert "9999" in line
    assert "newer csms" in line


@pytest.mark.parametrize("revision", ["9999", "abc", "1"])
async def test_a_revision_that_nobody_has(database_url, tmp_path, revision):
    end = await csms("migrate", "--to", revision, data_dir=tmp_path, database_url=database_url)
    assert end.code == 1
    (line,) = end.errors
    assert f"no revision {revision}; its newest is " in line


async def test_a_data_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    end = await serve(tmp_path, data_dir=tmp_path / "file" / "data")
    assert end.code == 1
    (line,) = end.errors
    assert "CSMS_DATA_DIR" in line


async def test_all_wrong_settings_are_told_at_once(tmp_path):
    end = await serve(
        tmp_path,
        ocpp_port=70000,
        price_per_kwh="cheap",
        database_url="mysql://x/y",
        admin_token="short",
        ocp_port=1,
        mqtt_url="tcp://x",
    )
    assert end.code == 2
    assert [line.partition(":")[0] for line in end.errors] == [
        "CSMS_ADMIN_TOKEN",
        "CSMS_DATABASE_URL",
        "CSMS_MQTT_URL",
        "CSMS_OCPP_PORT",
        "CSMS_OCP_PORT",
        "CSMS_PRICE_PER_KWH",
    ]
    assert "CSMS_OCPP_PORT?" in end.errors[4]
    assert not (tmp_path / "data").exists()
