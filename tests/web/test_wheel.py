"""The wheel: whoever installs it has the cockpit, and none of what it is made from."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from csms.web.build import DIST, build

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    build()
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.mark.slow
def test_the_wheel_holds_the_built_ui_and_no_source_of_it(wheel):
    names = set(wheel.namelist())
    index = wheel.read("csms/web/dist/index.html").decode()
    assets = re.findall(r'(?:src|href)="/(assets/[^"]+)"', index)
    assert assets
    assert {f"csms/web/dist/{asset}" for asset in assets} <= names
    here = {f"csms/web/dist/{path.relative_to(DIST)}" for path in DIST.rglob("*") if path.is_file()}
    beside = {name for name in names if name.startswith("csms/web/")} - here
    assert beside == {"csms/web/__init__.py"}


@pytest.mark.slow
def test_an_installed_csms_finds_its_ui(wheel, tmp_path):
    wheel.extractall(tmp_path)
    program = (
        "import csms, pathlib; from csms.api.web import Web; "
        "folder = pathlib.Path(csms.__file__).parent / 'web' / 'dist'; "
        "print(folder, Web(folder).built)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(tmp_path / "csms" / "web" / "dist"), "True"]
