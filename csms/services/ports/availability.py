"""The port of the store for what connectors were told by ChangeAvailability."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

from csms.domain.ids import ChargePointKey

AvailabilityType = Literal["Operative", "Inoperative"]


class AvailabilityOrders(Protocol):
    """The newest order of each connector; connector 0 stands for all of the charge point."""

    async def keep(
        self,
        charge_point: ChargePointKey,
        connector_id: int,
        kind: AvailabilityType,
        *,
        scheduled: bool,
        told_at: datetime,
    ) -> None:
        """Note an order that was taken, at once or for when the transaction is over."""
        ...
