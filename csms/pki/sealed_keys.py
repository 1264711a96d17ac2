"""Certificates and keys for a backup: sealed under a passphrase, and put back.

A backup without them holds secrets too, but nothing that could make a charge point or a server: so
they go in under a passphrase only, which is kept elsewhere (AES-256-GCM, key by scrypt).
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from csms.errors import StartError
from csms.pki.journal import written

_MAGIC = b"csms keys 1\n"
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32
_SCRYPT = {"n": 2**15, "r": 8, "p": 1}  # a tenth of a second, 32 MB
_LEAST_PASSPHRASE = 12
_LARGEST = 50_000_000
_SECRET = frozenset({".key", ""})  # the journal has no ending


class KeysRefused(StartError):
    """Keys cannot be sealed, opened or put back; one sentence says why."""


def passphrase_of(file: Path) -> bytes:
    """Return the passphrase that a file holds, without the line's end.

    Raises:
        KeysRefused: It cannot be read, or is too short.
    """
    try:
        found = file.read_bytes().strip()
    except OSError as error:
        raise KeysRefused(f"{file} cannot be read: {error.strerror}.") from error
    if len(found) < _LEAST_PASSPHRASE:
        raise KeysRefused(f"The passphrase in {file} has less than {_LEAST_PASSPHRASE} characters.")
    return found


def files_of(folders: Mapping[str, Path]) -> dict[str, bytes]:
    """Return the files of some folders by ``folder/name``; folders in them are left out.

    Raises:
        KeysRefused: One cannot be read, or all are too much.
    """
    found: dict[str, bytes] = {}
    for name, folder in sorted(folders.items()):
        try:
            paths = sorted(folder.iterdir()) if folder.is_dir() else []
            for path in paths:
                if path.is_file() and not path.name.startswith("."):
                    found[f"{name}/{path.name}"] = path.read_bytes()
        except OSError as error:
            raise KeysRefused(f"{error.filename} cannot be read: {error.strerror}.") from error
    if sum(map(len, found.values())) > _LARGEST:
        raise KeysRefused(f"The certificates and keys are more than {_LARGEST} bytes.")
    return found


def seal(files: Mapping[str, bytes], passphrase: bytes) -> bytes:
    """Return files as bytes that only the passphrase opens."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    sealed = AESGCM(_key(passphrase, salt)).encrypt(nonce, plain.getvalue(), _MAGIC)
    return _MAGIC + salt + nonce + sealed


def unseal(sealed: bytes, passphrase: bytes) -> dict[str, bytes]:
    """Return the files by ``folder/name``.

    Raises:
        KeysRefused: The passphrase is another one, or the bytes are damaged.
    """
    head = len(_MAGIC)
    salt = sealed[head : head + _SALT_BYTES]
    nonce = sealed[head + _SALT_BYTES : head + _SALT_BYTES + _NONCE_BYTES]
    body = sealed[head + _SALT_BYTES + _NONCE_BYTES :]
    if not sealed.startswith(_MAGIC) or not body:
        raise KeysRefused("The keys in the backup are damaged; nothing was changed.")
    try:
        plain = AESGCM(_key(passphrase, salt)).decrypt(nonce, body, _MAGIC)
    except InvalidTag as error:
        raise KeysRefused(
            "The keys in the backup cannot be opened: the passphrase is another one, or they are"
            " damaged; nothing was changed."
        ) from error
    found = {}
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        for entry in archive:
            member = archive.extractfile(entry)
            if member is not None:
                found[entry.name] = member.read()
    return found


def differing(files: Mapping[str, bytes], folders: Mapping[str, Path]) -> list[Path]:
    """Return the files that are there with other content.

    Raises:
        KeysRefused: One cannot be read.
    """
    found = []
    for path, content in _placed(files, folders).items():
        try:
            if path.read_bytes() != content:
                found.append(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise KeysRefused(f"{path} cannot be read: {error.strerror}.") from error
    return found


def put_back(files: Mapping[str, bytes], folders: Mapping[str, Path]) -> int:
    """Write the files to their folders, each in one step; returns how many.

    Raises:
        KeysRefused: One cannot be written.
    """
    placed = _placed(files, folders)
    for path, content in placed.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            written(path, content, secret=path.suffix in _SECRET)
        except OSError as error:
            raise KeysRefused(f"{path} cannot be written: {error.strerror}.") from error
    return len(placed)


def _placed(files: Mapping[str, bytes], folders: Mapping[str, Path]) -> dict[Path, bytes]:
    placed = {}
    for name, content in files.items():
        folder, _, file = name.partition("/")
        if folder not in folders or PurePosixPath(file).name != file or file in ("", "..", "."):
            raise KeysRefused("The keys in the backup are damaged; nothing was changed.")
        placed[folders[folder] / file] = content
    return placed


def _key(passphrase: bytes, salt: bytes) -> bytes:
    kdf = Scrypt(salt=salt, length=_KEY_BYTES, n=_SCRYPT["n"], r=_SCRYPT["r"], p=_SCRYPT["p"])
    return kdf.derive(passphrase)
