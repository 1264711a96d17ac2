"""What charge points keep without power: one SQLite file for all of a folder's charge points.

Owns that a write is there as a whole or not at all, whenever the process is killed, and that two
simulators never share a folder. What is worth keeping stands in :mod:`simulator.keeping`. A write
is not forced through the machine's own caches: it outlives the process, not always the machine.
"""

import json
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from simulator.errors import StateError

FILE = "stations.sqlite"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (
    station TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (station, name)
) WITHOUT ROWID
"""
_WRITE = """
INSERT INTO facts VALUES (?, ?, ?)
ON CONFLICT (station, name) DO UPDATE SET value = excluded.value
"""


class Flash:
    """The folder's file, open; a context manager.

    Args:
        folder: made when it is not there; its files can be read by this user alone, for keys and
            passwords are in them.

    Raises:
        StateError: the folder cannot be used, or another simulator is using it.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            self._file = sqlite3.connect(self._path, timeout=0, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise StateError(f"{folder}: {error}") from error
        try:
            self._file.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = NORMAL")
            self._file.execute("BEGIN IMMEDIATE")
            self._file.execute(_SCHEMA)
            self._file.execute("COMMIT")
        except sqlite3.Error as error:
            self._file.close()
            busy = "locked" in str(error)
            why = "another simulator is using it" if busy else f"{FILE}: {error}"
            raise StateError(f"{folder}: {why}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def of(self, identity: str) -> "Memory":
        """Return one charge point's part."""
        return Memory(self, identity)

    def read(self, station: str) -> dict[str, Any]:
        """Return all facts of a charge point by name, decoded.

        Raises:
            StateError: the file is damaged.
        """
        try:
            rows = self._file.execute(
                "SELECT name, value FROM facts WHERE station = ? ORDER BY name", (station,)
            ).fetchall()
            return {name: json.loads(value) for name, value in rows}
        except (sqlite3.Error, ValueError) as error:
            raise StateError(f"{self._path}: {error}") from error

    def write(self, station: str, changes: Mapping[str, str | None]) -> None:
        """Put encoded facts in place, or remove those that are None: all of them, or none.

        Raises:
            StateError: they cannot be written; the disk may be full.
        """
        kept = [(station, name, value) for name, value in changes.items() if value is not None]
        gone = [(station, name) for name, value in changes.items() if value is None]
        try:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.executemany(_WRITE, kept)
            self._file.executemany("DELETE FROM facts WHERE station = ? AND name = ?", gone)
            self._file.execute("COMMIT")
        except sqlite3.Error as error:
            if self._file.in_transaction:
                self._file.execute("ROLLBACK")
            raise StateError(f"{self._path}: {error}") from error


class Memory:
    """One charge point's part of the flash; writes only what has changed.

    Args:
        flash: where it is.
        station: the charge point's identity.
    """

    def __init__(self, flash: Flash, station: str) -> None:
        self._flash = flash
        self._station = station
        self._written: dict[str, str] = {}

    def read(self) -> dict[str, Any]:
        """Return all facts by name, decoded.

        Raises:
            StateError: the file is damaged.
        """
        facts = self._flash.read(self._station)
        self._written = {name: _encoded(value) for name, value in facts.items()}
        return facts

    def write(self, facts: Mapping[str, Any]) -> None:
        """Put facts in place together, remove those that are None; equal ones cost nothing.

        Raises:
            StateError: they cannot be written.
        """
        changes: dict[str, str | None] = {}
        for name, value in facts.items():
            text = None if value is None else _encoded(value)
            if text != self._written.get(name):
                changes[name] = text
        if not changes:
            return
        self._flash.write(self._station, changes)
        for name, text in changes.items():
            if text is None:
                self._written.pop(name, None)
            else:
                self._written[name] = text


def _encoded(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
