"""In-memory services with the signatures of the real ones, and a server over them.

They stand in for `csms.services` so that the protocol's edge is tested without a database; the
whole is tested with the real ones elsewhere.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any

from csms.domain.authorization import AuthorizationStatus, AuthorizeFact, IdTagInfo
from csms.domain.charge_points import BootFact, BootOutcome, ChargePointRecord, Registration
from csms.domain.ids import ChargePointKey, Identity, TransactionId
from csms.domain.messages import LoggedFrame
from csms.domain.metering import MeterValuesFact, MeterValuesOutcome
from csms.domain.transactions import StartFact, StartOutcome, StopFact, StopOutcome
from csms.errors import DatabaseAway

ACCEPTED = IdTagInfo(status=AuthorizationStatus.ACCEPTED)


def record(key: int = 1, identity: str = "CP1", **changes: Any) -> ChargePointRecord:
    values: dict[str, Any] = {
        "key": ChargePointKey(key),
        "identity": Identity(identity),
        "registration": Registration.ACCEPTED,
        "security_profile": 0,
        "password_digest": None,
        "strict": False,
        "quiet": True,
    }
    return ChargePointRecord(**{**values, **changes})


class StandInIntake:
    """Keeps what it is given; answers as if all was well, unless told otherwise.

    `hold()` makes facts wait, as for a commit, until `release()`.
    """

    def __init__(self) -> None:
        self.facts: list[Any] = []
        self.frames: list[LoggedFrame] = []
        self.quarantined: list[tuple[ChargePointKey, str, str, str]] = []
        self.registration = Registration.ACCEPTED
        self.error: Exception | None = None
        self.on_commit: Callable[[Any], None] = lambda fact: None
        self.waiting = 0
        self._tasks: set[asyncio.Future[Any]] = set()
        self._gate = asyncio.Event()
        self._gate.set()

    def hold(self) -> None:
        self._gate.clear()

    def release(self) -> None:
        self._gate.set()

    def put(self, fact: Any, done: Callable[[Any], None]) -> None:
        def told(task: asyncio.Future[Any]) -> None:
            self._tasks.discard(task)
            done(task.exception() or task.result())

        task = asyncio.ensure_future(self.submit(fact))
        self._tasks.add(task)
        task.add_done_callback(told)

    async def submit(self, fact: Any) -> Any:
        self.waiting += 1
        await self._gate.wait()
        self.waiting -= 1
        if self.error is not None:
            raise self.error
        self.facts.append(fact)
        self.on_commit(fact)
        match fact:
            case BootFact():
                return BootOutcome(registration=self.registration, interval_s=300)
            case AuthorizeFact():
                return ACCEPTED
            case StartFact():
                return StartOutcome(
                    transaction_id=TransactionId(len(self.facts)), id_tag_info=ACCEPTED
                )
            case StopFact():
                return StopOutcome(id_tag_info=None if fact.id_tag is None else ACCEPTED)
            case MeterValuesFact():
                return MeterValuesOutcome(transaction_id=None)
        return None

    def quarantine(self, key: ChargePointKey, action: str, raw: str, reason: str) -> None:
        self.quarantined.append((key, action, raw, reason))

    def log(self, frame: LoggedFrame) -> None:
        self.frames.append(frame)


class StandInConnections:
    """Knows the stations of `records` by identity; counts connections."""

    def __init__(self, *records: ChargePointRecord) -> None:
        self.records = {record.identity: record for record in records}
        self.passwords: dict[str, bytes] = {}
        self.away = False
        self.settling: asyncio.Future[None] | None = None  # holds handshakes back, or fails them
        self.to_settle: list[ChargePointKey] = []
        self.epochs: dict[ChargePointKey, int] = {}
        self.ends: list[tuple[ChargePointKey, int]] = []
        self.seen_at: dict[ChargePointKey, datetime] = {}

    async def find(self, identity: str) -> ChargePointRecord | None:
        if self.away:
            raise DatabaseAway("away")
        return self.records.get(Identity(identity))

    async def known(self, identities: Any) -> dict[str, ChargePointRecord]:
        found = {identity: await self.find(identity) for identity in identities}
        return {identity: record for identity, record in found.items() if record is not None}

    def check_password(self, record: ChargePointRecord, presented: bytes) -> bool:
        return hmac.compare_digest(self.passwords.get(record.identity, b""), presented)

    async def settle(self, key: ChargePointKey) -> None:
        self.to_settle.append(key)
        if self.settling is not None:
            await self.settling

    async def opened(self, key: ChargePointKey) -> int:
        if self.away:
            raise DatabaseAway("away")
        self.epochs[key] = self.epochs.get(key, 0) + 1
        return self.epochs[key]

    async def closed(self, key: ChargePointKey, epoch: int) -> None:
        self.ends.append((key, epoch))

    def seen(self, key: ChargePointKey, at: datetime) -> None:
        self.seen_at[key] = at
