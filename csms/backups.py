"""``csms backup`` and ``csms restore``: the database and the secret that its digests are keyed by.

The two belong together: digests of passwords and tokens are worth nothing under another secret.
The restored rows are committed first and the secret takes its place after; between the two a
marker in the data folder keeps csms from starting.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from csms.app import DatabaseAddress
from csms.clock import SystemClock
from csms.data_folder import load_secret, restore_marker, secret_path
from csms.settings import Settings
from csms.store import backup
from csms.store.backup_file import BackupRefused, Manifest, reading, writing
from csms.store.embedded_process import sync_folder

_KEPT_SETTINGS = (
    "price_per_kwh",
    "currency",
    "accept_unknown_stations",
    "quiet",
    "heartbeat_interval_s",
    "call_timeout_s",
)


async def make_backup(
    settings: Settings, database: DatabaseAddress, file: Path, *, message_log: bool = True
) -> Manifest:
    """Write a backup and return what is in it; csms may run meanwhile.

    Args:
        settings: All of them.
        database: Any csms's, at this version's revision.
        file: Must not be there yet.
        message_log: Whether the OCPP messages are in it; most of its bytes are theirs.

    Raises:
        BackupFailed, DatabaseAway: There is no file then.
    """
    secret = load_secret(settings)
    with writing(file) as writer:
        manifest = await backup.write(
            database.url,
            writer,
            made_at=SystemClock().now(),
            secret_sha256=hashlib.sha256(secret).hexdigest(),
            settings=_kept(settings),
            without=() if message_log else (backup.MESSAGE_LOG,),
        )
        writer.finish(manifest, secret)
    return manifest


async def restore_backup(
    settings: Settings, database: DatabaseAddress, file: Path, *, force: bool = False
) -> list[str]:
    """Restore a backup and return what the operator should know, a line each.

    Raises:
        BackupRefused, DatabaseAway: Database and secret are as they were.
    """
    path, marker = secret_path(settings), restore_marker(settings)
    with reading(file) as reader:
        replaces = not path.exists() or path.read_bytes().strip() != reader.secret
        if replaces and not os.access(path.parent, os.W_OK):
            raise BackupRefused(
                f"The backup has another secret than {path}, which cannot be written;"
                " nothing was changed."
            )
        await backup.read(
            database.url, reader, force=force, before_commit=_writer(marker, b"restoring\n")
        )
        if replaces:
            _writer(path, reader.secret + b"\n")()
        marker.unlink()
        sync_folder(marker.parent)
        manifest = reader.manifest
    present = _kept(settings)
    return [
        f"restored {sum(table.rows for table in manifest.tables)} rows of"
        f" {manifest.made_at:%Y-%m-%d %H:%M} UTC (csms {manifest.csms})",
        *(
            f"warning: CSMS_{name.upper()} was {value}, it is {present.get(name, 'not set')} here"
            for name, value in manifest.settings.items()
            if present.get(name) != value
        ),
    ]


def _kept(settings: Settings) -> dict[str, str]:
    values = settings.model_dump(include=set(_KEPT_SETTINGS))
    return {name: str(value) for name, value in values.items() if value is not None}


def _writer(path: Path, content: bytes) -> Callable[[], None]:
    """Return what puts `content` into a file of ours alone, wholly or not at all."""

    def write() -> None:
        new = path.with_name(f".{path.name}.new")
        new.unlink(missing_ok=True)
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
            sync_folder(path.parent)
        except OSError as error:
            raise BackupRefused(f"{path} cannot be written: {error.strerror}.") from error

    return write
