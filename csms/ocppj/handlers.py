"""What each call of a charge point does and is answered with.

The border where errors become CALLERRORs: everything that fails inside is caught here, answered
with InternalError and a constant text, and logged. Only a database that is away passes through,
because then nothing may be answered at all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

import structlog

from csms.clock import Clock, wire_time
from csms.domain.authorization import IdTagInfo
from csms.domain.charge_points import ChargePointRecord, Registration
from csms.domain.reservations import ENDING_STATUSES, ConnectorDownFact
from csms.errors import BadFact, DatabaseAway
from csms.ocppj import messages, repairs
from csms.ocppj.call_errors import ErrorCode, PayloadRefused, Refused
from csms.ocppj.conversation import Call
from csms.ocppj.messages import Source
from csms.ocppj.schemas import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Schemas
from csms.services.intake import Intake
from csms.services.notices import Notices
from csms.services.ports.notices import Notice

_log = structlog.get_logger(__name__)

TRIGGERED_FOR_S = 60.0
"""How long a pending station may send what we have asked it for."""

KEPT_WHEN_REFUSED = frozenset({"StartTransaction", "StopTransaction", "MeterValues"})
"""A station throws these away after a few CALLERRORs: their raw text is kept (R34)."""


@dataclass(slots=True, eq=False)
class Station:
    """What a connection knows of its charge point.

    Attributes:
        record: Renewed when the registration changes, by a boot or by an operator.
        triggered_until: Monotonic time until which a pending station may send triggered messages.
    """

    record: ChargePointRecord
    triggered_until: float = 0.0


@dataclass(slots=True, eq=False)
class Handled:
    """How a call is to be answered, and the repairs that it needed."""

    answer: Mapping[str, Any] | Refused
    repairs: tuple[str, ...]


_Handler = Callable[[Station, Mapping[str, Any], Source], Awaitable[Mapping[str, Any]]]


class Handlers:
    """Serves the calls of all charge points.

    Concurrency: stateless; calls of one connection come one after the other, in order.
    """

    def __init__(
        self, intake: Intake, schemas: Schemas, clock: Clock, notices: Notices | None = None
    ) -> None:
        """Put the parts together.

        Args:
            intake: Makes the facts of charging durable.
            schemas: All of OCPP 1.6.
            clock: Of the server.
            notices: Makes what else is reported durable; without it that is NotSupported.
        """
        self._intake = intake
        self._schemas = schemas
        self._clock = clock
        self._handlers: dict[str, _Handler] = {
            "Authorize": self._authorize,
            "BootNotification": self._boot,
            "DataTransfer": self._data_transfer,
            "Heartbeat": self._heartbeat,
            "MeterValues": self._meter_values,
            "StartTransaction": self._start,
            "StatusNotification": self._status,
            "StopTransaction": self._stop,
        }
        self._notices = notices
        if notices is not None:
            self._handlers |= NoticeHandlers(notices).handlers()

    async def handle(self, station: Station, call: Call, received_at: datetime) -> Handled:
        """Serve one call and return its answer.

        Raises:
            DatabaseAway: Nothing was stored in time: answer nothing and close with 1013.

        Cancellation: the fact may still be stored; its repetition is recognised by content.
        """
        record = station.record
        source = Source(record.key, received_at, record.strict)
        answer: Mapping[str, Any] | Refused
        try:
            handler = self._allowed(station, call)
            if isinstance(handler, Refused):
                answer = handler
            else:
                messages.check(self._schemas, call.action, call.payload, call.raw, source)
                answer = await handler(station, call.payload, source)
        except DatabaseAway:
            raise
        except PayloadRefused as error:
            answer = error.refused
        except BadFact as error:
            _log.error("fact refused by the database", action=call.action, error=str(error))
            answer = Refused(ErrorCode.INTERNAL_ERROR, "the message could not be stored")
        except Exception:
            _log.exception("handler failed", action=call.action, station=record.identity)
            answer = Refused(ErrorCode.INTERNAL_ERROR, "the message could not be handled")
        if isinstance(answer, Refused) and (
            call.action in KEPT_WHEN_REFUSED or answer.code is ErrorCode.INTERNAL_ERROR
        ):
            self.keep_refused(station, call.action, call.raw, answer)
        if source.repairs:
            repairs.count(source.repairs)
        return Handled(answer, source.repairs)

    def keep_refused(self, station: Station, action: str, raw: str, refused: Refused) -> None:
        """Put the raw text of a refused message into quarantine (R34)."""
        self._intake.quarantine(
            station.record.key,
            action,
            raw.replace("\0", "\N{REPLACEMENT CHARACTER}"),
            f"{refused.code}: {refused.description}",
        )

    def _allowed(self, station: Station, call: Call) -> _Handler | Refused:
        """Return the handler of a call, or why there is none for it now (R07, R08, R17)."""
        action = call.action
        handler = self._handlers.get(action)
        if handler is None:
            if action in FROM_CHARGE_POINT:
                return Refused(ErrorCode.NOT_SUPPORTED, "this system has no use for this action")
            if action in FROM_CENTRAL_SYSTEM:
                return Refused(
                    ErrorCode.NOT_SUPPORTED, "this action is for central systems to send"
                )
            return Refused(ErrorCode.NOT_IMPLEMENTED, "there is no such action")
        registration = station.record.registration
        if registration is Registration.ACCEPTED or action == "BootNotification":
            return handler
        if (
            registration is Registration.PENDING
            and self._clock.monotonic() <= station.triggered_until
        ):
            return handler
        return Refused(ErrorCode.SECURITY_ERROR, "this station is not accepted (yet)")

    # -- one method an action; all but Heartbeat and DataTransfer answer after a commit

    async def _authorize(
        self, station: Station, payload: Mapping[str, Any], source: Source
    ) -> Mapping[str, Any]:
        info = await self._intake.submit(messages.authorize(payload, source))
        return {"idTagInfo": _id_tag_info(info)}

    async def _boot(
        self, station: Station, payload: Mapping[str, Any], source: Source
    ) -> Mapping[str, Any]:
        outcome = await self._intake.submit(messages.boot(payload, source))
        if outcome.registration is not station.record.registration:
            station.record = replace(station.record, registration=outcome.registration)
        return {
            "status": outcome.registration,
            "currentTime": wire_time(self._clock.now()),
            "interval": outcome.interval_s,
        }

    async def _data_transfer(
        self, station: Station, payload: Mapping[str, Any], source: Source
    ) -> Mapping[str, Any]:
        return {"status": "UnknownVendorId"}  # M60: no vendor is known

    async def _heartbeat(
        self, station: Station, payload: Mapping[str, Any], source: Source
    ) -> Mapping[str, Any]:
        return {"currentTime": wire_time(self._clock.now())}

    async def _meter_values(
        self, station: Station, payload: Mapping[str, Any], source: Source
    ) -> Mapping[str, Any]:
        fact = messages.meter_values(payload, source)
        if fact.readings:
            await self._intake.submit(fact)
        return {}

    async def _start(
        self, station: Station, payload: Mapping[str, Any], source: Source
    ) -> Mapping[str, Any]:
        outcome = await self._intake.submit(messages.start(payload, source))
        return {
            "transactionId": outcome.transaction_id,
            "idTagInfo": _id_tag_info(outcome.id_tag_info),
        }

    async def _status(
        self, station: Station, payload: Mapping[str, Any], source: Source
    ) -> Mapping[str, Any]:
        fact = messages.status(payload, source)
        await self._intake.submit(fact)
        if fact.status in ENDING_STATUSES and self._notices is not None:
            await self._notices.submit(
                ConnectorDownFact(
                    charge_point=fact.charge_point,
                    received_at=fact.received_at,
                    connector_id=fact.connector_id,
                )
            )
        return {}

    async def _stop(
        self, station: Station, payload: Mapping[str, Any], source: Source
    ) -> Mapping[str, Any]:
        outcome = await self._intake.submit(messages.stop(payload, source))
        if outcome.id_tag_info is None:
            return {}
        return {"idTagInfo": _id_tag_info(outcome.id_tag_info)}


class NoticeHandlers:
    """Serves what charge points report beside charging; each is stored, then answered `{}`."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    def handlers(self) -> dict[str, _Handler]:
        """Return the handlers by action."""
        return {
            "DiagnosticsStatusNotification": self._kept(messages.diagnostics_status),
            "FirmwareStatusNotification": self._kept(messages.firmware_status),
            "LogStatusNotification": self._kept(messages.log_status),
            "SecurityEventNotification": self._kept(messages.security_event),
            "SignCertificate": self._sign_certificate,
            "SignedFirmwareStatusNotification": self._kept(messages.signed_firmware_status),
        }

    def _kept(self, read: Callable[[Mapping[str, Any], Source], Notice]) -> _Handler:
        async def handle(
            station: Station, payload: Mapping[str, Any], source: Source
        ) -> Mapping[str, Any]:
            await self._notices.submit(read(payload, source))
            return {}

        return handle

    async def _sign_certificate(
        self, station: Station, payload: Mapping[str, Any], source: Source
    ) -> Mapping[str, Any]:
        await self._notices.submit(messages.unsigned_certificate(source))
        return {"status": "Rejected"}  # M80: nobody here can sign it


def _id_tag_info(info: IdTagInfo) -> dict[str, str]:
    answer = {"status": cast(str, info.status)}
    if info.expires_at is not None:
        answer["expiryDate"] = wire_time(info.expires_at)
    if info.parent_id_tag is not None:
        answer["parentIdTag"] = info.parent_id_tag
    return answer
