"""What an authority has issued and revoked: a file of JSON lines that only grows.

A line is on the disk before a certificate leaves or a list of revocations is signed, so nothing is
out in the world that is not written here. The command line and a running csms may write at once.
"""

from __future__ import annotations

import errno
import fcntl
import os
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from csms.errors import StartError

_LONGEST_LINE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One certificate.

    Attributes:
        serial: Hex, lower case, without leading zeros.
        kind: client, server or issuing.
        issuer: Name of the key that signed it, such as ``issuing-ec``.
        identity: Station or host names.
        revoked_at: None while it is good.
    """

    serial: str
    kind: str
    issuer: str
    subject: str
    identity: str
    issued_at: datetime
    not_after: datetime
    fingerprint: str
    revoked_at: datetime | None = None
    reason: str | None = None


class Journal:
    """The file.

    Concurrency: any number of threads and processes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def issued(self, issue: Issue) -> None:
        """Add a certificate. Raises OSError when it cannot be written."""
        self._append(
            {
                "event": "issued",
                "at": issue.issued_at,
                "serial": issue.serial,
                "kind": issue.kind,
                "issuer": issue.issuer,
                "subject": issue.subject,
                "identity": issue.identity,
                "notAfter": issue.not_after,
                "fingerprint": issue.fingerprint,
            }
        )

    def revoked(self, serial: str, reason: str, at: datetime) -> None:
        """Take one back. Raises OSError when it cannot be written."""
        self._append({"event": "revoked", "at": at, "serial": serial, "reason": reason})

    def read(self) -> dict[str, Issue]:
        """Return all certificates by serial number, the oldest first.

        Raises:
            StartError: The file is damaged or cannot be read.
        """
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StartError(f"{self._path} cannot be read: {error.strerror}.") from error
        found: dict[str, Issue] = {}
        whole, _, _ = text.rpartition(b"\n")  # half a line was never acted upon
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                self._take(found, orjson.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise StartError(f"{self._path} is damaged in line {number}.") from error
        return found

    @staticmethod
    def _take(found: dict[str, Issue], entry: dict[str, Any]) -> None:
        at = datetime.fromisoformat(entry["at"])
        serial = entry["serial"]
        if entry["event"] == "revoked":
            if found[serial].revoked_at is None:
                found[serial] = replace(found[serial], revoked_at=at, reason=entry["reason"])
            return
        found[serial] = Issue(
            serial=serial,
            kind=entry["kind"],
            issuer=entry["issuer"],
            subject=entry["subject"],
            identity=entry["identity"],
            issued_at=at,
            not_after=datetime.fromisoformat(entry["notAfter"]),
            fingerprint=entry["fingerprint"],
        )

    def _append(self, entry: dict[str, Any]) -> None:
        line = orjson.dumps(entry) + b"\n"
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = _whole_lines(descriptor)
            os.ftruncate(descriptor, size)
            if os.write(descriptor, line) != len(line):
                os.ftruncate(descriptor, size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        except OSError as error:
            raise _named(error, self._path) from error
        finally:
            os.close(descriptor)


def _whole_lines(descriptor: int) -> int:
    """Return how many bytes of a file are whole lines; a crash may have left half a one."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _LONGEST_LINE, max(0, size - _LONGEST_LINE))
    return size - (len(tail) - tail.rfind(b"\n") - 1)


def written(path: Path, content: bytes, *, secret: bool = False) -> None:
    """Replace a file in one step; a secret one is its owner's alone.

    Raises:
        OSError: It cannot be written; the old one is as it was.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if secret else 0o644)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise _named(error, path) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _named(error: OSError, path: Path) -> OSError:
    """Return an error that names its file: one of a full disk does not by itself."""
    return OSError(error.errno, error.strerror, str(path))
