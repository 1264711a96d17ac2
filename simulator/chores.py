"""What a charge point does beside charging when asked to: triggers, uploads, firmware.

Files really move, see :mod:`simulator.transfer`. Each function runs after the answer that announced
it, in a task of the charge point; one that cannot reach the central system gives up.
"""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from ocpp.v16 import call, enums

from simulator.reboots import reboot
from simulator.rpc import FollowUp
from simulator.transfer import TransferError, download, upload

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator


def triggered(
    station: "ChargePointSimulator", requested: str, connector_id: int | None
) -> FollowUp | None:
    """Return the work that a (Extended)TriggerMessage asks for, or None when it is not known here.

    Args:
        station: the charge point.
        requested: the message's name.
        connector_id: a known connector, or None for all.
    """
    numbers = [connector_id] if connector_id is not None else list(station.sessions)
    match requested:
        case "BootNotification":
            return partial(_boot, station)
        case "Heartbeat":
            return partial(_send_all, station, [call.Heartbeat()])
        case "StatusNotification":
            shown = numbers if connector_id is not None else [0, *numbers]
            return partial(_send_statuses, station, shown)
        case "MeterValues":
            return partial(_send_samples, station, numbers)
        case "DiagnosticsStatusNotification":
            status = station.diagnostics_status
            return partial(
                _send_all,
                station,
                [call.DiagnosticsStatusNotification(status=enums.DiagnosticsStatus(status))],
            )
        case "FirmwareStatusNotification":
            status = station.firmware_status
            return partial(
                _send_all,
                station,
                [call.FirmwareStatusNotification(status=enums.FirmwareStatus(status))],
            )
        case "LogStatusNotification":
            # The package's type wants an id, the schema does not: Idle belongs to no request.
            no_request: Any = None
            idle = call.LogStatusNotification(
                status=enums.UploadLogStatus.idle, request_id=no_request
            )
            return partial(_send_all, station, [idle])
        case _:
            return None


async def _boot(station: "ChargePointSimulator") -> None:
    station.link.boot()


async def _send_all(station: "ChargePointSimulator", payloads: list[Any]) -> None:
    for payload in payloads:
        await station.link.send_triggered(payload)


async def _send_statuses(station: "ChargePointSimulator", numbers: list[int]) -> None:
    await _send_all(station, [station.statuses.current(number) for number in numbers])


async def _send_samples(station: "ChargePointSimulator", numbers: list[int]) -> None:
    for number in numbers:
        station.sessions[number].send_triggered_sample()


async def upload_diagnostics(
    station: "ChargePointSimulator", location: str, name: str, retries: int, interval_s: int
) -> None:
    """Carry out GetDiagnostics: Uploading, then Uploaded or UploadFailed."""
    statuses = enums.DiagnosticsStatus
    station.diagnostics_status = "Uploading"
    try:
        await station.link.call(call.DiagnosticsStatusNotification(status=statuses.uploading))
        sent = await _upload(station, location, name, retries, interval_s)
    finally:
        station.diagnostics_status = "Idle"
    status = statuses.uploaded if sent else statuses.upload_failed
    await station.link.call(call.DiagnosticsStatusNotification(status=status))


async def upload_log(
    station: "ChargePointSimulator",
    request_id: int,
    location: str,
    name: str,
    retries: int,
    interval_s: int,
) -> None:
    """Carry out GetLog: Uploading, then Uploaded or UploadFailure, all with the request's id."""
    statuses = enums.UploadLogStatus
    await station.link.call(
        call.LogStatusNotification(status=statuses.uploading, request_id=request_id)
    )
    sent = await _upload(station, location, name, retries, interval_s)
    status = statuses.uploaded if sent else statuses.upload_failure
    await station.link.call(call.LogStatusNotification(status=status, request_id=request_id))


async def _upload(
    station: "ChargePointSimulator", location: str, name: str, retries: int, interval_s: int
) -> bool:
    """Send what the charge point remembers of itself, trying again as often as it is allowed."""
    await station.clock.sleep(station.settings.step_s)
    for left in range(max(0, retries), -1, -1):
        try:
            await upload(location, name, station.log_text().encode())
        except TransferError as error:
            station.emit("transfer_failed", location=location, error=str(error))
        else:
            return True
        if left:
            await station.clock.sleep(max(0, interval_s))
    return False


async def _download(
    station: "ChargePointSimulator", location: str, retries: int, interval_s: int
) -> bool:
    for left in range(max(0, retries), -1, -1):
        try:
            await download(location)
        except TransferError as error:
            station.emit("transfer_failed", location=location, error=str(error))
        else:
            return True
        if left:
            await station.clock.sleep(max(0, interval_s))
    return False


async def update_firmware(
    station: "ChargePointSimulator",
    location: str,
    retrieve_at: datetime,
    retries: int,
    interval_s: int,
) -> None:
    """Carry out UpdateFirmware (OCPP 1.6 4.5, 6.19): download, wait for transactions, reboot.

    What was downloaded is not run, of course: the installation is played.

    The version that the next BootNotification tells is the last segment of ``location``.
    """
    wait_s = (retrieve_at - station.clock.now()).total_seconds()
    await station.clock.sleep(wait_s)
    await _firmware(station, "Downloading")
    await station.clock.sleep(station.settings.step_s)
    if not await _download(station, location, retries, interval_s):
        await _firmware(station, "DownloadFailed")
        station.firmware_status = "Idle"
        return
    await _firmware(station, "Downloaded")
    await station.clock.sleep(station.settings.step_s)
    available = [
        number for number, session in station.sessions.items() if session.connector.operative
    ]
    for number in available:
        station.change_availability(number, operative=False)
    while any(session.connector.transaction for session in station.sessions.values()):
        await station.clock.sleep(station.settings.step_s)
    await _firmware(station, "Installing")
    await station.clock.sleep(station.settings.step_s)
    station.firmware_version = location.rstrip("/").rpartition("/")[2][:50] or "unknown"
    await reboot(station)
    for number in available:
        station.change_availability(number, operative=True)
    await station.until_registered()
    await _firmware(station, "Installed")
    station.firmware_status = "Idle"


async def _firmware(station: "ChargePointSimulator", status: str) -> None:
    station.firmware_status = status
    await station.link.call(call.FirmwareStatusNotification(status=enums.FirmwareStatus(status)))
