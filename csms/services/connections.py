"""Who may connect, who is connected, and when each was last heard of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from csms.clock import Clock
from csms.domain.charge_points import ChargePointRecord
from csms.domain.events import StationChanged, StationConnected
from csms.domain.ids import ChargePointKey
from csms.errors import DatabaseAway
from csms.services import credentials
from csms.services.batches import Batches
from csms.services.ports.bus import Bus
from csms.services.ports.connections import ConnectionEnd, ConnectionStore

_log = structlog.get_logger(__name__)

_SEEN_EVERY_S = 15.0
_MOST_AT_ONCE = 500  # stations a statement
_ALLOWED_NEW = 48  # characters of an identity that the server makes a station of by itself


@dataclass(frozen=True, slots=True)
class _Settling:
    """A password that a station has just used while others would have been let in too.

    Attributes:
        used: Its digest.
        pending: The one that stays to come.
    """

    before: ChargePointRecord
    used: bytes
    pending: bytes | None


class Connections:
    """The edge's view of charge points.

    Concurrency: any task may call it; one task runs `run`.
    """

    def __init__(
        self,
        store: ConnectionStore,
        bus: Bus,
        clock: Clock,
        *,
        node: str,
        secret: bytes,
        accept_unknown: bool,
        quiet: bool,
    ) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._node = node
        self._secret = secret
        self._accept_unknown = accept_unknown
        self._quiet = quiet
        self._finding = Batches(self._find, most=_MOST_AT_ONCE)
        self._opening = Batches(self._open, most=_MOST_AT_ONCE)
        self._closing = Batches(self._close, most=_MOST_AT_ONCE)
        self._seen: dict[ChargePointKey, datetime] = {}
        self._settling: dict[ChargePointKey, _Settling] = {}
        self._reached: dict[ChargePointKey, tuple[ChargePointRecord, int]] = {}
        self._closed: dict[ChargePointKey, ConnectionEnd] = {}  # not written yet

    async def find(self, identity: str) -> ChargePointRecord | None:
        """Return the charge point of this identity; makes an unknown one where that is allowed.

        Raises:
            DatabaseAway: Postgres is away: answer 503, the charge point will come again.
        """
        return await self._finding.submit(identity)

    async def known(self, identities: Collection[str]) -> dict[str, ChargePointRecord]:
        """Return those that there are, by identity; makes none.

        Raises:
            DatabaseAway: Postgres is away.
        """
        return await self._store.find(identities) if identities else {}

    def check_password(self, record: ChargePointRecord, presented: bytes) -> bool:
        """Return whether these are the station's password bytes, or their hex text.

        While the outcome of rotations is unknown all of their passwords are; `settle` makes the
        one that was used the only one.
        """
        current, pending = record.password_digest, record.pending_password_digest
        self._settling.pop(record.key, None)
        if current is not None and credentials.matches(current, presented, self._secret):
            unsettled = pending is not None or record.other_password_digests
            if unsettled and not record.pending_password_waits:
                self._settling[record.key] = _Settling(record, current, None)
            return True
        for digest in (pending, *record.other_password_digests):
            if digest is not None and credentials.matches(digest, presented, self._secret):
                # one that holds after a reboot only is still to come when an earlier one is used
                waits = record.pending_password_waits and digest != pending
                self._settling[record.key] = _Settling(record, digest, pending if waits else None)
                return True
        return False

    def reached(self, record: ChargePointRecord, profile: int | None) -> None:
        """Note that a station has come with the higher profile that it was told, or None: not so.

        `settle` makes it the station's own, for good.
        """
        self._reached.pop(record.key, None)
        if profile is not None:
            self._reached[record.key] = (record, profile)

    async def settle(self, key: ChargePointKey) -> None:
        """Make what a handshake has shown hold: the password in use, the profile reached.

        Call it before the station is told that it is in: who comes after that with the former
        password or a lower profile is to be refused.

        Raises:
            DatabaseAway: Nothing is settled; the station has to come again.
        """
        settling = self._settling.pop(key, None)
        if settling is not None:
            await self._store.settle_password(
                settling.before, settling.used, pending=settling.pending
            )
        reached = self._reached.pop(key, None)
        if reached is not None:
            before, profile = reached
            if await self._store.settle_profile(before, profile, self._clock.now()):
                _log.info("security profile reached", station=before.identity, profile=profile)
                self._bus.publish(StationChanged(key))

    async def opened(self, key: ChargePointKey) -> int:
        """Note a new connection and return its epoch."""
        epoch = await self._opening.submit(key)
        self._bus.publish(StationChanged(key))
        self._bus.publish(StationConnected(key))
        return epoch

    async def closed(self, key: ChargePointKey, epoch: int) -> None:
        """Note the end of a connection, unless a newer one has taken over.

        Raises:
            DatabaseAway: It is noted as soon as the database is back.
        """
        end = (key, epoch, self._clock.now())
        try:
            await self._closing.submit(end)
        except DatabaseAway:
            if key not in self._closed or self._closed[key][1] < epoch:
                self._closed[key] = end
            raise
        self._bus.publish(StationChanged(key))

    def seen(self, key: ChargePointKey, at: datetime) -> None:
        """Note a sign of life; written with the next round."""
        self._seen[key] = at

    def last_seen(self, key: ChargePointKey) -> datetime | None:
        """Return a sign of life that is not written yet, if there is one."""
        return self._seen.get(key)

    async def start(self) -> None:
        """Forget connections that a crash of this node has left behind."""
        await self._store.release_node(self._node, self._clock.now())

    async def run(self) -> None:
        """Write signs of life, one statement a round."""
        while True:
            await self._clock.sleep(_SEEN_EVERY_S)
            await self.flush()

    async def flush(self) -> None:
        """Write the signs of life and the ends of connections that wait.

        Raises:
            DatabaseAway: They wait on.
        """
        while self._closed:
            ends = list(self._closed.values())[:_MOST_AT_ONCE]
            await self._store.closed(ends)
            for end in ends:
                # meanwhile a later connection may have ended without being noted
                if self._closed[end[0]] == end:
                    del self._closed[end[0]]
                self._bus.publish(StationChanged(end[0]))
        if self._seen:
            times, self._seen = self._seen, {}
            try:
                await self._store.seen(times)
            except DatabaseAway:
                self._seen = times | self._seen
                raise

    # -- batches

    async def _find(self, identities: Sequence[str]) -> list[ChargePointRecord | None]:
        found = await self._store.find(set(identities))
        if self._accept_unknown:
            new = {each for each in identities if each not in found and len(each) <= _ALLOWED_NEW}
            if new:
                made = await self._store.create(sorted(new), quiet=self._quiet)
                found |= made
                if len(made) < len(new):  # somebody else was quicker
                    found |= await self._store.find(new - made.keys())
        return [found.get(identity) for identity in identities]

    async def _open(self, keys: Sequence[ChargePointKey]) -> list[int]:
        counts = Counter(keys)
        epochs = await self._store.opened(counts, self._node, self._clock.now())
        # a station that opens several connections at once: the one that came last has the newest
        first = {key: epoch - counts[key] for key, epoch in epochs.items()}
        numbers: Counter[ChargePointKey] = Counter()
        answers = []
        for key in keys:
            numbers[key] += 1
            answers.append(first[key] + numbers[key])
        return answers

    async def _close(self, ends: Sequence[ConnectionEnd]) -> list[None]:
        await self._store.closed(ends)
        return [None] * len(ends)
