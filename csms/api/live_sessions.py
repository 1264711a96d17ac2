"""`/ws/sessions`: a snapshot, then what changes; a slow reader is dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from csms.api.authentication import Authentication
from csms.api.sessions import session_out
from csms.services.access import Role
from csms.services.records import Session
from csms.services.session_feed import Change, SessionFeed

_log = structlog.get_logger(__name__)

_MOST_WAITING = 30  # changes that a reader may be behind: with ticks half a minute
_TICK = ("id", "energyKwh", "powerKw", "socPercent", "limitA", "cost", "etaAt")
_PING_S = 20.0
_SEND_S = 5.0

EtaOf = Callable[[Session], datetime | None]
"""Tells when a session's vehicle will be full, if one can tell."""


class _Messages:
    """Texts of one change and of one snapshot, made once for all sockets."""

    def __init__(self, eta_of: EtaOf) -> None:
        self._eta_of = eta_of
        self._change: Change | None = None
        self._texts: list[str] = []
        self._sessions: tuple[Session, ...] | None = None
        self._snapshot: list[str] = []

    def of_all(self, sessions: tuple[Session, ...]) -> list[str]:
        """Return the text of a snapshot: the newest session first, as in lists."""
        if sessions is not self._sessions:
            objects = [self._object(session) for session in sessions]
            objects.sort(key=lambda item: int(item["transactionId"]), reverse=True)
            self._sessions, self._snapshot = sessions, [_text("snapshot", objects)]
        return self._snapshot

    def of(self, change: Change) -> list[str]:
        """Return the texts of a change: started, then completed, then ticks."""
        if change is not self._change:
            texts = [_text("session_started", self._object(session)) for session in change.started]
            texts += [
                _text("session_completed", self._object(session)) for session in change.completed
            ]
            if change.ticked:
                ticks = [self._object(session) for session in change.ticked]
                texts.append(
                    _text("sessions_tick", [{name: tick[name] for name in _TICK} for tick in ticks])
                )
            self._change, self._texts = change, texts
        return self._texts

    def _object(self, session: Session) -> dict[str, Any]:
        found = session_out(session, self._eta_of(session))
        return found.model_dump(mode="json", by_alias=True)


class _Reader:
    """One socket with its bounded queue of changes; their texts are shared by all sockets."""

    def __init__(self, messages: _Messages) -> None:
        self._messages = messages
        self.queue: asyncio.Queue[list[str]] = asyncio.Queue(_MOST_WAITING)
        self.too_slow = asyncio.Event()

    def snapshot(self, sessions: tuple[Session, ...]) -> None:
        """Queue all active sessions."""
        self._put(self._messages.of_all(sessions))

    def changed(self, change: Change) -> None:
        """Queue a change."""
        self._put(self._messages.of(change))

    def _put(self, texts: list[str]) -> None:
        try:
            self.queue.put_nowait(texts)
        except asyncio.QueueFull:
            self.too_slow.set()


class LiveSessions:
    """The WebSocket endpoint."""

    def __init__(self, feed: SessionFeed, authentication: Authentication, eta_of: EtaOf) -> None:
        self._feed = feed
        self._authentication = authentication
        self._messages = _Messages(eta_of)
        self._sockets: set[web.WebSocketResponse] = set()

    def add_to(self, app: web.Application) -> list[web.AbstractRoute]:
        """Add the route and return it; at the server's stop the sockets are closed."""
        app.on_shutdown.append(self._close_all)
        return [app.router.add_get("/ws/sessions", self._serve, allow_head=False)]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        await self._authentication.require_socket(request, Role.VIEWER)
        socket = web.WebSocketResponse(heartbeat=_PING_S, max_msg_size=4096, timeout=2.0)
        await socket.prepare(request)
        reader = _Reader(self._messages)
        self._sockets.add(socket)
        leave = self._feed.watch(reader)
        try:
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(self._send(socket, reader), name="live sessions")
                slow = tasks.create_task(self._drop_when_slow(socket, reader), name="slow reader")
                async for message in socket:  # nothing is expected; a close ends it
                    if message.type in (WSMsgType.CLOSE, WSMsgType.ERROR):
                        break
                sending.cancel()
                slow.cancel()
        finally:
            leave()
            self._sockets.discard(socket)
        return socket

    @staticmethod
    async def _send(socket: web.WebSocketResponse, reader: _Reader) -> None:
        try:
            while True:
                for text in await reader.queue.get():
                    async with asyncio.timeout(_SEND_S):
                        await socket.send_str(text)
        except TimeoutError:
            reader.too_slow.set()
        except ConnectionError:
            return

    @staticmethod
    async def _drop_when_slow(socket: web.WebSocketResponse, reader: _Reader) -> None:
        await reader.too_slow.wait()
        _log.info("live reader is too slow and dropped", waiting=reader.queue.qsize())
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too slow", drain=False)

    async def _close_all(self, app: web.Application) -> None:
        del app
        for socket in list(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"server stops")


def _text(event: str, data: Any) -> str:
    return orjson.dumps({"event": event, "data": data}).decode()
