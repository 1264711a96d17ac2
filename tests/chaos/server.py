"""A central system as a process of its own, with its own embedded Postgres, that can be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from tests.waiting import wait_until

TOKEN = "administrators-token-of-the-tests"


class Server:
    """`csms serve` in a data folder, on ports that stay the same from start to start."""

    def __init__(
        self,
        folder: Path,
        *,
        ocpp_port: int,
        http_port: int,
        settings: Mapping[str, str] | None = None,
        through: Sequence[str] = (),
    ) -> None:
        """Prepare it.

        Args:
            folder: Of the data and the log.
            ocpp_port: A free one.
            http_port: A free one.
            settings: More of them, by name.
            through: A command that becomes the one which follows it.
        """
        self._through = through
        self.folder = folder
        self.ocpp_url = f"ws://127.0.0.1:{ocpp_port}/ocpp"
        self.http_url = f"http://127.0.0.1:{http_port}"
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("CSMS_")} | {
            "CSMS_DATA_DIR": str(folder / "data"),
            "CSMS_OCPP_HOST": "127.0.0.1",
            "CSMS_OCPP_PORT": str(ocpp_port),
            "CSMS_HTTP_HOST": "127.0.0.1",
            "CSMS_HTTP_PORT": str(http_port),
            "CSMS_ADMIN_TOKEN": TOKEN,
            **{f"CSMS_{name.upper()}": value for name, value in (settings or {}).items()},
        }
        self._process: asyncio.subprocess.Process | None = None

    @property
    def postgres_folder(self) -> Path:
        return self.folder / "data" / "postgres"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        await self.spawn()
        await wait_until(self._is_ready, 60, what="csms serve is ready")

    async def end(self) -> int:
        """Start it, wait until it ends by itself, and return its exit code."""
        await self.spawn()
        assert self._process is not None
        return await asyncio.wait_for(self._process.wait(), 60)

    async def spawn(self) -> None:
        """Start it."""
        with (self.folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._through,
                sys.executable,
                "-m",
                "csms",
                "serve",
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    async def kill(self) -> None:
        """End it as a power cut does."""
        assert self._process is not None
        self._process.kill()
        assert await self._process.wait() == -signal.SIGKILL

    async def stop(self) -> None:
        """End it in order, if it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            assert await self._process.wait() == 0, self.log()

    def close(self) -> None:
        """Leave nothing behind, whatever happened."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            aiohttp.ClientSession(headers=headers) as client,
            client.request(method, self.http_url + path, json=body) as answer,
        ):
            text = await answer.text()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
            return await answer.json() if text else None

    async def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, self.log()
        try:
            await self.ask("GET", "/ready")
        except (OSError, aiohttp.ClientError, AssertionError):
            return False
        return True
