"""A charge point that does nothing by itself: a test lets it answer late, refuse or vanish."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.browser.cockpit import System


@dataclass(frozen=True)
class Asked:
    """A call of the central system that has no answer yet."""

    socket: ClientConnection
    message_id: str
    payload: dict[str, Any]

    async def answer(self, **payload: Any) -> None:
        await self.socket.send(json.dumps([3, self.message_id, payload]))


class Puppet:
    """Speaks and hears; calls of actions that nobody holds are answered with NotSupported."""

    def __init__(self, identity: str, socket: ClientConnection, held: tuple[str, ...]) -> None:
        self.identity = identity
        self._socket = socket
        self._held = held
        self._numbers = itertools.count(1)
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._asked: defaultdict[str, asyncio.Queue[Asked]] = defaultdict(asyncio.Queue)

    async def listen(self) -> None:
        """Take frames until the socket is closed."""
        async for text in self._socket:
            kind, message_id, *rest = json.loads(text)
            if kind != 2:
                self._answers.pop(message_id).set_result(rest[0])
            elif rest[0] in self._held:
                self._asked[rest[0]].put_nowait(Asked(self._socket, message_id, rest[1]))
            else:
                await self._socket.send(json.dumps([4, message_id, "NotSupported", "", {}]))

    async def says(self, action: str, **payload: Any) -> dict[str, Any]:
        """Send a call; returns what the central system answers."""
        message_id = str(next(self._numbers))
        answer = self._answers[message_id] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps([2, message_id, action, payload]))
        async with asyncio.timeout(30):
            return await answer

    async def hears(self, action: str) -> Asked:
        """Return the next call of an action that is held."""
        async with asyncio.timeout(30):
            return await self._asked[action].get()

    async def boots(self) -> None:
        await self.says("BootNotification", chargePointVendor="Acme", chargePointModel="Doll")

    async def shows(self, status: str, connector_id: int = 1) -> None:
        """Tell a connector's state."""
        await self.says(
            "StatusNotification", connectorId=connector_id, status=status, errorCode="NoError"
        )

    async def starts(self, id_tag: str) -> int:
        """Start a session at connector 1, with 7 kW; returns its transaction id."""
        now = datetime.now(UTC).isoformat()
        started = await self.says(
            "StartTransaction", connectorId=1, idTag=id_tag, meterStart=0, timestamp=now
        )
        await self.shows("Charging")
        power = {"value": "7000", "measurand": "Power.Active.Import", "unit": "W"}
        await self.says(
            "MeterValues",
            connectorId=1,
            transactionId=started["transactionId"],
            meterValue=[{"timestamp": now, "sampledValue": [power]}],
        )
        return int(started["transactionId"])

    async def stops(self, transaction_id: int) -> None:
        now = datetime.now(UTC).isoformat()
        await self.says(
            "StopTransaction", transactionId=transaction_id, meterStop=10, timestamp=now
        )
        await self.shows("Finishing")

    async def vanishes(self) -> None:
        """Close the line without a word."""
        await self._socket.close()


@asynccontextmanager
async def puppet(system: System, identity: str, *held: str) -> AsyncIterator[Puppet]:
    """Give a charge point that has booted, with one free connector, called ``Doll``."""
    body = {"identity": identity, "name": f"Doll {identity}", "maxKw": 22, "connectors": 1}
    await system.ask("POST", "/api/stations", body)
    async with again(system, identity, *held) as made:
        await made.shows("Available")
        yield made


@asynccontextmanager
async def again(system: System, identity: str, *held: str) -> AsyncIterator[Puppet]:
    """Give the charge point of a station that is there already, connected and booted."""
    url = f"{system.serving.ocpp_url}/{identity}"
    async with connect(url, subprotocols=["ocpp1.6"]) as socket:
        made = Puppet(identity, socket, held)
        listening = asyncio.create_task(made.listen())
        try:
            await made.boots()
            yield made
        finally:
            await socket.close()
            await listening
