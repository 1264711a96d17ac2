"""The disk under the embedded Postgres runs full, really: a small tmpfs in a mount namespace."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from websockets.asyncio.client import connect

from tests.chaos.server import Server
from tests.ports import steady_port
from tests.waiting import wait_until

_MOUNT = 'mount -t tmpfs -o size=200m tmpfs "$CSMS_DATA_DIR" && exec "$@"'


def _namespaces_allowed() -> bool:
    return (
        shutil.which("unshare") is not None
        and subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode == 0
    )


def fill(file: Path) -> None:
    """Write until no byte more fits."""
    with file.open("wb", buffering=0) as ballast, suppress(OSError):
        for size in (1_000_000, 4096):
            with suppress(OSError):
                while True:
                    ballast.write(b"x" * size)


@pytest.mark.slow
@pytest.mark.skipif(not _namespaces_allowed(), reason="needs a mount namespace")
async def test_facts_wait_for_room_on_the_disk(tmp_path):
    (tmp_path / "data").mkdir()
    ocpp_port, http_port = steady_port(), steady_port()
    through = ["unshare", "-rm", "sh", "-ec", _MOUNT, "sh"]
    server = Server(tmp_path, ocpp_port=ocpp_port, http_port=http_port, through=through)
    try:
        await server.start()
        await server.ask("POST", "/api/stations", {"identity": "CP", "name": "CP", "maxKw": 22})
        ballast = Path(f"/proc/{server.pid}/root", *(tmp_path / "data/ballast").parts[1:])
        async with connect(
            f"{server.ocpp_url}/CP", subprotocols=["ocpp1.6"], max_size=None
        ) as socket:
            await _answer(socket, 0)
            await asyncio.to_thread(fill, ballast)
            answered = 0
            while await _is_answered(server, socket, answered + 1):
                answered += 1
            await asyncio.to_thread(ballast.unlink)
            # before the end of its patience, when its socket would be closed
            kind, number, *_ = json.loads(await socket.recv())
            assert (kind, number) == (3, str(answered + 1))

            async def is_ready():
                return await _ready(server) == 200

            await wait_until(is_ready)
            await _answer(socket, answered + 2)
        await server.stop()
    finally:
        server.close()


async def _send(socket, number):
    """Send meter values of half a megabyte that no compression makes smaller."""
    sampled = [{"value": secrets.token_hex(250_000), "format": "SignedData"}]
    at = f"2026-11-21T12:00:{number % 60:02}Z"
    values = {"connectorId": 1, "meterValue": [{"timestamp": at, "sampledValue": sampled}]}
    await socket.send(json.dumps([2, str(number), "MeterValues", values]))


async def _answer(socket, number):
    await _send(socket, number)
    kind, answered, *_ = json.loads(await socket.recv())
    assert (kind, answered) == (3, str(number))


async def _is_answered(server, socket, number) -> bool:
    """Send them; return whether they are answered, and not waiting in a csms without room."""
    answer = asyncio.create_task(_answer(socket, number))

    async def decided():
        return answer.done() or await _ready(server) == 503

    try:
        await wait_until(decided)
        if answer.done():
            await answer
        return answer.done()
    finally:
        answer.cancel()


async def _ready(server) -> int:
    async with aiohttp.ClientSession() as client, client.get(f"{server.http_url}/ready") as answer:
        return answer.status
