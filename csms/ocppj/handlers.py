"""What each call of a charge point does and is answered with.

The border where errors become CALLERRORs: everything that fails inside is caught here, answered
with InternalError and a constant text, and logged. Only a database that is away passes through,
because then nothing may be answered at all.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, cast

import structlog

from csms.clock import Clock, wire_time
from csms.domain.authorization import AuthorizationStatus, IdTagInfo
from csms.domain.charge_points import BootOutcome, Registration
from csms.domain.connectors import StatusFact
from csms.domain.ids import ChargePointKey
from csms.domain.reservations import ENDING_STATUSES, ConnectorDownFact
from csms.domain.transactions import StartOutcome, StopOutcome
from csms.errors import BadFact, DatabaseAway
from csms.ocppj import messages, repairs
from csms.ocppj.call_errors import ErrorCode, PayloadRefused, Refused
from csms.ocppj.conversation import TAKEN, Call
from csms.ocppj.leaky import LeakyCounts
from csms.ocppj.messages import Source
from csms.ocppj.notice_handlers import NoticeHandlers
from csms.ocppj.repairs.tolerance import Repairs, Tolerance
from csms.ocppj.schemas import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Schemas
from csms.ocppj.serving import Answer, Done, Handler, Kept, Later, Station
from csms.services.intake import Intake
from csms.services.notices import Notices
from csms.services.signing import Signing

_log = structlog.get_logger(__name__)

TRIGGERED_FOR_S = 60.0
"""How long a pending station may send what we have asked it for."""

FREE_GUESSES = 100
"""So many unknown id tags a station may ask for at once; from then on one a second."""

_GUESS_S = 1.0

KEPT_WHEN_REFUSED = frozenset({"StartTransaction", "StopTransaction", "MeterValues"})
"""A station throws these away after a few CALLERRORs: their raw text is kept (R34)."""


class Handlers:
    """Serves the calls of all charge points.

    Concurrency: any connection; calls of one come one after the other, in order.
    """

    def __init__(
        self,
        intake: Intake,
        schemas: Schemas,
        clock: Clock,
        notices: Notices | None = None,
        known_repairs: Repairs | None = None,
        signing: Signing | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            intake: Makes the facts of charging durable.
            schemas: All of OCPP 1.6.
            clock: Of the server.
            notices: Makes what else is reported durable; without it that is NotSupported.
            known_repairs: For stations that are not strict; None: those of the catalogue.
            signing: Takes certificate requests; without it they are Rejected.
        """
        self._intake = intake
        self._repairs = known_repairs or Repairs(schemas)
        self._clock = clock
        self._handlers: dict[str, Handler] = {
            "Authorize": self._authorize,
            "BootNotification": self._boot,
            "DataTransfer": self._data_transfer,
            "Heartbeat": self._heartbeat,
            "MeterValues": self._meter_values,
            "StartTransaction": self._start,
            "StatusNotification": self._status,
            "StopTransaction": self._stop,
        }
        self._guesses: LeakyCounts[ChargePointKey] = LeakyCounts(
            clock, forgotten_per_s=1 / _GUESS_S
        )
        self._notices = notices
        if notices is not None:
            self._handlers |= NoticeHandlers(notices, signing).handlers()

    def handle(
        self, station: Station, call: Call, received_at: datetime, done: Done
    ) -> Callable[[], Coroutine[Any, Any, None]] | None:
        """Serve one call and hand its answer to `done`, once, now or from the commit of its fact.

        `done` gets `DatabaseAway` when nothing was stored in time: answer nothing and close with
        1013.

        Returns:
            For the few calls that more than one thing must be waited for: what does so, for the
            caller to call and await.
        """
        record = station.record
        source = Source(record.key, received_at, record.strict)
        answer: Answer | Kept | Later | Refused
        try:
            handler = self._allowed(station, call)
            if isinstance(handler, Refused):
                answer = handler
            else:
                known = station.tolerance or self._repairs
                messages.check(known, call.action, call.payload, call.raw, source)
                answer = handler(station, call.payload, source)
        except Exception as error:
            answer = _refusal(error, station, call)
        if type(answer) is Kept:
            if not (call.repairs or source.repairs):  # else it is logged beside what came
                call.payload = TAKEN
            waiting = _Waiting(self, station, call, source.repairs, answer.answer, done)
            self._intake.put(answer.fact, waiting)
        elif isinstance(answer, (dict, Refused)):
            self.answered(station, call, source.repairs, answer, done)
        elif callable(answer):
            return partial(self._slowly, answer, station, call, source, done)
        return None

    async def _slowly(
        self,
        later: Later,
        station: Station,
        call: Call,
        source: Source,
        done: Done,
    ) -> None:
        answer: Answer | Refused
        try:
            answer = await later()
        except DatabaseAway as error:
            done(error, ())
            return
        except Exception as error:
            answer = _refusal(error, station, call)
        self.answered(station, call, source.repairs, answer, done)

    def answered(
        self,
        station: Station,
        call: Call,
        needed: tuple[str, ...],
        answer: Answer | Refused,
        done: Done,
    ) -> None:
        """Hand over how a call is answered; `needed` names the repairs of its payload."""
        if isinstance(answer, Refused) and (
            call.action in KEPT_WHEN_REFUSED or answer.code is ErrorCode.INTERNAL_ERROR
        ):
            self.keep_refused(station, call.action, call.raw, answer)
        if needed:
            repairs.count(needed)
        done(answer, needed)

    def tolerance(self, station: Station) -> Tolerance:
        """Give a station the repairs of its connection and return them."""
        station.tolerance = Tolerance(self._repairs, station, self._clock)
        return station.tolerance

    @staticmethod
    def let_go(station: Station) -> None:
        """Take the repairs of a connection back that has ended."""
        station.tolerance = None  # it knows the station: neither would ever be freed by itself

    def keep_refused(self, station: Station, action: str, raw: str, refused: Refused) -> None:
        """Put the raw text of a refused message into quarantine (R34)."""
        self._intake.quarantine(
            station.record.key,
            action,
            raw.replace("\0", "\N{REPLACEMENT CHARACTER}"),
            f"{refused.code}: {refused.description}",
        )

    def _allowed(self, station: Station, call: Call) -> Handler | Refused:
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

    def _authorize(
        self, station: Station, payload: Mapping[str, Any], source: Source
    ) -> Kept | Later:
        fact = messages.authorize(payload, source)
        if self._guesses.level(station.record.key) < FREE_GUESSES:
            return Kept(fact, self._authorized)

        async def later() -> Answer:
            # a right answer, only late: who tries one id tag after the other gets nowhere (M25)
            await self._clock.sleep(_GUESS_S)
            return self._authorized(station, await self._intake.submit(fact))

        return later

    def _authorized(self, station: Station, info: IdTagInfo) -> Answer:
        if info.status is AuthorizationStatus.INVALID:
            self._guesses.add(station.record.key)
        return {"idTagInfo": _id_tag_info(info)}

    def _boot(self, station: Station, payload: Mapping[str, Any], source: Source) -> Kept:
        return Kept(messages.boot(payload, source), self._booted)

    def _booted(self, station: Station, outcome: BootOutcome) -> Answer:
        if outcome.registration is not station.record.registration:
            station.record = replace(station.record, registration=outcome.registration)
        return {
            "status": outcome.registration,
            "currentTime": wire_time(self._clock.now()),
            "interval": outcome.interval_s,
        }

    def _data_transfer(
        self, station: Station, payload: Mapping[str, Any], source: Source
    ) -> Answer:
        return {"status": "UnknownVendorId"}  # M60: no vendor is known

    def _heartbeat(self, station: Station, payload: Mapping[str, Any], source: Source) -> Answer:
        return {"currentTime": wire_time(self._clock.now())}

    def _meter_values(
        self, station: Station, payload: Mapping[str, Any], source: Source
    ) -> Kept | Answer:
        fact = messages.meter_values(payload, source)
        return Kept(fact, _nothing) if fact.readings else {}

    def _start(self, station: Station, payload: Mapping[str, Any], source: Source) -> Kept:
        return Kept(messages.start(payload, source), _started)

    def _status(self, station: Station, payload: Mapping[str, Any], source: Source) -> Kept | Later:
        fact = messages.status(payload, source)
        if fact.status in ENDING_STATUSES and self._notices is not None:
            return partial(self._connector_down, fact, self._notices)
        return Kept(fact, _nothing)

    async def _connector_down(self, fact: StatusFact, notices: Notices) -> Answer:
        await self._intake.submit(fact)
        await notices.submit(
            ConnectorDownFact(
                charge_point=fact.charge_point,
                received_at=fact.received_at,
                connector_id=fact.connector_id,
            )
        )
        return {}

    def _stop(self, station: Station, payload: Mapping[str, Any], source: Source) -> Kept:
        return Kept(messages.stop(payload, source), _stopped)


