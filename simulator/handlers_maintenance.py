"""Answers to the FirmwareManagement calls and the security extension's calls of the central system.

Files are really fetched and sent; installing firmware is played. It keeps no certificates, and says
so.
"""

from typing import TYPE_CHECKING, Any

from ocpp.v16 import call_result, enums

from simulator.chores import update_firmware, upload_diagnostics, upload_log
from simulator.clock import parse_iso
from simulator.rpc import RpcSession, handles

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator


class MaintenanceHandlers(RpcSession):
    """Diagnostics, firmware, logs and certificates."""

    station: "ChargePointSimulator"

    @handles("GetDiagnostics")
    def on_get_diagnostics(
        self, location: str, retries: int = 0, retry_interval: int = 0, **window: Any
    ) -> call_result.GetDiagnostics:
        """Name the file, then upload it and report that."""
        del window
        name = f"diagnostics-{self.station.identity}.log"
        self.follow_up(
            lambda: upload_diagnostics(self.station, location, name, retries, retry_interval)
        )
        return call_result.GetDiagnostics(file_name=name)

    @handles("UpdateFirmware")
    def on_update_firmware(
        self, location: str, retrieve_date: str, retries: int = 0, retry_interval: int = 0
    ) -> call_result.UpdateFirmware:
        """Answer, then update from ``retrieve_date`` on."""
        at = parse_iso(retrieve_date)
        self.follow_up(lambda: update_firmware(self.station, location, at, retries, retry_interval))
        return call_result.UpdateFirmware()

    @handles("GetLog")
    def on_get_log(
        self,
        log: dict[str, Any],
        log_type: str,
        request_id: int,
        retries: int = 0,
        retry_interval: int = 0,
    ) -> call_result.GetLog:
        """Name the file, then upload it and report that under the request's id."""
        name = f"{log_type}-{self.station.identity}.log"
        location = str(log["remote_location"])
        self.follow_up(
            lambda: upload_log(self.station, request_id, location, name, retries, retry_interval)
        )
        return call_result.GetLog(status=enums.LogStatus.accepted, filename=name)

    @handles("SignedUpdateFirmware")
    def on_signed_update_firmware(self, **request: Any) -> call_result.SignedUpdateFirmware:
        """Reject: there is no key to check a signature with."""
        del request
        return call_result.SignedUpdateFirmware(status=enums.UpdateFirmwareStatus.rejected)

    @handles("InstallCertificate")
    def on_install_certificate(self, **request: Any) -> call_result.InstallCertificate:
        """Reject: there is no certificate store."""
        del request
        return call_result.InstallCertificate(status=enums.CertificateStatus.rejected)

    @handles("CertificateSigned")
    def on_certificate_signed(self, **request: Any) -> call_result.CertificateSigned:
        """Reject: no signing was asked for."""
        del request
        return call_result.CertificateSigned(status=enums.CertificateSignedStatus.rejected)

    @handles("DeleteCertificate")
    def on_delete_certificate(self, **request: Any) -> call_result.DeleteCertificate:
        """Find nothing."""
        del request
        return call_result.DeleteCertificate(status=enums.DeleteCertificateStatus.not_found)

    @handles("GetInstalledCertificateIds")
    def on_get_installed_certificate_ids(
        self, **request: Any
    ) -> call_result.GetInstalledCertificateIds:
        """Find nothing."""
        del request
        return call_result.GetInstalledCertificateIds(
            status=enums.GetInstalledCertificateStatus.not_found
        )
