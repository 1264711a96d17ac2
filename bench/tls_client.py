"""Stations over TLS that boot and then only answer pings: ``python -m bench.tls_client``.

For the memory and the pauses of idle TLS connections; what messages cost is measured without TLS,
by the client in C. Prints "connected" when all are, and keeps them until standard input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import ssl
import sys
from typing import cast

import uvloop

from bench import loads

_FRAMES = (
    '[2,"b","BootNotification",{"chargePointVendor":"Bench","chargePointModel":"Loop 22"}]',
    '[2,"s","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available"}]',
)
_PING, _PONG, _CLOSE = 0x89, 0x8A, 0x88


class Station(asyncio.Protocol):
    """One station; `ready` ends when its last frame is answered, with an error when it is not."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.upgraded = False
        self.left = list(_FRAMES)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop has a class of its own
        name = loads.identity(self.number)
        secret = base64.b64encode(f"{name}:{loads.PASSWORD}{name}".encode()).decode()
        self.transport.write(
            f"GET /ocpp/{name} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ocpp1.6\r\n"
            f"Authorization: Basic {secret}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.upgraded:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                self._fail(head.decode("latin-1"))
                return
            self.upgraded, self.buffer = True, rest
            self._send()
        while len(self.buffer) >= 2 and len(self.buffer) >= 2 + self.buffer[1]:
            kind, length = self.buffer[0], self.buffer[1]
            payload, self.buffer = self.buffer[2 : 2 + length], self.buffer[2 + length :]
            if length > 125 or kind == _CLOSE:
                self._fail(f"frame {kind:#x} of {length} bytes")
            elif kind == _PING:
                self._frame(_PONG, payload)
            elif not payload.startswith(b"[3,"):
                self._fail(payload.decode())
            elif self.left:
                self._send()
            else:
                self.ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection is lost: {exc}")

    def _send(self) -> None:
        self._frame(0x81, self.left.pop(0).encode())

    def _frame(self, kind: int, payload: bytes) -> None:
        length = len(payload)
        assert length < 126
        self.transport.write(bytes((kind, 0x80 | length)) + bytes(4) + payload)

    def _fail(self, why: str) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"{loads.identity(self.number)}: {why}"))


async def hold(port: int, stations: int, ca: str, at_once: int) -> None:
    """Connect, say so, and stay until standard input ends."""
    context = ssl.create_default_context(cafile=ca)
    loop = asyncio.get_running_loop()
    turns = asyncio.Semaphore(at_once)
    kept = []

    async def connect(number: int) -> None:
        async with turns:
            source = (f"127.0.0.{1 + number % 4}", 0)
            _, station = await loop.create_connection(
                lambda: Station(number), "127.0.0.1", port, ssl=context, local_addr=source
            )
            await station.ready
            kept.append(station)

    async with asyncio.TaskGroup() as tasks:
        for number in range(stations):
            tasks.create_task(connect(number))
    print("connected", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)  # 10,000 closing handshakes are not what is measured


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.tls_client")
    parser.add_argument("port", type=int)
    parser.add_argument("stations", type=int)
    parser.add_argument("ca")
    parser.add_argument("--at-once", type=int, default=50)
    words = parser.parse_args()
    uvloop.run(hold(words.port, words.stations, words.ca, words.at_once))


if __name__ == "__main__":
    main()
