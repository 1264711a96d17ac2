"""The line between browser and server, which a test can cut, freeze and mend."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress
from urllib.parse import urlsplit

_PART = 64 * 1024
_SOURCES = itertools.count(1)


class Wire:
    """Passes bytes between a port of its own and the server's.

    Browsers see one origin, whatever becomes of the line: `url` stays the same.

    Args:
        target: The server's address, ``http://HOST:PORT``.
    """

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._host, self._port = parts.hostname, parts.port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._is_cut = False
        self.come_from_elsewhere()

    def come_from_elsewhere(self) -> None:
        """Have another address from now on, as far as the server sees: it counts some things by it.

        Systems that have one loopback address only use that.
        """
        number = next(_SOURCES)
        self._source = f"127.{1 + number // 250 % 250}.{1 + number % 250}.1"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Wire:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """End all connections as a pulled cable with a talkative router does; accept no new one."""
        self._is_cut = True
        for writer in list(self._writers):
            writer.transport.abort()

    def freeze(self) -> None:
        """Pass nothing on and tell nobody: both ends believe that the other is there."""
        self._flows.clear()

    def mend(self) -> None:
        """Take connections again; what was held back goes its way."""
        self._is_cut = False
        self._flows.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        far = None
        try:
            if self._is_cut:
                return
            far_reader, far = await self._reach()
            self._writers.add(far)
            there = asyncio.create_task(self._pass(reader, far))
            back = asyncio.create_task(self._pass(far_reader, writer))
            await asyncio.wait([there, back], return_when=asyncio.ALL_COMPLETED)
        except OSError:
            return  # the server is away: so is this connection
        finally:
            for one in (writer, far):
                if one is not None:
                    self._writers.discard(one)
                    one.transport.abort()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_connection(
                self._host, self._port, local_addr=(self._source, 0)
            )
        except OSError:
            return await asyncio.open_connection(self._host, self._port)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while part := await reader.read(_PART):
                await self._flows.wait()
                writer.write(part)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
