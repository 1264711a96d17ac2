from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from csms.domain.ids import ChargePointKey
from csms.ocppj.schemas import Schemas
from tests.contracts.fake_gateway import FakeGateway
from tests.contracts.gateway import Behaviour, GatewayContract, Result


class FakeRig:
    def __init__(self, clock) -> None:
        self.gateway = FakeGateway(Schemas(), clock)
        self.key = ChargePointKey(1)
        self.behaviour: Behaviour = Result()

    @property
    def received(self) -> list[tuple[str, str, Mapping[str, Any]]]:
        return [call[1:] for call in self.gateway.received]

    async def connect(self) -> None:
        self.gateway.connect(self.key, lambda action, payload: self.behaviour)

    async def disconnect(self) -> None:
        self.gateway.disconnect(self.key)

    async def answer_late(self, message_id: str) -> None:
        self.gateway.answer(self.key, message_id, {"status": "Accepted"})


class TestFakeGateway(GatewayContract):
    @pytest.fixture
    def rig(self, clock) -> FakeRig:
        return FakeRig(clock)
