"""A charge point that misbehaves, on a real central system, and what can be asked afterwards."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import connect

from tests.app.bench import System

PATIENCE_S = 30.0


class Misfit:
    """A charge point over a raw socket, with the operator's view of it at hand."""

    def __init__(self, system: System, identity: str, socket: Any) -> None:
        self.system, self.identity, self.socket = system, identity, socket
        self._number = 0

    async def send(self, text: str) -> list:
        """Send a text as it is and return the next frame."""
        await self.socket.send(text)
        async with asyncio.timeout(PATIENCE_S):
            return json.loads(await self.socket.recv())

    async def say(self, action: str, payload: Any) -> list:
        """Send a call with an id of its own and return what answers it."""
        self._number += 1
        text = payload if isinstance(payload, str) else json.dumps(payload)
        answer = await self.send(f'[2,"m{self._number}","{action}",{text}]')
        assert answer[1] == f"m{self._number}", answer
        return answer

    async def told(self, action: str, payload: Any) -> dict:
        """Send a call and return the payload of its CALLRESULT."""
        answer = await self.say(action, payload)
        assert answer[0] == 3, answer
        return answer[2]

    async def start(self, **changes: Any) -> int:
        """Start a transaction and return its id."""
        given = {"connectorId": 1, "idTag": "TAG", "meterStart": 1000, "timestamp": START_AT}
        answer = await self.told("StartTransaction", {**given, **changes})
        return answer["transactionId"]

    async def alive(self) -> bool:
        """Whether the connection still serves."""
        return "currentTime" in await self.told("Heartbeat", {})

    async def ask(self, path: str, **query: str) -> Any:
        tail = "&".join(f"{name}={value}" for name, value in query.items())
        url = f"/api/stations/{self.identity}{path}" + (f"?{tail}" if tail else "")
        return await self.system.ask("GET", url)

    async def repairs(self, name: str) -> list[dict]:
        """Return the logged frames that a repair was needed for, the newest first."""
        return (await self.ask("/messages", repair=name))["items"]

    async def session(self, transaction_id: int) -> dict:
        return await self.system.ask("GET", f"/api/sessions/{transaction_id}")

    async def quarantined(self) -> list[dict]:
        path = f"/api/quarantine?stationId={self.identity}&state=open"
        return (await self.system.ask("GET", path))["items"]

    async def values(self) -> list[dict]:
        return (await self.ask("/meter-values"))["items"]

    async def connector(self, number: int = 1) -> dict:
        station = await self.ask("")
        return next(c for c in station["connectors"] if c["connectorId"] == number)


START_AT = "2026-03-01T12:00:00Z"
STOP_AT = "2026-03-01T13:00:00Z"


@asynccontextmanager
async def plugged(system: System, identity: str, path: str | None = None, **more: Any):
    """Connect a station that is there already."""
    url = system.ocpp_url.removesuffix("/ocpp") + (path or f"/ocpp/{identity}")
    options = {"subprotocols": ["ocpp1.6"], "compression": None, "proxy": None, **more}
    async with connect(url, **options) as socket:
        yield Misfit(system, identity, socket)
