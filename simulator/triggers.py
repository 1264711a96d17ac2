"""The messages that TriggerMessage and ExtendedTriggerMessage ask for (OCPP 1.6 5.17)."""

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from ocpp.v16 import call, enums

from simulator.errors import CallRefused
from simulator.rpc import FollowUp
from simulator.security import WITH_CERTIFICATE

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator

DAY_S = 86_400.0


def triggered(
    station: "ChargePointSimulator", requested: str, connector_id: int | None, *, extended: bool
) -> FollowUp | None:
    """Return the work that a trigger asks for, or None when it is not known here.

    Args:
        station: the charge point.
        requested: the message's name.
        connector_id: a known connector, or None for all.
        extended: whether ExtendedTriggerMessage asks; firmware then is that with signatures.
    """
    numbers = [connector_id] if connector_id is not None else list(station.sessions)
    match requested:
        case "BootNotification":
            return partial(_boot, station)
        case "Heartbeat":
            return partial(_send, station, [call.Heartbeat()])
        case "StatusNotification":
            shown = numbers if connector_id is not None else [0, *numbers]
            return partial(_send, station, [station.statuses.current(one) for one in shown])
        case "MeterValues":
            return partial(_send_samples, station, numbers)
        case "FirmwareStatusNotification":
            return partial(_send, station, [station.firmware.notification(signed=extended)])
        case "DiagnosticsStatusNotification" if not extended:
            status = enums.DiagnosticsStatus(station.uploads.diagnostics_status)
            return partial(_send, station, [call.DiagnosticsStatusNotification(status=status)])
        case "LogStatusNotification" if extended:
            return partial(_send, station, [station.uploads.log_notification()])
        case "SignChargePointCertificate" if extended:
            return partial(sign_certificate, station)
        case _:
            return None


async def sign_certificate(station: "ChargePointSimulator") -> None:
    """Ask the central system to sign a certificate for a new key pair (whitepaper A02)."""
    request = station.security.own.request(station.configuration.text("CpoName"))
    answer = await station.link.send_triggered(call.SignCertificate(csr=request))
    station.emit("certificate_asked", status=str(answer.status))


async def renew_certificate(station: "ChargePointSimulator") -> None:
    """Have the certificate renewed a month before it ends, looking once a day (whitepaper A03).

    Raises:
        NoAnswer: the connection is of no use.
    """
    while True:
        security = station.security
        if security.profile == WITH_CERTIFICATE and security.own.is_due(station.clock.now()):
            with contextlib.suppress(CallRefused):
                await sign_certificate(station)
        await station.clock.sleep(DAY_S)


async def _boot(station: "ChargePointSimulator") -> None:
    station.link.boot.ask()


async def _send(station: "ChargePointSimulator", payloads: list[Any]) -> None:
    for payload in payloads:
        await station.link.send_triggered(payload)


async def _send_samples(station: "ChargePointSimulator", numbers: list[int]) -> None:
    for number in numbers:
        await station.sessions[number].send_triggered_sample()
