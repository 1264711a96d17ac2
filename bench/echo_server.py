"""Yardstick E: a plain `websockets` server that sends each frame back as it came."""

from __future__ import annotations

import asyncio

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed


async def echo(connection: ServerConnection) -> None:
    try:
        async for message in connection:
            await connection.send(message)
    except ConnectionClosed:
        return


async def main() -> None:
    async with serve(
        echo,
        "127.0.0.1",
        0,
        subprotocols=["ocpp1.6"],  # type: ignore[list-item]  # websockets' own NewType of str
        compression=None,
        backlog=4096,
        open_timeout=60,
    ) as server:
        print(f"port {next(iter(server.sockets)).getsockname()[1]}", flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main())
