"""Named repairs: how tolerant stations' deviations are taken in, one rule each, all counted.

A strict station gets none of them. The raw frame is kept in the message log together with the
names of the repairs that it needed.
"""

from __future__ import annotations

from collections.abc import Callable

from csms.metrics import METRICS
from csms.ocppj.schemas import Problem

MISSING_SUBPROTOCOL = "missing_subprotocol"
SUBPROTOCOL_CASE = "subprotocol_case"
TIME_WITHOUT_ZONE = "time_without_zone"

COUNTS = METRICS.repairs
"""How often each repair was needed in this process."""


def count(names: tuple[str, ...]) -> None:
    """Count repairs that were just applied."""
    for name in names:
        COUNTS[name] += 1


def excuse(action: str, problems: list[Problem]) -> tuple[str, ...] | None:
    """Return the names of the repairs that make these problems harmless, or None.

    The payload is then taken as it is.
    """
    names: dict[str, None] = {}
    for problem in problems:
        name = next((name for name, rule in _RULES.items() if rule(action, problem)), None)
        if name is None:
            return None
        names[name] = None
    return tuple(names)


def _hertz(action: str, problem: Problem) -> bool:
    # the unit is in the enumeration of MeterValues, but the schema of StopTransaction forgot it
    return (
        action == "StopTransaction"
        and problem.keyword == "Enum"
        and problem.path[-1] == "unit"
        and problem.value == "Hertz"
    )


def _nothing_measured(action: str, problem: Problem) -> bool:
    # a MeterValues that was triggered may have nothing to tell (M57)
    return action == "MeterValues" and problem.keyword == "MinItems"


_RULES: dict[str, Callable[[str, Problem], bool]] = {
    "hertz_in_stop_transaction": _hertz,
    "nothing_measured": _nothing_measured,
}
