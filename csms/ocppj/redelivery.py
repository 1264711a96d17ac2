"""Messages out of quarantine, decoded and stored once more (R34)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
import structlog

from csms.domain.metering import MeterValuesFact
from csms.domain.transactions import StartFact, StopFact
from csms.errors import BadFact
from csms.ocppj import messages
from csms.ocppj.call_errors import PayloadRefused
from csms.ocppj.conversation import Call, Conversation
from csms.ocppj.messages import Source
from csms.ocppj.repairs.frames import mended_text
from csms.ocppj.repairs.tolerance import Repairs
from csms.services.intake import Intake
from csms.services.records import RefusedMessage

_log = structlog.get_logger(__name__)

_FACTS: dict[str, Callable[[Mapping[str, Any], Source], StartFact | StopFact | MeterValuesFact]] = {
    "StartTransaction": messages.start,
    "StopTransaction": messages.stop,
    "MeterValues": messages.meter_values,
}


class QuarantineRedelivery:
    """Implements `csms.services.ports.redelivery`.

    The registration of the charge point is not asked for: an operator wants this message.
    """

    def __init__(self, intake: Intake, repairs: Repairs) -> None:
        self._intake = intake
        self._repairs = repairs

    async def deliver(self, message: RefusedMessage) -> str | None:
        """See the port."""
        event = Conversation().receive(message.raw)
        if not isinstance(event, Call) and not message.strict:
            mended = mended_text(message.raw, self._repairs.switches)
            if mended is not None:
                event = Conversation().receive(orjson.dumps(mended.frame).decode())
        if not isinstance(event, Call):
            return "it cannot be read as a call"
        make = _FACTS.get(event.action)
        if make is None:
            return f"{event.action} is not stored"
        source = Source(message.charge_point, message.received_at, message.strict)
        try:
            messages.check(self._repairs, event.action, event.payload, event.raw, source)
            fact = make(event.payload, source)
            if isinstance(fact, MeterValuesFact) and not fact.readings:
                return None
            await self._intake.submit(fact)
        except PayloadRefused as error:
            return f"{error.refused.code}: {error.refused.description}"
        except BadFact as error:
            _log.error(
                "retried fact refused by the database", action=event.action, error=str(error)
            )
            return "the database does not take it; the log says why"
        return None
