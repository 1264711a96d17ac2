"""A bad network and odd firmware: lost answers, dead sockets, repetitions, disorder.

Chance decides by a seed of each charge point, a call at a time. Nothing here loses a message by
itself: the charge point's queue sends again what was not answered.
"""

import json
import random
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection

from simulator.clock import Clock
from simulator.rpc import FollowUp
from simulator.transactions import Message

AFTER_SENDING_S = 0.05
"""A connection that is cut goes within this time after a call, before or after its answer."""


@dataclass(slots=True, kw_only=True)
class NetworkFaults:
    """What may happen to each call of a charge point; chances are from 0 to 1.

    Attributes:
        cut: the connection breaks, perhaps before the answer comes.
        stall: the connection goes dead without a word: nothing passes, nobody is told.
        repeat: the same call is sent once more at once, under another message id.
        delay_s: each frame leaves up to so much later.
        reorder: transaction messages of one connector may overtake those of another one.
        active: False ends all of it, for everybody who shares these settings.
    """

    cut: float = 0.0
    stall: float = 0.0
    repeat: float = 0.0
    delay_s: float = 0.0
    reorder: bool = False
    active: bool = True


class FaultyNetwork:
    """What the faults do to one connection.

    Args:
        faults: shared by a fleet.
        chance: of this charge point.
        clock: for delays.
        spawn: starts work in a task that somebody owns.
    """

    def __init__(
        self,
        faults: NetworkFaults,
        chance: random.Random,
        clock: Clock,
        spawn: Callable[[FollowUp], None],
    ) -> None:
        self._faults = faults
        self._chance = chance
        self._clock = clock
        self._spawn = spawn
        self.is_stalled = False

    async def send(self, websocket: ClientConnection, frame: str) -> None:
        """Send a frame, or what the faults make of it.

        Raises:
            ConnectionClosed: the connection has ended.
        """
        faults, chance = self._faults, self._chance
        if not faults.active:
            await websocket.send(frame)
            return
        if faults.delay_s:
            await self._clock.sleep(chance.uniform(0, faults.delay_s))
        is_call = frame.startswith("[2,")
        if is_call and chance.random() < faults.stall:
            # before or after the call got through
            if chance.random() < 0.5:
                await websocket.send(frame)
            self.is_stalled = True
        if self.is_stalled:
            return
        await websocket.send(frame)
        if is_call and chance.random() < faults.repeat:
            _, _, *rest = json.loads(frame)
            await websocket.send(json.dumps([2, str(uuid.uuid4()), *rest]))
        if is_call and chance.random() < faults.cut:
            wait_s = chance.uniform(0, AFTER_SENDING_S)

            async def cut() -> None:
                await self._clock.sleep(wait_s)
                websocket.transport.abort()

            self._spawn(cut)


class DisorderedQueue:
    """Chooses which queued message goes next: the oldest of any connector.

    Args:
        faults: shared by a fleet.
        chance: of this charge point.
    """

    def __init__(self, faults: NetworkFaults, chance: random.Random) -> None:
        self._faults = faults
        self._chance = chance

    def __call__(self, waiting: deque[Message]) -> Message:
        """Return one of ``waiting``, which is not empty."""
        if not (self._faults.active and self._faults.reorder):
            return waiting[0]
        connectors = sorted({message.transaction.connector_id for message in waiting})
        chosen = self._chance.choice(connectors)
        return next(m for m in waiting if m.transaction.connector_id == chosen)
