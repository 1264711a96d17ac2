"""Charge points without sockets: the test sees each call and answers it when and how it likes.

Queueing, time limits and the check of answers are those of the real gateway; only the wire between
it and the charge point is missing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from csms.clock import SystemClock
from csms.domain.ids import ChargePointKey
from csms.errors import CallFailed
from csms.ocppj.conversation import Answered, Conversation
from csms.ocppj.outgoing import Outgoing
from csms.ocppj.schemas import Schemas
from csms.services.ports.gateway import Answer
from tests.waiting import wait_until


@dataclass(eq=False)
class FakeCall:
    """A call that has reached its charge point."""

    station: FakeStation
    message_id: str
    action: str
    payload: Mapping[str, Any]
    answered: bool = False

    def answer(self, payload: Any) -> None:
        self.answered = True
        self.station.say([3, self.message_id, payload])

    def accept(self) -> None:
        self.answer({"status": "Accepted"})

    def reject(self) -> None:
        self.answer({"status": "Rejected"})

    def error(self, code: str, description: str = "") -> None:
        self.answered = True
        self.station.say([4, self.message_id, code, description, {}])

    @property
    def purpose(self) -> str:
        return self.payload["csChargingProfiles"]["chargingProfilePurpose"]

    @property
    def limit(self) -> float:
        """Of a SetChargingProfile with one period; A or W as sent."""
        (period,) = self.payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"]
        return period["limit"]


Behaviour = Callable[[FakeCall], None]


class FakeStation:
    """One charge point: `on_call` is what it does with a call, nothing when None."""

    def __init__(self, on_call: Behaviour | None) -> None:
        self.calls: list[FakeCall] = []
        self.on_call = on_call
        self._clock = SystemClock()
        self._conversation = Conversation()
        self.outgoing = Outgoing(self._conversation, _schemas(), self._pump)

    @property
    def open(self) -> list[FakeCall]:
        return [call for call in self.calls if not call.answered]

    async def next(self, count: int = 1) -> FakeCall:
        """Wait until `count` calls in all have come and return the last of them."""
        await wait_until(lambda: len(self.calls) >= count, what=f"call {count}")
        return self.calls[count - 1]

    def say(self, frame: list[Any]) -> None:
        event = self._conversation.receive(json.dumps(frame))
        if isinstance(event, Answered):
            self.outgoing.answered(event, self._clock.now())

    def _pump(self) -> None:
        while sent := self.outgoing.next_call(self._clock.now(), self._clock.monotonic()):
            _, message_id, action, payload = json.loads(sent.text)
            call = FakeCall(self, message_id, action, payload)
            self.calls.append(call)
            if self.on_call is not None:
                self.on_call(call)


class FakeGateway:
    """Implements `csms.services.ports.gateway.Gateway`."""

    def __init__(self, *, call_timeout_s: float = 30.0) -> None:
        self.call_timeout_s = call_timeout_s
        self.stations: dict[ChargePointKey, FakeStation] = {}

    def connect(self, key: int, on_call: Behaviour | None = FakeCall.accept) -> FakeStation:
        """Let a charge point be connected anew, in place of its former connection if any."""
        self.disconnect(key)
        station = self.stations[ChargePointKey(key)] = FakeStation(on_call)
        return station

    def disconnect(self, key: int) -> None:
        station = self.stations.pop(ChargePointKey(key), None)
        if station is not None:
            station.outgoing.lose()

    async def call(
        self,
        charge_point: ChargePointKey,
        action: str,
        payload: Mapping[str, Any],
        *,
        message_id: str,
        timeout_s: float | None = None,
    ) -> Answer:
        station = self.stations.get(charge_point)
        if station is None:
            raise CallFailed("station_offline", "the station is not connected")
        return await station.outgoing.call(
            action,
            payload,
            message_id=message_id,
            timeout_s=self.call_timeout_s if timeout_s is None else timeout_s,
        )

    def is_online(self, charge_point: ChargePointKey) -> bool:
        return charge_point in self.stations

    def online(self) -> int:
        return len(self.stations)


@cache
def _schemas() -> Schemas:
    return Schemas()


async def quiet(rounds: int = 20) -> None:
    """Let everything that is ready run."""
    for _ in range(rounds):
        await asyncio.sleep(0)
