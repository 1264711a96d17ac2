"""Named repairs: how tolerant stations' deviations are taken in, one rule each, all counted.

Nothing here runs for what is well-formed, nor for a strict station. The raw frame is kept in the
message log with the names of the repairs that it needed and the payload that they made of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from csms.metrics import METRICS
from csms.ocppj.repairs.catalogue import (
    MISSING_SUBPROTOCOL,
    SUBPROTOCOL_CASE,
    TIME_WITHOUT_ZONE,
)

__all__ = ["COUNTS", "MISSING_SUBPROTOCOL", "SUBPROTOCOL_CASE", "TIME_WITHOUT_ZONE", "count"]

COUNTS = METRICS.repairs
"""How often each repair was needed in this process."""


def count(names: Iterable[str]) -> None:
    """Count repairs that were just applied."""
    for name in names:
        COUNTS[name] += 1
