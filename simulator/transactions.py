"""Transactions and the queue of messages about them (OCPP 1.6 3.7.1, 4.7, 4.8, 4.10).

The queue delivers StartTransaction, MeterValues and StopTransaction one at a time in chronological
order:

* no answer (connection lost, time-out) keeps the message; it is sent again, with the same payload,
  when the charge point is connected again;
* a CALLERROR is tried ``TransactionMessageAttempts`` times in all, waiting
  ``TransactionMessageRetryInterval`` times the number of earlier tries; then the message is dropped
  and the transaction's record says so;
* a message that names its transaction waits behind the StartTransaction and gets the id that this
  brought; if that StartTransaction was dropped, there is none and it says -1 (errata 3.18).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ocpp.v16 import call, enums

from simulator.clock import Clock, iso
from simulator.configuration import Configuration
from simulator.errors import CallRefused

ORDER_PATIENCE_S = 10.0
"""Longest wait of a state and a message for each other: trouble with one must not hide both."""

NO_TRANSACTION_ID = -1
MAX_WAITING_METER_VALUES = 5_000
"""MeterValues kept while offline; later ones are skipped, Start and StopTransaction never are."""

Payload = call.StartTransaction | call.MeterValues | call.StopTransaction
Send = Callable[[Any], Awaitable[Any]]
MeterValue = dict[str, Any]
Outcome = Literal["answered", "refused", "dropped"]


@dataclass(slots=True, kw_only=True, eq=False)
class Transaction:
    """A transaction as the charge point knows it; ``dropped`` names messages given up."""

    charge_point: str
    connector_id: int
    id_tag: str
    started_at: datetime
    meter_start_wh: int
    reservation_id: int | None = None
    transaction_id: int | None = None
    id_tag_status: str | None = None
    stopped_at: datetime | None = None
    meter_stop_wh: int | None = None
    reason: str | None = None
    start_acknowledged: bool = False
    stop_acknowledged: bool = False
    meter_values_acknowledged: int = 0
    dropped: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Message:
    """A queued message; ``attempted`` is set once its first sending has ended in any way.

    Attributes:
        info: what its answer said of the id tag, if anything.
        behind: set once the state was reported that comes before the message.
    """

    transaction: Transaction
    payload: Payload
    refusals: int = 0
    info: Mapping[str, Any] | None = None
    behind: asyncio.Event | None = None
    attempted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def action(self) -> str:
        """The OCPP action."""
        return type(self.payload).__name__


def _first(messages: deque[Message]) -> Message:
    return messages[0]


class TransactionQueue:
    """The transaction messages of one charge point that are not answered yet.

    Args:
        configuration: gives the attempts and the interval, read at each failure.
        clock: for the waits.
        on_attempt: called after each attempt that got a word from the central system, with what
            came of it.
        choose: tells which of the messages goes next (by default the oldest).
    """

    def __init__(
        self,
        configuration: Configuration,
        clock: Clock,
        on_attempt: Callable[[Message, Outcome], None],
        choose: Callable[[deque[Message]], Message] | None = None,
    ) -> None:
        self._choose = choose or _first
        self._configuration = configuration
        self._clock = clock
        self._on_attempt = on_attempt
        self._messages: deque[Message] = deque()
        self._filled = asyncio.Event()
        self._waiting_meter_values = 0
        self.skipped_meter_values = 0
        self.revision = 0
        self.delivering: Message | None = None

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def messages(self) -> tuple[Message, ...]:
        """What waits, oldest first; ``revision`` tells whether it is something new."""
        return tuple(self._messages)

    def put_back(self, message: Message) -> None:
        """Queue a message that waited before the power was lost, behind what waits."""
        self._waiting_meter_values += isinstance(message.payload, call.MeterValues)
        self._put(message)

    def put_start(self, transaction: Transaction) -> Message:
        """Queue the StartTransaction of ``transaction``."""
        payload = call.StartTransaction(
            connector_id=transaction.connector_id,
            id_tag=transaction.id_tag,
            meter_start=transaction.meter_start_wh,
            timestamp=iso(transaction.started_at),
            reservation_id=transaction.reservation_id,
        )
        return self._put(Message(transaction, payload))

    def put_meter_values(
        self, transaction: Transaction, values: list[MeterValue]
    ) -> Message | None:
        """Queue one MeterValues message; None says it was skipped as too many wait."""
        if self._waiting_meter_values >= MAX_WAITING_METER_VALUES:
            self.skipped_meter_values += 1
            return None
        self._waiting_meter_values += 1
        payload = call.MeterValues(connector_id=transaction.connector_id, meter_value=values)
        return self._put(Message(transaction, payload))

    def put_stop(
        self,
        transaction: Transaction,
        *,
        id_tag: str | None,
        data: list[MeterValue] | None,
        behind: asyncio.Event | None = None,
    ) -> Message:
        """Queue the StopTransaction of a transaction whose stop fields are set."""
        if transaction.stopped_at is None or transaction.meter_stop_wh is None:
            msg = "the transaction has not been stopped"
            raise ValueError(msg)
        payload = call.StopTransaction(
            meter_stop=transaction.meter_stop_wh,
            timestamp=iso(transaction.stopped_at),
            transaction_id=NO_TRANSACTION_ID,
            reason=enums.Reason(transaction.reason or "Local"),
            id_tag=id_tag,
            transaction_data=data,
        )
        return self._put(Message(transaction, payload, behind=behind))

    def _put(self, message: Message) -> Message:
        self._messages.append(message)
        self.revision += 1
        self._filled.set()
        return message

    async def deliver(self, send: Send) -> None:
        """Send what is queued, and what comes, until cancelled.

        Args:
            send: sends one payload and returns its answer.

        Raises:
            NoAnswer: from ``send``; the message is still first in the queue.

        Cancellation: leaves the message in flight first in the queue. Concurrency: one caller at a
        time.
        """
        while True:
            while not self._messages:
                self._filled.clear()
                await self._clock.wait(self._filled, None)
            await self._deliver_one(self._choose(self._messages), send)

    async def _deliver_one(self, message: Message, send: Send) -> None:
        if message.refusals:
            interval = self._configuration.integer("TransactionMessageRetryInterval")
            await self._clock.sleep(interval * message.refusals)
        if message.behind is not None:
            await self._clock.wait(message.behind, ORDER_PATIENCE_S)
        self.delivering = message
        payload = message.payload
        if not isinstance(payload, call.StartTransaction):
            known = message.transaction.transaction_id
            payload.transaction_id = NO_TRANSACTION_ID if known is None else known
        outcome: Outcome = "answered"
        try:
            self._acknowledge(message, await send(payload))
        except CallRefused:
            message.refusals += 1
            attempts = max(1, self._configuration.integer("TransactionMessageAttempts"))
            outcome = "refused" if message.refusals < attempts else "dropped"
        finally:
            message.attempted.set()
        if outcome == "dropped":
            message.transaction.dropped.append(message.action)
        self.revision += 1
        if outcome != "refused":
            self._messages.remove(message)
            self._waiting_meter_values -= isinstance(payload, call.MeterValues)
        self._on_attempt(message, outcome)

    def _acknowledge(self, message: Message, answer: Any) -> None:
        transaction = message.transaction
        message.info = getattr(answer, "id_tag_info", None)
        match message.payload:
            case call.StartTransaction():
                transaction.transaction_id = answer.transaction_id
                transaction.id_tag_status = answer.id_tag_info["status"]
                transaction.start_acknowledged = True
            case call.StopTransaction():
                transaction.stop_acknowledged = True
            case _:
                transaction.meter_values_acknowledged += 1
