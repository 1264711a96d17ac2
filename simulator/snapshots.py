"""A charge point's state at a moment, as watchers get it."""

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.connector import Connector
from simulator.vehicle import Draw


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorState:
    """A connector at a moment: ``limit`` in the supply's unit (A or W), None without a profile."""

    connector_id: int
    status: str
    flow: Draw
    limit: float | None
    offer: float
    register_wh: int
    transaction_id: int | None
    id_tag: str | None
    soc: float | None
    has_vehicle: bool

    @property
    def power_w(self) -> int:
        """Power that flows, W."""
        return self.flow.power_w


@dataclass(frozen=True, slots=True, kw_only=True)
class StationState:
    """A charge point at a moment: connectors by number, and messages that wait for an answer."""

    identity: str
    is_connected: bool
    is_registered: bool
    registration: str | None
    connectors: Mapping[int, ConnectorState]
    waiting_messages: int


def connector_state(connector: Connector) -> ConnectorState:
    """Return a connector as it is since it was advanced last."""
    transaction = connector.transaction
    return ConnectorState(
        connector_id=connector.connector_id,
        status=connector.status,
        flow=connector.flow,
        limit=connector.limit.value if connector.limit is not None else None,
        offer=connector.offer,
        register_wh=connector.meter.register_wh,
        transaction_id=transaction.transaction_id if transaction is not None else None,
        id_tag=transaction.id_tag if transaction is not None else None,
        soc=connector.vehicle.soc if connector.vehicle is not None else None,
        has_vehicle=connector.vehicle is not None,
    )
