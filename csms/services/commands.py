"""Commands: calls that an operator sends. Sent once, never repeated, the outcome recorded."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
import structlog

from csms.clock import Clock
from csms.domain.masking import MASK, mask
from csms.errors import CallFailed, DatabaseAway, Forbidden, Invalid, NotFound
from csms.services import command_checks, credentials, key_rotation
from csms.services.audit import AuditTrail
from csms.services.call_effects import CallAdviser, CallEffect, Ended, Sending
from csms.services.locations import Locations
from csms.services.ports.gateway import Answer, CallSchemas, Gateway
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import CallRecord, Station

_log = structlog.get_logger(__name__)


class CommandService:
    """Sends calls to charge points for operators."""

    def __init__(
        self,
        units: UnitsOfWork,
        gateway: Gateway,
        schemas: CallSchemas,
        clock: Clock,
        audit: AuditTrail,
        *,
        secret: bytes,
        effects: Sequence[CallEffect] = (),
        advisers: Sequence[CallAdviser] = (),
        locations: Locations | None = None,
    ) -> None:
        self._effects = effects
        self._advisers = advisers
        self._locations = locations
        self._units = units
        self._gateway = gateway
        self._schemas = schemas
        self._clock = clock
        self._audit = audit
        self._secret = secret
        self._actions = frozenset(schemas.actions())

    async def send(
        self, actor: str, identity: str, action: str, payload: Mapping[str, Any]
    ) -> CallRecord:
        """Send one call and return it with its outcome: accepted, rejected or callError.

        The call and its audit entry are committed before it is sent.

        Raises:
            NotFound: Unknown station or action.
            Invalid: `invalid_payload`; `fields` says where.
            Forbidden: `refused_locally`.
            CallFailed: No usable answer; recorded too.

        Cancellation: the call may have been sent; its outcome stays open until `lose`.
        """
        if action not in self._actions:
            raise NotFound("action_not_found", f"There is no call {action[:50]!r}.")
        payload = command_checks.with_unix_line_ends(dict(payload))
        async with self._units() as unit:
            station = await unit.charge_points.get(identity)
            if station is None:
                raise NotFound("station_not_found", "There is no such station.")
            now, call_id = self._clock.now(), str(uuid.uuid4())
            about_location: tuple[str, ...] = ()
            if self._locations is not None:
                filled = await self._locations.fill(
                    unit, station, action, payload, call_id=call_id, now=now
                )
                payload, about_location = filled.payload, filled.warnings
            self._check(station, action, payload)
            named = command_checks.named_transaction(action, payload)
            session = None if named is None else await unit.sessions.get(named)
            warnings = command_checks.warnings(station, action, payload, session, now)
            for adviser in self._advisers:
                warnings += await adviser.warnings(unit, station, action, payload, now)
            call = CallRecord(
                id=call_id,
                action=action,
                payload=masked(action, payload),
                actor=actor,
                created_at=now,
                warnings=(*about_location, *warnings),
            )
            await unit.calls.insert(station.key, call)
            key = key_rotation.new_key(action, payload)
            digest = None if key is None else credentials.digest(self._secret, key)
            if digest is not None:
                await unit.charge_points.begin_rotation(station.key, digest)
            await self._audit.note(
                unit,
                actor,
                "call",
                "station",
                station.identity,
                {"action": action, "call": call.id},
            )
            sending = Sending(id=call.id, action=action, payload=payload, at=now)
            for effect in self._effects:
                await effect.sending(unit, station, sending)
        return await self._sent(station, call, sending, digest)

    def _check(self, station: Station, action: str, payload: Mapping[str, Any]) -> None:
        problems = self._schemas.problems(action, payload)
        if problems:
            raise Invalid("invalid_payload", f"This is no valid {action}.req.", problems)
        reason = command_checks.refusal(station, action, payload)
        if reason is not None:
            raise Forbidden("refused_locally", reason)

    async def _sent(
        self,
        station: Station,
        call: CallRecord,
        sending: Sending,
        new_digest: bytes | None,
    ) -> CallRecord:
        try:
            answer = await self._gateway.call(
                station.key, call.action, sending.payload, message_id=call.id
            )
        except CallFailed as error:
            failed = replace(
                call,
                ended_at=self._clock.now(),
                outcome=error.code,
                error_description=error.detail,
            )
            await self._record(station, failed, sending, None, new_digest)
            raise
        ended = replace(call, sent_at=answer.sent_at, ended_at=answer.answered_at)
        response: Mapping[str, Any] | None = None
        if answer.error_code is not None:
            ended = replace(
                ended,
                outcome="callError",
                error_code=answer.error_code,
                error_description=_complaint(call.action, sending.payload, answer),
            )
        else:
            response = answer.payload
            outcome, status = command_checks.outcome(response)
            ended = replace(
                ended,
                outcome=outcome,
                status=status,
                response=masked(call.action, response),
            )
        return await self._record(station, ended, sending, response, new_digest)

    async def _record(
        self,
        station: Station,
        call: CallRecord,
        sending: Sending,
        response: Mapping[str, Any] | None,
        new_digest: bytes | None,
    ) -> CallRecord:
        """Write the outcome; a call that was sent must not fail because the database is away."""
        try:
            async with self._units() as unit:
                await unit.calls.finish(call)
                if new_digest is not None and call.outcome is not None:
                    verdict = key_rotation.verdict(call.outcome, call.status)
                    if verdict is not None:
                        await unit.charge_points.end_rotation(station.key, new_digest, verdict)
                await self._conclude(unit, station, call, sending, response)
        except DatabaseAway:
            _log.warning("outcome of a call could not be recorded", call=call.id)
            text = "The outcome could not be recorded: the database is away."
            return replace(call, warnings=(*call.warnings, text))
        return call

    async def lose(self, identity: str, call: CallRecord) -> None:
        """Record that nobody will know what came of a call, unless it has ended meanwhile.

        What it was sent with is known without its secrets only, which no lost answer needs.
        """
        ended = replace(
            call,
            ended_at=self._clock.now(),
            outcome="connection_lost",
            error_description="the central system stopped before the answer was recorded",
        )
        sending = Sending(id=call.id, action=call.action, payload=call.payload, at=call.created_at)
        async with self._units() as unit:
            station = await unit.charge_points.get(identity)
            if station is not None and await unit.calls.finish(ended, only_open=True):
                await self._conclude(unit, station, ended, sending, None)

    async def _conclude(
        self,
        unit: UnitOfWork,
        station: Station,
        call: CallRecord,
        sending: Sending,
        response: Mapping[str, Any] | None,
    ) -> None:
        end = Ended(
            call=sending,
            at=call.ended_at or self._clock.now(),
            outcome=str(call.outcome),
            status=call.status,
            response=response,
        )
        for effect in self._effects:
            await effect.ended(unit, station, end)


def _complaint(action: str, payload: Mapping[str, Any], answer: Answer) -> str | None:
    """Return what a CALLERROR says, unless it repeats a secret that was sent."""
    said = answer.error_description
    shown = masked(action, payload)
    secrets = [v for k, v in payload.items() if isinstance(v, str) and v and shown.get(k) != v]
    return MASK if said and any(secret in said for secret in secrets) else said


def masked(action: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a payload without its secrets, for storing and showing."""
    raw = orjson.dumps(payload).decode()
    text = mask(action, raw)
    if text == raw:
        return payload
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {"masked": True}
    return content if isinstance(content, dict) else {"masked": True}
