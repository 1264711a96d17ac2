"""A small central system on a real socket: answers by script, records every frame.

It shares no code with the simulator nor with the server of this project: frames are plain
lists, checked against the
``ocpp`` package's schemas.
"""

import asyncio
import base64
import functools
import itertools
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import ocpp.v16
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

NOW = "2026-01-01T00:00:00Z"
SCHEMAS = Path(ocpp.v16.__file__).parent / "schemas"


@functools.cache
def _validator(name: str) -> Validator:
    # The package's own validators are shared state, with or without Decimal by who came first.
    schema = json.loads((SCHEMAS / f"{name}.json").read_text("utf-8-sig"), parse_float=Decimal)
    return validator_for(schema)(schema)


def validate(name: str, payload: dict[str, Any]) -> None:
    """Raise unless ``payload`` fits the schema ``name`` (an action, or an action + "Response")."""
    _validator(name).validate(json.loads(json.dumps(payload), parse_float=Decimal))


@dataclass(frozen=True)
class CallError:
    """Answer a call with CALLERROR."""

    code: str = "InternalError"


class DropSocket:
    """Cut the connection instead of answering."""


class Silence:
    """Never answer."""


@dataclass(frozen=True)
class FollowedBy:
    """Answer, and send a call at once, without waiting for anything between the two frames."""

    answer: dict[str, Any]
    action: str
    payload: dict[str, Any]


Answer = dict[str, Any] | CallError | DropSocket | Silence | FollowedBy
Script = Callable[[dict[str, Any]], Answer]


def frame_bytes(text: str) -> bytes:
    """A server's text frame (RFC 6455 5.2), unmasked, up to 64 KiB."""
    data = text.encode()
    length = bytes([len(data)]) if len(data) < 126 else b"\x7e" + len(data).to_bytes(2, "big")
    return b"\x81" + length + data


@dataclass
class Received:
    """One call of a charge point."""

    action: str
    payload: dict[str, Any]
    message_id: str
    connection: int