class _Waiting:
    """A call whose fact waits for its commit; called once, with the outcome.

    One small object where a partial takes four: with a thousand calls in flight, what waits is
    more than the processor's cache holds.
    """

    __slots__ = ("_answer_of", "_call", "_done", "_handlers", "_repairs", "_station")

    def __init__(
        self,
        handlers: Handlers,
        station: Station,
        call: Call,
        needed: tuple[str, ...],
        answer_of: Callable[[Station, Any], Answer],
        done: Done,
    ) -> None:
        self._handlers = handlers
        self._station = station
        self._call = call
        self._repairs = needed
        self._answer_of = answer_of
        self._done = done

    def __call__(self, outcome: object) -> None:
        """Answer the call: its fact is durable, or not to be."""
        station, call = self._station, self._call
        answer: Answer | Refused
        if isinstance(outcome, Exception):
            if isinstance(outcome, DatabaseAway):
                self._done(outcome, ())
                return
            answer = _refusal(outcome, station, call)
        else:
            try:
                answer = self._answer_of(station, outcome)
            except Exception as error:
                answer = _refusal(error, station, call)
        self._handlers.answered(station, call, self._repairs, answer, self._done)


def _nothing(station: Station, outcome: object) -> Answer:
    return {}


def _started(station: Station, outcome: StartOutcome) -> Answer:
    return {
        "transactionId": outcome.transaction_id,
        "idTagInfo": _id_tag_info(outcome.id_tag_info),
    }


def _stopped(station: Station, outcome: StopOutcome) -> Answer:
    return {} if outcome.id_tag_info is None else {"idTagInfo": _id_tag_info(outcome.id_tag_info)}


def _refusal(error: Exception, station: Station, call: Call) -> Refused:
    """Return the CALLERROR for what went wrong inside."""
    if isinstance(error, PayloadRefused):
        return error.refused
    if isinstance(error, BadFact):
        _log.error(
            "fact refused by the database",
            action=call.action,
            station=station.record.identity,
            error=str(error),
        )
        return Refused(ErrorCode.INTERNAL_ERROR, "the message could not be stored")
    _log.error(
        "handler failed", action=call.action, station=station.record.identity, exc_info=error
    )
    return Refused(ErrorCode.INTERNAL_ERROR, "the message could not be handled")


def _id_tag_info(info: IdTagInfo) -> dict[str, str]:
    answer = {"status": cast(str, info.status)}
    if info.expires_at is not None:
        answer["expiryDate"] = wire_time(info.expires_at)
    if info.parent_id_tag is not None:
        answer["parentIdTag"] = info.parent_id_tag
    return answer
