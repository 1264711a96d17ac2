"""What a charge point shows whoever watches it: its state, its events, and waiting for either."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from simulator.clock import Clock
from simulator.events import Event, EventHook
from simulator.snapshots import StationState, connector_state

if TYPE_CHECKING:
    from simulator.link import Link
    from simulator.oddities.temper import Temper
    from simulator.session import ConnectorSession
    from simulator.transactions import TransactionQueue

JOURNAL = 200
"""Events that a charge point remembers for its log."""


class Watched:
    """The side of a charge point that is watched; its parts are put in place by the heir.

    Args:
        on_event: told everything that happens, synchronously.
    """

    identity: str
    clock: Clock
    link: "Link"
    queue: "TransactionQueue"
    temper: "Temper"
    sessions: Mapping[int, "ConnectorSession"]

    def __init__(self, on_event: EventHook | None) -> None:
        self._on_event = on_event
        self._changed = asyncio.Event()
        self._journal: deque[Event] = deque(maxlen=JOURNAL)

    @property
    def state(self) -> StationState:
        """A snapshot, with the physics settled up to now."""
        for session in self.sessions.values():
            session.connector.advance(self.clock.monotonic())
        return StationState(
            identity=self.identity,
            is_connected=self.link.is_connected,
            is_registered=self.link.is_registered,
            registration=self.link.registration,
            connectors={
                number: connector_state(session.connector)
                for number, session in self.sessions.items()
            },
            waiting_messages=len(self.queue),
        )

    async def wait_for(
        self, predicate: Callable[[StationState], bool], timeout_s: float = 30.0
    ) -> StationState:
        """Return the first snapshot that satisfies ``predicate``; looks after each event.

        Raises:
            TimeoutError: none did within ``timeout_s`` seconds of the machine; the text shows the
                last one.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not predicate(state := self.state):
                    self._changed.clear()
                    await self.clock.wait(self._changed, 0.1)
        except TimeoutError as error:
            msg = f"not reached within {timeout_s} s: {self.state}"
            raise TimeoutError(msg) from error
        return state

    async def until_registered(self) -> None:
        """Wait until the central system has accepted the charge point."""
        while not self.link.is_registered:
            self._changed.clear()
            await self.clock.wait(self._changed, None)

    async def until_told(self, patience_s: float) -> None:
        """Wait until all transaction messages are acknowledged, at most ``patience_s``."""
        deadline = self.clock.monotonic() + patience_s
        while len(self.queue) and self.clock.monotonic() < deadline:
            self._changed.clear()
            await self.clock.wait(self._changed, 0.2)

    def wake_watchers(self) -> None:
        """Have those who wait for a state look again."""
        self._changed.set()

    @property
    def journal(self) -> Sequence[Event]:
        """The last things that happened, oldest first."""
        return self._journal

    def emit(self, name: str, **data: object) -> None:
        """Tell watchers that something happened."""
        self._changed.set()
        event = Event(name=name, charge_point=self.identity, at=self.clock.now(), data=data)
        self._journal.append(event)
        self.temper.on_event(event)
        if self._on_event is not None:
            self._on_event(event)
