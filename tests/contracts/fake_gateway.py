"""A gateway without sockets: the queue and the time limits are the real ones, stations are played.

It passes the contract of `tests.contracts.gateway`, so that tests of services may trust it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from csms.clock import Clock
from csms.domain.ids import ChargePointKey
from csms.errors import CallFailed
from csms.ocppj.conversation import Answered, Conversation
from csms.ocppj.outgoing import Outgoing
from csms.ocppj.schemas import Schemas
from csms.services.ports.gateway import Answer
from tests.contracts.gateway import Behaviour, Error, HangUp, Result

Player = Callable[[str, Mapping[str, Any]], Behaviour]
"""From action and payload to what the station does."""


def accept(action: str, payload: Mapping[str, Any]) -> Behaviour:
    return Result()


class FakeGateway:
    """Implements `csms.services.ports.gateway.Gateway`; `received` holds what has reached whom."""

    def __init__(self, schemas: Schemas, clock: Clock, *, call_timeout_s: float = 5.0) -> None:
        self._schemas = schemas
        self._clock = clock
        self._call_timeout_s = call_timeout_s
        self._stations: dict[ChargePointKey, _Station] = {}
        self.received: list[tuple[ChargePointKey, str, str, Mapping[str, Any]]] = []

    def connect(self, key: ChargePointKey, player: Player = accept) -> None:
        self._stations[key] = _Station(self, key, player)

    def disconnect(self, key: ChargePointKey) -> None:
        self._stations.pop(key).outgoing.lose()

    def answer(self, key: ChargePointKey, message_id: str, payload: Any) -> None:
        """Let a station answer a call that it had met with silence."""
        self._stations[key].say([3, message_id, payload])

    async def call(
        self,
        charge_point: ChargePointKey,
        action: str,
        payload: Mapping[str, Any],
        *,
        message_id: str,
        timeout_s: float | None = None,
    ) -> Answer:
        station = self._stations.get(charge_point)
        if station is None:
            raise CallFailed("station_offline", "the station is not connected")
        return await station.outgoing.call(
            action, payload, message_id=message_id, timeout_s=timeout_s or self._call_timeout_s
        )

    def is_online(self, charge_point: ChargePointKey) -> bool:
        return charge_point in self._stations

    def online(self) -> int:
        return len(self._stations)


class _Station:
    def __init__(self, gateway: FakeGateway, key: ChargePointKey, player: Player) -> None:
        self._gateway = gateway
        self._key = key
        self._player = player
        self._conversation = Conversation()
        self.outgoing = Outgoing(self._conversation, gateway._schemas, self._wake)

    def say(self, frame: list[Any]) -> None:
        event = self._conversation.receive(json.dumps(frame))
        if isinstance(event, Answered):
            self.outgoing.answered(event, self._gateway._clock.now())

    def _wake(self) -> None:
        asyncio.get_running_loop().call_soon(self._send)

    def _send(self) -> None:
        clock = self._gateway._clock
        pending = self.outgoing.next_call(clock.now(), clock.monotonic())
        if pending is None:
            return
        _, message_id, action, payload = json.loads(pending.text)
        self._gateway.received.append((self._key, message_id, action, payload))
        match self._player(action, payload):
            case Result(answer):
                self.say([3, message_id, answer])
            case Error(code, description):
                self.say([4, message_id, code, description, {}])
            case HangUp():
                self._gateway.disconnect(self._key)
