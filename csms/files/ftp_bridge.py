"""Between the thread that speaks FTP and the event loop that knows tokens and rows."""

from __future__ import annotations

import asyncio
import concurrent.futures
import errno
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from csms.clock import Clock
from csms.errors import DatabaseAway
from csms.files.folder import Folder
from csms.services.files import FileService, Refused
from csms.services.ports.files import Grant, NewFile, NoRoom, Superseded, TooLarge, Writing

T = TypeVar("T")

_ANSWER_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """Asks the event loop from another thread.

    A question waits ten seconds at most; meanwhile the other sessions wait too.
    """

    service: FileService
    folder: Folder
    clock: Clock
    loop: asyncio.AbstractEventLoop

    def way(self, token: str) -> Grant | Refused:
        """Return what a token opens. Raises DatabaseAway."""
        return self._ask(self.service.way(token))

    def part(self, grant: Grant, label: str) -> tuple[str, int] | None:
        """Return blob and size of what may be gone on with. Raises DatabaseAway."""
        return self._ask(self.service.part(grant, label))

    def incoming(
        self, grant: Grant, label: str, address: str, *, append: bool, secure: bool
    ) -> Incoming:
        """Begin to take in a file.

        Args:
            grant: The way.
            label: What the charge point calls it.
            address: Of the charge point.
            append: Whether it goes on with what stands, if anything.
            secure: Whether it comes over TLS.

        Raises:
            DatabaseAway, NoRoom: Come again.
        """
        part = self.part(grant, label) if append else None
        return Incoming(self, grant, label, address, part, "ftps" if secure else "ftp")

    def begin(self, grant: Grant, label: str, part: tuple[str, int] | None) -> Writing:
        """Open the bytes of an upload."""
        largest = self.service.keeping.largest_bytes
        claim = (grant.key, label)
        return self.folder.begin("uploads", largest=largest, claim=claim, resume=part)

    def came(self, grant: Grant, new: NewFile) -> None:
        """Keep what came. Raises DatabaseAway."""
        self._ask(self.service.came(grant, new))

    def _ask(self, question: Coroutine[Any, Any, T]) -> T:
        asked = asyncio.run_coroutine_threadsafe(question, self.loop)
        try:
            return asked.result(_ANSWER_S)
        except (TimeoutError, concurrent.futures.CancelledError):
            asked.cancel()
            raise DatabaseAway("no answer in time") from None


class Incoming:
    """A file that comes in by FTP, as the package wants a file to look.

    Attributes:
        refusal: The reply when it is not kept; None while nothing is wrong.
    """

    def __init__(
        self,
        bridge: Bridge,
        grant: Grant,
        label: str,
        address: str,
        part: tuple[str, int] | None,
        scheme: str,
    ) -> None:
        self._bridge = bridge
        self._grant = grant
        self._address = address.removeprefix("::ffff:")
        self._part = part
        self._scheme = scheme
        self._writing: Writing | None = bridge.begin(grant, label, part)
        self.name = label
        self.closed = False
        self.refusal: str | None = None

    def seek(self, position: int) -> None:
        """Go on from a place (REST). Raises OSError where there are not so many bytes."""
        if self._part is None or position > self._part[1]:
            raise OSError(errno.EINVAL, "there are not so many bytes")
        if self._writing is not None:
            self._writing.stop()
        self._part = (self._part[0], position)
        self._writing = self._bridge.begin(self._grant, self.name, self._part)

    def write(self, data: bytes) -> None:
        """Append. Raises OSError; `refusal` says why."""
        if self._writing is None:
            raise OSError(errno.EBADF, "closed")
        try:
            self._writing.write(data)
        except TooLarge:
            self.refusal = "552 The file is too large."
        except NoRoom:
            self.refusal = "452 There is no room for it."
        except Superseded:
            self.refusal = "426 A newer transfer has taken over."
        if self.refusal is not None:
            raise OSError(errno.ECANCELED, self.refusal)

    def end(self, *, whole: bool) -> bool:
        """End it, and return whether a whole file is kept; a part is kept to be gone on with."""
        writing = self._writing
        if self.closed or writing is None:
            return False
        self.closed = True
        kept = False
        try:
            sha256 = writing.finish() if whole and self.refusal is None else None
            writing.stop()
            if sha256 is not None or (writing.size and self.refusal is None):
                self._bridge.came(self._grant, self._new(writing, sha256))
                kept = True
        except NoRoom:
            self.refusal = "452 There is no room for it."
        except Superseded:
            self.refusal = "426 A newer transfer has taken over."
        except DatabaseAway:
            self.refusal = "451 It cannot be kept now; come again."
        finally:
            writing.stop()
            if not kept and self._part is None:
                self._bridge.folder.remove("uploads", [writing.blob])
        return kept and whole

    def close(self) -> None:
        """End a transfer that never began or broke off."""
        self.end(whole=False)

    def _new(self, writing: Writing, sha256: str | None) -> NewFile:
        return NewFile(
            grant=self._grant.key,
            label=self.name,
            blob=writing.blob,
            size=writing.size,
            sha256=sha256,
            complete=sha256 is not None,
            scheme=self._scheme,
            address=self._address,
            received_at=self._bridge.clock.now(),
        )
