"""A server's certificate and its key: two files that change in one step.

Between the one file and the other a program may be killed, and a key beside another key's
certificate keeps the next csms from starting. So both are first kept together under a name that
nobody else reads (``.server-ec.pair``); whoever finds that file finishes what was begun.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson
import structlog

from csms.pki.folder import SERVER_PAIRS, CertificateError
from csms.pki.journal import written

_log = structlog.get_logger(__name__)


def write_pair(folder: Path, name: str, *, chain: bytes, key: bytes) -> list[Path]:
    """Write a chain and its key, both or none; returns the files.

    Args:
        folder: Of the listeners.
        name: One of `SERVER_PAIRS`.
        chain: PEM, the server's own certificate first.
        key: PEM.

    Raises:
        OSError: A file cannot be written.
    """
    both = {"chain": chain.decode(), "key": key.decode()}
    written(_kept(folder, name), orjson.dumps(both), secret=True)
    return _finish(folder, name, both)


def finish_pairs(folder: Path) -> None:
    """Write what a program was killed over.

    Raises:
        CertificateError: It cannot be read or written.
    """
    for name in SERVER_PAIRS:
        kept = _kept(folder, name)
        try:
            both = orjson.loads(kept.read_bytes())
            _finish(folder, name, both)
        except (FileNotFoundError, NotADirectoryError):
            continue  # nearly always; or whoever began it has finished it meanwhile
        except (OSError, ValueError, KeyError) as error:
            raise CertificateError(f"{kept} cannot be finished: {error}.") from error
        _log.warning("a certificate that was half written is finished", pair=name)


def _finish(folder: Path, name: str, both: Mapping[str, str]) -> list[Path]:
    chain, key = folder / f"{name}.pem", folder / f"{name}.key"
    written(key, both["key"].encode(), secret=True)
    written(chain, both["chain"].encode())
    _kept(folder, name).unlink(missing_ok=True)
    return [chain, key]


def _kept(folder: Path, name: str) -> Path:
    return folder / f".{name}.pair"
