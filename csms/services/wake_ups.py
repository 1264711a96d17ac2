"""Cars that sleep through the end of their pause: their transaction is ended and begun anew, once.

Who is meant is decided by `csms.domain.waking`, and stored before anything is sent; so a crash in
between leaves a session that has ended, and never one that is ended twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import structlog

from csms.aio import Hint
from csms.clock import Clock
from csms.domain.ids import TransactionId
from csms.errors import CallFailed, DatabaseAway
from csms.services.audit import AuditTrail
from csms.services.ports.gateway import Gateway
from csms.services.ports.store import UnitsOfWork
from csms.services.records import Session

_log = structlog.get_logger(__name__)

_ACTOR = "smart charging"
_LOOKS = 60
_LOOK_EVERY_S = 1.0


class WakeUps:
    """Ends and starts transactions so that their cars wake.

    Concurrency: `ask` from any task; one task runs `run`.
    """

    def __init__(
        self, units: UnitsOfWork, gateway: Gateway, clock: Clock, audit: AuditTrail
    ) -> None:
        self._units = units
        self._gateway = gateway
        self._clock = clock
        self._audit = audit
        self._asked: list[TransactionId] = []
        self._hint = Hint()

    def ask(self, transaction: TransactionId) -> None:
        """Let a transaction be ended and begun anew soon."""
        self._asked.append(transaction)
        self._hint.give()

    async def run(self) -> None:
        """Do what is asked, each beside the others, for ever."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                while self._asked:
                    number = self._asked.pop(0)
                    tasks.create_task(self._cycle(number), name=f"wake {number}")
                await self._hint.taken(None)

    async def _cycle(self, number: TransactionId) -> None:
        try:
            async with self._units() as unit:
                session = await unit.sessions.get(number)
                if session is None or not session.active:
                    return
                await self._audit.note(
                    unit,
                    _ACTOR,
                    "wake",
                    "session",
                    str(number),
                    {"station": session.identity, "connector": session.connector_id},
                )
            stop = {"transactionId": number}
            if await self._told(session, "RemoteStopTransaction", stop) and await self._over(
                number
            ):
                start = {"connectorId": session.connector_id, "idTag": session.id_tag}
                await self._told(session, "RemoteStartTransaction", start)
        except DatabaseAway as error:
            _log.warning("a car cannot be woken", transaction=number, error=str(error))

    async def _told(self, session: Session, action: str, payload: Mapping[str, Any]) -> bool:
        try:
            answer = await self._gateway.call(
                session.charge_point, action, payload, message_id=str(uuid4())
            )
        except CallFailed as error:
            status = error.code
        else:
            status = answer.error_code or str(answer.payload.get("status"))
        _log.info(
            "call to wake a car",
            action=action,
            transaction=session.transaction_id,
            charge_point=session.identity,
            status=status,
        )
        return status == "Accepted"

    async def _over(self, number: TransactionId) -> bool:
        """Return whether a transaction has ended within a minute."""
        for _ in range(_LOOKS):
            async with self._units() as unit:
                session = await unit.sessions.get(number)
            if session is None or not session.active:
                return True
            await self._clock.sleep(_LOOK_EVERY_S)
        return False
