"""The ports of files: their rows, their bytes, and the addresses under which they are reached."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from csms.domain.files import Direction, Scheme
from csms.domain.ids import ChargePointKey, Identity

Shelf = Literal["uploads", "firmware"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A way for one file or a few, opened for one job.

    Attributes:
        digest: Of its token.
        state: Of the job; None: there is none (any more).
        status: Newest report of the job.
        has_file: Whether a whole file has come.
        image: What it leads to when it is a download.
    """

    key: int
    charge_point: ChargePointKey
    identity: Identity
    call_id: str
    direction: Direction
    digest: bytes
    expires_at: datetime
    state: str | None
    status: str | None
    has_file: bool
    image: Image | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A firmware image.

    Attributes:
        blob: Name of its bytes in the store.
        vendor: Of the stations that it is for; None: any. `model` alike.
        signature: Base64, for SignedUpdateFirmware; None: it is not signed.
        signing_certificate: PEM.
    """

    key: int
    blob: str
    name: str
    version: str | None
    vendor: str | None
    model: str | None
    size: int
    sha256: str
    signature: str | None
    signing_certificate: str | None
    created_at: datetime
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that has come, wholly or in part.

    Attributes:
        label: What the charge point calls it.
        sha256: Hex; None for a part.
        address: From where.
    """

    grant: int
    label: str
    blob: str
    size: int
    sha256: str | None
    complete: bool
    scheme: str
    address: str
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StationFile:
    """A file of a charge point.

    Attributes:
        kind: Of its job: diagnostics or log.
        label: What the charge point calls it.
        sha256: Hex; None for a part.
    """

    key: int
    identity: Identity
    call_id: str
    kind: str
    label: str
    blob: str
    size: int
    sha256: str | None
    complete: bool
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFiles:
    """What stands beside a job.

    Attributes:
        expected: Whether a file was to come to us.
    """

    expected: bool
    files: tuple[StationFile, ...]


class Files(Protocol):
    """Ways and files of charge points."""

    async def open_way(
        self,
        charge_point: ChargePointKey,
        *,
        call_id: str,
        direction: Direction,
        digest: bytes,
        image: int | None,
        at: datetime,
        expires_at: datetime,
    ) -> None:
        """Add a way."""
        ...

    async def next_request_id(self, charge_point: ChargePointKey) -> int:
        """Return a request id that no job of this charge point has had."""
        ...

    async def way(self, digest: bytes) -> Grant | None:
        """Return the way of a token."""
        ...

    async def of_label(self, grant: int, label: str) -> StationFile | None:
        """Return what has come under this label."""
        ...

    async def keep(self, new: NewFile, most: int) -> Sequence[str]:
        """Keep a file in the place of the former one of its label; a part never displaces a whole.

        Args:
            new: What has come.
            most: Files a way; older ones go.

        Returns:
            Blobs that nothing names any more, the new one's if it is not kept.
        """
        ...

    async def of_calls(self, call_ids: Sequence[str]) -> dict[str, JobFiles]:
        """Return what stands beside the jobs of these calls; those without a way are left out."""
        ...

    async def get(self, key: int) -> StationFile | None:
        """Return one file."""
        ...

    async def page(
        self, limit: int, *, before: int | None = None, identity: str | None = None
    ) -> list[StationFile]:
        """Return one page, the newest first."""
        ...

    async def delete(self, key: int) -> str | None:
        """Delete one; returns its blob, None when there was none."""
        ...

    async def expire(self, before: datetime, largest: int, now: datetime) -> list[str]:
        """Delete files that came before a time, the oldest beyond a sum of bytes, and spent ways.

        Returns:
            Their blobs.
        """
        ...

    async def blobs(self) -> set[str]:
        """Return the blobs of all files."""
        ...


class FirmwareImages(Protocol):
    """Firmware images."""

    async def add(self, image: Image) -> int:
        """Add one; its `key` does not count. Returns the key."""
        ...

    async def update(self, image: Image) -> None:
        """Write what describes it."""
        ...

    async def get(self, key: int) -> Image | None:
        """Return one."""
        ...

    async def fitting(self, vendor: str | None, model: str | None, limit: int) -> list[Image]:
        """Return those for a station of this vendor and model, the newest first."""
        ...

    async def page(self, limit: int, *, before: int | None = None) -> list[Image]:
        """Return one page, the newest first."""
        ...

    async def delete(self, key: int) -> str | None:
        """Delete one with the ways to it; returns its blob, None when there was none."""
        ...

    async def blobs(self) -> set[str]:
        """Return the blobs of all images."""
        ...


class TooLarge(Exception):
    """A file has more bytes than are taken."""


class NoRoom(Exception):
    """The disk has no room for more."""


class Superseded(Exception):
    """A newer transfer of the same file has taken over."""


class Writing(Protocol):
    """Bytes on their way to the disk; blocking, used by one thread at a time."""

    @property
    def blob(self) -> str:
        """Name of the bytes."""
        ...

    @property
    def size(self) -> int:
        """How many there are."""
        ...

    def write(self, data: bytes) -> None:
        """Append. Raises TooLarge, NoRoom or Superseded."""
        ...

    def finish(self) -> str:
        """Bring all to the disk, end, and return the SHA-256 as hex. Raises NoRoom, Superseded."""
        ...

    def stop(self) -> None:
        """End without being whole; what is there stays."""
        ...


class BlobStore(Protocol):
    """Bytes under names of ours."""

    def begin(
        self, shelf: Shelf, *, largest: int, claim: object = None, resume: tuple[str, int] | None
    ) -> Writing:
        """Begin to write; blocking.

        Args:
            shelf: Where.
            largest: Most bytes in all.
            claim: Who writes; a newer one with an equal claim takes over.
            resume: Blob to go on with and how many of its bytes stand; None begins a new one.

        Raises:
            NoRoom: At once.
            FileNotFoundError: There is nothing to go on with.
        """
        ...

    def read(self, shelf: Shelf, blob: str, start: int, length: int) -> AsyncIterator[bytes]:
        """Return bytes in pieces. Raises FileNotFoundError with the first."""
        ...

    def size(self, shelf: Shelf, blob: str) -> int | None:
        """Return how many bytes there are, None without any; blocking."""
        ...

    def remove(self, shelf: Shelf, blobs: Sequence[str]) -> None:
        """Delete; what is not there is not missed. Blocking."""
        ...

    def strays(self, shelf: Shelf, known: set[str]) -> list[str]:
        """Return blobs that are not known and that nobody has written to for long; blocking."""
        ...


class SignatureCheck(Protocol):
    """Checks signatures of firmware images."""

    def __call__(self, certificate: str, signature: str, sha256: str) -> str | None:
        """Return why a signature is none of an image of this SHA-256; None when it holds."""
        ...


class FileAddresses(Protocol):
    """Where charge points reach the file endpoints of this node."""

    def offered(self) -> Sequence[Scheme]:
        """Return what is served, the best first."""
        ...

    def location(self, scheme: Scheme, token: str, name: str, charge_point: ChargePointKey) -> str:
        """Return an address.

        Args:
            scheme: One that is offered.
            token: Of the way.
            name: Of the file; empty: a directory, with a slash at its end.
            charge_point: Who will use it: it reaches us where its own connection does.
        """
        ...
