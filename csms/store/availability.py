"""What connectors were told by ChangeAvailability; see `csms.services.ports.availability`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.ids import ChargePointKey
from csms.services.ports.availability import AvailabilityType
from csms.store import state_tables

_T = state_tables.availability_orders

# A scheduled order is carried out on a connector once that has told of a status that fits it.
_ORDERS = text("""
SELECT a.charge_point_id, a.connector_id, a.type, a.scheduled, a.told_at, ARRAY(
    SELECT h.connector_id FROM connector_statuses h
    WHERE a.scheduled AND h.charge_point_id = a.charge_point_id AND h.received_at > a.told_at
      AND NOT h.late AND (h.status = 'Unavailable') = (a.type = 'Inoperative')
    UNION
    SELECT c.connector_id FROM connectors c
    WHERE a.scheduled AND c.charge_point_id = a.charge_point_id AND c.received_at > a.told_at
      AND (c.status = 'Unavailable') = (a.type = 'Inoperative')
) AS done
FROM availability_orders a WHERE a.charge_point_id = ANY(CAST(:keys AS bigint[]))
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The newest order of a connector, or of the whole charge point.

    Attributes:
        done: The connectors that have carried it out; of no meaning unless it is scheduled.
    """

    type: str
    scheduled: bool
    told_at: datetime
    done: frozenset[int]


class AvailabilityOrders:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def keep(
        self,
        charge_point: ChargePointKey,
        connector_id: int,
        kind: AvailabilityType,
        *,
        scheduled: bool,
        told_at: datetime,
    ) -> None:
        """See the port."""
        values = {"type": kind, "scheduled": scheduled, "told_at": told_at}
        statement = insert(_T).values(
            charge_point_id=charge_point, connector_id=connector_id, **values
        )
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[_T.c.charge_point_id, _T.c.connector_id],
                set_=values,
                where=_T.c.told_at <= statement.excluded.told_at,
            )
        )


async def orders_of(
    connection: AsyncConnection, keys: Collection[int]
) -> Mapping[int, dict[int, Order]]:
    """Return the newest orders of charge points: key -> connector (0: all) -> order."""
    found: dict[int, dict[int, Order]] = defaultdict(dict)
    for row in await connection.execute(_ORDERS, {"keys": list(keys)}):
        found[row.charge_point_id][row.connector_id] = Order(
            type=row.type,
            scheduled=row.scheduled,
            told_at=row.told_at,
            done=frozenset(row.done),
        )
    return found


def order_for(
    number: int, orders: Mapping[int, Order], numbers: Collection[int]
) -> tuple[str | None, bool]:
    """Return what a connector is to be, and whether it still has to become so.

    Args:
        number: Of the connector; 0: the charge point as a whole.
        orders: Of its charge point.
        numbers: All its connectors.
    """
    known = [orders[each] for each in {number, 0} if each in orders]
    if not known:
        return None, False
    order = max(known, key=lambda each: each.told_at)
    others = {each for each in numbers if each != 0}
    done = number in order.done or (number == 0 and bool(others) and others <= order.done)
    return order.type, order.scheduled and not done
