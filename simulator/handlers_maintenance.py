"""Answers to the FirmwareManagement calls of the central system (OCPP 1.6 5.9, 5.19)."""

from typing import TYPE_CHECKING

from ocpp.v16 import call_result

from simulator.firmware import Update
from simulator.rpc import RpcSession, handles, moment, not_supported
from simulator.uploads import Upload

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator


class MaintenanceHandlers(RpcSession):
    """Diagnostics and firmware without signatures."""

    station: "ChargePointSimulator"

    @handles("GetDiagnostics")
    def on_get_diagnostics(
        self,
        location: str,
        retries: int = 0,
        retry_interval: int = 0,
        start_time: str | None = None,
        stop_time: str | None = None,
    ) -> call_result.GetDiagnostics:
        """Name the file, then upload it and report that."""
        job = Upload(
            location=location,
            name=f"diagnostics-{self.station.identity}.log",
            retries=retries,
            interval_s=retry_interval,
            since=moment(start_time) if start_time else None,
            until=moment(stop_time) if stop_time else None,
        )
        self.follow_up(lambda: self.station.uploads.send_diagnostics(job))
        return call_result.GetDiagnostics(file_name=job.name)

    @handles("UpdateFirmware")
    def on_update_firmware(
        self, location: str, retrieve_date: str, retries: int = 0, retry_interval: int = 0
    ) -> call_result.UpdateFirmware:
        """Answer, then update from ``retrieve_date`` on.

        Raises:
            OCPPError: NotSupported, signed firmware only (whitepaper L01.FR.20).
        """
        if self.station.settings.signed_firmware_only:
            raise not_supported("only SignedUpdateFirmware is taken")
        update = Update(
            location=location,
            retrieve_at=moment(retrieve_date),
            retries=retries,
            interval_s=retry_interval,
        )
        if self.station.firmware.make_room() != "Rejected":
            self.follow_up(lambda: self.station.firmware.run(update))
        return call_result.UpdateFirmware()
