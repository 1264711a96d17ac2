"""What a connector can give: kind of current, phases, voltage and rated power.

Pure. The conversions between A and W of charging limits live here because they depend on nothing
else.
"""

import math
from dataclasses import dataclass
from typing import Literal

CurrentType = Literal["AC", "DC"]
RateUnit = Literal["A", "W"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """The electrical rating of one connector.

    Attributes:
        current_type: AC (limits act as current per phase) or DC (limits act as power).
        phases: 1 or 3 for AC; counts as 1 for DC.
        voltage_v: phase voltage for AC, nominal output voltage for DC.
        max_w: rated power in W, all phases together.
        sag_v: how much the voltage at the outlet falls at rated current (AC).
        cable_mohm: resistance of one conductor of the cable in mOhm; the meter stands before it.
        efficiency: power at the meter per power from the grid; below 1 for a rectifier.
        standby_w: what the electronics of the connector take from the grid at all times.
    """

    current_type: CurrentType = "AC"
    phases: int = 3
    voltage_v: int = 230
    max_w: int = 22_080
    sag_v: float = 0.0
    cable_mohm: float = 0.0
    efficiency: float = 1.0
    standby_w: int = 0

    @property
    def wires(self) -> int:
        """Number of conductors that a current per phase counts for."""
        return self.phases if self.current_type == "AC" else 1

    @property
    def max_a(self) -> float:
        """Rated current per phase, floored to 0.1 A."""
        return floor_tenth(self.max_w / (self.voltage_v * self.wires))

    @property
    def native_unit(self) -> RateUnit:
        """The unit in which this connector enforces a limit."""
        return "A" if self.current_type == "AC" else "W"

    def convert(self, limit: float, unit: RateUnit, to: RateUnit, phases: int | None) -> float:
        """Return ``limit`` in unit ``to``; W are for all phases, A per phase (OCPP 1.6 7.14).

        Args:
            limit: a charging limit in ``unit``.
            unit: the unit of ``limit``.
            to: the wanted unit.
            phases: ``numberPhases`` of the schedule period; absent means 3, and never more than
                there are.

        >>> Supply(phases=3).convert(11_040, "W", "A", None)
        16.0
        >>> Supply(phases=1, max_w=7360).convert(16, "A", "W", None)
        3680.0
        """
        if unit == to:
            return float(limit)
        volts = self.voltage_v * min(self.wires, phases or 3)
        return float(limit * volts) if to == "W" else limit / volts


def floor_tenth(value: float) -> float:
    """Return ``value`` floored to one decimal, forgiving the last bits of binary fractions.

    >>> floor_tenth(15.96), floor_tenth(2.3)
    (15.9, 2.3)
    """
    return math.floor(value * 10 + 1e-6) / 10
