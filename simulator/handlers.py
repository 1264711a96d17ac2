"""All handlers together on one connection."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection

from simulator.handlers_charging import ChargingHandlers
from simulator.handlers_core import CoreHandlers
from simulator.handlers_maintenance import MaintenanceHandlers
from simulator.handlers_security import SecurityHandlers
from simulator.rpc import not_supported

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator


PROFILE_OF: Mapping[str, str] = {
    "GetDiagnostics": "FirmwareManagement",
    "UpdateFirmware": "FirmwareManagement",
    "ReserveNow": "Reservation",
    "CancelReservation": "Reservation",
    "SetChargingProfile": "SmartCharging",
    "ClearChargingProfile": "SmartCharging",
    "GetCompositeSchedule": "SmartCharging",
    "TriggerMessage": "RemoteTrigger",
}
"""Calls that need a feature profile; the local list's have answers of their own."""


class Session(CoreHandlers, ChargingHandlers, MaintenanceHandlers, SecurityHandlers):
    """A charge point's conversation on one open WebSocket."""

    def __init__(self, station: "ChargePointSimulator", connection: ClientConnection) -> None:
        self._network = station.new_network()
        super().__init__(
            station.identity,
            connection,
            response_timeout_s=station.response_timeout_s,
            spawn=station.spawn,
            give_way=lambda: station.clock.sleep(0),
            on_call=self._check_call,
            on_suspicion=station.security_log.record,
            temper=station.temper,
            sleep=station.clock.sleep,
            send=self._keep_and_send,
        )
        self.station = station

    async def _keep_and_send(self, connection: ClientConnection, text: str) -> None:
        """Send a frame; what it tells is kept first."""
        self.station.keep()
        if self._network is not None:
            await self._network.send(connection, text)
        else:
            await connection.send(text)

    def _check_call(self, action: str) -> None:
        """Tell watchers of a call; refuse one of a feature profile that is not supported."""
        self.station.emit("received", action=action)
        needed = PROFILE_OF.get(action)
        if needed and needed not in self.station.configuration.items("SupportedFeatureProfiles"):
            raise not_supported(f"{needed} is not supported")

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
