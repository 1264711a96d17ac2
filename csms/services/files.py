"""Files of charge points: who may bring or fetch what, what has come, what is shown, what goes."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import structlog

from csms.aio import Hint
from csms.clock import Clock
from csms.domain import files
from csms.domain.files import Direction
from csms.errors import NotFound
from csms.services.audit import AuditTrail
from csms.services.credentials import token_digest
from csms.services.ports.files import BlobStore, Grant, JobFiles, NewFile, Shelf, StationFile
from csms.services.ports.state import Job
from csms.services.ports.store import UnitsOfWork

_log = structlog.get_logger(__name__)

_MOST_FILES = 5
_SWEEP_S = 3600.0
_SETTLE_S = 60.0
_UPLOADS: Shelf = "uploads"
_FIRMWARE: Shelf = "firmware"
_ANNOUNCED = frozenset({"Uploaded"})

Refused = Literal["unknown", "spent"]
"""Why a way is closed: there is no such token; or its job is over, its time or its file gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How much is kept.

    Attributes:
        largest_bytes: Of one file.
        days: Age of the oldest file.
        most_bytes: Of all files of charge points together.
    """

    largest_bytes: int = 500_000_000
    days: int = 90
    most_bytes: int = 10_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Bytes to be handed out; `pieces` begins at the start that was asked for."""

    name: str
    size: int
    pieces: AsyncIterator[bytes]


class FileService:
    """Lets charge points in by their tokens and keeps what they bring."""

    def __init__(
        self,
        units: UnitsOfWork,
        blobs: BlobStore,
        clock: Clock,
        audit: AuditTrail,
        *,
        secret: bytes,
        keeping: Keeping,
    ) -> None:
        self._units = units
        self._clock = clock
        self._audit = audit
        self._secret = secret
        self._sweep = Hint()
        self.blobs = blobs
        self.keeping = keeping

    # -- charge points

    async def way(self, token: str, direction: Direction | None = None) -> Grant | Refused:
        """Return what a token opens, or why it opens nothing.

        Args:
            token: As presented.
            direction: What is wanted of it; None: whatever it is for.
        """
        if files.TOKEN.fullmatch(token) is None:
            return "unknown"
        digest = token_digest(self._secret, token)
        async with self._units() as unit:
            grant = await unit.files.way(digest)
        if grant is None or not hmac.compare_digest(grant.digest, digest):
            return "unknown"
        if direction not in {None, grant.direction}:
            return "unknown"
        still_open = files.is_open(
            grant.direction,
            grant.state,
            grant.status,
            has_file=grant.has_file,
            expires_at=grant.expires_at,
            now=self._clock.now(),
        )
        return grant if still_open else "spent"

    async def part(self, grant: Grant, label: str) -> tuple[str, int] | None:
        """Return blob and size of what a charge point may go on with; None without any."""
        async with self._units() as unit:
            found = await unit.files.of_label(grant.key, label)
        if found is None or found.complete:
            return None
        return found.blob, found.size

    async def came(self, grant: Grant, new: NewFile) -> None:
        """Keep a file that has come wholly or in part; blobs that it displaces are deleted.

        Raises:
            DatabaseAway: It is not kept.
        """
        async with self._units() as unit:
            gone = await unit.files.keep(new, _MOST_FILES)
        await self._remove(_UPLOADS, gone)
        _log.info(
            "file of a station kept" if new.complete else "transfer of a file broke off",
            station=grant.identity,
            call=grant.call_id,
            bytes=new.size,
            scheme=new.scheme,
        )
        self._sweep.give()

    # -- operators

    async def beside(self, jobs: Sequence[Job]) -> Mapping[str, JobFiles]:
        """Return what has come for jobs, by call id; those without a way of ours are left out."""
        async with self._units() as unit:
            return await unit.files.of_calls([job.call_id for job in jobs])

    async def page(
        self, limit: int, *, before: int | None = None, identity: str | None = None
    ) -> list[StationFile]:
        """Return files, the newest first."""
        async with self._units() as unit:
            return await unit.files.page(limit, before=before, identity=identity)

    async def get(self, key: int) -> StationFile:
        """Return one. Raises NotFound."""
        async with self._units() as unit:
            found = await unit.files.get(key)
        if found is None:
            raise NotFound("file_not_found", "There is no such file.")
        return found

    async def content(self, key: int) -> Content:
        """Return one to be handed out. Raises NotFound, also where its bytes are not here."""
        found = await self.get(key)
        size = await asyncio.to_thread(self.blobs.size, _UPLOADS, found.blob)
        if size is None:
            raise NotFound("file_lost", "The bytes of this file are not on this machine.")
        return Content(
            name=files.file_name(found.kind, found.key, found.label),
            size=size,
            pieces=self.blobs.read(_UPLOADS, found.blob, 0, size),
        )

    async def delete(self, actor: str, key: int) -> None:
        """Delete one. Raises NotFound."""
        async with self._units() as unit:
            found = await unit.files.get(key)
            blob = await unit.files.delete(key)
            if found is None or blob is None:
                raise NotFound("file_not_found", "There is no such file.")
            details = {"station": found.identity}
            await self._audit.note(unit, actor, "delete", "file", str(key), details)
        await self._remove(_UPLOADS, [blob])

    # -- housekeeping

    async def run(self) -> None:
        """Delete what is too old or too much, each hour and soon after each file, for ever."""
        while True:
            await self.sweep()
            await self.sweep_strays()
            end = self._clock.monotonic() + _SWEEP_S
            while (left := end - self._clock.monotonic()) > 0:
                if await self._sweep.taken(left):
                    await self._clock.sleep(_SETTLE_S)
                    await self.sweep()

    async def sweep(self) -> None:
        """Delete what is too old or too much."""
        now = self._clock.now()
        before = now - timedelta(days=self.keeping.days)
        async with self._units() as unit:
            gone = await unit.files.expire(before, self.keeping.most_bytes, now)
        if gone:
            _log.info("old files of stations deleted", files=len(gone))
        await self._remove(_UPLOADS, gone)

    async def sweep_strays(self) -> None:
        """Delete bytes that nothing names, such as those of a transfer that a crash has cut."""
        async with self._units() as unit:
            known = {
                _UPLOADS: await unit.files.blobs(),
                _FIRMWARE: await unit.firmware_images.blobs(),
            }
        for shelf, names in known.items():
            strays = await asyncio.to_thread(self.blobs.strays, shelf, names)
            await self._remove(shelf, strays)

    async def _remove(self, shelf: Shelf, blobs: Sequence[str]) -> None:
        if blobs:
            await asyncio.to_thread(self.blobs.remove, shelf, blobs)


def is_missing(job: Job, beside: JobFiles | None) -> bool:
    """Return whether a station says that it has sent a file, and none has come."""
    return (
        beside is not None
        and beside.expected
        and job.status in _ANNOUNCED
        and not any(file.complete for file in beside.files)
    )
