"""The folder that holds bytes: names are ours, nothing from the wire ever becomes a path.

Bytes are written in place under a name that nothing knows until a row in the database says what
they are; what no row names is swept after a day.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import shutil
import threading
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import structlog

from csms.clock import Clock
from csms.errors import StartError
from csms.services.ports.files import NoRoom, Shelf, Superseded, TooLarge

_log = structlog.get_logger(__name__)

_NAME = re.compile(r"[0-9a-f]{32}")
_PIECE = 64 * 1024
_LOOK_EVERY = 8 * 1024 * 1024
_LEAST_FREE = 512 * 1024 * 1024
_STRAY_AFTER_S = 24 * 3600.0
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Folder:
    """Implements `csms.services.ports.files.BlobStore`.

    Concurrency: any number of threads.
    """

    def __init__(self, path: Path, clock: Clock, *, least_free: int = _LEAST_FREE) -> None:
        """Make the folder.

        Args:
            path: Where; made if need be, closed to others.
            clock: Tells the age of strays.
            least_free: Bytes of the disk that are left to others, such as the database.

        Raises:
            StartError: It cannot be made.
        """
        self._path = path
        self._clock = clock
        self._least_free = least_free
        self._claims: dict[object, Writer] = {}
        self._lock = threading.Lock()
        try:
            for shelf in ("uploads", "firmware"):
                (path / shelf).mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StartError(f"{path} cannot be made: {error.strerror}.") from error

    def begin(
        self,
        shelf: Shelf,
        *,
        largest: int,
        claim: object = None,
        resume: tuple[str, int] | None = None,
    ) -> Writer:
        """See the port."""
        self.require_room()
        blob, start = resume or (uuid.uuid4().hex, 0)
        if claim is not None:
            with self._lock:
                former = self._claims.pop(claim, None)
            if former is not None:
                former.supersede()
        path = self._at(shelf, blob)
        # bytes are on the disk before they are acknowledged: no buffer of ours
        file = path.open("xb" if resume is None else "r+b", buffering=0)
        writer = Writer(self, file, blob, start=start, largest=largest, claim=claim)
        if claim is not None:
            with self._lock:
                self._claims[claim] = writer
        return writer

    async def read(self, shelf: Shelf, blob: str, start: int, length: int) -> AsyncIterator[bytes]:
        """See the port."""
        file = await asyncio.to_thread(self._at(shelf, blob).open, "rb")
        try:
            await asyncio.to_thread(file.seek, start)
            while length > 0:
                piece = await asyncio.to_thread(file.read, min(_PIECE, length))
                if not piece:
                    return  # cut by somebody else's hand
                length -= len(piece)
                yield piece
        finally:
            file.close()

    def open(self, shelf: Shelf, blob: str) -> IO[bytes]:
        """Return a file for reading; blocking. Raises FileNotFoundError."""
        return self._at(shelf, blob).open("rb")

    def size(self, shelf: Shelf, blob: str) -> int | None:
        """See the port."""
        try:
            return self._at(shelf, blob).stat().st_size
        except FileNotFoundError:
            return None

    def remove(self, shelf: Shelf, blobs: Sequence[str]) -> None:
        """See the port."""
        for blob in blobs:
            self._at(shelf, blob).unlink(missing_ok=True)

    def strays(self, shelf: Shelf, known: set[str]) -> list[str]:
        """See the port."""
        oldest = self._clock.now().timestamp() - _STRAY_AFTER_S
        found = []
        for entry in os.scandir(self._path / shelf):
            if _NAME.fullmatch(entry.name) and entry.name not in known:
                try:
                    if entry.stat().st_mtime < oldest:
                        found.append(entry.name)
                except FileNotFoundError:
                    continue
        return found

    def require_room(self) -> None:
        """Raise NoRoom when too little of the disk is free."""
        free = shutil.disk_usage(self._path).free
        if free < self._least_free:
            _log.warning("files are refused: the disk is nearly full", free_bytes=free)
            raise NoRoom

    def release(self, writer: Writer) -> None:
        """Forget the claim of a writer that has ended."""
        with self._lock:
            if self._claims.get(writer.claim) is writer:
                del self._claims[writer.claim]

    def _at(self, shelf: Shelf, blob: str) -> Path:
        if _NAME.fullmatch(blob) is None:
            raise FileNotFoundError(errno.ENOENT, "no such blob")
        return self._path / shelf / blob


class Writer:
    """Implements `csms.services.ports.files.Writing`."""

    def __init__(
        self,
        folder: Folder,
        file: IO[bytes],
        blob: str,
        *,
        start: int,
        largest: int,
        claim: object,
    ) -> None:
        self._folder = folder
        self._file = file
        self._largest = largest
        self._hash = hashlib.sha256()
        self._lock = threading.Lock()
        self._superseded = False
        self._look_at = _LOOK_EVERY
        self.blob = blob
        self.size = start
        self.claim = claim
        if start:
            self._go_on(start)

    def _go_on(self, start: int) -> None:
        """Take over the bytes that stand; what is behind them goes."""
        left = start
        while left > 0:
            piece = self._file.read(min(_PIECE * 16, left))
            if not piece:
                self._file.close()
                raise FileNotFoundError(errno.ENOENT, "there are fewer bytes than said")
            self._hash.update(piece)
            left -= len(piece)
        self._file.truncate(start)

    def write(self, data: bytes) -> None:
        """See the port."""
        with self._lock:
            if self._superseded:
                raise Superseded
            if self.size + len(data) > self._largest:
                raise TooLarge
            if self.size + len(data) > self._look_at:
                self._folder.require_room()
                self._look_at = self.size + _LOOK_EVERY
            view = memoryview(data)
            while view:
                with _room():
                    written = self._file.write(view)
                self._hash.update(view[:written])
                self.size += written
                view = view[written:]

    def finish(self) -> str:
        """See the port."""
        with self._lock:
            if self._superseded:
                raise Superseded
            with _room():
                os.fsync(self._file.fileno())
        self.stop()
        return self._hash.hexdigest()

    def stop(self) -> None:
        """See the port."""
        with self._lock:
            self._file.close()
        self._folder.release(self)

    def supersede(self) -> None:
        """Let every further write fail; waits for one that is at work."""
        with self._lock:
            self._superseded = True


@contextmanager
def _room() -> Iterator[None]:
    """Turn the errors of a full disk into NoRoom."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NoRoom from error
        raise
