"""`/ws/live`: topics by snapshot and changes, the tail of the message log; for the cockpit.

Texts are made once for all sockets. Each socket has a bounded queue; who is too slow is closed
with 1013 and comes back by a snapshot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import orjson
import structlog
from aiohttp import WSCloseCode, WSMsgType, web
from pydantic import Field, ValidationError

from csms.api import problems
from csms.api.authentication import Authentication
from csms.api.fields import In, Text
from csms.api.live_texts import TopicTexts, frame
from csms.api.station_logs import message_out
from csms.clock import Clock
from csms.errors import DatabaseAway, Invalid, Refusal
from csms.services.access import Role
from csms.services.live import LiveFeed, Topic, Update
from csms.services.message_tail import MessageTail, Tailed

_log = structlog.get_logger(__name__)

MESSAGES = "messages"
_MOST_WAITING = 60  # frames that a reader may be behind: some ten seconds of all topics
_PING_S = 20.0
_CHECKED_EVERY_S = 30.0
_SEND_S = 10.0  # a large snapshot over a slow line takes its time
_MOST_SENT = 4096  # bytes of a frame that a browser may send

_TopicName = Literal["stations", "sessions", "sites", "attention", "today", "messages"]


class Subscription(In):
    """What a socket wants; the filters are those of messages."""

    topic: _TopicName
    station_id: Text | None = None
    action: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class ClientFrame(In):
    """A frame of a browser: exactly one of the two."""

    subscribe: Subscription | None = None
    unsubscribe: _TopicName | None = None


class _Reader:
    """One socket with its bounded queue."""

    def __init__(self, texts: _MessageTexts) -> None:
        self._texts = texts
        self.queue: asyncio.Queue[bytes] = asyncio.Queue(_MOST_WAITING)
        self.too_slow = asyncio.Event()
        self.topics: set[Topic] = set()
        self.served: set[Topic] = set()
        self.leave_messages: Callable[[], None] | None = None

    def put(self, text: bytes) -> None:
        """Queue a frame; never blocks."""
        try:
            self.queue.put_nowait(text)
        except asyncio.QueueFull:
            self.too_slow.set()

    def appended(self, messages: Sequence[Tailed], dropped: int) -> None:
        """Queue frames of the message log."""
        self.put(self._texts.frame(messages, dropped))

    def stop_messages(self) -> None:
        """Have no more of them."""
        if self.leave_messages is not None:
            self.leave_messages()
            self.leave_messages = None


class _MessageTexts:
    """Each frame of the log as JSON, made once for all who get it in the same moment."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Tailed, bytes]] = {}

    def frame(self, messages: Sequence[Tailed], dropped: int) -> bytes:
        """Return the frame that tells of these."""
        before, self._made = self._made, {}
        for message in messages:
            known = before.get(id(message))
            text = known[1] if known is not None and known[0] is message else _text(message)
            self._made[id(message)] = (message, text)
        data = b",".join(self._made[id(message)][1] for message in messages)
        more = b',"dropped":%d' % dropped if dropped else b""
        return b'{"topic":"messages","event":"appended","data":[%b]%b}' % (data, more)


def _text(message: Tailed) -> bytes:
    content = message_out(message.message).model_dump(mode="json", by_alias=True)
    return orjson.dumps({"stationId": message.identity, **content})


