"""The file of a backup: one zip with a manifest, the rows of each table and the secret.

Knows bytes and checksums, no SQL. A file under its final name is whole: it is written beside it,
synced, then renamed. It holds secrets (the key of all password digests, user data), so nobody else
may read it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from csms.data_folder import sync_folder
from csms.errors import StartError

FORMAT = 1
_MANIFEST = "manifest.json"
_SECRET = "secret"  # noqa: S105  the name of a member
_KEYS = "keys"
_CHUNK = 1 << 18
_LARGEST_MANIFEST = 10_000_000
_LARGEST_KEYS = 100_000_000


class BackupFailed(StartError):
    """A backup cannot be written."""


class BackupRefused(StartError):
    """A backup cannot be restored: damaged, of a newer csms, or the database is in the way."""


class TableEntry(BaseModel):
    """One table: what is in its member ``tables/NAME``, in the text format of COPY.

    Attributes:
        sha256: Of the member's bytes, in hex.
        partitions: First moment of each partition, for tables that have some.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    columns: list[Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]]
    rows: int
    sha256: str
    partitions: list[datetime] = []


class Manifest(BaseModel):
    """What a backup holds.

    Attributes:
        revision: Of the schema.
        tables: In an order that foreign keys allow.
        sequences: Name -> last value that was given out.
        settings: Those that must be the same after a restore, as texts.
    """

    model_config = ConfigDict(extra="forbid")

    format: int
    csms: str
    revision: str
    made_at: datetime
    tables: list[TableEntry]
    sequences: dict[Annotated[str, Field(pattern=r"^[a-z_]+$")], int]
    settings: dict[str, str]
    secret_sha256: str


class Writer:
    """Writes one backup; the manifest comes last."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    @contextmanager
    def table(self, name: str) -> Iterator[Sink]:
        """Open the member of a table."""
        with self._archive.open(f"tables/{name}", "w", force_zip64=True) as member:
            yield Sink(member)

    def finish(self, manifest: Manifest, secret: bytes, keys: bytes | None = None) -> None:
        """Write the secret, the sealed keys if there are some, and the manifest."""
        self._archive.writestr(_SECRET, secret)
        if keys is not None:
            self._archive.writestr(_KEYS, keys, zipfile.ZIP_STORED)
        self._archive.writestr(_MANIFEST, manifest.model_dump_json(indent=1))


class Sink:
    """Takes the bytes of one member and sums them up."""

    def __init__(self, member: Any) -> None:
        self._member = member
        self._hash = hashlib.sha256()

    async def write(self, data: bytes) -> None:
        """Write some bytes."""
        self._hash.update(data)
        self._member.write(data)

    @property
    def sha256(self) -> str:
        """Checksum of all that was written, in hex."""
        return self._hash.hexdigest()


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """Write a backup; it appears under its name at the end, or not at all.

    What a killed backup has left beside it (``.NAME.part``) is written over by the next one.

    Raises:
        BackupFailed: There is such a file already, or it cannot be written.
    """
    path = path.absolute()
    part = path.with_name(f".{path.name}.part")
    if path.exists():
        raise BackupFailed(f"{path} exists already; a backup never replaces another.")
    try:
        file = os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BackupFailed(f"Another backup is being written to {path}.") from error
            os.fchmod(file.fileno(), 0o600)
            file.truncate(0)
            try:
                with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                    yield Writer(archive)
                file.flush()
                os.fsync(file.fileno())
                os.link(part, path)  # refuses to replace a file that came meanwhile
                sync_folder(path.parent)
            finally:
                part.unlink(missing_ok=True)
    except OSError as error:
        raise BackupFailed(f"{path} cannot be written: {error.strerror or error}.") from error


class Reader:
    """Reads one backup; everything is checked against its checksum."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path = path
        self._archive = archive
        self.manifest = self._read_manifest()
        self.secret = self._small(_SECRET)
        if hashlib.sha256(self.secret).hexdigest() != self.manifest.secret_sha256:
            raise self._damaged()

    def keys(self) -> bytes | None:
        """Return the sealed keys; None where the backup has none. Raises BackupRefused."""
        return self._small(_KEYS, _LARGEST_KEYS) if _KEYS in self._archive.namelist() else None

    async def rows(self, table: TableEntry) -> AsyncIterator[bytes]:
        """Give the bytes of a table; at the end they are known to be whole.

        Raises:
            BackupRefused: They are not.
        """
        for chunk in self._chunks(table):
            yield chunk

    def verify(self) -> None:
        """Read everything once. Raises BackupRefused."""
        for table in self.manifest.tables:
            for _ in self._chunks(table):
                pass

    def _chunks(self, table: TableEntry) -> Iterator[bytes]:
        summed = hashlib.sha256()
        with self._explained(), self._archive.open(f"tables/{table.name}") as member:
            while chunk := member.read(_CHUNK):
                summed.update(chunk)
                yield chunk
        if summed.hexdigest() != table.sha256:
            raise self._damaged()

    def _read_manifest(self) -> Manifest:
        text = self._small(_MANIFEST)
        try:
            manifest = Manifest.model_validate_json(text)
        except ValidationError as error:
            raise self._damaged() from error
        if manifest.format != FORMAT:
            raise BackupRefused(
                f"{self._path} was made by csms {manifest.csms} in a form that this version"
                " does not know: restore it with that csms or a newer one."
            )
        return manifest

    def _small(self, name: str, most: int = _LARGEST_MANIFEST) -> bytes:
        with self._explained():
            if self._archive.getinfo(name).file_size > most:
                raise self._damaged()
            return self._archive.read(name)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError) as error:
            raise self._damaged() from error

    def _damaged(self) -> BackupRefused:
        return BackupRefused(f"{self._path} is damaged or no backup of csms; nothing was changed.")


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """Open a backup.

    Raises:
        BackupRefused: It cannot be read, is damaged, or is no backup.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError, ValueError) as error:
        raise BackupRefused(
            f"{path} is damaged or no backup of csms; nothing was changed."
        ) from error
    except OSError as error:
        raise BackupRefused(f"{path} cannot be read: {error.strerror or error}.") from error
    with archive:
        yield Reader(path, archive)
