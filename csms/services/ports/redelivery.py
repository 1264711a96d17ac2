"""The port of messages that are decoded and stored once more."""

from __future__ import annotations

from typing import Protocol

from csms.services.records import RefusedMessage


class Redelivery(Protocol):
    """Feeds a kept message through decoding and intake, as if it came now; nothing is answered."""

    async def deliver(self, message: RefusedMessage) -> str | None:
        """Store the facts of a message and return None, or the reason that it is refused again.

        What the message says is stored at the time it was received.

        Raises:
            DatabaseAway: Not stored, try again.
        """
        ...
