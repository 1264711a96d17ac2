"""A whole central system in this process, over a database of the test, on free ports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from csms.app import SERVE, DatabaseAddress, Running, running
from csms.settings import Settings
from csms.store.embedded import EmbeddedPostgres
from simulator.charge_point import ChargePointSimulator
from simulator.settings import StationSettings

TOKEN = "administrators-token-of-the-tests"


@dataclass
class System:
    """A running system, its operator and its database."""

    running: Running
    client: aiohttp.ClientSession
    sql: asyncpg.Connection
    stack: AsyncExitStack = field(repr=False)

    @property
    def ocpp_url(self) -> str:
        return f"ws://127.0.0.1:{self.running.ocpp_port}/ocpp"

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        url = f"http://127.0.0.1:{self.running.http_port}{path}"
        async with self.client.request(method, url, json=body) as answer:
            text = await answer.text()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
            return await answer.json() if text else None

    async def add(self, identity: str, **fields: Any) -> None:
        body = {"identity": identity, "name": identity, "maxKw": 22, **fields}
        await self.ask("POST", "/api/stations", body)

    async def plug_in(self, identity: str, **settings: Any) -> ChargePointSimulator:
        """Bring a simulated charge point up; it leaves with the system."""
        station = ChargePointSimulator(
            StationSettings(identity=identity, url=self.ocpp_url, **settings)
        )
        await self.stack.enter_async_context(station)
        async with asyncio.timeout(30):
            await station.until_registered()
        return station


def settings_for(database_url: str | None, folder: Path, **changed: Any) -> Settings:
    values = {
        "database_url": database_url,
        "data_dir": folder / "data",
        "ocpp_host": "127.0.0.1",
        "ocpp_port": 0,
        "http_host": "127.0.0.1",
        "http_port": 0,
        "admin_token": TOKEN,
    }
    return Settings(**{**values, **changed})


@asynccontextmanager
async def system(
    database_url: str, folder: Path, *, embedded: EmbeddedPostgres | None = None, **changed: Any
) -> AsyncIterator[System]:
    """Run one; `embedded` is the server behind the URL, to be supervised."""
    settings = settings_for(database_url, folder, **changed)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    sql = await asyncpg.connect(database_url)
    try:
        async with (
            running(settings, SERVE, DatabaseAddress(url=database_url, embedded=embedded)) as made,
            aiohttp.ClientSession(headers=headers) as client,
            AsyncExitStack() as stack,
        ):
            yield System(made, client, sql, stack)
    finally:
        await sql.close()
