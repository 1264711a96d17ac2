"""The databases of the tests: lazy, shared by the workers, and apart from each other."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from pathlib import Path

import asyncpg
import pytest

from csms.store import embedded_process
from tests.postgres import OwnPostgres, RemotePostgres, SharedPostgres, _remove_abandoned


def databases(url: str) -> set[str]:
    async def ask() -> set[str]:
        connection = await asyncpg.connect(url)
        try:
            rows = await connection.fetch("SELECT datname FROM pg_database")
        finally:
            await connection.close()
        return {row["datname"] for row in rows}

    return asyncio.run(ask())


@pytest.mark.smoke
def test_nothing_starts_before_a_test_asks():
    own = OwnPostgres()
    assert own.folder.exists()
    assert list(own.folder.iterdir()) == []
    own.close()
    assert not own.folder.exists()


def test_workers_share_the_server_of_the_controller():
    shared = SharedPostgres()
    try:
        urls: list[str] = []
        workers = [
            threading.Thread(
                target=lambda: urls.append(RemotePostgres(str(shared.path)).server_url())
            )
            for _ in range(3)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len(urls) == 3
        assert len(set(urls)) == 1
        template = RemotePostgres(str(shared.path)).migrated_template()
        assert template in databases(urls[0])
        cluster = embedded_process.cluster_name(shared.path.parent / "postgres" / "pg")
        assert embedded_process.server_processes(cluster)
    finally:
        shared.close()
    assert not embedded_process.server_processes(cluster)
    assert not shared.path.parent.exists()


def test_a_server_that_does_not_start_fails_the_workers_test():
    shared = SharedPostgres()
    try:
        (shared.path.parent / "postgres").touch()  # a file in the place of the data folder
        with pytest.raises(RuntimeError, match=r"no Postgres for the tests.*cannot be written"):
            RemotePostgres(str(shared.path)).server_url()
    finally:
        shared.close()


@pytest.mark.smoke
def test_each_test_has_a_database_of_its_own(database_url, postgres_url):
    ours = {database_url.rsplit("/", 1)[1], postgres_url.rsplit("/", 1)[1]}
    assert len(ours) == 2
    assert ours <= databases(postgres_url)


def test_folders_of_killed_runs_are_removed(tmp_path):
    with subprocess.Popen(["true"]) as ended:
        pass
    abandoned = tmp_path / f"csms-test-{ended.pid}-abc"
    alive = tmp_path / "csms-test-1-abc"
    other = tmp_path / "csms-test-notes"
    for folder in (abandoned, alive, other):
        folder.mkdir()
    _remove_abandoned(Path(tmp_path))
    assert sorted(tmp_path.iterdir()) == [alive, other]
