"""What one connection may have repaired: nothing when its station is strict, and not without end.

Mending takes more time than decoding, so each connection has an allowance of characters. Whoever
uses it up is answered as a strict station would be, until it has grown again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from csms.clock import Clock
from csms.domain.charge_points import ChargePointRecord
from csms.ocppj.repairs import catalogue as names
from csms.ocppj.repairs.frames import RETOLD, Mended, mended_shape, mended_text, same_id
from csms.ocppj.repairs.payloads import PayloadRepairs, Repaired
from csms.ocppj.repairs.switches import Switches
from csms.ocppj.schemas import Schemas

ALLOWED_AT_ONCE = 2_000_000
ALLOWED_PER_S = 128_000


class _Owner(Protocol):
    @property
    def record(self) -> ChargePointRecord: ...


class Known(Protocol):
    """Repairs of payloads: those of the process, or those of a connection within its allowance."""

    @property
    def schemas(self) -> Schemas:
        """All of OCPP 1.6."""
        ...

    @property
    def switches(self) -> Switches:
        """The repairs that are on."""
        ...

    def payload(
        self, action: str, payload: dict[str, Any], size: int, received_at: datetime
    ) -> Repaired:
        """Return a request that breaks its schema as it was meant; `size` is that of its frame."""
        ...


class Repairs:
    """All repairs of this process; shared by all connections."""

    def __init__(self, schemas: Schemas, switches: Switches | None = None) -> None:
        self.schemas = schemas
        self.switches = switches or Switches()
        self.payloads = PayloadRepairs(schemas, self.switches)

    def payload(
        self, action: str, payload: dict[str, Any], size: int, received_at: datetime
    ) -> Repaired:
        """See `Known`."""
        return self.payloads.request(action, payload, received_at)


class Tolerance:
    """The repairs of one connection.

    Concurrency: one event loop.
    """

    __slots__ = ("_clock", "_owner", "_repairs", "_since", "_used")

    def __init__(self, repairs: Repairs, owner: _Owner, clock: Clock) -> None:
        """Look at the owner's record each time: an operator may make it strict meanwhile."""
        self._repairs = repairs
        self._owner = owner
        self._clock = clock
        self._used = 0.0
        self._since = 0.0

    @property
    def schemas(self) -> Schemas:
        """See `Known`."""
        return self._repairs.schemas

    @property
    def switches(self) -> Switches:
        """See `Known`."""
        return self._repairs.switches

    def payload(
        self, action: str, payload: dict[str, Any], size: int, received_at: datetime
    ) -> Repaired:
        """See `Known`; beyond the allowance nothing is repaired."""
        if self._affords(size):
            return self._repairs.payload(action, payload, size, received_at)
        problems = self._repairs.schemas.request_problems(action, payload)
        return Repaired(payload=payload, names=(), defaulted=frozenset(), problems=problems)

    def text(self, raw: str) -> Mended | None:
        """Return the message that a text means which is no JSON."""
        if not self._affords(len(raw)):
            return None
        return mended_text(raw, self._repairs.switches)

    def shape(self, frame: object) -> Mended | None:
        """Return a frame with its elements put right."""
        if self._owner.record.strict:
            return None
        return mended_shape(frame, self._repairs.switches)

    def takes_used_ids(self) -> bool:
        """Return whether a message id may be used again for another call."""
        return names.MESSAGE_ID_REUSED in self._repairs.switches and not self._owner.record.strict

    def asks_anew(self, action: str) -> bool:
        """Return whether the same call with the same id is a new question, not a repetition."""
        return action in RETOLD and self.takes_used_ids()

    def answers(self, given: object, ours: str) -> bool:
        """Return whether an answer with this id is one to our call of that id."""
        may = names.ANSWER_ID in self._repairs.switches and not self._owner.record.strict
        return may and same_id(given, ours)

    def answer(self, action: str, payload: dict[str, Any]) -> Repaired | None:
        """Return an answer to a call of ours as it was meant."""
        if not self._affords(len(payload)):
            return None
        return self._repairs.payloads.answer(action, payload, self._now())

    def _now(self) -> datetime:
        return self._clock.now()

    def _affords(self, characters: int) -> bool:
        if self._owner.record.strict:
            return False
        now = self._clock.monotonic()
        self._used = max(0.0, self._used - (now - self._since) * ALLOWED_PER_S)
        self._since = now
        if self._used + characters > ALLOWED_AT_ONCE:
            return False
        self._used += characters
        return True
