"""A connector's limit: its own profiles, and its share of what binds the whole charge point.

What connectors share (a ChargePointMaxProfile, the budget of a station with many ports) goes in
equal parts to those that take theirs; what one does not take goes to the others. A charge point may
pass a new limit on step by step: ``Ramp``.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.connector import Connector
from simulator.profiles import Limit
from simulator.supply import floor_tenth
from simulator.vehicle import MINIMUM_AC_A, draw

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator
    from simulator.session import ConnectorSession

LEAST_DC_W = 1.0
"""What a DC port that takes nothing is still offered, so that its vehicle may come back."""


def own_limit(station: "ChargePointSimulator", session: "ConnectorSession") -> Limit | None:
    """Return what the profiles of one connector allow now, None for no limit."""
    if not len(station.profiles):
        return None
    return station.profiles.limit_at(
        session.connector.connector_id,
        station.clock.now(),
        session.connector.supply,
        session.running,
        with_station=False,
    )


def apportion(station: "ChargePointSimulator") -> None:
    """Set the limits of all connectors at once, so that together they never have too much.

    Who gets another limit is settled up to now first, and looks at itself soon.
    """
    sessions = list(station.sessions.values())
    bound = _bound(station)
    parts: dict[int, float] = {}
    if bound is not None:
        takers = sorted(
            (one.connector.transaction.started_at, number)
            for number, one in station.sessions.items()
            if one.connector.transaction is not None
        )
        numbers = [number for _, number in takers]
        wants = [_wanted(station.sessions[number], bound) for number in numbers]
        is_ac = station.settings.supply.native_unit == "A"
        found = shares(bound.value, wants, MINIMUM_AC_A if is_ac else LEAST_DC_W)
        parts = dict(zip(numbers, found, strict=True))
    for session in sessions:
        limit = session.own_limit
        if bound is not None:
            part = parts.get(session.connector.connector_id, bound.value)
            limit = _stricter(limit, Limit(value=floor_tenth(part), phases=bound.phases))
        if limit != session.connector.limit:
            session.settle()
            session.connector.limit = limit
            session.settle()
            session.wake()


def _bound(station: "ChargePointSimulator") -> Limit | None:
    """Return what all connectors share, in their own unit (A of each phase, or W); None: nothing.

    A budget in W counts as evenly spread over the phases.
    """
    supply, budget_w = station.settings.supply, station.settings.budget_w
    bound = None
    if len(station.profiles):
        bound = station.profiles.limit_at(0, station.clock.now(), supply, None)
    if budget_w is None:
        return bound
    return _stricter(bound, Limit(value=supply.convert(budget_w, "W", supply.native_unit, None)))


def _stricter(one: Limit | None, other: Limit) -> Limit:
    if one is None:
        return other
    counts = [limit.phases for limit in (one, other) if limit.phases is not None]
    return Limit(value=min(one.value, other.value), phases=min(counts) if counts else None)


def _wanted(session: "ConnectorSession", bound: Limit) -> float:
    """Return what a connector would take if it shared with nobody, in its supply's own unit."""
    connector = session.connector
    transaction, vehicle = connector.transaction, connector.vehicle
    waits = transaction is not None and not transaction.start_acknowledged
    if vehicle is None or connector.error_code != "NoError" or not (connector.energised or waits):
        return 0.0
    limit = _stricter(session.own_limit, bound)
    flow = draw(vehicle, connector.supply, limit.value, limit.phases)
    return flow.current_a if connector.supply.native_unit == "A" else float(flow.power_w)


def shares(bound: float, wants: Sequence[float], least: float) -> list[float]:
    """Return how ``bound`` is shared: equal parts, but nobody more than what he wants.

    Where not even ``least`` is there for everybody, the first who want something are served and the
    others get nothing. What nobody wants is spread over those who are served.

    >>> shares(30.0, [10.0, 20.0, 4.0], 1.0)
    [10.0, 16.0, 4.0]
    >>> shares(32.0, [16.0, 10.0], 6.0)
    [19.0, 13.0]
    >>> shares(14.0, [0.0, 16.0, 16.0], 6.0)
    [0.0, 7.0, 7.0]
    """
    order = sorted(range(len(wants)), key=lambda one: (wants[one] <= 0, one))
    served = order[: max(1, int(bound / least + 1e-9))]
    parts = [0.0] * len(wants)
    rest = bound
    by_want = sorted(served, key=lambda one: wants[one])
    for count, one in zip(range(len(by_want), 0, -1), by_want, strict=True):
        parts[one] = min(max(wants[one], least), rest / count)
        rest -= parts[one]
    for one in served:
        parts[one] += rest / len(served)
    return parts


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
