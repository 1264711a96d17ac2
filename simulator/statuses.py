"""What the central system has been told of the connectors' states (OCPP 1.6 4.9).

While connected every change is reported, in order. While offline only the latest state is kept;
after a reconnect the changed ones are reported, after a boot all of them, connector 0 included
(errata 3.22).
"""

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from ocpp.v16 import call, enums

from simulator.clock import Clock, iso
from simulator.errors import CallRefused
from simulator.transactions import ORDER_PATIENCE_S, Message, Send


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A state to be reported.

    Attributes:
        after: the transaction message that led to it and has to be tried first.
        told: set once the state was reported, or will not be because newer ones are.
    """

    connector_id: int
    status: str
    error_code: str
    at: datetime
    after: Message | None = None
    told: asyncio.Event = field(default_factory=asyncio.Event, compare=False)

    @property
    def content(self) -> tuple[str, str]:
        """What makes two notices of a connector the same."""
        return self.status, self.error_code


class StatusBoard:
    """States of connector 0 and all connectors, and which of them were acknowledged."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._current: dict[int, Notice] = {}
        self._acknowledged: dict[int, tuple[str, str]] = {}
        self._pending: deque[Notice] = deque()
        self._filled = asyncio.Event()
        self._connected = False

    def note(self, notice: Notice) -> bool:
        """Take in a connector's state and tell whether it is a change."""
        known = self._current.get(notice.connector_id)
        if known is not None and known.content == notice.content:
            return False
        self._current[notice.connector_id] = notice
        if self._connected:
            self._pending.append(notice)
            self._filled.set()
        else:
            notice.told.set()
        return True

    @property
    def is_idle(self) -> bool:
        """Whether all that is known has been reported and acknowledged."""
        return all(
            self._acknowledged.get(number) == notice.content
            for number, notice in self._current.items()
        )

    def acknowledged(self, connector_id: int) -> str | None:
        """Return the state of a connector that the central system has last acknowledged."""
        content = self._acknowledged.get(connector_id)
        return content[0] if content is not None else None

    def current(self, connector_id: int) -> call.StatusNotification:
        """Return the message for a connector's present state, for a trigger."""
        return _message(self._current[connector_id])

    def forget_acknowledged(self) -> None:
        """Have everything reported again: the charge point boots."""
        self._acknowledged.clear()

    async def tell_all(self, send: Send) -> None:
        """Report what was not acknowledged, at once: a boot is over, states come before the rest.

        Raises:
            NoAnswer: from ``send``.
        """
        for number in sorted(self._current):
            notice = self._current[number]
            if self._acknowledged.get(number) != notice.content:
                await self._send(notice, send)

    async def _send(self, notice: Notice, send: Send) -> None:
        try:
            with contextlib.suppress(CallRefused):
                await send(_message(notice))
                self._acknowledged[notice.connector_id] = notice.content
        finally:
            notice.told.set()

    async def report(self, send: Send) -> None:
        """Report what was not acknowledged, then every change, until cancelled.

        Raises:
            NoAnswer: from ``send``.
        """
        self._pending = deque(
            notice
            for number, notice in sorted(self._current.items())
            if self._acknowledged.get(number) != notice.content
        )
        self._connected = True
        try:
            while True:
                while not self._pending:
                    self._filled.clear()
                    await self._clock.wait(self._filled, None)
                notice = self._pending.popleft()
                if notice.after is not None:
                    await self._clock.wait(notice.after.attempted, ORDER_PATIENCE_S)
                await self._send(notice, send)
        finally:
            self._connected = False
            for notice in self._pending:
                notice.told.set()


def _message(notice: Notice) -> call.StatusNotification:
    return call.StatusNotification(
        connector_id=notice.connector_id,
        error_code=enums.ChargePointErrorCode(notice.error_code),
        status=enums.ChargePointStatus(notice.status),
        timestamp=iso(notice.at),
    )
