"""``csms backup`` and ``csms restore``: the database and the secret that its digests are keyed by.

The two belong together: digests of passwords and tokens are worth nothing under another secret.
Certificates and keys (the authority's folder and the listeners') go along under a passphrase; bytes
of charge points' files never do. The restored rows are committed first, the secret and the keys
take their places after; until then a marker in the data folder keeps csms from starting.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from csms.app import DatabaseAddress
from csms.clock import SystemClock
from csms.data_folder import (
    data_folder,
    restore_marker,
    secret_path,
    sync_folder,
)
from csms.kept_secret import secret_for
from csms.pki import sealed_keys
from csms.pki.starting import ca_folder, tls_folder
from csms.settings import Settings
from csms.store import backup
from csms.store.backup_file import BackupRefused, Manifest, Reader, reading, writing

_KEPT_SETTINGS = (
    "price_per_kwh",
    "currency",
    "accept_unknown_stations",
    "quiet",
    "heartbeat_interval_s",
    "call_timeout_s",
)


async def make_backup(
    settings: Settings,
    database: DatabaseAddress,
    file: Path,
    *,
    message_log: bool = True,
    passphrase_file: Path | None = None,
) -> Manifest:
    """Write a backup and return what is in it; csms may run meanwhile.

    Args:
        settings: All of them.
        database: Any csms's, at this version's revision.
        file: Must not be there yet.
        message_log: Whether the OCPP messages are in it; most of its bytes are theirs.
        passphrase_file: Under what it holds holds certificates and keys are taken in; None: they
            are left out.

    Raises:
        BackupFailed, KeysRefused, StartError, DatabaseAway: There is no file then.
    """
    secret = await secret_for(settings, database.url)
    keys = None
    if passphrase_file is not None:
        passphrase = sealed_keys.passphrase_of(passphrase_file)
        keys = sealed_keys.seal(sealed_keys.files_of(_key_folders(settings)), passphrase)
    with writing(file) as writer:
        manifest = await backup.write(
            database.url,
            writer,
            made_at=SystemClock().now(),
            secret_sha256=hashlib.sha256(secret).hexdigest(),
            settings=_kept(settings),
            without=() if message_log else (backup.MESSAGE_LOG,),
        )
        writer.finish(manifest, secret, keys)
    return manifest


def left_out(settings: Settings, *, keys_taken: bool) -> list[str]:
    """Return what is there and in no backup that was just made, a sentence each.

    Raises:
        KeysRefused: A folder cannot be read.
    """
    lines = []
    if not keys_taken and sealed_keys.files_of(_key_folders(settings)):
        folders = " and ".join(str(path) for path in _key_folders(settings).values())
        lines.append(
            f"not in it: certificates and keys of {folders};"
            " --keys-passphrase-file takes them along"
        )
    files = data_folder(settings) / "files"
    if any(path.is_file() for path in files.rglob("*")):
        lines.append(f"not in it: files and firmware of charge points in {files}; copy that folder")
    return lines


async def restore_backup(
    settings: Settings,
    database: DatabaseAddress,
    file: Path,
    *,
    force: bool = False,
    passphrase_file: Path | None = None,
) -> list[str]:
    """Restore a backup and return what the operator should know, a line each.

    Args:
        settings: All of them.
        database: To be replaced.
        file: The backup.
        force: Whether what is there may be replaced, rows and keys.
        passphrase_file: Of the certificates and keys in it; None leaves them out.

    Raises:
        BackupRefused, KeysRefused, DatabaseAway: All is as it was, or csms does not start before
            the backup was restored again.
    """
    path, marker = secret_path(settings), restore_marker(settings)
    with reading(file) as reader:
        keys, told = _keys_of(settings, reader, passphrase_file, force=force)
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
        if keys:
            count = sealed_keys.put_back(keys, _key_folders(settings))
            told = [f"restored {count} files of certificates and keys"]
        marker.unlink()
        sync_folder(marker.parent)
        manifest = reader.manifest
    present = _kept(settings)
    return [
        f"restored {sum(table.rows for table in manifest.tables)} rows of"
        f" {manifest.made_at:%Y-%m-%d %H:%M} UTC (csms {manifest.csms})",
        *told,
        *(
            f"warning: CSMS_{name.upper()} was {value}, it is {present.get(name, 'not set')} here"
            for name, value in manifest.settings.items()
            if present.get(name) != value
        ),
    ]


def _keys_of(
    settings: Settings, reader: Reader, passphrase_file: Path | None, *, force: bool
) -> tuple[dict[str, bytes], list[str]]:
    """Return the certificates and keys to put back, and what there is to say where none are."""
    sealed = reader.keys()
    if passphrase_file is None:
        left = "warning: its certificates and keys were left out; --keys-passphrase-file opens them"
        return {}, [] if sealed is None else [left]
    passphrase = sealed_keys.passphrase_of(passphrase_file)
    if sealed is None:
        return {}, ["warning: it holds no certificates and keys"]
    keys = sealed_keys.unseal(sealed, passphrase)
    others = sealed_keys.differing(keys, _key_folders(settings))
    if others and not force:
        raise BackupRefused(
            f"{others[0]} is there and another one than in the backup (--force replaces it, or"
            " leave --keys-passphrase-file out); nothing was changed."
        )
    return keys, []


def _key_folders(settings: Settings) -> dict[str, Path]:
    return {"ca": ca_folder(settings), "tls": tls_folder(settings)}


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
