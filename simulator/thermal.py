"""The temperature of one connector's power electronics, and the derating that it brings.

First order: losses heat, the difference to the surroundings cools. Pure but for its own state.
"""

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
