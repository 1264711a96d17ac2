"""Ctrl-C while a command still loads its modules, which takes most of its start."""

from __future__ import annotations

import subprocess
import sys

import pytest

_INTERRUPTED = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1] + ".cli":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from {package}.__main__ import main
main()
"""


@pytest.mark.parametrize("package", ["csms", "simulator"])
def test_it_ends_without_a_traceback(package):
    end = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED.format(package=package), package],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (end.returncode, end.stdout, end.stderr) == (130, "", "")
