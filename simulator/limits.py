"""A connector's limit: charging profiles, and the budget that connectors share in equal parts."""

from typing import TYPE_CHECKING

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
