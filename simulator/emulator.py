"""The emulator: plugs vehicles into charge points that it makes up on request.

Each accepted plug is a charge point of its own, with one connector. It stays connected after its
session and takes the next vehicle when the same address is plugged again. One that cannot get as
far as Preparing leaves nothing behind.
"""

import asyncio
import itertools
import ssl
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from simulator.charge_point import DRAIN_S, ChargePointSimulator
from simulator.clock import Clock, RealClock
from simulator.errors import PlugError
from simulator.events import Event
from simulator.settings import StationSettings
from simulator.vehicle import Vehicle

MAX_CHARGE_POINTS = 1_000
MAX_IDENTITY = 255
UNPLUG_AFTER_S = 1.0
"""How long a vehicle stays after its session was stopped: Finishing is to be seen."""


class Emulator:
    """Charge points by the address that they connect to.

    Args:
        tls: how servers' certificates are checked (None: by the system's store).
        meter_interval_s: seconds between MeterValues.
        patience_s: longest wait until Preparing is answered.
        speed: how many times faster batteries fill.
        clock: everybody's time.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        meter_interval_s: int = 10,
        patience_s: float = 20.0,
        speed: float = 1.0,
        clock: Clock | None = None,
    ) -> None:
        self._tls = tls
        self._meter_interval_s = meter_interval_s
        self._patience_s = patience_s
        self._speed = speed
        self.clock: Clock = clock or RealClock()
        self._plugged: dict[str, Plugged] = {}
        self._numbers = itertools.count(1)
        self._tasks: asyncio.TaskGroup | None = None
        self._stop_asked = asyncio.Event()

    @property
    def plugged(self) -> list["Plugged"]:
        """What is plugged in or was, oldest first."""
        return list(self._plugged.values())

    @property
    def stations(self) -> list[ChargePointSimulator]:
        """The charge points, in the order in which they were plugged first."""
        return [plugged.station for plugged in self._plugged.values()]

    async def run(self) -> None:
        """Own the charge points until ``stop``; then unplug all and leave in order."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            await self.clock.wait(self._stop_asked, None)
            for plugged in self._plugged.values():
                plugged.station.stop()
        self._tasks = None

    def stop(self) -> None:
        """Ask ``run`` to end in order."""
        self._stop_asked.set()

    async def plug(self, url: str, charge_point: str | None = None) -> "Plugged":
        """Plug a vehicle in at the charge point of this address, and wait for Preparing's answer.

        Args:
            url: ``ws://`` or ``wss://``.
            charge_point: identity, appended to the URL's path as last segment.

        Raises:
            PlugError: 400 for the URL, 409 while a vehicle is plugged in there, 502 when there is
                no way to the central system or it does not accept, 503 for too many.
        """
        address, identity = self.address_of(url, charge_point)
        known = self._plugged.get(address)
        if known is None:
            known = self._add(address, identity)
        elif known.station.state.connectors[1].has_vehicle:
            raise PlugError(409, "taken", f"a vehicle is plugged in at {address} already")
        try:
            await known.plug(self._patience_s)
        except BaseException:
            # Also when the client gives up: nobody would ever unplug this one. What it has to tell
            # reaches nobody, so it does not wait for that.
            self.remove(known, patience_s=0)
            raise
        return known

    def _add(self, address: str, identity: str) -> "Plugged":
        if self._tasks is None or self._stop_asked.is_set():
            raise PlugError(503, "stopping", "the emulator is not running")
        if len(self._plugged) >= MAX_CHARGE_POINTS:
            raise PlugError(503, "too_many", f"{MAX_CHARGE_POINTS} charge points are plugged in")
        settings = StationSettings(
            identity=identity,
            url=address,
            address=address,
            tls=self._tls,
            model="SIM-EMULATOR",
            meter_interval_s=self._meter_interval_s,
            speed=self._speed,
        )
        plugged = Plugged(settings, self.clock)
        self._plugged[address] = plugged
        self._tasks.create_task(plugged.run(), name=identity)
        return plugged

    def find(self, identity: str) -> "Plugged | None":
        """Return a charge point by its identity."""
        found = [one for one in self._plugged.values() if one.station.identity == identity]
        return found[0] if found else None

    def remove(self, plugged: "Plugged", *, patience_s: float = DRAIN_S) -> None:
        """Unplug the vehicle and have the charge point leave, its last messages answered."""
        self._plugged.pop(plugged.station.settings.endpoint, None)
        plugged.station.stop(patience_s=patience_s)

    def address_of(self, url: str, charge_point: str | None) -> tuple[str, str]:
        """Return the URL to connect to and the identity that it ends with.

        Raises:
            PlugError: 400.

        >>> Emulator().address_of("ws://h:9000/ocpp/", "CP 1")
        ('ws://h:9000/ocpp/CP%201', 'CP 1')
        >>> Emulator().address_of("wss://h/ocpp/CP%201", None)
        ('wss://h/ocpp/CP%201', 'CP 1')
        """
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as error:
            raise PlugError(400, "bad_url", f"{url!r} is not a URL: {error}") from error
        if parts.scheme not in ("ws", "wss") or not parts.hostname or parts.fragment:
            detail = f"{url!r} is not a WebSocket URL: ws://HOST/PATH or wss://HOST/PATH"
            raise PlugError(400, "bad_url", detail)
        if any(ord(sign) <= 32 or ord(sign) > 126 for sign in url):
            raise PlugError(400, "bad_url", f"{url!r} has signs that are to be percent-encoded")
        if charge_point is not None:
            if not 0 < len(charge_point) <= MAX_IDENTITY:
                raise PlugError(400, "bad_charge_point", "chargePoint is empty or too long")
            path = f"{parts.path.rstrip('/')}/{quote(charge_point, safe='')}"
            return urlunsplit(parts._replace(path=path)), charge_point
        last = unquote(parts.path.rstrip("/").rpartition("/")[2])
        return url, last or f"EMULATOR-{next(self._numbers):06}"


