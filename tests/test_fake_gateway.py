"""The stand-in for the gateway keeps the contract of the real one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from csms.domain.ids import ChargePointKey
from tests.contracts.gateway import Error, GatewayContract, HangUp, Result, Silence
from tests.fake_gateway import FakeCall, FakeGateway


class FakeRig:
    def __init__(self) -> None:
        self.gateway = FakeGateway()
        self.key = ChargePointKey(1)
        self.behaviour = Result()
        self.received: list[tuple[str, str, Mapping[str, Any]]] = []

    async def connect(self) -> None:
        self.gateway.connect(self.key, self._play)

    async def disconnect(self) -> None:
        self.gateway.disconnect(self.key)

    async def answer_late(self, message_id: str) -> None:
        self.gateway.stations[self.key].say([3, message_id, {"status": "Accepted"}])

    def _play(self, call: FakeCall) -> None:
        self.received.append((call.message_id, call.action, call.payload))
        match self.behaviour:
            case Result(payload):
                call.answer(payload)
            case Error(code, description):
                call.error(code, description)
            case HangUp():
                # a socket breaks a moment after the frame has arrived
                asyncio.get_running_loop().call_soon(self.gateway.disconnect, self.key)
            case Silence():
                pass


class TestFakeGateway(GatewayContract):
    @pytest.fixture
    def rig(self) -> FakeRig:
        return FakeRig()
