"""A TCP proxy that misbehaves on demand, between a client and its server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

Direction = Literal["up", "down"]
"""up: from the client to the server."""


class Proxy:
    """Forwards bytes of all connections; use `faulty_proxy`.

    Attributes:
        port: Where clients connect.
        target: Port of the server.
        refusing: New connections are cut at once.
        delay_s: Each chunk waits so long.
        held: How many bytes of each direction wait for `release`, or were thrown away by `cut`.
        passed: How many have gone through.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.refusing = False
        self.delay_s = 0.0
        self.held = {"up": 0, "down": 0}
        self.passed = {"up": 0, "down": 0}
        self._open = {"up": asyncio.Event(), "down": asyncio.Event()}
        self.release()
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        """Return how many connections are open."""
        return len(self._writers) // 2

    def hold(self, *directions: Direction) -> None:
        """Forward nothing in these directions (both if none is named), and lose nothing: a network
        that stalls."""
        for direction in directions or ("up", "down"):
            self.held[direction] = 0
            self._open[direction].clear()

    def release(self) -> None:
        """Forward what was held, and what comes."""
        for event in self._open.values():
            event.set()

    def cut(self) -> None:
        """Reset all connections; what was held is lost."""
        for writer in list(self._writers):
            writer.transport.abort()
        self._writers.clear()
        self.release()

    async def gone(self) -> None:
        """Wait until nothing is left of connections that were cut."""
        await self._idle.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving += 1
        self._idle.clear()
        try:
            await self._serve(reader, writer)
        finally:
            self._serving -= 1
            if not self._serving:
                self._idle.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, forth}
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pump(reader, forth, "up"))
                tasks.create_task(self._pump(back, writer, "down"))
        finally:
            for end in (writer, forth):
                self._writers.discard(end)
                end.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction
    ) -> None:
        try:
            while data := await reader.read(65_536):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if not self._open[direction].is_set():
                    self.held[direction] += len(data)
                    await self._open[direction].wait()
                if writer.transport.is_closing():
                    return
                self.passed[direction] += len(data)
                writer.write(data)
                await writer.drain()
            writer.write_eof()
        except (OSError, RuntimeError):
            pass
        finally:
            if not reader.at_eof() or writer.transport.is_closing():
                writer.transport.abort()


@asynccontextmanager
async def faulty_proxy(target: int, port: int = 0) -> AsyncIterator[Proxy]:
    """Run a proxy in front of a port of this machine."""
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", port)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
        await proxy.gone()
