"""Messages that were refused: looked at, retried once the cause is gone, or dismissed.

A charge point throws such a message away after a few errors, so what stands here may be the only
trace of energy that was delivered.
"""

from __future__ import annotations

from csms.clock import Clock
from csms.errors import Conflict, NotFound
from csms.services.audit import AuditTrail
from csms.services.ports.redelivery import Redelivery
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import RefusedMessage

RETRIED = frozenset({"StartTransaction", "StopTransaction", "MeterValues"})
"""Facts of the past that still count; all others tell a state that is not the present one."""


class QuarantineService:
    """Shows and settles refused messages."""

    def __init__(
        self, units: UnitsOfWork, redelivery: Redelivery, clock: Clock, audit: AuditTrail
    ) -> None:
        self._units = units
        self._redelivery = redelivery
        self._clock = clock
        self._audit = audit

    async def page(
        self,
        limit: int,
        before: int | None = None,
        *,
        state: str | None = None,
        identity: str | None = None,
    ) -> list[RefusedMessage]:
        """Return messages, the newest first."""
        async with self._units() as unit:
            return await unit.quarantine.page(limit, before=before, state=state, identity=identity)

    async def retry(self, actor: str, key: int) -> RefusedMessage:
        """Decode and store a message once more and return it, resolved.

        Raises:
            NotFound: There is none of this key.
            Conflict: `not_open`; `cannot_be_retried` for messages that would undo what came after
                them; `refused_again` with the reason.
        """
        # the row stays locked: two retries at once would store readings twice
        async with self._units() as unit:
            message = await _open(unit, key)
            if message.action not in RETRIED:
                raise Conflict(
                    "cannot_be_retried",
                    f"A {message.action} tells how things were; it can only be dismissed.",
                )
            if message.action == "StartTransaction" and await unit.quarantine.has_started_since(
                message.charge_point, message.received_at
            ):
                raise Conflict(
                    "cannot_be_retried",
                    "The station has started a session since; this start would end it.",
                )
            reason = await self._redelivery.deliver(message)
            if reason is not None:
                raise Conflict("refused_again", f"The message is refused again: {reason}.")
            return await self._end(unit, actor, message, "resolved")

    async def dismiss(self, actor: str, key: int) -> None:
        """Settle a message without storing what it says; it stays readable.

        Raises:
            NotFound: There is none of this key.
            Conflict: `not_open`.
        """
        async with self._units() as unit:
            await self._end(unit, actor, await _open(unit, key), "dismissed")

    async def _end(
        self, unit: UnitOfWork, actor: str, message: RefusedMessage, state: str
    ) -> RefusedMessage:
        await unit.quarantine.end(message.key, state, self._clock.now())
        details = {"station": message.identity, "action": message.action, "state": state}
        verb = "retry" if state == "resolved" else "dismiss"
        await self._audit.note(unit, actor, verb, "quarantine", str(message.key), details)
        ended = await unit.quarantine.get(message.key)
        return ended or message


async def _open(unit: UnitOfWork, key: int) -> RefusedMessage:
    message = await unit.quarantine.get(key, lock=True)
    if message is None:
        raise NotFound("message_not_found", "There is no such message in quarantine.")
    if message.state != "open":
        raise Conflict("not_open", f"This message is {message.state} already.")
    return message
