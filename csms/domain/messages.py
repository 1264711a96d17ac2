"""OCPP frames as the message log keeps them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from csms.domain.ids import ChargePointKey

Direction = Literal["in", "out"]


class LoggedFrame(NamedTuple):
    """One text frame, in or out, with its secrets masked.

    A tuple in the order of the columns that keep it, because it stands on the hot path.

    Attributes:
        type: Message type number: 2 call, 3 call result, 4 call error; None when it cannot be read.
        action: Action of the call; an answer carries the action of its call.
        message_id: As it stands in the frame, at most 64 characters.
        raw: The text, masked by `csms.domain.masking`.
        latency_us: On answers only: time since their call came in or went out, in microseconds.
        repairs: Names of the repairs that were needed to understand the frame.
        repaired: The payload that they made of it, as JSON, masked like `raw`.
    """

    at: datetime
    charge_point: ChargePointKey
    direction: Direction
    type: int | None
    action: str | None
    message_id: str | None
    raw: str
    latency_us: int | None = None
    repairs: tuple[str, ...] | None = None
    repaired: str | None = None
