"""The command line as an operator runs it: a process of its own with its environment."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.app.bench import TOKEN


@dataclass(frozen=True)
class End:
    """How a command has ended."""

    code: int
    out: list[str]
    errors: list[str]


async def start(*arguments: str, code: str | None = None, **settings: Any):
    """Start a command; `code` is Python that runs before it in its process."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CSMS_")}
    given = {
        "ocpp_host": "127.0.0.1",
        "ocpp_port": 0,
        "http_host": "127.0.0.1",
        "http_port": 0,
        "admin_token": TOKEN,
        "log_level": "ERROR",
        **settings,
    }
    environment |= {f"CSMS_{name.upper()}": str(value) for name, value in given.items()}
    run = ["-m", "csms", *arguments]
    if code is not None:
        run = ["-c", f"{code}\nimport sys\nfrom csms.__main__ import main\nmain()", *arguments]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *run,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def csms(*arguments: str, **settings: Any) -> End:
    """Run a command to its end."""
    process = await start(*arguments, **settings)
    try:
        async with asyncio.timeout(60):
            out, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert "Traceback" not in errors.decode(), errors.decode()
    return End(
        process.returncode or 0, out.decode().splitlines(), errors.decode().strip().splitlines()
    )


@dataclass
class Serving:
    """A `csms serve` that runs."""

    ocpp_url: str
    http_url: str
    client: aiohttp.ClientSession

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        async with self.client.request(method, self.http_url + path, json=body) as answer:
            text = await answer.text()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
            return await answer.json() if text else None


@asynccontextmanager
async def serving(folder: Path, command: str = "serve", **settings: Any) -> AsyncIterator[Serving]:
    """Run `csms serve`, or `csms demo`, over a data folder and end it in order."""
    process = await start(command, data_dir=folder, **settings)
    try:
        said = ""
        async with asyncio.timeout(60):
            while "api/docs" not in said:
                line = await process.stdout.readline()
                assert line, (await process.stderr.read()).decode()
                said += line.decode()
        ocpp = re.search(r"(ws://\S+)/IDENTITY", said)
        http = re.search(r"(http://\S+)/api/docs", said)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with aiohttp.ClientSession(headers=headers) as client:
            yield Serving(ocpp[1], http[1], client)
        assert process.returncode is None, (await process.stderr.read()).decode()[-4000:]
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(30):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