class Plugged:
    """One charge point of the emulator.

    Args:
        settings: what it is like.
        clock: its time.
        unplug_after_s: how long the vehicle stays after a stop.
    """

    def __init__(
        self, settings: StationSettings, clock: Clock, unplug_after_s: float = UNPLUG_AFTER_S
    ) -> None:
        self.station = ChargePointSimulator(settings, clock=clock, on_event=self._watch)
        self._clock = clock
        self._unplug_after_s = unplug_after_s
        self._trouble: str | None = None
        self._last_error = ""
        self._stopped = asyncio.Event()

    def _watch(self, event: Event) -> None:
        match event.name:
            case "not_connected":
                self._trouble = str(event.data["why"])
            case "disconnected":
                code, why = event.data["code"], event.data["reason"]
                self._trouble = f"the connection was closed: {code} {why}".rstrip()
            case "call_failed":
                self._last_error = f"; {event.data['action']}: {event.data['error']}"
            case "registered" if event.data["status"] == "Rejected":
                self._trouble = "BootNotification was answered Rejected"
            case "stopped":
                self._stopped.set()
            case _:
                pass

    async def run(self) -> None:
        """Live, and pull the cable after each session, until the charge point is stopped."""
        async with asyncio.TaskGroup() as tasks:
            leaving = tasks.create_task(self._unplug_after_stops())
            await self.station.run()
            leaving.cancel()

    async def _unplug_after_stops(self) -> None:
        while True:
            await self._clock.wait(self._stopped, None)
            self._stopped.clear()
            await self._clock.sleep(self._unplug_after_s)
            # somebody else may have pulled the cable, and plugged the next vehicle in
            if self.station.sessions[1].connector.finished:
                self.station.unplug(1)

    async def plug(self, patience_s: float) -> None:
        """Plug a vehicle in and wait until Preparing is answered.

        Raises:
            PlugError: 502 as soon as the way there fails, 504 when it takes too long.
        """
        station = self.station
        self._trouble, self._last_error = None, ""
        self._stopped.clear()
        station.plug(1, Vehicle())

        def prepared() -> bool:
            return station.statuses.acknowledged(1) == "Preparing"

        try:
            await station.wait_for(lambda _: prepared() or self._trouble is not None, patience_s)
        except TimeoutError as error:
            detail = f"{station.settings.endpoint}: Preparing was not answered in {patience_s:g} s"
            raise PlugError(504, "not_answered", detail + self._last_error) from error
        if not prepared():
            detail = f"cannot connect to {station.settings.endpoint}: {self._trouble}"
            raise PlugError(502, "cannot_connect", detail)
