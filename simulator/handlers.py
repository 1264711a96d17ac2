"""All handlers together on one connection."""

from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection

from simulator.handlers_charging import ChargingHandlers
from simulator.handlers_core import CoreHandlers
from simulator.handlers_maintenance import MaintenanceHandlers

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator


class Session(CoreHandlers, ChargingHandlers, MaintenanceHandlers):
    """A charge point's conversation on one open WebSocket."""

    def __init__(self, station: "ChargePointSimulator", connection: ClientConnection) -> None:
        self._network = station.new_network()
        super().__init__(
            station.identity,
            connection,
            response_timeout_s=station.settings.response_timeout_s,
            spawn=station.spawn,
            give_way=lambda: station.clock.sleep(0),
            on_call=lambda action: station.emit("received", action=action),
            temper=station.temper,
            sleep=station.clock.sleep,
            send=self._network.send if self._network is not None else ClientConnection.send,
        )
        self.station = station

    async def route_message(self, raw_msg: str | bytes) -> None:
        """Handle one frame, unless the network has let nothing through."""
        if self._network is None or not self._network.is_stalled:
            await super().route_message(raw_msg)

    async def read(self) -> None:
        """Handle incoming frames one by one until the connection is closed.

        Raises:
            ConnectionClosed: the connection has ended.
        """
        untyped: Any = self
        await untyped.start()
