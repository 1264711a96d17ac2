"""OCPP frames as the message log keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from csms.domain.ids import ChargePointKey

Direction = Literal["in", "out"]


@dataclass(slots=True, kw_only=True)
class LoggedFrame:
    """One text frame, in or out, with its secrets masked.

    Built once and not changed afterwards (not frozen: it stands on the hot path).

    Attributes:
        type: Message type number: 2 call, 3 call result, 4 call error; None when it cannot be read.
        action: Action of the call; an answer carries the action of its call.
        message_id: As it stands in the frame, at most 256 characters.
        raw: The text, masked by `csms.domain.masking`.
        latency_ms: On answers only: time since their call came in or went out.
        repairs: Names of the repairs that were needed to understand the frame.
        repaired: The payload that they made of it, as JSON, masked like `raw`.
    """

    charge_point: ChargePointKey
    at: datetime
    direction: Direction
    type: int | None
    action: str | None
    message_id: str | None
    raw: str
    latency_ms: float | None = None
    repairs: tuple[str, ...] = ()
    repaired: str | None = None
