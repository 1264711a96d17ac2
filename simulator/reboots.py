"""Resets, reboots and power losses of a charge point (OCPP 1.6 5.14)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator

STOPS_PATIENCE_S = 10.0
"""How long a soft reset waits for its stops to be acknowledged."""


async def reset(station: "ChargePointSimulator", *, hard: bool) -> None:
    """Stop all transactions and boot; a soft reset first has the stops acknowledged."""
    for session in station.sessions.values():
        session.end_transaction("HardReset" if hard else "SoftReset")
    if not hard:
        await station.until_told(STOPS_PATIENCE_S)
    await reboot(station)


async def reboot(station: "ChargePointSimulator") -> None:
    """Leave, be away for ``reboot_s``, and boot again."""
    station.emit("rebooting")
    station.link.needs_boot = True
    await station.link.leave()
    await station.clock.sleep(station.settings.reboot_s)
    station.link.go_online()


async def lose_power(station: "ChargePointSimulator") -> None:
    """Fail without a word, come back, and stop with PowerLoss what was charging."""
    station.emit("rebooting")
    station.link.needs_boot = True
    station.link.go_offline()
    for session in station.sessions.values():
        session.end_transaction("PowerLoss")
    await station.clock.sleep(station.settings.reboot_s)
    station.link.go_online()
