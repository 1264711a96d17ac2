"""GetDiagnostics and GetLog: files that the charge point sends, and what it tells meanwhile.

Files really move, see :mod:`simulator.transfer`. Work runs after the answer that announced it, in a
task of the charge point. A newer GetLog ends an older one that is under way.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ocpp.v16 import call, enums

from simulator.clock import iso
from simulator.transfer import SECURED, TransferError, UnknownProtocol, upload, without_secrets

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What is to be sent where; ``since`` and ``until`` bound what the file tells."""

    location: str
    name: str
    retries: int = 0
    interval_s: int = 0
    since: datetime | None = None
    until: datetime | None = None
    request_id: int | None = None
    is_security_log: bool = False


class Uploads:
    """The uploads of one charge point.

    Args:
        station: the charge point.
    """

    def __init__(self, station: "ChargePointSimulator") -> None:
        self._station = station
        self.diagnostics_status = "Idle"
        self._log_status = "Idle"
        self._log_request: int | None = None
        self._log_task: asyncio.Task[Any] | None = None

    def cancel_log(self) -> bool:
        """End the log upload that is under way and tell whether there was one."""
        task, self._log_task = self._log_task, None
        if task is None or task.done():
            return False
        task.cancel()
        return True

    def log_notification(self) -> call.LogStatusNotification:
        """Return the message that tells how far the log is; Idle belongs to no request."""
        # The package's type wants an id, the schema does not.
        request: Any = self._log_request
        status = enums.UploadLogStatus(self._log_status)
        return call.LogStatusNotification(status=status, request_id=request)

    async def send_diagnostics(self, job: Upload) -> None:
        """Carry out GetDiagnostics: Uploading, then Uploaded or UploadFailed."""
        try:
            await self._tell_diagnostics("Uploading")
            failure = await self._send(job)
            await self._tell_diagnostics("Uploaded" if failure is None else "UploadFailed")
        finally:
            self.diagnostics_status = "Idle"

    async def _tell_diagnostics(self, status: str) -> None:
        self.diagnostics_status = status
        kind = enums.DiagnosticsStatus(status)
        await self._station.link.call(call.DiagnosticsStatusNotification(status=kind))

    async def send_log(self, job: Upload) -> None:
        """Carry out GetLog: Uploading, then Uploaded or what went wrong, with the request's id.

        Cancellation: a newer request has taken this one's place; nothing more is told of it.
        """
        self._log_task = asyncio.current_task()
        self._log_request = job.request_id
        try:
            await self._tell_log("Uploading")
            await self._tell_log(await self._send(job) or "Uploaded")
        finally:
            if self._log_request == job.request_id:
                self._log_status, self._log_request = "Idle", None

    async def _tell_log(self, status: str) -> None:
        self._log_status = status
        await self._station.link.call(self.log_notification())

    async def _send(self, job: Upload) -> str | None:
        """Send the file, trying again as often as it is allowed; None says that it is there.

        Returns:
            UploadFailure, or NotSupportedOperation for a protocol that is not spoken here.
        """
        station = self._station
        await station.clock.sleep(station.settings.step_s)
        text = log_text(station, job)
        protocols = station.configuration.items("SupportedFileTransferProtocols")
        tls = station.security.file_context() if job.location.startswith(SECURED) else None
        failure, place = "UploadFailure", without_secrets(job.location)
        for left in range(max(0, job.retries), -1, -1):
            try:
                await upload(job.location, job.name, text.encode(), protocols, tls)
            except UnknownProtocol as error:
                failure = "NotSupportedOperation"
                station.emit("transfer_failed", location=place, error=str(error))
            except TransferError as error:
                station.emit("transfer_failed", location=place, error=str(error))
            else:
                return None
            if left:
                await station.clock.sleep(max(0, job.interval_s))
        return failure


def log_text(station: "ChargePointSimulator", job: Upload) -> str:
    """Return the file: security events, or what happened lately with configuration and state."""
    if job.is_security_log:
        lines = [(one.at, f"{one.type} {one.tech_info}") for one in station.security_log.kept]
    else:
        lines = [(one.at, f"{one.name} {dict(one.data)}") for one in station.journal]
    told = [
        f"{iso(at)} {text}".rstrip()
        for at, text in lines
        if (job.since is None or job.since <= at) and (job.until is None or at <= job.until)
    ]
    if not job.is_security_log:
        known, _ = station.configuration.read(None)
        told += [f"{entry['key']}={entry.get('value', '')}" for entry in known]
        told.append(f"{iso(station.clock.now())} {station.state}")
    return "\n".join(told) + "\n"
