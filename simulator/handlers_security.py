"""Answers to the security extension's calls of the central system (whitepaper, edition 3)."""

from typing import TYPE_CHECKING, Any

from ocpp.v16 import call_result, enums

from simulator.certificates import RootKind
from simulator.firmware import Update
from simulator.rpc import RpcSession, handles, moment
from simulator.security import WITH_CERTIFICATE
from simulator.triggers import triggered
from simulator.uploads import Upload

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator


class SecurityHandlers(RpcSession):
    """Certificates, signed firmware, logs and extended triggers."""

    station: "ChargePointSimulator"

    @handles("ExtendedTriggerMessage")
    def on_extended_trigger_message(
        self, requested_message: str, connector_id: int | None = None
    ) -> call_result.ExtendedTriggerMessage:
        """Send the wanted message after the answer."""
        statuses = enums.TriggerMessageStatus
        if connector_id is not None and connector_id not in self.station.sessions:
            return call_result.ExtendedTriggerMessage(status=statuses.rejected)
        work = triggered(self.station, requested_message, connector_id, extended=True)
        if work is None:
            return call_result.ExtendedTriggerMessage(status=statuses.not_implemented)
        self.follow_up(work)
        return call_result.ExtendedTriggerMessage(status=statuses.accepted)

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
        oldest, latest = log.get("oldest_timestamp"), log.get("latest_timestamp")
        job = Upload(
            location=str(log["remote_location"]),
            name=f"{log_type}-{self.station.identity}.log",
            retries=retries,
            interval_s=retry_interval,
            since=moment(oldest) if oldest else None,
            until=moment(latest) if latest else None,
            request_id=request_id,
            is_security_log=log_type == "SecurityLog",
        )
        canceled = self.station.uploads.cancel_log()
        self.follow_up(lambda: self.station.uploads.send_log(job))
        status = enums.LogStatus.accepted_canceled if canceled else enums.LogStatus.accepted
        return call_result.GetLog(status=status, filename=job.name)

    @handles("SignedUpdateFirmware")
    def on_signed_update_firmware(
        self,
        request_id: int,
        firmware: dict[str, Any],
        retries: int = 0,
        retry_interval: int = 0,
    ) -> call_result.SignedUpdateFirmware:
        """Check the signing certificate, answer, then update."""
        statuses = enums.UpdateFirmwareStatus
        signer = self.station.firmware.trusted_signer(str(firmware["signing_certificate"]))
        if signer is None:
            return call_result.SignedUpdateFirmware(status=statuses.invalid_certificate)
        if self.station.temper.has("revoked-signer"):
            return call_result.SignedUpdateFirmware(status=statuses.revoked_certificate)
        install_at = firmware.get("install_date_time")
        update = Update(
            location=str(firmware["location"]),
            retrieve_at=moment(firmware["retrieve_date_time"]),
            install_at=moment(install_at) if install_at else None,
            retries=retries,
            interval_s=retry_interval,
            request_id=request_id,
            signer=signer,
            signature=str(firmware["signature"]),
        )
        status = self.station.firmware.make_room()
        if status != "Rejected":
            self.follow_up(lambda: self.station.firmware.run(update))
        return call_result.SignedUpdateFirmware(status=statuses(status))

    @handles("InstallCertificate")
    def on_install_certificate(
        self, certificate_type: RootKind, certificate: str
    ) -> call_result.InstallCertificate:
        """Install a root."""
        status = self.station.security.install_root(certificate_type, certificate)
        return call_result.InstallCertificate(status=enums.CertificateStatus(status))

    @handles("DeleteCertificate")
    def on_delete_certificate(
        self, certificate_hash_data: dict[str, Any]
    ) -> call_result.DeleteCertificate:
        """Remove a root."""
        status = self.station.security.delete_root(certificate_hash_data)
        return call_result.DeleteCertificate(status=enums.DeleteCertificateStatus(status))

    @handles("GetInstalledCertificateIds")
    def on_get_installed_certificate_ids(
        self, certificate_type: RootKind
    ) -> call_result.GetInstalledCertificateIds:
        """Return the hash data of all roots of a kind."""
        statuses = enums.GetInstalledCertificateStatus
        found = self.station.security.roots.hash_data(certificate_type)
        if not found:
            return call_result.GetInstalledCertificateIds(status=statuses.not_found)
        return call_result.GetInstalledCertificateIds(
            status=statuses.accepted, certificate_hash_data=list(found)
        )

    @handles("CertificateSigned")
    def on_certificate_signed(self, certificate_chain: str) -> call_result.CertificateSigned:
        """Take the certificate into use; on profile 3 the next connection shows it."""
        statuses = enums.CertificateSignedStatus
        station = self.station
        if not station.security.take_signed(certificate_chain):
            return call_result.CertificateSigned(status=statuses.rejected)
        if station.security.profile == WITH_CERTIFICATE:
            self.follow_up(station.link.reconnect)
        return call_result.CertificateSigned(status=statuses.accepted)
