"""The port of calls to charge points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from csms.domain.ids import ChargePointKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a charge point answered: a CALLRESULT, or a CALLERROR when `error_code` is set.

    Attributes:
        payload: Payload of the CALLRESULT, valid after its schema; empty for a CALLERROR.
        error_code: Code of the CALLERROR, as sent.
        sent_at: When the call went out.
        answered_at: When the answer came in.
    """

    payload: Mapping[str, Any]
    sent_at: datetime
    answered_at: datetime
    error_code: str | None = None
    error_description: str | None = None


class Gateway(Protocol):
    """Sends calls to charge points; one open call a connection, the rest queue with a deadline."""

    async def call(
        self,
        charge_point: ChargePointKey,
        action: str,
        payload: Mapping[str, Any],
        *,
        message_id: str,
        timeout_s: float | None = None,
    ) -> Answer:
        """Send one call, wait for its answer and return it. Never repeats a call (R26).

        Args:
            charge_point: Whom to call.
            action: One of the 26 actions of a central system.
            payload: Sent as it is: key order kept, compact JSON.
            message_id: UUID text, never used before.
            timeout_s: From the moment of sending; None takes the setting's (30 s). Waiting in the
                queue is bounded by the same time once more.

        Raises:
            CallFailed: `station_offline`, `queue_full`, `too_early` (of a charge point that wants
                its calls spaced), `call_timeout`, `connection_lost` or `invalid_response`.

        Cancellation: a queued call is withdrawn; a sent one stays open until its answer or time-out
        and its answer is dropped.
        """
        ...

    def is_online(self, charge_point: ChargePointKey) -> bool:
        """Return whether this charge point has a live connection here or on another node."""
        ...

    def online(self) -> int:
        """Return how many charge points are connected here."""
        ...


class CallSchemas(Protocol):
    """The schemas of the 26 calls, for forms and checks before anything is sent."""

    def actions(self) -> tuple[str, ...]:
        """Return the names of the 26 actions, sorted."""
        ...

    def request_schema(self, action: str) -> Mapping[str, Any]:
        """Return the JSON schema of an action's request; KeyError when there is no such action."""
        ...

    def problems(self, action: str, payload: object) -> dict[str, str]:
        """Return what breaks the request's schema: field path -> what is wrong; {} when valid."""
        ...
