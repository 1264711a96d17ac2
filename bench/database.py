"""The Postgres of a benchmark: durable, on the real disk, with stations and id tags in it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import asyncpg

from bench import loads, readme_server
from bench.servers import of_database
from csms.services.credentials import digest
from csms.store import migrate

README = "bench_readme"

_STATIONS = """
INSERT INTO charge_points (identity, name, security_profile, password_digest)
SELECT u.identity, u.identity, 1, u.digest
FROM unnest($1::text[], $2::bytea[]) AS u(identity, digest)
"""
_ID_TAGS = """
INSERT INTO id_tags (id_tag, id_tag_key) SELECT tag, upper(tag) FROM unnest($1::text[]) AS u(tag)
"""
_SIZE = """
SELECT sum(pg_total_relation_size(relid))::bigint FROM pg_partition_tree('meter_values')
WHERE isleaf
"""
_LOG_FILES = 64
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterRows:
    """How many meter values are stored, and the bytes of their tables with indexes."""

    count: int
    size: int


def prepare(url: str, secret: bytes, stations: int) -> dict[str, str]:
    """Make both schemas with stations, passwords and id tags; return the durability settings."""
    return asyncio.run(_prepare(url, secret, stations))


def meter_rows(url: str) -> MeterRows:
    """Return the rows of the meter values after a VACUUM."""
    return asyncio.run(_meter_rows(url))


async def _prepare(url: str, secret: bytes, stations: int) -> dict[str, str]:
    await migrate.upgrade(url)
    names = [loads.identity(number) for number in range(stations)]
    passwords = [loads.PASSWORD + name for name in names]
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_STATIONS, names, [digest(secret, p.encode()) for p in passwords])
        await connection.execute(_ID_TAGS, [loads.ID_TAG.format(n) for n in range(stations)])
        await connection.execute(f"CREATE DATABASE {README}")
        settings = {name: await connection.fetchval(f"SHOW {name}") for name in _DURABLE}
    finally:
        await connection.close()
    if settings != _DURABLE:
        raise RuntimeError(f"this Postgres is not durable: {settings}")
    other = await asyncpg.connect(of_database(url, README))
    try:
        await _fill_log(other)
        await other.execute(readme_server.DDL)
        await other.execute(
            "INSERT INTO charge_points SELECT * FROM unnest($1::text[], $2::bytea[])",
            names,
            [readme_server.digest(p) for p in passwords],
        )
        await other.execute("ANALYZE")
        version = await other.fetchval("SHOW server_version")
    finally:
        await other.close()
    return {"version": version, **settings}


async def _fill_log(connection: asyncpg.Connection) -> None:
    """Write as much of Postgres's log as it keeps, so that files of it are there to be used again.

    As in any database that has run for an hour: in a new one each 16 MB wait until a file has been
    made and filled with zeros, which would be measured instead of the servers.
    """
    for _ in range(_LOG_FILES):
        await connection.execute("SELECT pg_logical_emit_message(false, 'bench', 'x')")
        await connection.execute("SELECT pg_switch_wal()")
    await connection.execute("CHECKPOINT")


async def _meter_rows(url: str) -> MeterRows:
    connection = await asyncpg.connect(url, command_timeout=300)
    try:
        await connection.execute("VACUUM meter_values")
        return MeterRows(
            count=await connection.fetchval("SELECT count(*) FROM meter_values"),
            size=await connection.fetchval(_SIZE),
        )
    finally:
        await connection.close()
