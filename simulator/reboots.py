"""Resets, reboots and power losses of a charge point (OCPP 1.6 5.14)."""

from typing import TYPE_CHECKING

from simulator import availability, key_effects

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator

STOPS_PATIENCE_S = 10.0
"""How long a soft reset waits for its stops to be acknowledged."""


async def reset(station: "ChargePointSimulator", *, hard: bool) -> None:
    """Stop all transactions and boot; a soft reset first has the stops acknowledged.

    A reset that fails is tried again ResetRetries times; then connector 0 tells ResetFailure.
    """
    station.security_log.record("ResetOrReboot", "Hard" if hard else "Soft")
    if not hard:
        station.end_all("SoftReset")
        await station.until_told(STOPS_PATIENCE_S)
    tries = 1 + station.configuration.integer("ResetRetries")
    failing = 0
    if station.temper.has("reset-fails"):
        failing = int(station.temper.parameter("reset-fails", "times"))
    for _ in range(min(tries, failing)):
        station.emit("reset_failed")
        await station.clock.sleep(station.settings.reboot_s)
    if failing >= tries:
        availability.warn(station, "ResetFailure")
        return
    if hard:
        # Nobody is told before the boot: a hard reset does not wait for words.
        await reboot(station, reason="HardReset")
    else:
        await reboot(station)


async def reboot(station: "ChargePointSimulator", reason: str | None = None) -> None:
    """Leave, be away for ``reboot_s``, and boot again.

    Args:
        station: the charge point.
        reason: what ends the transactions that run (None: they were ended, or go on).
    """
    station.emit("rebooting")
    station.link.needs_boot = True
    await station.link.leave()
    if reason is not None:
        station.end_all(reason)
    await _come_up(station)


async def lose_power(station: "ChargePointSimulator") -> None:
    """Fail without a word, come back, and stop with PowerLoss what was charging.

    With a backup supply (``backup_s``) the stops are told before it goes.
    """
    station.emit("rebooting")
    if station.settings.backup_s > 0:
        station.end_all("PowerLoss")
        await station.until_told(station.settings.backup_s)
    station.link.needs_boot = True
    station.link.go_offline()
    station.end_all("PowerLoss")
    await _come_up(station)


async def _come_up(station: "ChargePointSimulator") -> None:
    await station.clock.sleep(station.settings.reboot_s)
    key_effects.reboot(station)
    station.whole.error_code = station.whole.warning = "NoError"
    availability.note(station)
    station.security_log.record("StartupOfTheDevice")
    station.link.go_online()
