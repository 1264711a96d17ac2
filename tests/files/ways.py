"""A station with jobs and the ways of their files, as the rest of the system leaves them."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from csms.clock import SystemClock
from csms.files.folder import Folder
from csms.services.credentials import token_digest
from csms.services.files import FileService
from csms.services.ports.files import Image
from csms.store.unit_of_work import SqlUnitsOfWork

SECRET = b"a secret of the tests, 32 bytes."


@dataclass
class Bench:
    service: FileService
    folder: Folder
    path: Path
    units: SqlUnitsOfWork
    clock: SystemClock
    sql: asyncpg.Connection
    client: aiohttp.ClientSession
    http: str = ""
    ftp_port: int = 0
    server: Any = None
    key: int = 0
    calls: list[str] = field(default_factory=list)

    async def station(self) -> None:
        async with self.units() as unit:
            self.key = await unit.charge_points.insert({"identity": "CP1", "name": "CP1"})

    async def _way(self, direction: str, image: int | None) -> str:
        token, call, now = secrets.token_hex(16), secrets.token_hex(8), self.clock.now()
        kind = "diagnostics" if direction == "upload" else "firmware"
        async with self.units() as unit:
            await unit.files.open_way(
                self.key,
                call_id=call,
                direction=direction,
                digest=token_digest(SECRET, token),
                image=image,
                at=now,
                expires_at=now + timedelta(hours=1),
            )
            await unit.jobs.begin(self.key, kind, call_id=call, request_id=None, at=now)
        self.calls.append(call)
        return token

    async def upload(self) -> str:
        """Open a way for diagnostics; returns its token."""
        return await self._way("upload", None)

    async def download(self, data: bytes) -> str:
        """Open a way for an image; returns its token."""
        writing = self.folder.begin("firmware", largest=len(data), resume=None)
        writing.write(data)
        image = Image(
            key=0,
            blob=writing.blob,
            name="fw.bin",
            version=None,
            vendor=None,
            model=None,
            size=len(data),
            sha256=writing.finish(),
            signature=None,
            signing_certificate=None,
            created_at=self.clock.now(),
            actor="tests",
        )
        async with self.units() as unit:
            key = await unit.firmware_images.add(image)
        return await self._way("download", key)

    async def report(self, state: str, status: str) -> None:
        """Let the station report on its newest job."""
        await self.sql.execute(
            "UPDATE jobs SET state = $2, status = $3 WHERE call_id = $1",
            self.calls[-1],
            state,
            status,
        )

    async def files(self) -> list[dict[str, Any]]:
        """Return what has come, the oldest first, with its bytes; no other blob is there."""
        rows = await self.sql.fetch("SELECT * FROM station_files ORDER BY id")
        found = [
            {**row, "data": (self.path / "uploads" / row["blob"]).read_bytes()} for row in rows
        ]
        names = {entry.name for entry in (self.path / "uploads").iterdir()}
        assert names == {row["blob"] for row in rows}
        for row in found:
            assert row["size"] == len(row["data"])
            if row["complete"]:
                assert row["sha256"] == hashlib.sha256(row["data"]).hexdigest()
        return found
