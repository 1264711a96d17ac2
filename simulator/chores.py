"""What a charge point does beside charging when asked to: triggers, uploads, firmware.

No file moves: the steps are played and reported. Each function runs after the answer that announced
it, in a task of the charge point; one that cannot reach the central system gives up.
"""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from ocpp.v16 import call, enums

from simulator.rpc import FollowUp

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


async def upload_diagnostics(station: "ChargePointSimulator") -> None:
    """Play GetDiagnostics: Uploading, a step, Uploaded."""
    station.diagnostics_status = "Uploading"
    try:
        await station.link.call(
            call.DiagnosticsStatusNotification(status=enums.DiagnosticsStatus.uploading)
        )
        await station.clock.sleep(station.settings.step_s)
    finally:
        station.diagnostics_status = "Idle"
    await station.link.call(
        call.DiagnosticsStatusNotification(status=enums.DiagnosticsStatus.uploaded)
    )


async def upload_log(station: "ChargePointSimulator", request_id: int) -> None:
    """Play GetLog: Uploading, a step, Uploaded, all with the request's id."""
    await station.link.call(
        call.LogStatusNotification(status=enums.UploadLogStatus.uploading, request_id=request_id)
    )
    await station.clock.sleep(station.settings.step_s)
    await station.link.call(
        call.LogStatusNotification(status=enums.UploadLogStatus.uploaded, request_id=request_id)
    )


async def update_firmware(
    station: "ChargePointSimulator", location: str, retrieve_at: datetime
) -> None:
    """Play UpdateFirmware (OCPP 1.6 4.5, 6.19): download, wait for transactions, install, reboot.

    The version that the next BootNotification tells is the last segment of ``location``.
    """
    wait_s = (retrieve_at - station.clock.now()).total_seconds()
    await station.clock.sleep(wait_s)
    for status in ("Downloading", "Downloaded"):
        await _firmware(station, status)
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
    await station.reboot()
    for number in available:
        station.change_availability(number, operative=True)
    await station.until_registered()
    await _firmware(station, "Installed")
    station.firmware_status = "Idle"


async def _firmware(station: "ChargePointSimulator", status: str) -> None:
    station.firmware_status = status
    await station.link.call(call.FirmwareStatusNotification(status=enums.FirmwareStatus(status)))