@dataclass
class Central:
    """The central system: ``calls`` came in, ``scripts`` replace the usual answers."""

    port: int = 0
    tls: ssl.SSLContext | None = None
    password: bytes | None = None
    boot_status: str = "Accepted"
    boot_interval: int = 300
    calls: list[Received] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    scripts: dict[str, list[Script]] = field(default_factory=dict)
    connections: int = 0
    closes: list[int | None] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changed = asyncio.Condition()
        self._sockets: dict[str, ServerConnection] = {}
        self._answers: dict[str, asyncio.Future[list[Any]]] = {}
        self._transaction_ids = itertools.count(1001)
        self._message_ids = itertools.count(1)
        self.follower: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()

    @property
    def url(self) -> str:
        scheme = "ws" if self.tls is None else "wss"
        return f"{scheme}://127.0.0.1:{self.port}/ocpp"

    def once(self, action: str, *answers: Answer) -> None:
        """Answer the next calls of ``action`` so, one answer each."""
        self.scripts.setdefault(action, []).extend(
            (lambda payload, answer=answer: answer) for answer in answers
        )

    def of(self, action: str) -> list[dict[str, Any]]:
        """Payloads of all calls of ``action``, in order of arrival."""
        return [call.payload for call in self.calls if call.action == action]

    def statuses(self, connector_id: int = 1) -> list[str]:
        """States reported for a connector, in order."""
        return [
            payload["status"]
            for payload in self.of("StatusNotification")
            if payload["connectorId"] == connector_id
        ]

    def told(self, connector: int = 1, since: int = 0) -> list[str]:
        """Actions of a connector in order; a StatusNotification shows as its status."""
        return [
            one.payload["status"] if one.action == "StatusNotification" else one.action
            for one in self.calls[since:]
            if one.payload.get("connectorId", connector) == connector
        ]

    def measured(self, measurand: str, phase: str | None = None) -> list[float]:
        """Values of a measurand in all MeterValues, in order."""
        return [
            float(sample["value"])
            for payload in self.of("MeterValues")
            for value in payload["meterValue"]
            for sample in value["sampledValue"]
            if sample["measurand"] == measurand and sample.get("phase") == phase
        ]

    async def until(self, predicate: Callable[[], bool], timeout: float = 30.0) -> None:
        """Wait until ``predicate`` holds; it is looked at after each frame."""
        try:
            async with asyncio.timeout(timeout), self._changed:
                await self._changed.wait_for(predicate)
        except TimeoutError:
            seen = "\n".join(f"{call.action} {call.payload}" for call in self.calls)
            raise AssertionError(f"not reached; received:\n{seen}") from None

    async def until_calls(self, action: str, count: int = 1) -> list[dict[str, Any]]:
        await self.until(lambda: len(self.of(action)) >= count)
        return self.of(action)

    async def call(self, identity: str, action: str, **payload: Any) -> dict[str, Any]:
        """Send a call to a charge point; return the result's payload, or raise on CALLERROR."""
        frame = await self.call_raw(identity, action, payload)
        if frame[0] != 3:
            raise AssertionError(f"{action} got {frame}")
        validate(f"{action}Response", frame[2])
        return frame[2]

    async def call_raw(
        self, identity: str, action: str, payload: Any, message_id: str | None = None
    ) -> list[Any]:
        """Send a call to a charge point; return the frame that answers it."""
        message_id = message_id or f"c{next(self._message_ids)}"
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._answers[message_id] = future
        await self._sockets[identity].send(json.dumps([2, message_id, action, payload]))
        async with asyncio.timeout(30):
            return await future

    def certificate(self, identity: str) -> dict[str, Any] | None:
        """The client certificate that a charge point has shown, as the ssl module reads it."""
        return self._sockets[identity].transport.get_extra_info("peercert") or None

    async def send_raw(self, identity: str, text: str) -> None:
        await self._sockets[identity].send(text)

    def _check_login(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if self.password is None:
            return None
        identity = request.path.rpartition("/")[2].encode()
        wanted = "Basic " + base64.b64encode(identity + b":" + self.password).decode()
        if request.headers.get("Authorization") == wanted:
            return None
        return Response(401, "Unauthorized", Headers({"Content-Length": "0"}))

    async def _serve(self, socket: ServerConnection) -> None:
        self.connections += 1
        number = self.connections
        assert socket.request is not None
        identity = socket.request.path.rpartition("/")[2]
        self._sockets[identity] = socket
        async with self._changed:
            self._changed.notify_all()
        try:
            async for text in socket:
                self.raw.append(str(text))
                try:
                    frame = json.loads(text)
                except ValueError:
                    self.unreadable.append(str(text))
                    async with self._changed:
                        self._changed.notify_all()
                    continue
                await self._take(socket, number, frame)
        except ConnectionClosed:
            pass
        self.closes.append(socket.close_code)
        async with self._changed:
            self._changed.notify_all()

    async def _take(self, socket: ServerConnection, number: int, frame: list[Any]) -> None:
        if frame[0] != 2:
            self._answers.pop(frame[1]).set_result(frame)
            return
        _, message_id, action, payload = frame
        try:
            validate(action, payload)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with a frame is the finding
            self.faults.append(f"{action} {payload}: {error}")
        self.calls.append(Received(action, payload, message_id, number))
        scripts = self.scripts.get(action)
        answer = scripts.pop(0)(payload) if scripts else self._usual(action, payload)
        async with self._changed:
            self._changed.notify_all()
        match answer:
            case CallError(code):
                await socket.send(json.dumps([4, message_id, code, "scripted", {}]))
            case DropSocket():
                socket.transport.abort()
            case Silence():
                pass
            case FollowedBy(result, follower, follower_payload):
                self._answers["follower"] = self.follower
                call = [2, "follower", follower, follower_payload]
                # One write for both frames, so that they arrive together.
                socket.transport.writelines(
                    [
                        frame_bytes(json.dumps([3, message_id, result])),
                        frame_bytes(json.dumps(call)),
                    ]
                )
            case _:
                await socket.send(json.dumps([3, message_id, answer]))

    def _usual(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        accepted = {"status": "Accepted"}
        match action:
            case "BootNotification":
                return {
                    "status": self.boot_status,
                    "currentTime": NOW,
                    "interval": self.boot_interval,
                }
            case "Heartbeat":
                return {"currentTime": NOW}
            case "Authorize":
                status = "Invalid" if payload["idTag"].startswith("BAD") else "Accepted"
                return {"idTagInfo": {"status": status}}
            case "StartTransaction":
                return {"transactionId": next(self._transaction_ids), "idTagInfo": accepted}
            case "StopTransaction":
                return {"idTagInfo": accepted} if "idTag" in payload else {}
            case "DataTransfer":
                return accepted
            case _:
                return {}

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Central"]:
        """Serve on a free port of the loopback."""
        server: Server
        async with serve(
            self._serve,
            "127.0.0.1",
            self.port,
            subprotocols=[Subprotocol("ocpp1.6")],
            compression=None,
            ssl=self.tls,
            process_request=self._check_login,
        ) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            yield self
