"""Which charge points are connected here, by the newest connection of each."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from csms.domain.charge_points import ChargePointRecord
from csms.domain.ids import ChargePointKey
from csms.ocppj.session import Session


class Registry:
    """Live sessions by charge point.

    Invariant: the session of a charge point is the one with the highest epoch that was added. A
    session is taken out by identity of the object, so the end of an old connection never takes
    out the new one (H11).
    """

    def __init__(self) -> None:
        self._sessions: dict[ChargePointKey, Session] = {}
        self._opening: dict[ChargePointKey, asyncio.Future[None]] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def add(self, session: Session) -> Session | None:
        """Put a session in and return the one that must be closed now, if any.

        That is the former session of the charge point, or the given one itself when a newer
        connection was quicker.
        """
        key = session.station.record.key
        former = self._sessions.get(key)
        if former is not None and former.epoch > session.epoch:
            return session
        self._sessions[key] = session
        return former

    def remove(self, session: Session) -> None:
        """Take a session out, unless a newer one has replaced it."""
        key = session.station.record.key
        if self._sessions.get(key) is session:
            del self._sessions[key]

    def get(self, key: ChargePointKey) -> Session | None:
        """Return the live session of a charge point."""
        return self._sessions.get(key)

    @contextmanager
    def opening(self, key: ChargePointKey) -> Iterator[None]:
        """Say that a connection is let in and its session is about to be added (or not)."""
        done = asyncio.get_running_loop().create_future()
        self._opening[key] = done
        try:
            yield
        finally:
            done.set_result(None)
            if self._opening.get(key) is done:
                del self._opening[key]

    async def connected(self, key: ChargePointKey) -> Session | None:
        """Return the live session of a charge point; waits for one that is just being opened.

        Whoever has seen its handshake succeed may call a station at once, though its connection is
        still being written down.
        """
        while key not in self._sessions and key in self._opening:
            await asyncio.shield(self._opening[key])
        return self._sessions.get(key)

    def is_connected(self, key: ChargePointKey) -> bool:
        """Return whether a charge point has a live connection, or one that is just being opened."""
        return key in self._sessions or key in self._opening

    def sessions(self) -> Collection[Session]:
        """Return all live sessions as they are now."""
        return list(self._sessions.values())

    def refresh(self, record: ChargePointRecord) -> None:
        """Let a live session see what an operator has changed (registration, strictness)."""
        session = self._sessions.get(record.key)
        if session is not None:
            session.station.record = record

    async def close(self, key: ChargePointKey, code: int = 1008, reason: str = "") -> None:
        """Close the connection of a charge point, such as one that was deleted."""
        session = self._sessions.get(key)
        if session is not None:
            await session.close(code, reason)
