"""Scenarios: a fleet, how fast it lives and for how long, in a small YAML file.

YAML::

    title: Workday at a depot
    about: What is to be seen.
    speed: 60            how many times faster vehicles live (default 1)
    durationS: 900       how long it is played (default: until Ctrl-C)
    fleet: ...           as in the fleet file, see simulator/fleet_file.py

Ready ones stand in ``simulator/scenarios``.
"""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulator.errors import FleetError
from simulator.fleet_file import FleetPlan, faults_of


class Scenario(BaseModel):
    """A scenario as its file describes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[str, Field(min_length=1, max_length=100)]
    about: str = ""
    speed: Annotated[float, Field(ge=1, le=10_000)] = 1.0
    durationS: Annotated[float, Field(gt=0)] | None = None
    fleet: FleetPlan


def ready_scenarios() -> Mapping[str, Scenario]:
    """Return the scenarios that come with the simulator, by name."""
    folder = resources.files("simulator") / "scenarios"
    found = sorted(one.name for one in folder.iterdir() if one.name.endswith(".yaml"))
    return {
        name.removesuffix(".yaml"): parse_scenario((folder / name).read_text(encoding="utf-8"))
        for name in found
    }


def find_scenario(name: str) -> Scenario:
    """Return a ready scenario by its name, or the one in a file.

    Raises:
        FleetError: there is neither, or it describes no scenario; one text a fault.
    """
    ready = ready_scenarios()
    if name in ready:
        return ready[name]
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(ready)
        raise FleetError([f"{name}: no such file, and none of {known}"]) from error
    return parse_scenario(text)


def parse_scenario(text: str) -> Scenario:
    """Return the scenario that a YAML text describes.

    Raises:
        FleetError: with one text a fault.
    """
    load: Any = yaml.safe_load  # PyYAML has no types
    try:
        return Scenario.model_validate(load(text))
    except yaml.YAMLError as error:
        raise FleetError([f"not YAML: {error}"]) from error
    except ValidationError as error:
        raise FleetError(faults_of(error)) from error