class Live:
    """The WebSocket endpoint.

    Args:
        feed: Of all topics but messages.
        tail: Of the message log; None in a system without charge points.
    """

    def __init__(
        self,
        feed: LiveFeed,
        tail: MessageTail | None,
        authentication: Authentication,
        clock: Clock,
    ) -> None:
        self._feed = feed
        self._clock = clock
        self._tail = tail
        self._authentication = authentication
        self._texts = {topic: TopicTexts(topic) for topic in Topic}
        self._message_texts = _MessageTexts()
        self._readers: dict[web.WebSocketResponse, _Reader] = {}
        feed.listen(self._receive)

    def add_to(self, app: web.Application) -> list[web.AbstractRoute]:
        """Add the route and return it; at the server's stop the sockets are closed."""
        app.on_shutdown.append(self._close_all)
        return [app.router.add_get("/ws/live", self._serve, allow_head=False)]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        await self._authentication.require_socket(request, Role.VIEWER)
        try:
            names = [name for name in request.query.get("topics", "").split(",") if name]
            wanted = [
                ClientFrame(subscribe=Subscription.model_validate({"topic": name}))
                for name in dict.fromkeys(names)
            ]
        except ValidationError:
            known = ", ".join((*Topic, MESSAGES))
            return problems.response(
                Invalid("invalid_request", "There is no such topic.", {"topics": f"known: {known}"})
            )
        socket = web.WebSocketResponse(heartbeat=_PING_S, max_msg_size=_MOST_SENT, timeout=2.0)
        await socket.prepare(request)
        reader = _Reader(self._message_texts)
        self._readers[socket] = reader
        try:
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(self._send(socket, reader), name="live")
                slow = tasks.create_task(self._drop_when_slow(socket, reader), name="slow reader")
                right = tasks.create_task(self._drop_when_withdrawn(request, socket), name="right")
                for each in wanted:
                    await self._take(reader, each)
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        await self._take_text(reader, message.data)
                    else:
                        break
                for task in (sending, slow, right):
                    task.cancel()
        finally:
            del self._readers[socket]
            reader.stop_messages()
            self._follow()
        return socket

    async def _take_text(self, reader: _Reader, text: str) -> None:
        try:
            await self._take(reader, ClientFrame.model_validate_json(text))
        except ValidationError as error:
            reader.put(_refused(problems.of_validation(error)))

    async def _take(self, reader: _Reader, asked: ClientFrame) -> None:
        if asked.unsubscribe == MESSAGES:
            reader.stop_messages()
        elif asked.unsubscribe is not None:
            topic = Topic(asked.unsubscribe)
            reader.topics.discard(topic)
            reader.served.discard(topic)
            self._follow()
        if asked.subscribe is None:
            return
        if asked.subscribe.topic == MESSAGES:
            await self._tail_for(reader, asked.subscribe)
        else:
            self._subscribe(reader, Topic(asked.subscribe.topic))

    def _subscribe(self, reader: _Reader, topic: Topic) -> None:
        reader.topics.add(topic)
        texts = self._texts[topic]
        if texts.known:
            reader.served.add(topic)
            reader.put(texts.snapshot())
        self._follow()

    async def _tail_for(self, reader: _Reader, asked: Subscription) -> None:
        reader.stop_messages()
        if self._tail is not None:
            try:
                reader.leave_messages = await self._tail.watch(
                    reader, identity=asked.station_id, action=asked.action
                )
            except Refusal as refusal:
                reader.put(_refused(refusal))
                return
            except DatabaseAway:
                reader.put(_refused(problems.database_away()))
                return
        reader.appended((), 0)  # from now on

    def _follow(self) -> None:
        """Let the feed follow what somebody wants; what nobody wants is forgotten."""
        wanted = {topic for reader in self._readers.values() for topic in reader.topics}
        for topic in Topic:
            if topic not in wanted:
                self._texts[topic].forget()
        self._feed.want(wanted)

    def _receive(self, update: Update) -> None:
        topic = update.topic
        readers = [reader for reader in self._readers.values() if topic in reader.topics]
        if not readers:
            return
        text = self._texts[topic].taken(update)
        if update.more:
            return
        for reader in readers:
            if topic not in reader.served or update.whole:
                reader.served.add(topic)
                reader.put(self._texts[topic].snapshot())
            elif text is not None:
                reader.put(text)

    @staticmethod
    async def _send(socket: web.WebSocketResponse, reader: _Reader) -> None:
        try:
            while True:
                text = await reader.queue.get()
                async with asyncio.timeout(_SEND_S):
                    await socket.send_frame(text, WSMsgType.TEXT)
        except TimeoutError:
            reader.too_slow.set()
        except ConnectionError:
            return

    @staticmethod
    async def _drop_when_slow(socket: web.WebSocketResponse, reader: _Reader) -> None:
        await reader.too_slow.wait()
        _log.info("live reader is too slow and dropped", waiting=reader.queue.qsize())
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too slow", drain=False)

    async def _drop_when_withdrawn(
        self, request: web.Request, socket: web.WebSocketResponse
    ) -> None:
        """Close the socket soon after its user, key or cookie has lost the right to watch."""
        while True:
            await self._clock.sleep(_CHECKED_EVERY_S)
            try:
                await self._authentication.require_socket(request, Role.VIEWER)
            except Refusal:
                await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"not allowed")
                return
            except DatabaseAway:  # nobody knows now
                continue

    async def _close_all(self, app: web.Application) -> None:
        del app
        for socket in list(self._readers):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"server stops")


def _refused(refusal: Refusal) -> bytes:
    return frame("", "refused", {"detail": refusal.detail, "errors": refusal.fields})
