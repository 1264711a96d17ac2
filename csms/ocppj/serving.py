"""What serving a call of a charge point needs and gives back."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from csms.domain.charge_points import ChargePointRecord
from csms.errors import DatabaseAway
from csms.ocppj.call_errors import Refused
from csms.ocppj.messages import Source
from csms.ocppj.repairs.tolerance import Tolerance
from csms.services.intake import Fact


@dataclass(slots=True, eq=False)
class Station:
    """What a connection knows of its charge point.

    Attributes:
        record: Renewed when the registration changes, by a boot or by an operator.
        triggered_until: Monotonic time until which a pending station may send triggered messages.
        tolerance: The repairs of its connection; None: those of the process.
    """

    record: ChargePointRecord
    triggered_until: float = 0.0
    tolerance: Tolerance | None = None


Answer = dict[str, Any]


@dataclass(slots=True, eq=False)
class Kept:
    """A fact to be made durable, and what its outcome is answered with."""

    fact: Fact
    answer: Callable[[Station, Any], Answer]


Later = Callable[[], Coroutine[Any, Any, Answer]]
Done = Callable[[Answer | Refused | DatabaseAway, tuple[str, ...]], None]
"""Takes how a call is to be answered, and the repairs that it needed."""

Handler = Callable[[Station, Mapping[str, Any], Source], Answer | Kept | Later]
