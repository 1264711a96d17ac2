"""A charge point over a real socket that says what a test wants and answers calls by rote."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


class Station:
    """A charge point that speaks raw frames and answers calls by rote."""

    def __init__(self, socket):
        self._socket, self._number = socket, 0
        self.replies = {}
        self.got = []
        self.looked_at = 0  # how many calls of those that a test waits for it has seen
        self.choose = None  # (action, payload) -> reply; goes before `replies`
        self._answers = asyncio.Queue()

    async def read(self):
        with suppress(ConnectionClosed):  # replaced by another
            await self._read()

    async def _read(self):
        async for text in self._socket:
            frame = json.loads(text)
            if frame[0] != 2:
                await self._answers.put(frame)
                continue
            self.got.append((frame[2], frame[3]))
            reply = self.replies.get(frame[2], {"status": "Accepted"})
            if self.choose is not None:
                reply = self.choose(frame[2], frame[3])
            if isinstance(reply, str):
                await self._socket.send(json.dumps([4, frame[1], reply, "", {}]))
            else:
                await self._socket.send(json.dumps([3, frame[1], reply]))

    async def say(self, action, payload):
        self._number += 1
        await self._socket.send(json.dumps([2, f"m{self._number}", action, payload]))
        async with asyncio.timeout(30):
            frame = await self._answers.get()
        assert frame[:2] == [3, f"m{self._number}"], frame
        return frame[2]


@asynccontextmanager
async def plugged(s, identity="A"):
    async with connect(f"{s.ocpp_url}/{identity}", subprotocols=["ocpp1.6"]) as socket:
        station = Station(socket)
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(station.read(), name="station")
            await station.say("Heartbeat", {})  # registered by now
            yield station
            reader.cancel()


async def call(s, action, payload, identity="A"):
    return await s.ask("POST", f"/api/stations/{identity}/calls/{action}", payload)
