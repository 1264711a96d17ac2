"""A connector's limit: charging profiles, and the budget that connectors share in equal parts.

A charge point may pass a new limit on step by step: ``Ramp``.
"""

import math
from typing import TYPE_CHECKING

from simulator.connector import Connector
from simulator.profiles import Limit
from simulator.supply import floor_tenth

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator
    from simulator.session import ConnectorSession


def limit_for(station: "ChargePointSimulator", session: "ConnectorSession") -> Limit | None:
    """Return a connector's limit now, None for none; transactions share what is the station's."""
    budget_w = station.settings.budget_w
    if not len(station.profiles) and budget_w is None:
        return None
    sharing = sum(1 for other in station.sessions.values() if other.connector.transaction)
    supply = session.connector.supply
    limit = station.profiles.limit_at(
        session.connector.connector_id,
        station.clock.now(),
        supply,
        session.running,
        sharing=sharing,
    )
    if budget_w is None:
        return limit
    part = supply.convert(budget_w / max(1, sharing), "W", supply.native_unit, None)
    if limit is not None and limit.value <= part:
        return limit
    return Limit(value=floor_tenth(part), phases=limit.phases if limit is not None else None)


RAMP_STEP_S = 1.0


class Ramp:
    """Moves a connector's limit to the next one in equal steps, as soft starts do.

    Args:
        duration_s: how long it takes; 0 moves at once.
    """

    def __init__(self, duration_s: float) -> None:
        self._duration_s = duration_s
        self._target: Limit | None = None
        self._from = 0.0
        self._since = -math.inf

    def towards(self, target: Limit | None, connector: Connector, moment: float) -> Limit | None:
        """Return the limit at ``moment`` (monotonic seconds) on the way to ``target``.

        What counts from is the offer of the moment in which the target changed; without a
        transaction nobody is led anywhere.
        """
        if self._duration_s <= 0 or connector.transaction is None:
            self._target, self._since = target, -math.inf
            return target
        if target != self._target:
            self._from, self._since, self._target = connector.offer, moment, target
        passed = moment - self._since
        if passed >= self._duration_s:
            return target
        supply = connector.supply
        rating = supply.max_a if supply.native_unit == "A" else float(supply.max_w)
        goal = rating if target is None else min(rating, target.value)
        steps = math.floor(passed / RAMP_STEP_S) * RAMP_STEP_S / self._duration_s
        value = floor_tenth(self._from + (goal - self._from) * steps)
        return Limit(value=value, phases=target.phases if target is not None else None)

    def seconds_until_due(self, moment: float) -> float:
        """Return when the next step is due, infinity for none."""
        passed = moment - self._since
        if passed >= self._duration_s:
            return math.inf
        return max(0.001, RAMP_STEP_S - passed % RAMP_STEP_S)
