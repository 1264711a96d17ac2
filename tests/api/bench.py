"""The real HTTP server over a real database; gateway and allocator are stand-ins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp
import asyncpg
from yarl import URL

from csms.bus.local import LocalBus
from csms.domain.messages import LoggedFrame
from csms.domain.site_status import CircuitStatus, LoadStatus, SiteStatus
from csms.domain.what_if import Consequence
from csms.errors import CallFailed
from csms.services.ports.gateway import Answer

ADMIN = "administrators-token-of-the-tests"
SECRET = b"a secret of the tests, 32 bytes."


class FakeGateway:
    """Plays the charge points: `answers` holds what each action gets."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.online_keys: set[int] = set()
        self.answers: dict[str, Any] = {}
        self.sent: list[tuple[int, str, dict[str, Any], str]] = []

    def connect(self, key: int) -> None:
        self.online_keys.add(key)

    async def call(self, charge_point, action, payload, *, message_id, timeout_s=None) -> Answer:
        if charge_point not in self.online_keys:
            raise CallFailed("station_offline", "The station is not connected.")
        self.sent.append((charge_point, action, payload, message_id))
        answer = self.answers.get(action, {"status": "Accepted"})
        if callable(answer):
            answer = answer(payload)
        if asyncio.iscoroutine(answer):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Answer):
            return answer
        now = self.clock.now()
        return Answer(payload=answer, sent_at=now, answered_at=now)

    def is_online(self, charge_point) -> bool:
        return charge_point in self.online_keys

    def online(self) -> int:
        return len(self.online_keys)


class FakeRedelivery:
    """Refuses every message once more."""

    async def deliver(self, message) -> str | None:
        return "it is as it was"


class FakeAllocator:
    """Counts decisions; gives each managed load its vehicle's maximum, from the real rows."""

    def __init__(self, clock, database_url: str) -> None:
        self.clock, self.url, self.decided = clock, database_url, []

    async def what_if(self, site_id, supposition) -> Consequence:
        """Find everything well; tests of suppositions have the real one."""
        return Consequence(status=None, problems=())

    async def decide(self, site_id) -> SiteStatus:
        self.decided.append(site_id)
        connection = await asyncpg.connect(self.url)
        try:
            rows = await connection.fetch(
                "SELECT * FROM managed_loads WHERE site_id = $1 AND stopped_at IS NULL ORDER BY id",
                site_id,
            )
        finally:
            await connection.close()
        loads = tuple(
            LoadStatus(
                id=f"m{row['id']}",
                charger_id=row["charger_id"],
                connector_id=row["connector_id"],
                allocated_w=row["vehicle_max_power_w"],
                measured_w=row["consumed_power_w"],
                limit_a=None,
                reason="all that the vehicle takes",
            )
            for row in rows
        )
        total = sum(load.allocated_w for load in loads)
        return SiteStatus(
            site_id=site_id,
            version=len(self.decided),
            decided_at=self.clock.now(),
            loads=loads,
            circuits=(CircuitStatus(id="grid", limit_w=100_000, load_w=total),),
            battery=None,
            grid_power_w=total,
        )

    async def status(self, site_id) -> SiteStatus:
        return await self.decide(site_id)


@dataclass
class Reply:
    """An answer of the server, read."""

    status: int
    headers: Any
    text: str
    json: Any


@dataclass
class Bench:
    """The server with everything around it."""

    url: str
    client: aiohttp.ClientSession
    sql: asyncpg.Connection
    gateway: FakeGateway
    allocator: FakeAllocator
    bus: LocalBus
    clock: Any
    published: list[Any] = field(default_factory=list)
    log_followers: list[Any] = field(default_factory=list)
    token: str | None = ADMIN
    close: Callable[[], Any] | None = None
    units: Any = None

    def log(self, key: int, *raws: str, action: str | None, direction: str = "in") -> None:
        """Tell of frames as the message log does once they are stored."""
        frames = [
            LoggedFrame(self.clock.now(), key, direction, 2, action, raw.split('"')[1], raw, None)
            for raw in raws
        ]
        for receive in list(self.log_followers):
            receive(frames)

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Reply:
        headers = dict(more.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            more["json"] = body
        async with self.client.request(
            method, self._address(path), headers=headers, allow_redirects=False, **more
        ) as answer:
            text = await answer.text()
            is_json = "json" in answer.content_type
            return Reply(
                answer.status,
                answer.headers,
                text,
                await answer.json(content_type=None) if is_json and text else None,
            )

    def _address(self, path: str | URL) -> URL | str:
        if isinstance(path, URL):  # already encoded, however odd
            return URL(f"{self.url}{path}", encoded=True)
        return self.url + path

    async def get(self, path: str, **more: Any) -> Any:
        reply = await self.ask("GET", path, **more)
        assert reply.status == 200, reply
        return reply.json

    async def post(self, path: str, body: Any = None, *, status: int = 200, **more: Any) -> Any:
        reply = await self.ask("POST", path, body, **more)
        assert reply.status == status, reply
        return reply.json

    async def station(self, identity: str = "CP1", **fields: Any) -> dict[str, Any]:
        """Add a station; returns it as the API does."""
        body = {"identity": identity, "name": identity, "maxKw": 22, **fields}
        return await self.post("/api/stations", body, status=201)

    async def key(self, identity: str = "CP1") -> int:
        return await self.sql.fetchval(
            "SELECT id FROM charge_points WHERE identity = $1 AND deleted_at IS NULL", identity
        )

    async def online(self, identity: str = "CP1") -> int:
        """Let the station be connected; returns its key."""
        key = await self.key(identity)
        self.gateway.connect(key)
        return key

    async def session(self, identity: str = "CP1", **columns: Any) -> int:
        """Add a transaction as the intake does; returns its id."""
        now = self.clock.now()
        row = {
            "charge_point_id": await self.key(identity),
            "connector_id": 1,
            "id_tag": "TAG1",
            "id_tag_status": "Accepted",
            "meter_start_wh": 1000,
            "started_at": now,
            "start_received_at": now,
            "price_per_kwh": 0.30,
            "currency": "EUR",
        } | columns
        row["id_tag_key"] = row["id_tag"].upper()
        return await self.sql.fetchval(
            f"INSERT INTO transactions ({', '.join(row)})"
            f" VALUES ({', '.join(f'${i + 1}' for i in range(len(row)))}) RETURNING id",
            *row.values(),
        )

    async def stop(self, transaction_id: int, **columns: Any) -> None:
        """End a transaction as the intake does."""
        now = self.clock.now()
        row = {
            "active": False,
            "meter_stop_wh": 11_000,
            "stopped_at": now,
            "stop_received_at": now,
            "stop_reason": "Local",
            "cost": 3,
        } | columns
        marks = ", ".join(f"{name} = ${i + 2}" for i, name in enumerate(row))
        await self.sql.execute(
            f"UPDATE transactions SET {marks} WHERE id = $1", transaction_id, *row.values()
        )


def quoted(text: str) -> str:
    return quote(text, safe="")
