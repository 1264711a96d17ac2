"""The data folder: the secret, this node's name and the lock that keeps a second csms out."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
from pathlib import Path
from typing import IO

from csms.errors import StartError
from csms.settings import Settings

_SECRET_BYTES = 32


def data_folder(settings: Settings) -> Path:
    """Return the data folder, made if need be and closed to others.

    Raises:
        StartError: It cannot be made.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StartError(
            f"The data folder {settings.data_dir} cannot be made ({error.strerror}); "
            "set CSMS_DATA_DIR to a folder that can."
        ) from error
    return settings.data_dir


def secret_path(settings: Settings) -> Path:
    """Return where the secret is kept. Raises StartError without a data folder."""
    return settings.secret_file or data_folder(settings) / "secret"


def restore_marker(settings: Settings) -> Path:
    """Return the file that is there while database and secret may not fit each other."""
    return data_folder(settings) / "restoring"


def load_secret(settings: Settings) -> bytes:
    """Return the secret of keyed hashes and cookies; made at the first start.

    Raises:
        StartError: The file cannot be read, or holds too little; or a restore was interrupted, so
            that the secret may not be the one that the database needs.
    """
    marker = restore_marker(settings)
    if marker.exists():
        raise StartError(
            f"A restore was interrupted ({marker}): run `csms restore FILE --force` again."
        )
    if settings.secret_file is None:
        text = _kept(secret_path(settings), secrets.token_hex(_SECRET_BYTES))
    else:
        try:
            text = settings.secret_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or error
            raise StartError(
                f"CSMS_SECRET_FILE {settings.secret_file} cannot be read: {why}."
            ) from error
    if len(text) < _SECRET_BYTES:
        raise StartError(
            f"The secret must have at least {_SECRET_BYTES} characters; it has {len(text)}."
        )
    return text.encode()


def node_name(settings: Settings) -> str:
    """Return this node's name; the same after a restart, so its leases and sockets are known."""
    new = f"{socket.gethostname()}-{secrets.token_hex(4)}"
    return _kept(data_folder(settings) / "node", new, blank=True)


def lock_folder(folder: Path) -> IO[str]:
    """Lock the data folder until the file is closed: two of one node's name would share its leases.

    Raises:
        StartError: Another csms serves from this folder.
    """
    try:
        lock = open(folder / "serving", "a+")  # noqa: SIM115  held while we serve
    except OSError as error:
        raise StartError(f"{folder / 'serving'} cannot be written: {error.strerror}.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise StartError(
            f"The data folder {folder} is in use by another csms (process {owner}); "
            "set CSMS_DATA_DIR to a folder of its own."
        ) from error
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def serves(folder: Path) -> bool:
    """Return whether a csms serves from this folder now; looks only, without a lock."""
    try:
        os.kill(int((folder / "serving").read_text()), 0)
    except PermissionError:
        return True  # another user's
    except (OSError, ValueError, OverflowError):
        return False
    return True


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _kept(path: Path, new: str, *, blank: bool = False) -> str:
    """Return the text of a file that only we may read; made with `new` if it is not there.

    Args:
        path: The file.
        new: What it is to hold.
        blank: Whether one that holds nothing counts as not there.

    Raises:
        StartError: It cannot be read or written.
    """
    unfinished = path.with_name(f".{path.name}.new")
    try:
        found = _text(path)
        if found or (found is not None and not blank):
            return found
        # It appears with all that it holds: a csms that is killed here, or has no room left,
        # leaves nothing that the next one could take for it.
        with open(os.open(unfinished, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            found = _text(path)
            if found or (found is not None and not blank):
                return found  # another csms was faster
            file.truncate(0)
            file.write(new + "\n")
            file.flush()
            os.fsync(file.fileno())
            unfinished.replace(path)
        sync_folder(path.parent)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise StartError(f"{path} cannot be read or written: {why}.") from error
    return new


def _text(path: Path) -> str | None:
    """Return what a file holds, without blanks around; None when it is not there."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return None
