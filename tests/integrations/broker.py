"""A real MQTT broker of the tests: nats-server, which speaks MQTT 3.1.1."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from tests.ports import steady_port
from tests.waiting import wait_until


class Broker:
    """One broker; user and password are `meter` and `secret`."""

    def __init__(self, folder: Path) -> None:
        self.port, self._nats_port = steady_port(), steady_port()
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"mqtt://meter:secret@127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it and wait until it takes connections."""
        config = self._folder / "nats.conf"
        settings = {
            "host": "127.0.0.1",
            "port": self._nats_port,
            "server_name": "tests",
            "jetstream": {"store_dir": str(self._folder / "jetstream")},
            "mqtt": {"host": "127.0.0.1", "port": self.port},
            "authorization": {"users": [{"user": "meter", "password": "secret"}]},
        }
        config.write_text(json.dumps(settings))
        program = shutil.which("nats-server", path=str(Path(sys.executable).parent))
        assert program is not None
        self._process = await asyncio.create_subprocess_exec(
            program, "-c", str(config), "-l", str(self._folder / "log")
        )
        await wait_until(self._listens, what="the broker listens")

    async def stop(self) -> None:
        """Stop it, at once."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


@asynccontextmanager
async def broker(folder: Path):
    """Run a broker."""
    made = Broker(folder)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
