"""A charge point on a bare socket: as little work a message as there can be in this process.

A thousand of them share one core with nothing but a server beside, so that what is measured is when
a limit has come and not how long a WebSocket library took to hand it over. It notes the time in the
socket's callback, and answers later, as chargers on a network do.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

ANSWERS_AFTER_S = 0.1
VOLTS = 690  # three phases of 230 V

_TEXT, _CLOSE, _PING, _PONG = 0x81, 0x88, 0x89, 0x8A
_MASK = bytes(4)  # of zeros: a mask that changes nothing is a mask all the same
_LONG, _LARGEST_SHORT = 126, 125


class BareChargePoint(asyncio.Protocol):
    """One connector; takes every limit and draws what it may.

    Attributes:
        arrivals: When a limit of the session came (wall clock, s), the limit before, the limit.
        told: How many limits have come in all, floors and caps included.
    """

    def __init__(self, identity: str, *, answers_after_s: float = ANSWERS_AFTER_S) -> None:
        """Start without a session."""
        self.identity = identity
        self.transaction: int | None = None
        self.limit_a: float | None = None
        self.floored = False
        self.told = 0
        self.energy_wh = 0
        self.arrivals: list[tuple[float, float | None, float]] = []
        self._answers_after_s = answers_after_s
        self._ids = itertools.count()
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._buffer = b""

    async def connect(self, base_url: str) -> None:
        """Open the connection below `ws://host:port/path`."""
        url = urlsplit(base_url)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, url.hostname, url.port)
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET {url.path}/{self.identity} HTTP/1.1\r\nHost: {url.netloc}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
        )
        self._transport.write(request.encode())
        await self._opened

    def connection_made(self, transport: Any) -> None:
        """Keep the socket."""
        self._transport: asyncio.Transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Let whoever waits for an answer know."""
        for waiting in (self._opened, *self._answers.values()):
            if not waiting.done():
                waiting.set_exception(exc or ConnectionError(f"{self.identity} was cut off"))

    def data_received(self, data: bytes) -> None:
        """Note when the frames came, and take them."""
        at = time.time()
        buffer = self._buffer + data
        if not self._opened.done():
            head, end, buffer = buffer.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                raise ConnectionError(head.decode(errors="replace"))
            self._opened.set_result(None)
        while len(buffer) >= 2:
            start, size = 2, buffer[1]
            if size == _LONG:
                start, size = 4, int.from_bytes(buffer[2:4])
            if len(buffer) < max(start, start + size):
                break
            kind, payload, buffer = buffer[0], buffer[start : start + size], buffer[start + size :]
            if kind == _TEXT:
                self._take(orjson.loads(payload), at)
            elif kind == _PING:
                self._write(_PONG, payload)
            elif kind == _CLOSE:
                self._transport.close()
        self._buffer = buffer

    def _take(self, frame: list[Any], at: float) -> None:
        if frame[0] == 3:
            if "transactionId" in frame[2]:  # its limit may come with the same bytes
                self.limit_a, self.transaction = None, frame[2]["transactionId"]
            self._answers.pop(frame[1]).set_result(frame[2])
            return
        if frame[0] != 2:
            raise ValueError(frame)
        _, name, action, payload = frame
        answer: dict[str, Any] = {"status": "Rejected"}
        if action == "SetChargingProfile":
            answer = {"status": "Accepted"}
            self._told(payload["csChargingProfiles"], at)
        asyncio.get_running_loop().call_later(
            self._answers_after_s, self._write, _TEXT, orjson.dumps([3, name, answer])
        )

    def _told(self, profile: dict[str, Any], at: float) -> None:
        self.told += 1
        limit = profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]
        if profile["chargingProfilePurpose"] == "TxDefaultProfile":
            self.floored = True
        elif profile.get("transactionId") == self.transaction:
            self.arrivals.append((at, self.limit_a, limit))
            self.limit_a = limit

    def _write(self, kind: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes([0x80 | size])
        if size > _LARGEST_SHORT:
            length = bytes([0x80 | _LONG]) + size.to_bytes(2)
        self._transport.write(bytes([kind]) + length + _MASK + payload)

    async def call(self, action: str, payload: dict[str, Any]) -> Any:
        """Send a call and return the payload of its answer."""
        name = str(next(self._ids))
        self._answers[name] = asyncio.get_running_loop().create_future()
        self._write(_TEXT, orjson.dumps([2, name, action, payload]))
        return await self._answers[name]

    def take_arrivals(
        self, wanted: Callable[[float | None, float], bool]
    ) -> list[tuple[float, float | None, float]]:
        """Return the limits that have come and are wanted (before, now); the others are dropped."""
        found = [each for each in self.arrivals if wanted(each[1], each[2])]
        self.arrivals.clear()
        return found

    async def boot(self) -> None:
        """Say what it is and that it is free."""
        await self.call("BootNotification", {"chargePointVendor": "B", "chargePointModel": "B"})
        for connector in (0, 1):
            payload = {"connectorId": connector, "status": "Available", "errorCode": "NoError"}
            await self.call("StatusNotification", payload)

    async def start(self) -> None:
        """Start a session."""
        payload = {"connectorId": 1, "idTag": "TAG", "meterStart": self.energy_wh}
        await self.call("StartTransaction", payload | {"timestamp": _now()})

    async def meter(self) -> None:
        """Send a reading: it draws all that it may."""
        self.energy_wh += 10
        power = round((self.limit_a or 0) * VOLTS)
        samples = [
            {"value": str(self.energy_wh), "measurand": "Energy.Active.Import.Register"},
            {"value": str(power), "measurand": "Power.Active.Import", "unit": "W"},
        ]
        value = {"timestamp": _now(), "sampledValue": samples}
        call = {"connectorId": 1, "transactionId": self.transaction, "meterValue": [value]}
        await self.call("MeterValues", call)

    def close(self) -> None:
        """Cut the connection."""
        self._transport.abort()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
