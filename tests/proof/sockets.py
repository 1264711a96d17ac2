"""Charge points on real sockets that enforce what they were told, through kills of the server.

Each obeys as `truth` says, takes its time to follow and to answer, refuses some limits, loses some
answers, and comes back when its connection goes. Their meters tell every second what is drawn.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from tests.proof.truth import VOLT, Connector, TrueCharger

PHASES = 3
MAX_W = 32 * PHASES * VOLT
_REFUSES = {2: frozenset({"TxProfile"}), 4: frozenset({"A"}), 6: frozenset({"Absolute"})}
"""What some charge points do not take, by their numbers."""

ON_ITS_WAY = timedelta(seconds=2)
"""How long a limit that was sent before another takes to arrive: a wire, and the time to answer."""


class Site:
    """All charge points of a site, and the observer of what they may draw."""

    def __init__(self, url: str, count: int, limit_w: int, seed: int) -> None:
        self.chance = random.Random(seed)
        self.limit_w = limit_w
        self.ceiling_w: int | None = None
        self.settles_at: datetime | None = datetime.now(UTC)
        self.violations: list[str] = []
        self.limits_taken = 0
        self.points = [ChargePoint(self, url, number) for number in range(1, count + 1)]

    def observe(self, what: str) -> None:
        """Add up what all may be drawing at this instant."""
        now = datetime.now(UTC)
        most = {point.identity: point.true.most_w(now) for point in self.points}
        limit = self.limit_w
        if self.ceiling_w is not None:
            could = self.could_w()
            if (
                self.settles_at is not None and now >= self.settles_at
            ):  # nothing that was sent before the drop is on its way
                self.ceiling_w = min(self.ceiling_w, could) if could > limit else None
            limit = max(limit, self.ceiling_w or 0)
        if sum(most.values()) > limit:
            self.violations.append(f"{now.isoformat()} {what}: {sum(most.values())} > {limit}")

    def could_w(self) -> int:
        now = datetime.now(UTC)
        return sum(min(MAX_W, point.true.in_force_w(1, now)) for point in self.points)

    def move_limit(self, limit_w: int) -> None:
        """Note a limit that the server is about to be told; a drop takes time to hold.

        Call `told` when it knows.
        """
        if limit_w < self.limit_w:
            self.ceiling_w = max(self.could_w(), self.limit_w)
            self.settles_at = None
        self.limit_w = limit_w

    def told(self) -> None:
        """From now on nothing is sent that is above the limit."""
        self.settles_at = datetime.now(UTC) + ON_ITS_WAY


class ChargePoint:
    """One charge point with one connector."""

    def __init__(self, site: Site, url: str, number: int) -> None:
        self.site, self.number = site, number
        self.identity = f"K{number:02}"
        self._url = f"{url}/{self.identity}"
        self.true = TrueCharger(
            number=number,
            max_w=MAX_W,
            phases=PHASES,
            connectors={1: Connector()},
            follows_s=site.chance.uniform(0.05, 1.5),
            clock_off=timedelta(seconds=site.chance.uniform(-40, 40)),
            refuses=_REFUSES.get(number, frozenset()),
        )
        self._socket: ClientConnection | None = None
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._ids = itertools.count()
        self._energy_wh = 0.0
        self._queue: list[tuple[str, dict[str, Any], Any]] = []  # what has to be told once back

    @property
    def car(self) -> Connector:
        return self.true.connectors[1]

    async def run(self) -> None:
        """Stay connected, for ever."""
        while True:
            try:
                async with connect(
                    self._url, subprotocols=["ocpp1.6"], compression=None, open_timeout=5
                ) as socket:
                    self._socket = socket
                    async with asyncio.TaskGroup() as tasks:
                        tasks.create_task(self._listen(socket, tasks))
                        tasks.create_task(self._live(socket))
            except* (OSError, InvalidHandshake, WebSocketException, TimeoutError):
                pass
            finally:
                self._socket = None
                for future in self._answers.values():
                    future.cancel()
                self._answers.clear()
            await asyncio.sleep(self.site.chance.uniform(0.1, 0.6))

    def plug_in(self) -> None:
        """A car comes, if the charge point knows what it may draw."""
        known = any(each.purpose == "TxDefaultProfile" for each in self.true.profiles)
        if self.car.transaction is None and known:
            self.car.transaction, self.car.server_id = next(self._ids) + 1, None
            self.car.car_w = self.car.wants_w = self.site.chance.choice([11_040, 22_080])
            self.car.fading = []
            self.site.observe(f"{self.identity} plugged in")

    def unplug(self) -> None:
        """The car leaves."""
        car = self.car
        if car.transaction is not None and car.server_id is not None:
            stop = {"transactionId": car.server_id, "meterStop": round(self._energy_wh)}
            self._queue.append(("StopTransaction", {**stop, "timestamp": _now()}, None))
            car.transaction, car.server_id, car.fading = None, None, []

    async def _live(self, socket: ClientConnection) -> None:
        await self._call("BootNotification", {"chargePointVendor": "P", "chargePointModel": "P"})
        status = "Available" if self.car.transaction is None else "Charging"
        await self._status(status)
        while True:
            while self._queue:
                action, payload, _ = self._queue[0]
                await self._call(action, payload)
                self._queue.pop(0)
                await self._status("Available")
            if self.car.transaction is not None and self.car.server_id is None:
                number = self.car.transaction
                start = {
                    "connectorId": 1,
                    "idTag": "TAG",
                    "meterStart": round(self._energy_wh),
                    "timestamp": _now(),
                }
                answer = await self._call("StartTransaction", start)
                if self.car.transaction == number:
                    self.car.server_id = answer["transactionId"]
                    await self._status("Charging")
            if self.car.server_id is not None:
                await self._meter()
            await asyncio.sleep(0.5)

    async def _meter(self) -> None:
        draw = self.true.draw_w(1, datetime.now(UTC))
        self._energy_wh += draw / 7200
        samples = [
            {"value": str(round(self._energy_wh)), "measurand": "Energy.Active.Import.Register"},
            {"value": str(draw), "measurand": "Power.Active.Import", "unit": "W"},
        ]
        value = {"timestamp": _now(), "sampledValue": samples}
        await self._call(
            "MeterValues",
            {"connectorId": 1, "transactionId": self.car.server_id, "meterValue": [value]},
        )

    async def _status(self, status: str) -> None:
        for connector in (0, 1):
            payload = {
                "connectorId": connector,
                "status": status if connector else "Available",
                "errorCode": "NoError",
            }
            await self._call("StatusNotification", payload)

    async def _listen(self, socket: ClientConnection, tasks: asyncio.TaskGroup) -> None:
        async for raw in socket:
            frame = json.loads(raw)
            if frame[0] == 2:
                # in order: one call of the server is open at a time
                tasks.create_task(self._answer(socket, frame))
            else:
                future = self._answers.pop(frame[1], None)
                if future is not None and not future.done():
                    future.set_result(frame[2])

    async def _answer(self, socket: ClientConnection, frame: list[Any]) -> None:
        chance = self.site.chance
        await asyncio.sleep(chance.uniform(0, 0.15))
        _, name, action, payload = frame
        fate = chance.random()
        if action != "SetChargingProfile":
            await socket.send(json.dumps([4, name, "NotSupported", "", {}]))
            return
        self.site.limits_taken += 1
        status = "Accepted"
        if fate < 0.05 or not self.true.takes(payload):
            status = "Rejected"
        else:
            self.true.install(payload, datetime.now(UTC))
            self.site.observe(f"{self.identity} took a limit")
        await asyncio.sleep(chance.uniform(0, 0.15))
        await socket.send(json.dumps([3, name, {"status": status}]))

    async def _call(self, action: str, payload: dict[str, Any]) -> Any:
        if self._socket is None:
            raise ConnectionError
        name = str(next(self._ids))
        future = asyncio.get_running_loop().create_future()
        self._answers[name] = future
        await self._socket.send(json.dumps([2, name, action, payload]))
        async with asyncio.timeout(30):
            return await future


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
