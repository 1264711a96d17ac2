"""A central system written from the README of the ``ocpp`` package: a second opinion.

It shares nothing with the server of this project and checks every frame by the package's own
validation, which answers what breaks a schema with CALLERROR.
"""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint as OcppChargePoint
from ocpp.v16 import call_result
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import Action, AuthorizationStatus, RegistrationStatus
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

ACCEPTED = IdTagInfo(status=AuthorizationStatus.accepted)


@dataclass
class SecondOpinion:
    """The central system; ``open`` and ``ended`` are its transactions by id."""

    port: int = 0
    boots: list[str] = field(default_factory=list)
    meter_values: int = 0
    open: dict[int, dict[str, Any]] = field(default_factory=dict)
    ended: dict[int, dict[str, Any]] = field(default_factory=dict)
    ids: Any = field(default_factory=lambda: itertools.count(500_001))

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ocpp"

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["SecondOpinion"]:
        async with serve(
            self._on_connect, "127.0.0.1", 0, subprotocols=[Subprotocol("ocpp1.6")]
        ) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            yield self

    async def _on_connect(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        identity = connection.request.path.strip("/").rpartition("/")[2]
        charge_point = ChargePoint(identity, connection)
        charge_point.books = self
        try:
            await charge_point.start()
        except ConnectionClosed:
            return


class ChargePoint(OcppChargePoint):
    books: SecondOpinion

    @on(Action.boot_notification)
    def on_boot(self, **_: Any) -> call_result.BootNotification:
        self.books.boots.append(self.id)
        return call_result.BootNotification(
            current_time=datetime.now(UTC).isoformat(),
            interval=300,
            status=RegistrationStatus.accepted,
        )

    @on(Action.status_notification)
    def on_status(self, **_: Any) -> call_result.StatusNotification:
        return call_result.StatusNotification()

    @on(Action.heartbeat)
    def on_heartbeat(self) -> call_result.Heartbeat:
        return call_result.Heartbeat(current_time=datetime.now(UTC).isoformat())

    @on(Action.authorize)
    def on_authorize(self, **_: Any) -> call_result.Authorize:
        return call_result.Authorize(id_tag_info=ACCEPTED)

    @on(Action.meter_values)
    def on_meter_values(self, **_: Any) -> call_result.MeterValues:
        self.books.meter_values += 1
        return call_result.MeterValues()

    @on(Action.start_transaction)
    def on_start(self, **start: Any) -> call_result.StartTransaction:
        number = next(self.books.ids)
        self.books.open[number] = {"charge_point": self.id, **start}
        return call_result.StartTransaction(transaction_id=number, id_tag_info=ACCEPTED)

    @on(Action.stop_transaction)
    def on_stop(self, transaction_id: int, **stop: Any) -> call_result.StopTransaction:
        self.books.ended[transaction_id] = self.books.open.pop(transaction_id) | stop
        return call_result.StopTransaction()
