"""`csms check`: each line has a failing side."""

from __future__ import annotations

import os
import socket
from datetime import timedelta

import asyncpg
import pytest

from csms import checkup
from csms.app import SERVE, DatabaseAddress
from csms.clock import SystemClock
from csms.pki import ca
from csms.pki.ca import SmallAuthority
from csms.settings import load
from csms.store.database import Database
from csms.store.inspection import Inspection, inspect
from tests.app.bench import settings_for
from tests.app.commands import csms, serving


def texts(findings, level):
    return [finding.text for finding in findings if finding.level == level]


async def about(url):
    return await checkup.check_database(
        DatabaseAddress(url=url), load({"CSMS_SECRET_FILE": "/dev/null"})
    )


async def run(url, sql):
    connection = await asyncpg.connect(url)
    try:
        return await connection.execute(sql)
    finally:
        await connection.close()


@pytest.mark.smoke
async def test_a_database_that_is_well_but_not_durable(database_url):
    """The server of the tests runs without fsync."""
    findings = await about(database_url)
    (error,) = texts(findings, "error")
    assert "fsync" in error
    assert texts(findings, "warning") == []
    assert "quarantine is empty" in texts(findings, "ok")


async def test_an_empty_database(postgres_url):
    (warning,) = texts(await about(postgres_url), "warning")
    assert "is empty" in warning


async def test_a_schema_that_was_changed_by_hand(database_url):
    await run(database_url, "ALTER TABLE sites ADD COLUMN by_hand int")
    assert any("by_hand" in text for text in texts(await about(database_url), "error"))


async def test_an_older_schema(database_url):
    await run(database_url, "UPDATE alembic_version SET version_num = '0001'")
    (warning,) = texts(await about(database_url), "warning")
    assert "0001" in warning
    assert "back it up" in warning


async def test_partitions_and_quarantine(database_url):
    today = SystemClock().now()
    await run(database_url, f"DROP TABLE ocpp_messages_{today + timedelta(days=1):%Y%m%d}")
    await run(
        database_url,
        "WITH c AS (INSERT INTO charge_points (identity, name) VALUES ('A', 'A') RETURNING id)"
        " INSERT INTO quarantine (charge_point_id, action, reason, raw, received_at)"
        " SELECT id, 'MeterValues', 'x', 'x', now() FROM c",
    )
    partitions, quarantine = texts(await about(database_url), "warning")
    assert f"ocpp_messages_{today + timedelta(days=1):%Y%m%d}" in partitions
    assert quarantine.startswith("1 refused")


class FastClock(SystemClock):
    def now(self):
        return super().now() + timedelta(seconds=60)


async def test_clocks_that_disagree(database_url):
    database = Database(database_url)
    try:
        assert abs((await inspect(database, SystemClock())).ahead_s) < 2
        found = await inspect(database, FastClock())
    finally:
        await database.close()
    assert -62 < found.ahead_s < -58
    (warning,) = texts(checkup._server(found), "warning")
    assert warning == "the database's clock is 60 s behind ours"


def test_an_old_postgres():
    found = Inspection(version=14, durable=True, ahead_s=0)
    (error,) = texts(checkup._server(found), "error")
    assert error == "Postgres 14: this csms needs 15 or newer"


def test_the_machine(tmp_path):
    settings = settings_for(None, tmp_path)
    findings = checkup.check_machine(settings)
    assert texts(findings, "error") == []
    assert not (tmp_path / "data" / "secret").exists(), "looking makes none"
    (tmp_path / "data" / "secret").write_text("short")
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "server-rsa.pem").write_text("no certificate")
    settings = settings.model_copy(update={"tls_dir": tmp_path / "tls"})
    errors = texts(checkup.check_machine(settings), "error")
    assert len(errors) == 2
    assert "secret" in errors[0]
    assert "server-rsa" in errors[1]


async def test_a_port_that_another_program_holds(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        settings = settings_for(None, tmp_path, ocpp_port=port)
        (error,) = texts(await checkup.check_ports(settings, SERVE), "error")
    assert str(port) in error
    assert "CSMS_OCPP_PORT" in error
    assert texts(await checkup.check_ports(settings, SERVE), "error") == []


def test_a_data_folder_that_others_alone_may_write(tmp_path, monkeypatch):
    """Asked of the kernel, because an administrator may write what permissions forbid."""
    settings = settings_for(None, tmp_path)
    asked = []

    def access(path, mode):
        asked.append((path, mode))
        return False

    monkeypatch.setattr(checkup.os, "access", access)
    (error,) = texts(checkup.check_machine(settings), "error")
    assert f"{settings.data_dir} cannot be written" in error
    assert asked == [(settings.data_dir, os.W_OK | os.X_OK)]


async def test_a_port_for_two(tmp_path, free_port):
    """The port for wss counts once there are certificates, also where nothing was said of it."""
    settings = settings_for(None, tmp_path, http_port=free_port)
    settings = settings.model_copy(update={"ocpp_tls_port": free_port})
    assert texts(await checkup.check_ports(settings, SERVE), "error") == []
    ca.create(tmp_path / "ca", tmp_path / "data" / "tls", SystemClock(), ca.CaSettings())
    SmallAuthority(tmp_path / "ca", tmp_path / "data" / "tls", SystemClock()).issue_server(
        ["localhost"], 3
    )
    (error,) = texts(await checkup.check_ports(settings, SERVE), "error")
    assert "CSMS_HTTP_PORT is that port too" in error


async def test_no_data_folder_is_told_once(tmp_path):
    (tmp_path / "file").write_text("")
    end = await csms("check", data_dir=tmp_path / "file")
    assert end.code == 1
    (error,) = [line for line in end.out if line.startswith("error")]
    assert "CSMS_DATA_DIR" in error


async def test_a_database_that_is_away_is_one_line_of_the_report(tmp_path, free_port):
    url = f"postgresql://a:b@127.0.0.1:{free_port}/x"
    end = await csms("check", data_dir=tmp_path, database_url=url)
    assert end.code == 1
    (error,) = [line for line in end.out if line.startswith("error")]
    assert error.startswith("error    database: ")
    assert f"127.0.0.1:{free_port}" in error
    assert "a:b" not in error
    assert any(line.startswith("ok") and "port" in line for line in end.out)


@pytest.mark.slow
async def test_beside_a_csms_that_runs(tmp_path, free_port):
    port = free_port
    async with serving(tmp_path, http_port=port):
        end = await csms("check", data_dir=tmp_path, http_port=port)
        other = await csms("check", data_dir=tmp_path / "other", http_port=port)
    assert end.code == 0, end
    assert f"ok       port {port} for the operator API: a csms runs" in end.out
    assert "ok       commits are durable" in end.out
    assert not [line for line in end.out if line.startswith("error")]
    assert other.code == 1, "a csms of another folder holds the port: ours would not start"
    assert [line for line in other.out if line.startswith("error")] == [
        f"error    port {port} for the operator API cannot be used: address already in use"
        " (CSMS_HTTP_PORT)"
    ]
