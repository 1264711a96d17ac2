"""Active sessions as those who watch live see them; fed by the feed of sessions."""

from __future__ import annotations

from collections.abc import Callable, Collection

from csms.domain.ids import TransactionId
from csms.services.records import Session
from csms.services.session_feed import Change


class SessionBoard:
    """Keeps what runs; implements `csms.services.session_feed.Watcher`.

    A session that has ended is told once more, and is no more the next time.

    Attributes:
        known: Whether the snapshot has come.
        has_ended: Set when a session ends; whoever has looked clears it.
    """

    def __init__(self, news: Callable[[], None]) -> None:
        self._news = news
        self._active: dict[TransactionId, Session] = {}
        self._untold: dict[TransactionId, Session] = {}
        self._unmoved: dict[TransactionId, Session] = {}
        self._over: tuple[TransactionId, ...] = ()
        self.known = False
        self.has_ended = False

    def snapshot(self, sessions: tuple[Session, ...]) -> None:
        """Take all active sessions."""
        self._active = {session.transaction_id: session for session in sessions}
        self.known = True
        self._news()

    def changed(self, change: Change) -> None:
        """Take a change."""
        for session in (*change.started, *change.ticked, *change.completed):
            key = session.transaction_id
            if session.active:
                self._active[key] = session
            else:
                self._active.pop(key, None)
                self.has_ended = True
            self._untold[key] = self._unmoved[key] = session
        self._news()

    def active(self) -> Collection[Session]:
        """Return what runs now."""
        return self._active.values()

    def take(self) -> tuple[tuple[Session, ...], tuple[TransactionId, ...]]:
        """Return what has changed since the last time, and what is no more."""
        changed, removed = tuple(self._untold.values()), self._over
        self._untold.clear()
        self._over = tuple(s.transaction_id for s in changed if not s.active)
        return changed, removed

    def take_moved(self) -> tuple[Session, ...]:
        """Return the same for stations, which have a pace of their own."""
        moved = tuple(self._unmoved.values())
        self._unmoved.clear()
        return moved
