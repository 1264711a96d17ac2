"""BootNotification until it is accepted, then Heartbeat; both set the clock (OCPP 1.6 4.2, 4.6)."""

import asyncio
import contextlib
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ocpp.v16 import call

from simulator.clock import parse_iso
from simulator.errors import CallRefused
from simulator.transactions import Send

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator

RETRY_S = 10.0
"""Wait before the next BootNotification when the central system leaves it to the charge point."""

PLAIN_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
"""All that some charge points can read."""

CLOCK_TOLERANCE = timedelta(seconds=2)
"""The central system tells whole seconds; a clock that is as good as that is left alone."""


class Boot:
    """A charge point's registration and its signs of life.

    Args:
        station: the charge point.
    """

    def __init__(self, station: "ChargePointSimulator") -> None:
        self._station = station
        self._asked = asyncio.Event()
        self._interval_changed = asyncio.Event()
        self.registration: str | None = None
        self.is_due = True

    def ask(self) -> None:
        """Send a BootNotification now, whether it is due or not."""
        self._asked.set()

    def interval_changed(self) -> None:
        """Have the next heartbeat reckoned anew."""
        self._interval_changed.set()

    async def register(self, send: Send) -> None:
        """Send BootNotification until it is accepted, at the pace that the answers set.

        Raises:
            NoAnswer: from ``send``.
        """
        temper = self._station.temper
        if temper.has("late-boot"):
            await self._station.clock.sleep(temper.parameter("late-boot", "afterS"))
        while True:
            if temper.has("silent-boot"):
                await self._station.clock.wait(self._asked, None)
            self._asked.clear()
            wait_s = await self._notify(send)
            if wait_s is None:
                self.is_due = False
                self._station.statuses.forget_acknowledged()
                return
            await self._station.clock.wait(self._asked, wait_s)

    async def repeat_when_asked(self, send: Send) -> None:
        """Send a BootNotification each time it is asked for, until cancelled."""
        while True:
            await self._station.clock.wait(self._asked, None)
            self._asked.clear()
            await self._notify(send)

    async def keep_alive(self, send: Send) -> None:
        """Send a Heartbeat every HeartbeatInterval, 0 for never, until cancelled."""
        while True:
            self._interval_changed.clear()
            interval = self._station.configuration.integer("HeartbeatInterval")
            if await self._station.clock.wait(self._interval_changed, interval or None):
                continue
            asked_at = self._station.clock.monotonic()
            with contextlib.suppress(CallRefused):
                answer = await send(call.Heartbeat())
                self._set_clock(answer.current_time, asked_at)

    async def _notify(self, send: Send) -> float | None:
        """Send one BootNotification; return None when accepted, else the seconds to wait."""
        settings = self._station.settings
        payload = call.BootNotification(
            charge_point_vendor=settings.vendor,
            charge_point_model=settings.model,
            charge_point_serial_number=settings.serial_number,
            charge_box_serial_number=settings.charge_box_serial_number,
            firmware_version=self._station.firmware.version,
            iccid=settings.iccid,
            imsi=settings.imsi,
            meter_type=settings.meter_type,
            meter_serial_number=settings.meter_serial_number,
        )
        asked_at = self._station.clock.monotonic()
        try:
            answer = await send(payload)
        except CallRefused:
            return RETRY_S
        self.registration = answer.status
        self._station.emit("registered", status=answer.status, interval=answer.interval)
        self._set_clock(answer.current_time, asked_at)
        if answer.status == "Accepted":
            keeps_own = self._station.temper.has("ignores-boot-interval")
            if answer.interval > 0 and not keeps_own:
                self._station.configuration.override("HeartbeatInterval", str(answer.interval))
            return None
        return float(answer.interval) if answer.interval > 0 else RETRY_S

    def _set_clock(self, told: str, asked_at: float) -> None:
        """Take the central system's time over where the charge point's is clearly another."""
        station = self._station
        if not station.settings.sets_clock:
            return
        if station.temper.has("plain-dates-only") and not PLAIN_DATE.fullmatch(told):
            return
        try:
            central: datetime = parse_iso(told)
        except ValueError:
            return
        # An answer is as old as its way; that is no reason to put the clock back.
        travelled = timedelta(seconds=station.clock.monotonic() - asked_at)
        off = central - station.own_clock.now()
        if -CLOCK_TOLERANCE - travelled <= off <= CLOCK_TOLERANCE:
            return
        station.own_clock.set(central)
        station.emit("clock_set", seconds=round(off.total_seconds(), 3))
        station.security_log.record("SettingSystemTime", f"by {off.total_seconds():.0f} s")
        station.wake_all()
