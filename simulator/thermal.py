"""Temperatures, and the derating that they bring: a connector's electronics, a vehicle's battery.

First order: losses heat, the difference to the surroundings cools. Pure but for their own state.
"""

import itertools
import math
from dataclasses import dataclass

RISE_AT_RATING_C = 35.0
"""How much warmer than its surroundings a charger gets at its rating, in the end."""

TIME_CONSTANT_S = 900.0
DERATES_FROM_C = 75.0
STOPS_AT_C = 90.0
RESUMES_BELOW_C = 70.0


@dataclass(slots=True, kw_only=True)
class Thermal:
    """One connector's temperature.

    Attributes:
        ambient_c: of the surroundings.
        celsius: of the electronics.
        has_tripped: it was too hot, and has not cooled down yet.
    """

    ambient_c: float = 20.0
    celsius: float = 20.0
    has_tripped: bool = False

    @property
    def share(self) -> float:
        """The share of its rating that the charger gives at this temperature, 0..1.

        Full to ``DERATES_FROM_C``, then falling to nothing at ``STOPS_AT_C``.

        >>> Thermal(celsius=40.0).share, Thermal(celsius=82.5).share, Thermal(celsius=95.0).share
        (1.0, 0.5, 0.0)
        """
        over = (self.celsius - DERATES_FROM_C) / (STOPS_AT_C - DERATES_FROM_C)
        return min(1.0, max(0.0, 1.0 - over))

    def pass_time(self, power_w: float, rating_w: float, seconds: float) -> None:
        """Let ``power_w`` heat for ``seconds``; losses grow with the square of the load."""
        load = power_w / rating_w if rating_w > 0 else 0.0
        goal = self.ambient_c + RISE_AT_RATING_C * load * load
        self.celsius = goal + (self.celsius - goal) * math.exp(-seconds / TIME_CONSTANT_S)
        if self.celsius >= STOPS_AT_C:
            self.has_tripped = True
        elif self.celsius < RESUMES_BELOW_C:
            self.has_tripped = False


BATTERY_SHARES = ((-20.0, 0.05), (0.0, 0.3), (15.0, 1.0), (45.0, 1.0), (60.0, 0.0))
"""Battery temperature in degrees Celsius, and the share of its power that it takes there."""

HEAT_AT_1C = 0.02
"""Share of its power that a battery turns into heat when it fills in an hour; grows with power."""

JOULE_PER_K_AND_WH = 6.7
"""Heat that a battery holds for each Wh of its capacity (1 kJ/kg K, 150 Wh/kg)."""

BATTERY_TIME_CONSTANT_S = 7200.0


def battery_share(celsius: float) -> float:
    """Return the share of its power that a battery takes at this temperature, 0..1.

    >>> [round(battery_share(celsius), 2) for celsius in (-30, -10, 0, 20, 50, 70)]
    [0.05, 0.17, 0.3, 1.0, 0.67, 0.0]
    """
    if celsius <= BATTERY_SHARES[0][0]:
        return BATTERY_SHARES[0][1]
    for (low, at_low), (high, at_high) in itertools.pairwise(BATTERY_SHARES):
        if celsius <= high:
            return at_low + (at_high - at_low) * (celsius - low) / (high - low)
    return BATTERY_SHARES[-1][1]


def battery_after(
    celsius: float, ambient_c: float, power_w: float, battery_wh: int, seconds: float
) -> float:
    """Return a battery's temperature after ``power_w`` for ``seconds``.

    >>> round(battery_after(20, 20, 50_000, 50_000, 600), 1), battery_after(35, 20, 0, 500, 1e9)
    (21.7, 20.0)
    """
    heat_w = HEAT_AT_1C * power_w * power_w / battery_wh
    # Where heating and cooling are in balance.
    goal = ambient_c + heat_w * BATTERY_TIME_CONSTANT_S / (JOULE_PER_K_AND_WH * battery_wh)
    return goal + (celsius - goal) * math.exp(-seconds / BATTERY_TIME_CONSTANT_S)
