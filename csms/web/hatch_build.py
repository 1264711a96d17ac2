"""Hook of hatchling: a wheel holds the built UI. An editable install finds it in its folder."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebBuild(BuildHookInterface[Any]):
    """Builds the UI before the wheel is packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, unless this is an editable install, where `make` and developers do it."""
        del build_data
        if version != "editable":
            runpy.run_path(str(Path(self.root) / "csms" / "web" / "build.py"))["build"]()
