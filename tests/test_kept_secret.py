"""A secret that was lost is missed: a new one would fit no password and no key of the database."""

from __future__ import annotations

import asyncpg
import pytest

from csms.data_folder import load_secret
from csms.errors import StartError
from csms.kept_secret import missing_secret, secret_for
from tests.app.bench import settings_for
from tests.app.commands import csms

_STATION = (
    "INSERT INTO charge_points (identity, name, max_power_w, password_digest)"
    " VALUES ('A', 'A', 22, {digest})"
)
_KEY = "INSERT INTO api_keys (name, role, token_digest) VALUES ('A', 'admin', '\\x01')"


async def run(url, sql):
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@pytest.mark.parametrize("sql", [_KEY, _STATION.format(digest="'\\x01'")])
async def test_a_database_with_digests_wants_its_own(database_url, tmp_path, sql):
    settings = settings_for(database_url, tmp_path)
    await run(database_url, sql)
    with pytest.raises(StartError, match="is not there"):
        await secret_for(settings, database_url)
    assert not (tmp_path / "data" / "secret").exists()

    (tmp_path / "data" / "secret").write_text("s" * 32)
    assert await secret_for(settings, database_url) == b"s" * 32


async def test_a_database_without_digests_gets_a_new_one(database_url, tmp_path):
    settings = settings_for(database_url, tmp_path)
    await run(database_url, _STATION.format(digest="NULL"))
    made = await secret_for(settings, database_url)
    await run(database_url, _KEY)
    assert await secret_for(settings, database_url) == made == load_secret(settings)


async def test_who_names_a_file_has_decided(database_url, tmp_path):
    file = tmp_path / "secret"
    file.write_text("t" * 32)
    await run(database_url, _KEY)
    settings = settings_for(database_url, tmp_path, secret_file=file)
    assert await missing_secret(settings, database_url) is None
    assert await secret_for(settings, database_url) == b"t" * 32


@pytest.mark.slow
@pytest.mark.parametrize("command", [["check"], ["serve"], ["user", "reset"], ["backup", "x.zip"]])
async def test_each_command_tells_it_and_makes_none(database_url, tmp_path, command):
    await run(database_url, _KEY)
    end = await csms(*command, data_dir=tmp_path / "b", database_url=database_url)
    assert end.code == 1
    told = end.out if command == ["check"] else end.errors
    assert len([line for line in told if str(tmp_path / "b" / "secret") in line]) == 1
    assert not (tmp_path / "b" / "secret").exists()
