"""Answers to the FirmwareManagement calls and the security extension's calls of the central system.

No file is fetched or sent: the charge point plays the steps and reports them. It keeps no
certificates, and says so.
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
    def on_get_diagnostics(self, location: str, **window: Any) -> call_result.GetDiagnostics:
        """Name the file, then report its upload."""
        del location, window
        self.follow_up(lambda: upload_diagnostics(self.station))
        name = f"diagnostics-{self.station.identity}.log"
        return call_result.GetDiagnostics(file_name=name)

    @handles("UpdateFirmware")
    def on_update_firmware(
        self, location: str, retrieve_date: str, **retries: Any
    ) -> call_result.UpdateFirmware:
        """Answer, then play the update from ``retrieve_date`` on."""
        del retries
        at = parse_iso(retrieve_date)
        self.follow_up(lambda: update_firmware(self.station, location, at))
        return call_result.UpdateFirmware()

    @handles("GetLog")
    def on_get_log(
        self, log: dict[str, Any], log_type: str, request_id: int, **retries: Any
    ) -> call_result.GetLog:
        """Name the file, then report its upload under the request's id."""
        del log, retries
        self.follow_up(lambda: upload_log(self.station, request_id))
        name = f"{log_type}-{self.station.identity}.log"
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
